#!/usr/bin/env bash
# Guess: dayjs.tz(...).add(1, "day") keeps the wall clock in the zone, as luxon and moment do.
# Instead: it keeps the offset of the start. From 08:00 on 29 February 2024 in Almaty one day on is "08:00+06:00", which is
#   07:00 on Almaty's clocks that day; a visit planned two months ahead is an hour early too.
# Who meets it: repeated rounds and "remind me in 30 days", planned before a change of the country's zone.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts dayjs@1.11.18 luxon@3.7.1 moment-timezone@0.6.0 moment@2.30.1 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const dayjs = require("dayjs");
dayjs.extend(require("dayjs/plugin/utc"));
dayjs.extend(require("dayjs/plugin/timezone"));
const { DateTime } = require("luxon");
const moment = require("moment-timezone");
for (const name of ["dayjs", "luxon", "moment-timezone"]) console.log(name, require(`${name}/package.json`).version);
const zone = "Asia/Almaty";
const seen = ["day", "month"].map((unit) => ({
  dayjs: dayjs.tz("2024-02-29T08:00", zone).add(1, unit).toISOString(),
  luxon: DateTime.fromISO("2024-02-29T08:00", { zone }).plus({ [unit]: 1 }).toUTC().toISO(),
  moment: moment.tz("2024-02-29T08:00", zone).add(1, unit).toISOString(),
}));
console.log("08:00 in Almaty on 29 February 2024 plus a day, plus a month:", seen);
const [late, early] = ["T03:00:00.000Z", "T02:00:00.000Z"];
const right = seen.every(({ dayjs, luxon, moment }) => dayjs.endsWith(early) && luxon.endsWith(late) && moment === luxon);
process.exit(right ? 0 : 1);
JS
TZ=UTC node "$tmp/try.cjs"
echo "dayjs adds days with the offset of the start: after the zone change the result is an hour early by the wall clock."
