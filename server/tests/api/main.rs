//! Headquarters' interface, driven as a client would, over a store that phones have written to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod exports;
mod lists;
mod one_visit;
mod quarantine;
mod world;
