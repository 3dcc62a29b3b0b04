#!/usr/bin/env bash
# Guess: a GeoJSON property that is a list of texts comes back as a list when geopandas reads the file and writes it again.
# Instead: a list of one entry does; a list of two or more becomes one text in numpy's notation, "['a' 'b']". A file
#   with a mixture holds both kinds in one column.
# Who meets it: answers of "choose all that apply", exported, cleaned in Python by headquarters and imported again.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps geopandas==1.2.0 pyogrio==0.13.0 shapely==2.2.0 pandas==3.1.1 numpy==2.4.6 pyproj==3.7.2 \
  certifi==2025.8.3 packaging==25.0 python-dateutil==2.9.0.post0 pytz==2025.2 tzdata==2025.2 six==1.17.0
cat >"$tmp/try.py" <<'PY'
import json
import sys
from pathlib import Path

import geopandas
import pyogrio

print("geopandas", geopandas.__version__, "with pyogrio", pyogrio.__version__)
here = Path(sys.argv[1])
answers = [["noise"], ["noise", "dog"], ["light", "gate", "dog"]]
place = {"type": "Point", "coordinates": [71.43, 51.13]}
features = [{"type": "Feature", "properties": {"seen": seen}, "geometry": place} for seen in answers]
(here / "in.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
geopandas.read_file(here / "in.geojson").to_file(here / "out.geojson", driver="GeoJSON")
back = [one["properties"]["seen"] for one in json.loads((here / "out.geojson").read_text())["features"]]
for before, after in zip(answers, back):
    print("read", json.dumps(before), "wrote", json.dumps(after))
sys.exit(back != [["noise"], "['noise' 'dog']", "['light' 'gate' 'dog']"])
PY
"$tmp/venv/bin/python" "$tmp/try.py" "$tmp"
echo "Lists of two or more entries are one text after geopandas has read and written a GeoJSON file."
