#!/usr/bin/env bash
# One would guess: a write beside a concurrent delete keeps its key, as Automerge does it for every assignment; and a counter,
#   being made for concurrent use, all the more.
# What happens: an assignment survives a concurrent delete, an increment does not: the key is gone, and no conflict tells
#   that somebody counted. Beside a concurrent new counter the increment vanishes as well.
# Who meets it: two devices offline, one tidying up or setting a count to nought while the other goes on counting. What was
#   counted out there is not in the merged document, and nothing says so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @automerge/automerge@3.5.0 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import * as Automerge from '@automerge/automerge';

console.log('@automerge/automerge 3.5.0, Node', process.version);
/** What is left of `doses` where two devices change the same document and both are merged, whichever takes the other in. */
function merged(start, one, other) {
  const base = Automerge.from({ doses: start });
  const left = Automerge.change(Automerge.clone(base), one);
  const right = Automerge.change(Automerge.clone(base), other);
  const both = Automerge.merge(Automerge.clone(left), right);
  assert.deepEqual(Automerge.toJS(both), Automerge.toJS(Automerge.merge(Automerge.clone(right), left)));
  return both;
}
function say(what, document) {
  const conflicts = JSON.stringify(Automerge.getConflicts(document, 'doses')) ?? 'none';
  console.log(`  ${what}: ${JSON.stringify(document)}, conflicts: ${conflicts}`);
}
const remove = (d) => { delete d.doses; };

console.log('\n10 doses; two devices offline:');
const set = merged(10, (d) => { d.doses = 15; }, remove);
say('one assigns 15, the other deletes', set);
assert.equal(set.doses, 15);

const counted = merged(new Automerge.Counter(10), (d) => { d.doses.increment(5); }, remove);
say('one increments by 5, the other deletes', counted);
assert.ok(!('doses' in counted));
assert.equal(Automerge.getConflicts(counted, 'doses'), undefined);

const anew = merged(new Automerge.Counter(10), (d) => { d.doses.increment(5); }, (d) => { d.doses = new Automerge.Counter(0); });
say('one increments by 5, the other starts anew at 0', anew);
assert.equal(anew.doses.value, 0);
assert.equal(Automerge.getConflicts(anew, 'doses'), undefined);
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
