#!/usr/bin/env bash
# Guess: SQLite's 'localtime' uses the zone's newest rule for a day in the far future, so Almaty in 2041 is +05.
# Instead: outside 1970..2037 SQLite borrows the rules of one of the years 2000..2003, when Almaty still had +06 in
#   winter and +07 in summer. A summer day of 2041 is two hours off, and the local *date* of an evening is wrong.
# Who meets it: a device that works out "keep until" days (15 years after a visit) or the birthdays of elderly residents
#   in SQL, with the phone's own zone.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps apsw==3.54.1.0 tzdata==2024.1
cat >"$tmp/try.py" <<'PY'
import importlib.metadata as meta
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata

zones = str(Path(tzdata.__file__).parent / "zoneinfo")
os.environ.update(TZ="Asia/Almaty", TZDIR=zones, PYTHONTZPATH=zones)
time.tzset()
import apsw

print("apsw", meta.version("apsw"), "with SQLite", apsw.sqlite_lib_version(), "and tzdata", meta.version("tzdata"))
db = apsw.Connection(":memory:")
wrong = {}
for utc in ("1960-07-01 17:30", "1985-01-01 17:30", "2026-07-01 17:30", "2037-07-01 17:30", "2041-01-01 17:30", "2041-07-01 17:30"):
    sqlite = db.execute("select strftime('%Y-%m-%d %H:%M', ?, 'localtime')", (utc,)).get
    moment = datetime.fromisoformat(utc).replace(tzinfo=timezone.utc)
    rule = moment.astimezone(ZoneInfo("Asia/Almaty")).strftime("%Y-%m-%d %H:%M")
    print(f"{utc} UTC: SQLite says {sqlite}, the zone database {rule}")
    hours = (datetime.fromisoformat(sqlite) - datetime.fromisoformat(rule)).total_seconds() / 3600
    if hours:
        wrong[utc[:7]] = hours
print("off, in hours:", wrong)
sys.exit(wrong != {"1960-07": 1.0, "2041-01": 1.0, "2041-07": 2.0})
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "SQLite's localtime takes a year of 2000..2003 in place of one outside 1970..2037: 2041 has the summer time of 2001."
