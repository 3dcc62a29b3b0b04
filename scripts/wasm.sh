#!/usr/bin/env bash
# cargo for wasm32-unknown-unknown: scripts/wasm.sh check -p aralau-sync-core
#
# With a toolchain that has the target, that is all there is to it. Debian 12's packages (rustc-web and its sources)
# come without the target's standard library: then it is built once from those sources into a private sysroot under
# target/wasm-sysroot, one folder per compiler, and everything else is done with stable flags.
#
# scripts/wasm.sh ready: sees to such a toolchain and does nothing with it; where none can be had it fails without a word.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
debian=(rustc-web cargo-web rust-web-src clang-19 lld-19 llvm-19)
wanted_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

say() { printf '· %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

toolchain_has_target() {
    has rustc && [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]
}

debian_ready() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ] &&
        has wasm-ld-19 && has clang-19 && has llvm-ar-19 &&
        at_least "$wanted_rust" "$(/usr/bin/rustc --version | cut -d ' ' -f 2)"
}

# Only as root, on servers and in containers: on a person's own machine rustup is the lighter way.
debian_install() {
    [ "$(id -u)" = 0 ] && has apt-get || return 1
    apt-get update -qq >&2 || true
    apt-cache show "${debian[@]}" >/dev/null 2>&1 || return 1
    say "apt-get install ${debian[*]} (about half a minute)"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${debian[@]}" >/dev/null
}

rustup_install() {
    has rustup || return 1
    say "rustup target add $target"
    timeout 300 rustup target add "$target" >&2 && toolchain_has_target
}

build_std() {
    local sysroot=$1 lib=lib/rustlib/$target/lib work
    say "build the standard library for $target into ${sysroot#"$PWD"/} (once, about a minute)"
    rm -rf "$sysroot".part.*
    work=$sysroot.part.$$
    mkdir -p "$work/empty/src" "$work/sysroot/$lib"
    printf '[workspace]\n[package]\nname = "empty"\nedition = "2024"\n' >"$work/empty/Cargo.toml"
    echo '#![no_std]' >"$work/empty/src/lib.rs"
    # Not with the project's target folder or flags: this is a build of its own.
    (cd "$work/empty" && RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/build" \
        cargo build --quiet -Zbuild-std=std,panic_abort --target "$target" --release)
    cp "$work/build/$target/release/deps/"*.rlib "$work/sysroot/$lib/"
    mv "$work/sysroot" "$sysroot"
    rm -rf "$work"
}

use_debian() {
    local sysroot
    # Their cargo and rustc, not rustup's stand-ins; and RUSTFLAGS would silence the target's own flags below.
    export PATH="/usr/bin:$PATH"
    unset RUSTC RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTUP_TOOLCHAIN
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
    export CC_wasm32_unknown_unknown=clang-19 AR_wasm32_unknown_unknown=llvm-ar-19
    sysroot=$PWD/target/wasm-sysroot/$(rustc -vV | sha256sum | cut -c 1-16)
    [ -d "$sysroot" ] || build_std "$sysroot"
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--sysroot=$sysroot"
}

# What SQLite can and we never ask for: an eighth of what a phone loads.
leave_out=
for feature in FTS5 RTREE SESSION PREUPDATE_HOOK BYTECODE_VTAB DBPAGE_VTAB DBSTAT_VTAB STMTVTAB MATH_FUNCTIONS; do
    leave_out="$leave_out -USQLITE_ENABLE_$feature"
done
export CFLAGS_wasm32_unknown_unknown="${CFLAGS_wasm32_unknown_unknown:-} $leave_out"

[ $# -gt 0 ] || {
    echo "usage: scripts/wasm.sh CARGO-COMMAND [ARGUMENT…], for example: scripts/wasm.sh check -p aralau-sync-core" >&2
    exit 2
}
if toolchain_has_target; then
    :
elif debian_ready || { debian_install && debian_ready; }; then
    use_debian
elif ! rustup_install; then
    [ "$1" != ready ] || exit 1
    cat >&2 <<END
No toolchain for $target here, and none could be installed. Nothing was checked. One of these gives you one:
    rustup target add $target
    apt-get install --no-install-recommends ${debian[*]}        # Debian 12, as root
END
    exit 1
fi

[ "$1" != ready ] || exit 0
say "$(rustc --version) for $target"
# Beside the native build, not in it: another compiler, and neither waits for the other's lock.
command=$1
shift
exec cargo "$command" --target "$target" --target-dir "${CARGO_TARGET_DIR:-target}/wasm" "$@"
