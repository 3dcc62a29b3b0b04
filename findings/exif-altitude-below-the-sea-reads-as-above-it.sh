#!/usr/bin/env bash
# Guess: a photo from the Caspian shore, 25 m below sea level, reads as -25; or its reference reads as 1, as the standard
#   has it, so that `ref === 1` tells.
# Instead: exifr and Pillow give +25, and the reference is an array of one byte (exifr) or a byte string (Pillow) that is
#   equal neither to 1 nor to "1". The usual check is always false, so Atyrau and Aqtau lie above the sea.
#   Latitude and longitude, in contrast, exifr does sign.
# Who meets it: imports that take place and height from a photo.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pillow==11.3.0 piexif==1.1.3
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts exifr@7.1.3 >/dev/null
cat >"$tmp/photo.py" <<'PY'
import sys

import PIL
import piexif
from PIL import Image

tag = piexif.GPSIFD
gps = {
    tag.GPSLatitudeRef: b"N", tag.GPSLatitude: ((47, 1), (7, 1), (0, 1)),
    tag.GPSLongitudeRef: b"E", tag.GPSLongitude: ((51, 1), (53, 1), (0, 1)),
    tag.GPSAltitudeRef: 1, tag.GPSAltitude: (25, 1),
}
Image.new("RGB", (16, 16)).save(sys.argv[1], exif=piexif.dump({"GPS": gps}))
read = Image.open(sys.argv[1]).getexif().get_ifd(0x8825)
ref, height = read[tag.GPSAltitudeRef], float(read[tag.GPSAltitude])
print(f"Pillow {PIL.__version__}: altitude {height}, reference {ref!r}, equal to 1: {ref == 1}")
sys.exit(not (height == 25.0 and ref == b"\x01"))
PY
"$tmp/venv/bin/python" "$tmp/photo.py" "$tmp/photo.jpg"
cat >"$tmp/try.cjs" <<'JS'
const exifr = require("exifr");
(async () => {
  const { GPSAltitude: height, GPSAltitudeRef: ref } = await exifr.parse(require("fs").readFileSync(`${__dirname}/photo.jpg`));
  console.log(`exifr ${require("exifr/package.json").version}: altitude ${height}, reference`, ref, "equal to 1:", ref === 1);
  process.exit(height === 25 && ref instanceof Uint8Array && ref[0] === 1 ? 0 : 1);
})();
JS
node "$tmp/try.cjs"
echo "A height below the sea is read without its sign, and the reference is bytes, which no comparison with 1 finds."
