// node edit.mjs FILE ACTOR KEY VALUE: the change by which Automerge sets a key to a text, in hex.
import { readFileSync } from "node:fs";
import * as Automerge from "@automerge/automerge";

const [file, actor, key, value] = process.argv.slice(2);
const before = Automerge.load(new Uint8Array(readFileSync(file)), { actor });
const after = Automerge.change(before, { time: 0 }, (draft) => {
  draft[key] = new Automerge.ImmutableString(value);
});
console.log(Buffer.from(Automerge.getLastLocalChange(after)).toString("hex"));
