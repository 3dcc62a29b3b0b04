#!/usr/bin/env bash
# One would guess: decompress() gives back all that was compressed, or raises; gzip.decompress and the zstd tool read
#   through concatenated pieces.
# What happens: ZstdDecompressor.decompress() returns the first frame and says nothing of the others. Of the same object,
#   stream_reader() and copy_stream() read all; allow_extra_data=False raises; read_across_frames=True is not there yet.
# Who meets it: logs and exports that are appended to, a frame a day, and bodies of HTTP that are several frames, as RFC 8878
#   allows. A script at headquarters gets the first part, whole and plausible, and takes it for everything.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" zstandard==0.25.0 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
import gzip
import io

import zstandard

print("zstandard", zstandard.__version__, "with zstd", ".".join(map(str, zstandard.ZSTD_VERSION)))
DAYS = [b"monday: 3 visits\n", b"tuesday: 5 visits\n", b"wednesday: 4 visits\n"]
ALL = b"".join(DAYS)
file = b"".join(zstandard.ZstdCompressor().compress(day) for day in DAYS)


def copied():
    into = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO(file), into)
    return into.getvalue()


print("\nThree frames, one after another, read by")
for how, said, expected in [
    ("decompress", zstandard.ZstdDecompressor().decompress(file), DAYS[0]),
    ("stream_reader", zstandard.ZstdDecompressor().stream_reader(file).read(), ALL),
    ("copy_stream", copied(), ALL),
    ("gzip.decompress, of three gzip members", gzip.decompress(b"".join(map(gzip.compress, DAYS))), ALL),
]:
    print(f"  {how}: {said}")
    assert said == expected, how
for option in ({"allow_extra_data": False}, {"read_across_frames": True}):
    try:
        zstandard.ZstdDecompressor().decompress(file, **option)
        raise SystemExit("nothing was raised")
    except zstandard.ZstdError as error:
        print(f"  decompress with {option}: {error}")
PY
