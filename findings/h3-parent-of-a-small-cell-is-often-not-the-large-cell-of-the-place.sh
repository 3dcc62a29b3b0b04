#!/usr/bin/env bash
# Guess: coarsening a stored H3 cell to its parent gives the cell the place itself has at that resolution.
# Instead: hexagons do not nest. For places in Almaty about one in fifteen gets a neighbouring cell when it goes by
#   resolution 9. And a yard smaller than a cell is covered by no cell at all.
# Who meets it: counts for headquarters that are made from cells of the phones on one side and from places on the other.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps h3==4.3.0
cat >"$tmp/try.py" <<'PY'
import sys

import h3

print("h3", h3.versions())
places = [(43.2 + row * 0.0007, 76.85 + column * 0.001) for row in range(100) for column in range(100)]
other = sum(h3.cell_to_parent(h3.latlng_to_cell(lat, lng, 9), 7) != h3.latlng_to_cell(lat, lng, 7) for lat, lng in places)
yard = h3.LatLngPoly([(43.2380, 76.9450), (43.2381, 76.9450), (43.2381, 76.9452), (43.2380, 76.9452)])
cells = len(h3.h3shape_to_cells(yard, 9))
print(f"{other} of {len(places)} places get another cell of resolution 7 by way of resolution 9")
print(f"cells of resolution 9 for a yard of 11 by 16 m: {cells}")
sys.exit(not (500 < other < 800 and cells == 0))
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "A cell's parent is not always the parent-sized cell of the place, and a small yard has no cell."
