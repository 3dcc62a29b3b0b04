#!/usr/bin/env bash
# One would guess: the crate tlog_tiles, "an implementation of c2sp.org/tlog-tiles", names tiles as that specification does:
#   tile/0/x001/067, and tile/entries/000 for the entries.
# What happens: it writes and reads the older paths of Go's checksum database, with the tile's height in them (tile/8/0/x001/067,
#   tile/8/data/000), and refuses those of the specification.
# Who meets it: whoever publishes a log of visits as static files for other people's witnesses and monitors: they ask for
#   paths that are not there, and theirs cannot be asked for with this crate.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"

[dependencies]
tlog_tiles = "=0.2.0"
TOML
cat >src/main.rs <<'RUST'
use tlog_tiles::Tile;

/// What the specification says for tiles of 256 hashes: level, number in groups of three digits, width of a partial tile.
const SPECIFIED: [(&str, &str); 4] = [
    ("tile/0/x001/067", "tile/8/0/x001/067"),
    ("tile/1/000", "tile/8/1/000"),
    ("tile/1/000.p/5", "tile/8/1/000.p/5"),
    ("tile/entries/000", "tile/8/data/000"),
];

fn main() {
    let tiles = [
        Tile::new(8, 0, 1067, 256, false),
        Tile::new(8, 1, 0, 256, false),
        Tile::new(8, 1, 0, 5, false),
        Tile::new(8, 0, 0, 256, true),
    ];
    println!("tlog_tiles 0.2.0\n\nSpecified          written            the specified path, read by the crate");
    for (tile, (specified, written)) in tiles.iter().zip(SPECIFIED) {
        let read = Tile::from_path(specified);
        println!("{specified:<18} {:<18} {read:?}", tile.path());
        assert_eq!(tile.path(), written);
        assert_eq!(Tile::from_path(written).expect("its own path"), *tile);
        assert!(read.is_err());
    }
}
RUST
CARGO_TARGET_DIR=$work/target cargo run --quiet || { echo 'This is no longer what happens.' >&2; exit 1; }
