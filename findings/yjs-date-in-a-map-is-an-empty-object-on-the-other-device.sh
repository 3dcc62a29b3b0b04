#!/usr/bin/env bash
# Guess: a Date put in a Y.Map is refused like other class instances, or arrives as a Date or a text.
# Instead: it is accepted and reads back as a Date on the device that set it, also after a sync; on every other device,
#   and on this one after a restart, it is an empty object. A Map, in contrast, is refused at once.
# Who meets it: "visited at" kept as a Date: the author's screen shows it, the colleague's and the server's do not, and
#   the time is gone for good.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts yjs@13.6.27 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import * as Y from "yjs";
console.log("yjs", JSON.parse(readFileSync(new URL("node_modules/yjs/package.json", import.meta.url))).version);
const [phone, other] = [new Y.Doc(), new Y.Doc()];
const visit = phone.getMap("visit");
visit.set("at", new Date("2026-11-30T07:00:00Z"));
visit.set("plan", { due: new Date("2026-12-01T07:00:00Z") });
let refused = false;
try {
  visit.set("answers", new Map());
} catch {
  refused = true;
}
Y.applyUpdate(other, Y.encodeStateAsUpdate(phone));
const arrived = other.getMap("visit").toJSON();
console.log("a Map is refused:", refused);
console.log("on the phone:", visit.toJSON());
console.log("elsewhere:   ", arrived);
const kept = visit.get("at") instanceof Date;
process.exit(refused && kept && JSON.stringify(arrived) === '{"at":{},"plan":{"due":{}}}' ? 0 : 1);
JS
node "$tmp/try.mjs"
echo "A Date in a Y.Map stays a Date on its own device and is an empty object on all others."
