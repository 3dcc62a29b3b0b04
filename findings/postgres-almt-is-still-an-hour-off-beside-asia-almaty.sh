#!/usr/bin/env bash
# Guess: a PostgreSQL that knows Almaty's change to +05 of 2024 uses it for the abbreviation ALMT too.
# Instead: abbreviations come from a list of their own, in which ALMT is +06 (and ALMST, +07, still exists). In one and
#   the same session the same wall time is an hour apart under the two names, also for days after the change.
# Who meets it: the import of records of older systems that print their times as "18:30 ALMT".
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
const seen = {
  "2026-11-30 18:30 Asia/Almaty": await one("select '2026-11-30 18:30 Asia/Almaty'::timestamptz::text"),
  "2026-11-30 18:30 ALMT": await one("select '2026-11-30 18:30 ALMT'::timestamptz::text"),
  "2023-11-30 18:30 Asia/Almaty": await one("select '2023-11-30 18:30 Asia/Almaty'::timestamptz::text"),
  "2023-11-30 18:30 ALMT": await one("select '2023-11-30 18:30 ALMT'::timestamptz::text"),
};
console.log(seen);
const expected = ["2026-11-30 13:30:00+00", "2026-11-30 12:30:00+00", "2023-11-30 12:30:00+00", "2023-11-30 12:30:00+00"];
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify(expected) ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "PostgreSQL's ALMT stayed at +06 after Asia/Almaty went to +05."
