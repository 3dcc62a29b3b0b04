#!/usr/bin/env bash
# Guess: an id of version 7 holds the time at which it was made, by the device's clock at that moment.
# Instead: the npm library never goes back: once a clock was ahead, ids made after its correction keep the future
#   millisecond until real time catches up or the process restarts. The ids of Python's uuid6 library do the same with
#   one more millisecond each.
# Who meets it: a phone that woke with the wrong date, made one id and was corrected by the network: all its visits of
#   that run are sorted, cut off and archived by a time in the future.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts uuid@11.1.0 >/dev/null
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps uuid6==2025.0.1
cat >"$tmp/try.cjs" <<'JS'
const { v7 } = require("uuid");
console.log("npm uuid", require("uuid/package.json").version);
const inside = (id) => new Date(parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toISOString();
const at = (clock) => {
  Date.now = () => Date.parse(clock);
  return inside(v7());
};
const seen = [at("2027-06-01T00:00:00Z"), at("2026-11-30T07:00:00Z"), at("2026-11-30T18:00:00Z")];
console.log("clock at June 2027, then 30 November 2026 twice; the ids say", seen.join(" "));
process.exit(seen.every((time) => time === "2027-06-01T00:00:00.000Z") ? 0 : 1);
JS
node "$tmp/try.cjs"
cat >"$tmp/try.py" <<'PY'
import importlib.metadata as meta
import sys
import time
from datetime import datetime, timezone

import uuid6

print("Python uuid6", meta.version("uuid6"))


def at(clock):
    moment = datetime.fromisoformat(clock).replace(tzinfo=timezone.utc).timestamp()
    time.time_ns = lambda: int(moment * 1e9)
    return datetime.fromtimestamp((uuid6.uuid7().int >> 80) / 1000, timezone.utc).isoformat(timespec="milliseconds")


seen = [at("2027-06-01"), at("2026-11-30T07:00"), at("2026-11-30T18:00")]
print("the same clocks; the ids say", *seen)
sys.exit(seen != [f"2027-06-01T00:00:00.00{at}+00:00" for at in range(3)])
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "After a clock was ahead once, ids of version 7 go on from the future although the clock is right again."
