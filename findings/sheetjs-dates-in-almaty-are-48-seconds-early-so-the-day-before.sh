#!/usr/bin/env bash
# Guess: a date cell read with cellDates is that day's midnight in local time.
# Instead: the library counts from a day of 1899, when Almaty's clock was 5:07:48, and a browser only tells whole minutes.
#   In Almaty each date is 48 seconds early: 1 June 2025 is 31 May, 23:59:12. A Date that is written comes out as a
#   fraction of a day too late by the same seconds. In UTC, where tests run, both are exact.
# Who meets it: the import of a list of planned visits in a browser in Kazakhstan; every day is the day before.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts xlsx@0.18.5 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const sheets = require("xlsx");
console.log(`xlsx ${sheets.version}, TZ=${process.env.TZ}`);
const file = sheets.write(
  { SheetNames: ["plan"], Sheets: { plan: { "!ref": "A1:A1", A1: { t: "n", v: 45809, z: "yyyy-mm-dd" } } } },
  { type: "buffer", bookType: "xlsx" },
);
const cell = sheets.read(file, { cellDates: true }).Sheets.plan.A1;
const read = [cell.v.getMonth() + 1, cell.v.getDate(), cell.v.getHours(), cell.v.getMinutes(), cell.v.getSeconds()].join(" ");
const written = sheets.utils.aoa_to_sheet([[new Date(2025, 5, 1)]]).A1.v;
const late = Math.round((written - 45809) * 86400);
console.log(`the cell shows ${cell.w}; as a Date, month day h m s = ${read}; a written midnight is ${late} s late`);
const expected = { UTC: ["6 1 0 0 0", 0], "Asia/Almaty": ["5 31 23 59 12", 48] }[process.env.TZ];
process.exit(read === expected[0] && late === expected[1] ? 0 : 1);
JS
TZ=UTC node "$tmp/try.cjs"
TZ=Asia/Almaty node "$tmp/try.cjs"
echo "With the clock of Almaty a date cell is read as 48 seconds before its midnight, which is the day before."
