#!/usr/bin/env bash
# Guess: an UndoManager takes back only what was typed on this device; an update that came in by applyUpdate is remote.
# Instead: "mine" is judged by the transaction's origin alone, and an update applied without one counts as local. One
#   undo then erases what a colleague wrote meanwhile, on all devices. With any origin given, it is left alone.
# Who meets it: a home-made sync (updates fetched over HTTP, applyUpdate(doc, bytes)) beside an undo button.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts yjs@13.6.27 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import * as Y from "yjs";
console.log("yjs", JSON.parse(readFileSync(new URL("node_modules/yjs/package.json", import.meta.url))).version);
function afterUndo(origin) {
  const [mine, theirs] = [new Y.Doc(), new Y.Doc()];
  const exchange = () => {
    Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine), origin);
    Y.applyUpdate(mine, Y.encodeStateAsUpdate(theirs), origin);
  };
  const undo = new Y.UndoManager([mine.getText("note"), mine.getMap("visit")]);
  mine.getText("note").insert(0, "gate locked");
  mine.getMap("visit").set("status", "planned");
  exchange();
  theirs.getText("note").insert(11, ", neighbour asked");
  theirs.getMap("visit").set("status", "done");
  exchange();
  undo.undo();
  exchange();
  return JSON.stringify([theirs.getText("note").toString(), theirs.getMap("visit").toJSON()]);
}
const bare = afterUndo(undefined);
const named = afterUndo("network");
console.log("colleague's device after my undo, updates applied without an origin:", bare);
console.log("the same with an origin:", named);
process.exit(bare === '["",{}]' && named === '[", neighbour asked",{"status":"done"}]' ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "Undo takes back a colleague's edits when their update was applied without an origin."
