#!/usr/bin/env bash
# Guess: DAYS and DATEDIF count calendar days, as in Excel: from 29 February to 1 March 2024 is one day.
# Instead: formulajs counts started 24 hours of local time. Almaty's 29 February 2024 had 25, so every interval that
#   begins before the zone change and ends after it is one day longer there than the same formula in UTC.
# Who meets it: a form or report that computes "days since the last visit" on the phone, and again on a server in UTC.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @formulajs/formulajs@4.5.3 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const { DAYS, DATEDIF } = require("@formulajs/formulajs");
const version = require("@formulajs/formulajs/package.json").version;
console.log(`formulajs ${version}, zones ${process.versions.tz}, TZ=${process.env.TZ}`);
const day = (text) => new Date(`${text}T00:00`);
const pairs = [["2024-02-28", "2024-02-29"], ["2024-02-29", "2024-03-01"], ["2023-12-01", "2024-06-01"], ["2024-03-01", "2024-06-01"]];
const seen = pairs.map(([from, to]) => [DAYS(day(to), day(from)), DATEDIF(day(from), day(to), "D")]);
pairs.forEach(([from, to], at) => console.log(`${from} to ${to}: DAYS, DATEDIF =`, ...seen[at]));
const expected = { UTC: [[1, 1], [1, 1], [183, 183], [92, 92]], "Asia/Almaty": [[1, 1], [2, 2], [184, 184], [92, 92]] };
process.exit(JSON.stringify(seen) === JSON.stringify(expected[process.env.TZ]) ? 0 : 1);
JS
TZ=UTC node "$tmp/try.cjs"
TZ=Asia/Almaty node "$tmp/try.cjs"
echo "In Almaty, DAYS and DATEDIF give one day more for any interval across 1 March 2024 than they give in UTC."
