#!/usr/bin/env bash
# Guess: undoing the delete of a nested map brings the map back as all devices know it, with what a colleague wrote into
#   it meanwhile, or leaves it deleted.
# Instead: undo makes a new copy of what this device saw when it deleted. The colleague's edit is in no device's document
#   any more, although nobody deleted it on purpose and both edits had been exchanged before the undo.
# Who meets it: a visit removed by mistake on one phone and filled in on another one that was out of reach.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts yjs@13.6.27 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import * as Y from "yjs";
console.log("yjs", JSON.parse(readFileSync(new URL("node_modules/yjs/package.json", import.meta.url))).version);
const [mine, theirs] = [new Y.Doc(), new Y.Doc()];
const exchange = () => {
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine), "network");
  Y.applyUpdate(mine, Y.encodeStateAsUpdate(theirs), "network");
};
mine.getMap("visits").set("v1", new Y.Map([["note", "nobody home"]]));
exchange();
const undo = new Y.UndoManager(mine.getMap("visits"));
mine.getMap("visits").delete("v1");
theirs.getMap("visits").get("v1").set("note", "spoke with the owner");
theirs.getMap("visits").get("v1").set("signed", true);
exchange();
undo.undo();
exchange();
const seen = JSON.stringify(theirs.getMap("visits").toJSON());
console.log("after the undo, on both devices:", seen, JSON.stringify(mine.getMap("visits").toJSON()));
process.exit(seen === '{"v1":{"note":"nobody home"}}' ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "An undone delete restores the deleter's older copy; the colleague's edits inside it are lost."
