//! Bytes that nobody meant, thrown at every door that takes bytes. Each target is a plain function of its input: libFuzzer
//! drives it (`libfuzzer/`), the committed corpus is replayed through it as an ordinary test, and [`campaign`] draws
//! random inputs for it from a seed. A target panics where an invariant does not hold.
//!
//! - [`wire`]: what travels between devices and the server.
//! - [`change`]: one change, by its own bytes.
//! - [`apply`]: changes that passed every check meet Automerge, in several orders.
//! - [`body`]: bodies of requests, compressed or not.
//! - [`csv`]: tables that an operator hands in.
//! - [`query`]: requests to headquarters' interface.
//!
//! [`heap`] holds targets to what one request may take; [`edit`] makes changes, sound and otherwise; [`mutate`] makes
//! inputs.

pub mod apply;
pub mod body;
pub mod campaign;
pub mod change;
pub mod csv;
pub mod edit;
pub mod heap;
pub mod mutate;
pub mod query;
pub mod wire;

use std::sync::atomic::{AtomicU64, Ordering};

/// One door.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As in the names of corpus folders and campaigns.
    pub name: &'static str,
    /// Panics where an invariant does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 6] = [
    Target { name: "wire", run: wire::wire },
    Target { name: "change", run: change::change },
    Target { name: "apply", run: apply::apply },
    Target { name: "body", run: body::body },
    Target { name: "csv", run: csv::csv },
    Target { name: "query", run: query::query },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

static PASSED: AtomicU64 = AtomicU64::new(0);

/// Counts something that passed all checks: a campaign in which nothing does proves little.
pub fn passed() {
    PASSED.fetch_add(1, Ordering::Relaxed);
}

/// What [`passed`] has counted in this process.
pub fn passed_count() -> u64 {
    PASSED.load(Ordering::Relaxed)
}
