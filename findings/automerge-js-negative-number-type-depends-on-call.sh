#!/usr/bin/env bash
# One would guess: the same number is stored as the same type, however a document was written.
# What happens: a negative whole number is an int when it is assigned by itself, and a float64 when it comes in with
#   Automerge.from, with an object or a list that is assigned whole, or with push. In JavaScript both read as -5.
# Who meets it: a server in a typed language. Readers that match on the stored type (an int in Rust or Swift) take a
#   temperature from one screen and refuse the same temperature from another; the apps that wrote them see no difference.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @automerge/automerge@3.5.0 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import * as Automerge from '@automerge/automerge';

console.log('@automerge/automerge 3.5.0, Node', process.version);
const written = (document) =>
  Automerge.getAllChanges(document)
    .flatMap((change) => Automerge.decodeChange(change).ops)
    .findLast((op) => op.datatype).datatype;
const ways = [
  ['change: d.n = n', 'int', (n) => Automerge.change(Automerge.init(), (d) => { d.n = n; })],
  ['change: d.readings[0] = n', 'int', (n) =>
    Automerge.change(Automerge.from({ readings: [0] }), (d) => { d.readings[0] = n; })],
  ['change: d.readings.push(n)', 'float64', (n) =>
    Automerge.change(Automerge.from({ readings: [] }), (d) => { d.readings.push(n); })],
  ['change: d.readings = [n]', 'float64', (n) =>
    Automerge.change(Automerge.init(), (d) => { d.readings = [n]; })],
  ['change: d.site = { n }', 'float64', (n) => Automerge.change(Automerge.init(), (d) => { d.site = { n }; })],
  ['from({ n })', 'float64', (n) => Automerge.from({ n })],
];
console.log('\nThe type that is stored for 5 and for -5, by the call that wrote it:');
for (const [call, negative, write] of ways) {
  const types = [written(write(5)), written(write(-5))];
  console.log(`  ${call.padEnd(27)} 5: ${types[0]}  -5: ${types[1]}`);
  assert.deepEqual(types, ['int', negative]);
}
console.log('\nRead in JavaScript:', ways.map(([, , write]) => JSON.stringify(write(-5))).join(' '));
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
