#!/usr/bin/env bash
# Guess: pymerkle's roots are those of RFC 9162, so its proofs are too and any verifier of the standard takes them.
# Instead: the roots agree for every size, the proofs do not: an inclusion proof begins with the entry's own hash, one more
#   than the standard's, indices start at 1, and the consistency proof of a size with itself holds the root where the
#   standard's is empty.
# Who meets it: an auditor's script in Python that has to check the proofs of a log in Rust or Go; a test on roots passes.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pymerkle==6.1.0 cachetools==5.5.2
cat >"$tmp/try.py" <<'PY'
import importlib.metadata as meta
import sys
from hashlib import sha256

from pymerkle import InmemoryTree

print("pymerkle", meta.version("pymerkle"))


def split(entries):
    at = 1
    while at * 2 < len(entries):
        at *= 2
    return entries[:at], entries[at:]


def root(entries):
    if len(entries) < 2:
        return sha256(b"\0" + entries[0] if entries else b"").digest()
    left, right = split(entries)
    return sha256(b"\1" + root(left) + root(right)).digest()


def path(index, entries):
    if len(entries) == 1:
        return []
    left, right = split(entries)
    if index < len(left):
        return path(index, left) + [root(right)]
    return path(index - len(left), right) + [root(left)]


entries = [f"visit {at}".encode() for at in range(5)]
tree = InmemoryTree(algorithm="sha256")
roots_agree = tree.get_state() == root([])
for at, entry in enumerate(entries):
    tree.append_entry(entry)
    roots_agree &= tree.get_state() == root(entries[: at + 1])
theirs = [bytes.fromhex(one) for one in tree.prove_inclusion(2).serialize()["path"]]
standard = path(1, entries)
own_first = theirs[0] == root([entries[1]])
same_size = len(tree.prove_consistency(5, 5).serialize()["path"])
print(f"roots of sizes 0 to 5 agree: {roots_agree}")
print(f"inclusion of the second of five, index 2 here: {len(theirs)} hashes, the entry's own first: {own_first}; the standard has {len(standard)}")
print(f"rest of the path equal as a set: {set(theirs[1:]) == set(standard)}")
print(f"consistency of 5 with 5: {same_size} hash; the standard has none")
sys.exit((roots_agree, len(theirs), len(standard), own_first, same_size) != (True, 4, 3, True, 1))
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "pymerkle's roots are the standard's while its proofs have another shape: a hash more, and indices from 1."
