#!/usr/bin/env bash
# Guess: dateutil's tz.tzfile reads the zone file of Asia/Almaty that the tzdata package ships, as zoneinfo does.
# Instead: it reads only the old first block of such a file, which is empty in the "slim" files of today. It raises nothing
#   and says +00:00 for every year, while zoneinfo on the same bytes says +06 and +05. dateutil's own copy is right.
# Who meets it: a container whose system zone files are slim, as the zone compiler makes them since 2020: gettz reads those
#   first.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps python-dateutil==2.9.0.post0 six==1.17.0 tzdata==2024.1
cat >"$tmp/try.py" <<'PY'
import importlib.metadata as meta
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata
from dateutil import tz, zoneinfo

print("python-dateutil", meta.version("python-dateutil"), "and tzdata", meta.version("tzdata"))
file = Path(tzdata.__file__).parent / "zoneinfo" / "Asia" / "Almaty"
with file.open("rb") as same:
    zones = {
        "zoneinfo": ZoneInfo.from_file(same, key="Asia/Almaty"),
        "dateutil on the same file": tz.tzfile(str(file)),
        "dateutil's own copy": zoneinfo.get_zonefile_instance().get("Asia/Almaty"),
    }
seen = {}
for name, zone in zones.items():
    seen[name] = [datetime(year, 7, 1, tzinfo=zone).utcoffset().total_seconds() / 3600 for year in (2000, 2023, 2026)]
    print(f"{name}: offsets of 2000, 2023, 2026 in hours = {seen[name]}")
sys.exit(list(seen.values()) != [[7, 6, 5], [0, 0, 0], [7, 6, 5]])
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "dateutil takes a slim zone file for UTC without a word; zoneinfo reads the same file rightly."
