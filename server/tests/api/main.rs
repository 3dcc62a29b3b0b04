//! Headquarters' interface, driven as a client would, over a store that phones have written to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod attempts;
mod basemap;
mod caution;
mod coverage;
mod days;
mod exports;
mod files;
mod joined;
mod limits;
mod lists;
mod one_visit;
mod order;
mod organisation;
mod people;
mod points;
mod quarantine;
mod reach;
mod rights;
mod session;
mod standing;
mod world;
