// Exports of every released version stay readable, with the same values.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { read } from "./read.mjs";

const folder = new URL("golden/", import.meta.url);
for (const name of readdirSync(folder).filter((name) => name.endsWith(".automerge"))) {
  test(`Automerge reads ${name} as it did when it was written`, () => {
    const expected = JSON.parse(readFileSync(new URL(name.replace(/automerge$/, "json"), folder)));
    assert.deepEqual(read(new URL(name, folder)), expected);
  });
}
