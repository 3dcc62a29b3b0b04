#!/usr/bin/env bash
# One would guess: an invalid Date is refused, or at least reads as invalid, as JSON makes it null.
# What happens: it is stored as 1 January 1970, a valid time, without a word.
# Who meets it: a form whose date somebody typed wrongly ("31.02.2026", which the Date constructor does not read). On every other
#   device that is a visit of 1970, sorted last and counted in the wrong year, and nothing tells it from a phone without a clock.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @automerge/automerge@3.5.0 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import * as Automerge from '@automerge/automerge';

console.log('@automerge/automerge 3.5.0, Node', process.version);
const typed = new Date('31.02.2026');
assert.ok(Number.isNaN(typed.getTime()));
console.log('\nTyped "31.02.2026":', String(typed), '- as JSON:', JSON.stringify({ visited: typed }));

for (const [how, document] of [
  ['from', Automerge.from({ visited: typed })],
  ['change', Automerge.change(Automerge.init(), (d) => { d.visited = typed; })],
]) {
  const { visited } = Automerge.load(Automerge.save(document));
  console.log(`  written by ${how}, read on another device: ${visited.toISOString()}`);
  assert.equal(visited.getTime(), 0);
}
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
