#!/usr/bin/env bash
# Guess: "last writer wins" in cr-sqlite means the later write by some clock, row by row.
# Instead: a column that was written equally often on both sides takes the greater value: "planned" beats "done" for ever,
#   whichever came later. Each column is judged alone, so the merged row can be one that nobody wrote.
# Who meets it: a status column: words are ranked by their spelling, and a done visit becomes a planned one on all phones.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @vlcn.io/crsqlite-wasm@0.16.0 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import open from "@vlcn.io/crsqlite-wasm";
const home = new URL("node_modules/@vlcn.io/crsqlite-wasm/", import.meta.url);
console.log("cr-sqlite", JSON.parse(readFileSync(new URL("package.json", home))).version);
// Only databases in memory are used, so Node needs no IndexedDB and no server for the module's bytes.
globalThis.indexedDB = { open: () => ({}) };
globalThis.fetch = async () => new Response(readFileSync(new URL("dist/crsqlite.wasm", home)), { headers: { "content-type": "application/wasm" } });
const sqlite = await open(() => "crsqlite.wasm");
const columns = '"table", pk, cid, val, col_version, db_version, site_id, cl, seq';
const database = async () => {
  const db = await sqlite.open(":memory:");
  await db.exec("create table visit(id integer primary key not null, status text, rooms integer)");
  await db.exec("select crsql_as_crr('visit')");
  return db;
};
const carry = async (from, to) => {
  for (const change of await from.execA(`select ${columns} from crsql_changes`)) {
    await to.exec(`insert into crsql_changes(${columns}) values(?, ?, ?, ?, ?, ?, ?, ?, ?)`, change);
  }
};
const merged = async (first, second) => {
  const [one, two] = [await database(), await database()];
  await one.exec("insert into visit values(1, 'open', 0)");
  await carry(one, two);
  await one.exec("update visit set status = ?, rooms = ?", first);
  await two.exec("update visit set status = ?, rooms = ?", second);
  await carry(one, two);
  await carry(two, one);
  const rows = await Promise.all([one, two].map((db) => db.execA("select status, rooms from visit")));
  return rows.map((row) => row[0].join(" ")).join(" | ");
};
const seen = [await merged(["planned", 1], ["done", 4]), await merged(["done", 4], ["planned", 1])];
console.log("planned 1, then elsewhere done 4:", seen[0]);
console.log("done 4, then elsewhere planned 1:", seen[1]);
process.exit(seen.every((both) => both === "planned 4 | planned 4") ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "Of concurrent values cr-sqlite keeps the greater one, column by column: 'planned' beats 'done', and 4 beats 1."
