#!/usr/bin/env bash
# One would guess: two documents with equal heads hold equal changes, so they save to equal bytes; or they do once both were
#   saved and loaded again.
# What happens: the saved file keeps its changes in the order in which that device took them in. Two devices that merged each
#   other save files of equal length and different bytes, and loading and saving them does not bring the files together.
# Who meets it: whoever compares copies by a hash of the file, names files after their content, or sends only what differs:
#   devices that agree look as if they did not, for ever. Heads are to be compared, not files.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @automerge/automerge@3.5.0 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as Automerge from '@automerge/automerge';

console.log('@automerge/automerge 3.5.0, Node', process.version);
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const as = (letter) => ({ actor: letter.repeat(32) });
const edit = (document, key, value) => Automerge.change(document, { time: 0 }, (d) => { d[key] = value; });

const start = edit(Automerge.init(as('a')), 'place', 'house 7');
const first = edit(Automerge.clone(start, as('b')), 'note', 'nobody at home');
const second = edit(Automerge.clone(start, as('c')), 'meter', 3);
let here = Automerge.merge(Automerge.clone(first), second);
let there = Automerge.merge(Automerge.clone(second), first);

console.log('\nHeads here: ', Automerge.getHeads(here).map((head) => head.slice(0, 8)).join(' '));
console.log('Heads there:', Automerge.getHeads(there).map((head) => head.slice(0, 8)).join(' '));
assert.deepEqual(Automerge.getHeads(here), Automerge.getHeads(there));
assert.deepEqual({ ...here }, { ...there });

for (const round of ['saved', 'loaded and saved again', 'and once more']) {
  const [one, other] = [Automerge.save(here), Automerge.save(there)];
  console.log(`  ${round}: ${one.length} and ${other.length} bytes, SHA-256 ${digest(one)} and ${digest(other)}`);
  assert.equal(one.length, other.length);
  assert.notEqual(digest(one), digest(other));
  [here, there] = [Automerge.load(one), Automerge.load(other)];
}
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
