//! Many worlds, one after the other, and what they came to.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use crate::{
    judges::{Violation, violated},
    world::{Outcome, World},
};

/// How many worlds, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The first seed.
    pub first: u64,
    /// Seeds, at most.
    pub count: u64,
    /// Time, at most.
    pub within: Option<Duration>,
}

/// What they came to.
#[derive(Debug, Default)]
pub struct Sum {
    /// Worlds.
    pub worlds: u64,
    /// Operations in all of them.
    pub operations: u64,
    /// Faults.
    pub faults: u64,
    /// What hostile devices did.
    pub hostilities: u64,
    /// Words written.
    pub words: u64,
    /// Words displaced.
    pub displaced: u64,
    /// Log rows at the end.
    pub rows: u64,
    /// Seeds that failed, and how.
    pub failed: Vec<(u64, Violation)>,
}

/// How a world ended.
pub type Ended = Result<Outcome, Violation>;

/// One world to its end; a panic is a violation like any other.
pub fn run(seed: u64) -> Ended {
    live(|| World::new(seed, false))
}

/// The world that `begin` makes, to its end.
pub fn live(begin: impl FnOnce() -> Result<World, Violation>) -> Ended {
    let lived = catch_unwind(AssertUnwindSafe(|| begin()?.run()));
    lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        violated("panic", text.unwrap_or_default())
    })
}

/// The command that shows a seed again.
pub fn replay(seed: u64) -> String {
    format!("cargo run -p aralau-simulation -- --seed {seed} --trace")
}

/// A failure, and how to see it again.
pub fn failure(seed: u64, violation: &Violation) -> String {
    format!("seed {seed}: {}: {}\n    {}", violation.invariant, violation.what, replay(seed))
}

/// Runs them, as many at a time as there are processors. `tell` hears of each as it ends.
pub fn campaign(size: Size, tell: impl FnMut(u64, &Ended)) -> Sum {
    let (began, next) = (Instant::now(), AtomicU64::new(size.first));
    let end = size.first.saturating_add(size.count);
    let take = || {
        let is_over = size.within.is_some_and(|within| began.elapsed() >= within);
        let seed = next.fetch_add(1, Ordering::Relaxed);
        (!is_over && seed < end).then_some(seed)
    };
    let (ended, lived) = channel();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let ended = ended.clone();
            scope.spawn(move || {
                while let Some(seed) = take() {
                    // Whoever listens lives as long as this does.
                    ended.send((seed, run(seed))).expect("somebody listens");
                }
            });
        }
        drop(ended);
        sum(lived.iter(), tell)
    })
}

fn sum(lived: impl Iterator<Item = (u64, Ended)>, mut tell: impl FnMut(u64, &Ended)) -> Sum {
    let mut sum = Sum::default();
    for (seed, outcome) in lived {
        tell(seed, &outcome);
        sum.worlds += 1;
        match outcome {
            Ok(outcome) => {
                sum.operations += outcome.operations;
                sum.faults += outcome.faults;
                sum.hostilities += outcome.hostilities;
                sum.words += outcome.words as u64;
                sum.displaced += outcome.displaced as u64;
                sum.rows += outcome.rows as u64;
            }
            Err(violation) => sum.failed.push((seed, violation)),
        }
    }
    sum.failed.sort_by_key(|(seed, _)| *seed);
    sum
}
