#!/usr/bin/env bash
# Guess: a zone library that knows Almaty's new offset also knows the one it had before, as it knows summer times.
# Instead: spacetime has one offset for each zone, that of now, for all years: a visit of 2023 is shown an hour earlier
#   than the clock on the wall was, near midnight on another day. Asia/Qyzylorda before December 2018 likewise.
# Who meets it: an app that took the small library without the zone history, and shows visits of earlier years.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts spacetime@7.11.0 luxon@3.7.1 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import { DateTime } from "luxon";
import spacetime from "spacetime";
for (const name of ["spacetime", "luxon"]) console.log(name, JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version);
const moments = [["Asia/Almaty", "2026-11-30T18:30:00Z"], ["Asia/Almaty", "2023-11-30T18:30:00Z"], ["Asia/Qyzylorda", "2018-06-30T18:30:00Z"]];
const seen = moments.map(([zone, utc]) => [spacetime(utc).goto(zone).format("{iso-short} {time-24}"), DateTime.fromISO(utc, { zone }).toFormat("yyyy-MM-dd HH:mm")]);
moments.forEach(([zone, utc], at) => console.log(`${utc} in ${zone}: spacetime ${seen[at][0]}, luxon ${seen[at][1]}`));
process.exit(JSON.stringify(seen) === JSON.stringify([
  ["2026-11-30 23:30", "2026-11-30 23:30"],
  ["2023-11-30 23:30", "2023-12-01 00:30"],
  ["2018-06-30 23:30", "2018-07-01 00:30"],
]) ? 0 : 1);
JS
TZ=UTC node "$tmp/try.mjs"
echo "spacetime shows moments before Almaty's zone change with the offset of after it."
