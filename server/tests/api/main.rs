//! Headquarters' interface, driven as a client would, over a store that phones have written to.

mod access;
mod exports;
mod lists;
mod one_visit;
mod quarantine;
mod world;
