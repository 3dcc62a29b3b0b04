#!/usr/bin/env bash
# Guess: exifr's DateTimeOriginal, a Date, is the moment the photo was taken if the photo states its offset (+05:00).
# Instead: the offset is read and shown beside it but not used: the wall time is taken in the zone of whoever reads. A
#   server in UTC has the photo five hours later than the phone, and later than its own GPS time.
# Who meets it: photos as evidence: sorted on the server by a time that is after their upload.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pillow==11.3.0 piexif==1.1.3
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts exifr@7.1.3 >/dev/null
cat >"$tmp/photo.py" <<'PY'
import sys

import piexif
from PIL import Image

taken = {piexif.ExifIFD.DateTimeOriginal: b"2026:11:30 18:30:00", piexif.ExifIFD.OffsetTimeOriginal: b"+05:00"}
gps = {piexif.GPSIFD.GPSDateStamp: b"2026:11:30", piexif.GPSIFD.GPSTimeStamp: ((13, 1), (30, 1), (0, 1))}
Image.new("RGB", (16, 16)).save(sys.argv[1], exif=piexif.dump({"Exif": taken, "GPS": gps}))
PY
"$tmp/venv/bin/python" "$tmp/photo.py" "$tmp/photo.jpg"
cat >"$tmp/try.cjs" <<'JS'
const exifr = require("exifr");
(async () => {
  const tags = await exifr.parse(require("fs").readFileSync(`${__dirname}/photo.jpg`));
  const moment = tags.DateTimeOriginal.toISOString();
  console.log(`exifr ${require("exifr/package.json").version}, TZ=${process.env.TZ}: ${moment}, offset ${tags.OffsetTimeOriginal}, GPS ${tags.GPSTimeStamp}`);
  const expected = { UTC: "2026-11-30T18:30:00.000Z", "Asia/Almaty": "2026-11-30T13:30:00.000Z" };
  process.exit(moment === expected[process.env.TZ] && tags.OffsetTimeOriginal === "+05:00" ? 0 : 1);
})();
JS
TZ=UTC node "$tmp/try.cjs"
TZ=Asia/Almaty node "$tmp/try.cjs"
echo "exifr reads the photo's offset and does not use it: one photo is two moments, by the zone of the reader."
