#!/usr/bin/env bash
# One would guess: a JavaScript number that is put into an Automerge document comes back as that number.
# What happens: a positive whole number from 2^53-1 on, which is still a safe integer, comes back as a BigInt at once, so that
#   "+ 1" and JSON.stringify raise; what is above 2^63-1 is cut down to 9223372036854775807 without a word, and the library's
#   own decodeChange raises on the change that holds it.
# Who meets it: an app that keeps ids, nanoseconds or sensor readings as numbers in an offline document. The writer notices
#   nothing; whoever reads it on another device does, after the fact.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @automerge/automerge@3.5.0 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import * as Automerge from '@automerge/automerge';

console.log('@automerge/automerge 3.5.0, Node', process.version);
const kept = (n) => Automerge.load(Automerge.save(Automerge.from({ n })));
const shown = (value) => `${value} (${typeof value})`;

console.log('\nA whole number put in, and what is read after saving and loading:');
for (const [put, read] of [
  [2 ** 53 - 2, 2 ** 53 - 2],
  [2 ** 53 - 1, 9007199254740991n],
  [2 ** 60, 1152921504606846976n],
  [1e19, 9223372036854775807n],
]) {
  const { n } = kept(put);
  console.log(`  ${shown(put)} -> ${shown(n)}`);
  assert.equal(n, read);
}

console.log('\nWhat an app does next with Number.MAX_SAFE_INTEGER:');
const safe = kept(Number.MAX_SAFE_INTEGER);
for (const [what, act] of [
  ['n + 1', () => safe.n + 1],
  ['JSON.stringify', () => JSON.stringify(safe)],
]) {
  assert.throws(act, (error) => {
    console.log(`  ${what}: ${error.name}: ${error.message}`);
    return error instanceof TypeError;
  });
}

console.log('\nThe change that holds 1e19, read by the library itself:');
const [change] = Automerge.getAllChanges(Automerge.from({ n: 1e19 }));
assert.throws(() => Automerge.decodeChange(change), (error) => {
  console.log(`  decodeChange: ${error.name ?? ''} ${error.message ?? error}`);
  return /9223372036854775807/.test(String(error.message ?? error));
});
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
