#!/usr/bin/env bash
# What apps compile beside the client library: scripts/ffi.sh LIBRARY FOLDER [LANGUAGE…]
#
# Writes Python, Kotlin and Swift (or those named) into FOLDER/python and so on, out of the library itself, which must
# not have been stripped. Python wants the library beside its module, so it is linked there.
set -euo pipefail
library=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- python kotlin swift
cd "$(dirname "$0")/.."

tool=${CARGO_TARGET_DIR:-$PWD/target}/bindgen
cargo build --quiet --manifest-path client-sdk/ffi/bindgen/Cargo.toml --target-dir "$tool"
for language; do
    "$tool/debug/aralau-ffi-bindgen" generate "$library" --language "$language" --no-format --out-dir "$folder/$language" >/dev/null
done
[ ! -d "$folder/python" ] || ln -sf "$library" "$folder/python/"
