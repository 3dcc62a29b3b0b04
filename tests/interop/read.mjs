// node read.mjs FILE: everything Automerge finds in an exported document, as JSON: each key's value, and every key with
// several concurrent ones.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import * as Automerge from "@automerge/automerge";

export function read(file) {
  const document = Automerge.load(new Uint8Array(readFileSync(file)));
  const [values, conflicts] = [{}, {}];
  for (const key of Object.keys(document).sort()) {
    values[key] = plain(document[key]);
    const all = Automerge.getConflicts(document, key);
    if (all) conflicts[key] = Object.values(all).map(plain).sort();
  }
  return { values, conflicts, changes: Automerge.getAllChanges(document).length };
}

function plain(value) {
  if (value instanceof Date) return value.getTime();
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return Automerge.isImmutableString(value) ? value.toString() : value;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(JSON.stringify(read(process.argv[2])));
