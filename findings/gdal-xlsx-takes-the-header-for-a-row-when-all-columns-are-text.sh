#!/usr/bin/env bash
# Guess: GDAL reads the first row of a sheet as column names, or never does.
# Instead: it does only if some later row has a cell that is not text. A list of districts and streets, all text, comes
#   back with one row too many and columns Field1, Field2; with a number of houses added, the names are there.
#   The same rows as CSV keep their names, so the two exports of one table differ.
# Who meets it: headquarters that open lists of streets or inspectors in QGIS, or load them with ogr2ogr.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pyogrio==0.11.1 numpy==2.2.6 certifi==2025.8.3 packaging==25.0 openpyxl==3.1.5 et_xmlfile==2.0.0
cat >"$tmp/try.py" <<'PY'
import csv
import sys
from pathlib import Path

import openpyxl
import pyogrio
from pyogrio.raw import read

print("pyogrio", pyogrio.__version__, "with GDAL", pyogrio.__gdal_version_string__)
here = Path(sys.argv[1])
text = [["district", "street"], ["Almaly", "Street 1"], ["Medeu", "Street 2"]]
mixed = [[*row, extra] for row, extra in zip(text, ["houses", 12, 7])]


def names_and_rows(name, rows):
    file = here / name
    if file.suffix == ".csv":
        with file.open("w", newline="") as out:
            csv.writer(out).writerows(rows)
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(file)
    meta, _, _, columns = read(file)
    return list(meta["fields"]), len(columns[0])


seen = {
    "text.xlsx": names_and_rows("text.xlsx", text),
    "mixed.xlsx": names_and_rows("mixed.xlsx", mixed),
    "text.csv": names_and_rows("text.csv", text),
}
for name, found in seen.items():
    print(name, *found)
sys.exit(
    seen
    != {
        "text.xlsx": (["Field1", "Field2"], 3),
        "mixed.xlsx": (["district", "street", "houses"], 2),
        "text.csv": (["district", "street"], 2),
    }
)
PY
"$tmp/venv/bin/python" "$tmp/try.py" "$tmp"
echo "A sheet that is text throughout loses its column names in GDAL and gains a row; one numeric column brings them back."
