#!/usr/bin/env bash
# Guess: AT TIME ZONE '+05:00' gives Kazakhstan's wall time, since '... +05:00' in a timestamp means just that.
# Instead: as a zone's name the text is read with the opposite sign: the result is ten hours off, in the Americas. The same
#   holds for SET TIME ZONE '+05:00', while SET TIME ZONE 5 and an interval of 5 hours are east.
# Who meets it: reports "by local day" that pass the offset which each phone sent along with its visit.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @electric-sql/pglite@0.3.7 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { PGlite } from "@electric-sql/pglite";
const db = await PGlite.create();
const one = async (sql) => Object.values((await db.query(sql)).rows[0])[0];
console.log((await one("select version()")).split(" on ")[0]);
await db.exec("set time zone 'UTC'");
const noon = "'2026-11-30 12:00+00'::timestamptz";
const seen = {
  "'2026-11-30 12:00 +05:00'": await one("select '2026-11-30 12:00 +05:00'::timestamptz::text"),
  "noon at time zone '+05:00'": await one(`select (${noon} at time zone '+05:00')::text`),
  "noon at time zone interval '5 hours'": await one(`select (${noon} at time zone interval '5 hours')::text`),
  "noon at time zone 'Asia/Almaty'": await one(`select (${noon} at time zone 'Asia/Almaty')::text`),
};
await db.exec("set time zone '+05:00'");
seen["noon after set time zone '+05:00'"] = await one(`select ${noon}::text`);
await db.exec("set time zone 5");
seen["noon after set time zone 5"] = await one(`select ${noon}::text`);
console.log(seen);
const expected = ["2026-11-30 07:00:00+00", "2026-11-30 07:00:00", "2026-11-30 17:00:00", "2026-11-30 17:00:00", "2026-11-30 07:00:00-05", "2026-11-30 17:00:00+05"];
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify(expected) ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "As a time zone, PostgreSQL reads '+05:00' as five hours west of Greenwich; in a timestamp the same text is east."
