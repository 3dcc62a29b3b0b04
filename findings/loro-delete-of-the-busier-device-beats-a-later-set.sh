#!/usr/bin/env bash
# Guess: of a delete and a concurrent set of the same map key the set wins, as in Yjs and Automerge, or the later by the
#   clock does.
# Instead: in Loro both are writes, and the one whose device has seen more operations wins: a device that typed a note
#   first deletes a status that a colleague sets afterwards; on a tie the higher peer id decides. Yjs keeps the set.
# Who meets it: two inspectors of one building; the one who writes longer notes wins every disagreement, also by deleting.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts loro-crdt@1.17.1 yjs@13.6.27 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { LoroDoc, LORO_VERSION } from "loro-crdt";
import * as Y from "yjs";
console.log("loro-crdt", LORO_VERSION(), "beside yjs 13.6.27");
function loro({ notesOfDeleter, notesOfSetter, deleter = 1, setter = 2 }) {
  const [a, b] = [new LoroDoc(), new LoroDoc()];
  a.setPeerId(deleter);
  b.setPeerId(setter);
  a.getMap("visit").set("status", "planned");
  a.commit();
  b.import(a.export({ mode: "snapshot" }));
  for (let at = 0; at < notesOfDeleter; at++) a.getText("note").push("x");
  for (let at = 0; at < notesOfSetter; at++) b.getText("note").push("x");
  a.getMap("visit").delete("status");
  a.commit();
  b.getMap("visit").set("status", "done");
  b.commit();
  b.import(a.export({ mode: "update" }));
  a.import(b.export({ mode: "update" }));
  return [a, b].map((doc) => doc.getMap("visit").get("status") ?? "deleted").join(", ");
}
function yjs(deleter, setter) {
  const [a, b] = [new Y.Doc(), new Y.Doc()];
  Object.assign(a, { clientID: deleter });
  Object.assign(b, { clientID: setter });
  a.getMap("visit").set("status", "planned");
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a));
  a.getText("note").insert(0, "xxxxx");
  a.getMap("visit").delete("status");
  b.getMap("visit").set("status", "done");
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a));
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b));
  return [a, b].map((doc) => doc.getMap("visit").get("status") ?? "deleted").join(", ");
}
const seen = {
  "Loro, the deleter wrote more": loro({ notesOfDeleter: 5, notesOfSetter: 0 }),
  "Loro, the setter wrote more": loro({ notesOfDeleter: 0, notesOfSetter: 5 }),
  "Loro, equal, the deleter's id is higher": loro({ notesOfDeleter: 0, notesOfSetter: 0, deleter: 3 }),
  "Yjs, the deleter wrote more": yjs(1, 2),
  "Yjs, the same with the higher id": yjs(3, 2),
};
console.log(seen);
const gone = "deleted, deleted", kept = "done, done";
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify([gone, kept, gone, kept, kept]) ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "In Loro the device with more operations wins, so its delete beats a set made later; in Yjs the set stays."
