//! The store as a device meets it.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod folder;
mod held;
mod outlines;
#[path = "../packs/mod.rs"]
mod packs;
mod rows;
mod world;
