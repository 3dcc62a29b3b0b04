#!/usr/bin/env bash
# Guess: the week number is the same in both languages of one app, the one of ISO 8601 that Kazakhstan's offices use.
# Instead: in moment and dayjs the locale decides it: in Kazakh the week with 1 January is week 1, in Russian the ISO rule
#   holds. 1 January 2027 is in week 1 on the Kazakh screen and week 53 on the Russian one; date-fns says 1 in both.
# Who meets it: rounds planned "for week N": switching the language, or a colleague's phone, moves the plan by a week.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts moment@2.30.1 dayjs@1.11.18 date-fns@4.1.0 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const moment = require("moment");
require("moment/locale/kk");
require("moment/locale/ru");
const dayjs = require("dayjs");
dayjs.extend(require("dayjs/plugin/weekOfYear"));
require("dayjs/locale/kk");
require("dayjs/locale/ru");
const fns = require("date-fns");
const { kk, ru } = require("date-fns/locale");
for (const name of ["moment", "dayjs", "date-fns"]) console.log(name, require(`${name}/package.json`).version);
const weeks = (day) => ({
  iso: fns.getISOWeek(new Date(`${day}T00:00`)),
  moment: ["kk", "ru"].map((locale) => moment(day).locale(locale).week()),
  dayjs: ["kk", "ru"].map((locale) => dayjs(day).locale(locale).week()),
  "date-fns": [kk, ru].map((locale) => fns.getWeek(new Date(`${day}T00:00`), { locale })),
});
const seen = ["2026-11-30", "2027-01-01", "2027-01-04"].map(weeks);
["2026-11-30", "2027-01-01", "2027-01-04"].forEach((day, at) => console.log(day, "Kazakh and Russian:", JSON.stringify(seen[at])));
const newYear = '{"iso":53,"moment":[1,53],"dayjs":[1,53],"date-fns":[1,1]}';
const after = '{"iso":1,"moment":[2,1],"dayjs":[2,1],"date-fns":[2,2]}';
process.exit(JSON.stringify(seen[1]) === newYear && JSON.stringify(seen[2]) === after ? 0 : 1);
JS
node "$tmp/try.cjs"
echo "All of 2027 has other week numbers in Kazakh than in Russian (moment, dayjs), and than in ISO 8601 (date-fns too)."
