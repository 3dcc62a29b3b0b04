#!/usr/bin/env bash
# Guess: 23:30 on 29 February 2024 in Almaty, which happened twice, is the first of the two everywhere, as Temporal has it.
# Instead: moment-timezone and Python take the first (+06), luxon, dayjs, date-fns-tz and PostgreSQL the second (+05). One
#   record goes through a phone and a database as two moments an hour apart, without an error anywhere.
# Who meets it: imports of old journals that hold wall time only, and the next change of the zone.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts dayjs@1.11.18 luxon@3.7.1 moment-timezone@0.6.0 moment@2.30.1 date-fns@4.1.0 date-fns-tz@3.2.0 \
  @js-temporal/polyfill@0.5.1 @electric-sql/pglite@0.3.7 >/dev/null
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps tzdata==2024.1
cat >"$tmp/try.cjs" <<'JS'
const dayjs = require("dayjs");
dayjs.extend(require("dayjs/plugin/utc"));
dayjs.extend(require("dayjs/plugin/timezone"));
const { DateTime } = require("luxon");
const moment = require("moment-timezone");
const { fromZonedTime } = require("date-fns-tz");
const { Temporal } = require("@js-temporal/polyfill");
const { PGlite } = require("@electric-sql/pglite");
(async () => {
  const [wall, zone] = ["2024-02-29T23:30:00", "Asia/Almaty"];
  const db = await PGlite.create();
  const { rows } = await db.query(`select extract(epoch from '${wall} ${zone}'::timestamptz)::float8 as seconds, split_part(version(), ' on ', 1) as version`);
  const seconds = {
    "js-temporal": Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).epochMilliseconds / 1000,
    "moment-timezone": moment.tz(wall, zone).unix(),
    luxon: DateTime.fromISO(wall, { zone }).toSeconds(),
    dayjs: dayjs.tz(wall, zone).unix(),
    "date-fns-tz": fromZonedTime(wall, zone).getTime() / 1000,
    [rows[0].version]: rows[0].seconds,
  };
  const offset = (at) => (Date.parse(`${wall}Z`) / 1000 - at) / 3600;
  for (const [name, at] of Object.entries(seconds)) console.log(`${name}: ${new Date(at * 1000).toISOString()}, so +0${offset(at)}`);
  process.exit(Object.values(seconds).map(offset).join() === "6,6,5,5,5,5" ? 0 : 1);
})();
JS
TZ=UTC node "$tmp/try.cjs"
PYTHONTZPATH="" "$tmp/venv/bin/python" -c '
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
at = datetime(2024, 2, 29, 23, 30, tzinfo=ZoneInfo("Asia/Almaty"))
print("Python with tzdata 2024.1:", at.isoformat())
sys.exit(at.isoformat() != "2024-02-29T23:30:00+06:00")'
echo "Of the hour that happened twice, Temporal, moment and Python take the first, luxon, dayjs, date-fns-tz and PostgreSQL the second."
