#!/usr/bin/env bash
# What people install without a compiler, into target/package/dist:
#   the server as one static binary in a tar, a Debian package, an image for containers, what each is made of (CycloneDX),
#   and the sums of all.
#
# scripts/package.sh         builds and packs; `./dev package` sees first to Rust, Node and the tools.
# scripts/package.sh check   looks through packaging/ and builds nothing: this is in `./dev lint`.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '· %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

manifest=server/aralau/Cargo.toml
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
machine=$(uname -m)
musl=$machine-unknown-linux-musl
target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/package
dist=$out/dist

# Whether Rust and a C compiler for musl are here, or can be had: what is linked with it needs no library of the system,
# and its licence asks for nothing more than those of what we link already.
can_be_static() {
    has musl-gcc || { [ "$(id -u)" = 0 ] && has apt-get && say "apt-get install musl-tools" &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends musl-tools >/dev/null; } || return 1
    [ -d "$(rustc --print sysroot)/lib/rustlib/$musl/lib" ] && return
    has rustup || return 1
    say "rustup target add $musl"
    timeout 300 rustup target add "$musl" >&2
}

build() {
    local triple
    if can_be_static; then
        triple=$musl
        export "CC_${triple//-/_}=musl-gcc"
    else
        triple=$(rustc -vV | sed -n 's/^host: //p')
        say "without Rust's target $musl and musl-tools the binary is not static: it needs this system's glibc or a newer one"
    fi
    say "build aralau for $triple (release, with the console and the inspectors' app)"
    ARALAU_CONSOLE=require ARALAU_FIELD_APP=require cargo build --release -p aralau --target "$triple"
    built=$target/$triple/release/aralau
    made_for=$triple
}

pack_tar() {
    local name=aralau-$version-$machine-linux folder
    folder=$out/$name
    rm -rf "$folder"
    mkdir -p "$folder/systemd"
    strip -o "$folder/aralau" "$built"
    cp README.md LICENSE CHANGELOG.md docs/how-to/operate.md packaging/serve.env "$folder"
    cp packaging/systemd/* packaging/aralau.* "$folder/systemd"
    tar --create --gzip --file "$dist/$name.tar.gz" --directory "$out" --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" "$name"
    rm -rf "$folder"
}

pack_deb() {
    say "the Debian package"
    cargo deb --quiet --manifest-path "$manifest" --no-build --target "$made_for" --output "$dist/"
}

# What a crate is made of, for a target. The tool writes one file beside each crate of the workspace; only one is wanted, and
# where this checkout lies is nobody's business.
list_crates() {
    local folder=$1 triple=$2 kind=$3 name=aralau-$version
    cargo cyclonedx --quiet --manifest-path "$folder/Cargo.toml" --format json --spec-version 1.5 --target "$triple" \
        --override-filename "$name.$kind.cdx"
    sed "s|$PWD|/aralau|g" "$folder/$name.$kind.cdx.json" >"$dist/$name.$kind.cdx.json"
    find . -name "$name.$kind.cdx.json" -not -path "./target/*" -not -path "*/node_modules/*" -delete
}

# The binary, the module of WebAssembly in it, and the pages in it. (npm calls all that these are made from development.)
list_parts() {
    local name=aralau-$version found
    say "what it is made of"
    list_crates server/aralau "$made_for" rust
    list_crates client-sdk/wasm wasm32-unknown-unknown wasm
    (cd client-sdk && npm sbom --package-lock-only --sbom-format cyclonedx --sbom-type application) >"$dist/$name.npm.cdx.json"
    for found in "$dist/$name".*.cdx.json; do
        grep -q '"bomFormat": *"CycloneDX"' "$found" || fail "$found is not what it should be"
    done
}

builder() {
    local name
    for name in buildah podman docker; do
        if has $name && { [ $name != docker ] || docker info >/dev/null 2>&1; }; then
            echo $name
            return
        fi
    done
    return 1
}

pack_image() {
    local tool context=$out/image tag=localhost/aralau:$version file=$dist/aralau-$version-$machine.image.tar
    [ "$made_for" = "$musl" ] || {
        say "no image: it holds nothing but the binary, which has to be static"
        return
    }
    rm -rf "$context"
    mkdir -p "$context"/{usr/bin,usr/share/doc/aralau,tmp,var/lib/aralau,var/backups/aralau}
    chmod 1777 "$context/tmp"
    chmod 700 "$context"/var/{lib,backups}/aralau
    strip -o "$context/usr/bin/aralau" "$built"
    cp LICENSE "$context/usr/share/doc/aralau/"
    tool=$(builder) || {
        say "no image: buildah, podman or docker is missing. Its folder is ready: buildah build --file packaging/Containerfile $context"
        return
    }
    say "the image, by $tool"
    # Docker's format: the other one has no health check.
    case $tool in
        docker) docker build --quiet --file packaging/Containerfile --tag "$tag" "$context" >&2 ;;
        *) "$tool" build --quiet --format docker --timestamp "$SOURCE_DATE_EPOCH" --file packaging/Containerfile --tag "$tag" "$context" >&2 ;;
    esac
    rm -f "$file"
    case $tool in
        buildah) buildah push --quiet "$tag" "docker-archive:$file:$tag" ;;
        podman) podman save --quiet --format docker-archive --output "$file" "$tag" ;;
        docker) docker save --output "$file" "$tag" ;;
    esac
    gzip --no-name --force "$file"
}

package() {
    rm -rf "$dist"
    mkdir -p "$dist"
    build
    # For what packs only: what compiles C would begin anew with each commit.
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
    export SOURCE_DATE_EPOCH
    pack_tar
    pack_deb
    list_parts
    pack_image
    (cd "$dist" && sha256sum -- * >SHA256SUMS)
    ls -l "$dist" >&2
    echo "$dist"
}

# Each file that the package takes is there; each unit is one that systemd takes, and shuts its service in; each setting
# that is offered is one.
check() {
    local path unit folder name
    sed -n 's/^ *\["\(\.\.\/[^"]*\)".*/\1/p' "$manifest" | while read -r path; do
        [ -f "${manifest%/*}/$path" ] || fail "$manifest packs $path, which is not there"
    done
    sed -n 's/^#\(ARALAU_[A-Z_]*\)=.*/\1/p' packaging/serve.env | while read -r name; do
        grep -rq "\"$name\"" server/aralau/src/command/serve.rs server/aralau/src/command/serve || fail "packaging/serve.env: there is no setting $name"
    done
    folder=$(mktemp -d)
    # The binary need not be installed where this is checked.
    for unit in packaging/systemd/*; do
        sed 's|/usr/bin/aralau|/bin/true|' "$unit" >"$folder/${unit##*/}"
    done
    systemd-analyze verify --man=no "$folder"/*
    for unit in "$folder"/*.service; do
        systemd-analyze security --no-pager --offline=true --threshold=15 "$unit" >"$folder/exposure" || {
            cat "$folder/exposure"
            fail "${unit##*/} is open to more than it was"
        }
    done
    rm -rf "$folder"
}

case ${1:-} in
    '') package ;;
    check) check ;;
    *) fail "usage: scripts/package.sh [check]" ;;
esac
