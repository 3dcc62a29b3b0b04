#!/usr/bin/env bash
# One would guess: times with their offset, written to a GeoPackage by GDAL, are moments: ordered and filtered as such, and
#   read again without complaint.
# What happens: GDAL writes 08:30 at +05:00 as text with its offset, though GeoPackage knows only times that end in Z. SQL,
#   which is what GDAL filters and sorts a GeoPackage with, compares the text: a visit half an hour earlier comes after. GDAL
#   then warns that the file which it wrote itself does not conform.
# Who meets it: visits of phones in several zones, or of phones and a server that stamps in UTC, in one layer. "Before 05:00 UTC"
#   leaves out a visit of 03:30 UTC. Times are to be turned into UTC before they are written.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" \
    pyogrio==0.13.0 numpy==2.3.5 certifi==2025.11.12 packaging==25.0 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
import sqlite3
import warnings

import numpy
import pyogrio.raw

print("pyogrio", pyogrio.__version__, "with GDAL", ".".join(map(str, pyogrio.__gdal_version__)))
POINT = bytes.fromhex("0101000000" + "00" * 16)
UTC, PLUS_FIVE = 100, 120  # as GDAL counts zones: quarters of an hour, from 100
VISITS = {
    "at a phone in +05:00, 03:30 UTC": ("2026-03-01T08:30:00", PLUS_FIVE),
    "at the server, 04:00 UTC": ("2026-03-01T04:00:00", UTC),
}
with warnings.catch_warnings(record=True) as writing:
    warnings.simplefilter("always")
    pyogrio.raw.write(
        "visits.gpkg",
        numpy.array([POINT] * 2, dtype=object),
        [
            numpy.array(list(VISITS), dtype=object),
            numpy.array([wall for wall, _ in VISITS.values()], dtype="datetime64[ms]"),
        ],
        numpy.array(["visit", "at"], dtype=object),
        gdal_tz_offsets={"at": numpy.array([zone for _, zone in VISITS.values()])},
        geometry_type="Point",
        crs="EPSG:4326",
        driver="GPKG",
        layer="visits",
    )
print("\nWarnings on writing:", [str(warning.message) for warning in writing])
assert not writing

with sqlite3.connect("visits.gpkg") as file:
    print("In the file:", file.execute("SELECT at FROM visits ORDER BY fid").fetchall())


def read(**options):
    with warnings.catch_warnings(record=True) as reading:
        warnings.simplefilter("always")
        _, _, _, (visits, _) = pyogrio.raw.read("visits.gpkg", read_geometry=False, **options)
    return list(visits), {str(warning.message) for warning in reading}


ordered, said = read(sql="SELECT visit, at FROM visits ORDER BY at")
print("Ordered by time:", *ordered, sep="\n  ")
assert ordered == list(VISITS)[::-1]
print("Warnings on reading:", *said, sep="\n  ")
assert any("Non-conformant content" in warning for warning in said)
before, _ = read(where="at < '2026-03-01T05:00:00Z'")
print("Before 05:00 UTC:", *before, sep="\n  ")
assert before == list(VISITS)[1:]
PY
