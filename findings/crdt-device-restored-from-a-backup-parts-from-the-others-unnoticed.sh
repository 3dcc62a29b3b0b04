#!/usr/bin/env bash
# Guess: a phone restored from yesterday's backup that goes on under its old id is refused, or its new edits merge.
# Instead: Yjs and Loro both take the new edit for the one already known under that number. Nothing fails, both sides hold
#   equal version vectors and exchange nothing, and they show different texts for good.
# Who meets it: whoever keeps the peer id in the phone's storage, so that a backup brings it back.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts loro-crdt@1.17.1 yjs@13.6.27 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { LoroDoc, LORO_VERSION } from "loro-crdt";
import * as Y from "yjs";
console.log("loro-crdt", LORO_VERSION(), "and yjs 13.6.27");
function yjs() {
  const open = (backup) => {
    const doc = new Y.Doc();
    if (backup) Y.applyUpdate(doc, backup);
    doc.clientID = 7;
    return doc;
  };
  const phone = open();
  phone.getMap("visit").set("note", "morning");
  const backup = Y.encodeStateAsUpdate(phone);
  phone.getMap("visit").set("note", "before the restore");
  const server = new Y.Doc();
  Y.applyUpdate(server, Y.encodeStateAsUpdate(phone));
  const restored = open(backup);
  restored.getMap("visit").set("note", "after the restore");
  Y.applyUpdate(server, Y.encodeStateAsUpdate(restored));
  Y.applyUpdate(restored, Y.encodeStateAsUpdate(server));
  const vectors = [restored, server].map((doc) => Buffer.from(Y.encodeStateVector(doc)).toString("hex"));
  return [restored.getMap("visit").get("note"), server.getMap("visit").get("note"), vectors[0] === vectors[1]];
}
function loro() {
  const open = (backup) => {
    const doc = new LoroDoc();
    if (backup) doc.import(backup);
    doc.setPeerId(7);
    return doc;
  };
  const write = (doc, note) => {
    doc.getMap("visit").set("note", note);
    doc.commit();
  };
  const phone = open();
  write(phone, "morning");
  const backup = phone.export({ mode: "snapshot" });
  write(phone, "before the restore");
  const server = new LoroDoc();
  server.import(phone.export({ mode: "update" }));
  const restored = open(backup);
  write(restored, "after the restore");
  server.import(restored.export({ mode: "update" }));
  restored.import(server.export({ mode: "update" }));
  const same = JSON.stringify(restored.frontiers()) === JSON.stringify(server.frontiers());
  return [restored.getMap("visit").get("note"), server.getMap("visit").get("note"), same];
}
const seen = { yjs: yjs(), loro: loro() };
for (const [name, [phone, server, same]] of Object.entries(seen)) console.log(`${name}: phone "${phone}", server "${server}", versions equal: ${same}`);
const expected = JSON.stringify(["after the restore", "before the restore", true]);
process.exit(Object.values(seen).every((one) => JSON.stringify(one) === expected) ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "A document continued from a backup under its old id differs from the others with equal versions and no error."
