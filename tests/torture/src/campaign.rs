//! How every campaign is sized, seeded and counted.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a campaign did: one line on stdout at its end, and one of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Its name.
    pub campaign: String,
    /// The first seed.
    pub first: u64,
    /// How many were tried.
    pub count: u64,
    /// How many did not hold.
    pub failed: u64,
    /// What else was counted.
    #[serde(flatten)]
    pub figures: Map<String, Value>,
}

impl Tally {
    /// Nothing done yet.
    pub fn new(campaign: &str, first: u64) -> Self {
        Self { campaign: campaign.to_owned(), first, count: 0, failed: 0, figures: Map::new() }
    }

    /// Adds to a figure.
    pub fn add(&mut self, figure: &str, more: u64) {
        let known = self.figures.get(figure).and_then(Value::as_u64).unwrap_or(0);
        self.figures.insert(figure.to_owned(), (known + more).into());
    }

    /// Notes a figure that does not add up.
    pub fn note(&mut self, figure: &str, value: impl Into<Value>) {
        self.figures.insert(figure.to_owned(), value.into());
    }

    /// Adds to a list.
    pub fn list(&mut self, name: &str, more: u64) {
        let list = self.figures.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(more.into());
        }
    }

    /// Keeps the largest of a figure.
    pub fn most(&mut self, figure: &str, value: u64) {
        let known = self.figures.get(figure).and_then(Value::as_u64).unwrap_or(0);
        self.figures.insert(figure.to_owned(), known.max(value).into());
    }
}

/// How long a campaign goes on: until its count is reached or its time is over, whichever is given, at least once.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    count: Option<u64>,
    time: Option<Duration>,
    began: Instant,
}

impl Size {
    /// Beginning now.
    pub fn new(count: Option<u64>, minutes: Option<f64>) -> Self {
        let time = minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
        Self { count, time, began: Instant::now() }
    }

    /// So many.
    pub fn of(count: u64) -> Self {
        Self::new(Some(count), None)
    }

    /// How many of the next `most` are still to be done, `done` having been done.
    pub fn next(&self, done: u64, most: u64) -> u64 {
        if done > 0 && self.time.is_some_and(|time| self.began.elapsed() >= time) {
            return 0;
        }
        match (self.count, self.time) {
            (Some(count), _) => count.saturating_sub(done).min(most),
            (None, Some(_)) => most,
            (None, None) => most.saturating_sub(done),
        }
    }
}

/// Runs one world after another, each from a seed of its own, until the size is reached. `world` is told its seed and how
/// many to do, and notes them; where it panics, what it tried counts as failed.
pub fn worlds(campaign: &str, first: u64, size: Size, most: u64, mut world: impl FnMut(u64, u64, &mut Tally)) -> Tally {
    let mut tally = Tally::new(campaign, first);
    for seed in first.. {
        let wanted = size.next(tally.count, most);
        if wanted == 0 {
            break;
        }
        let before = tally.count;
        if catch_unwind(AssertUnwindSafe(|| world(seed, wanted, &mut tally))).is_err() {
            eprintln!(
                "{campaign}: seed {seed} does not hold: torture campaign {campaign} --count {wanted} --seed {seed}"
            );
            tally.count = tally.count.max(before + 1);
            tally.failed += 1;
            tally.list("failing", seed);
        }
        eprintln!("{campaign}: {} done, {} failed", tally.count, tally.failed);
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_reached_and_not_passed() {
        let tally = worlds("all", 7, Size::of(25), 10, |seed, wanted, tally| {
            tally.count += wanted;
            tally.add("seeds", seed);
            tally.most("largest", seed);
        });
        assert_eq!((tally.count, tally.failed), (25, 0));
        assert_eq!(tally.figures["seeds"], 7 + 8 + 9);
        assert_eq!(tally.figures["largest"], 9);
    }

    #[test]
    fn a_world_that_breaks_is_a_failure_and_the_next_goes_on() {
        let tally = worlds("some", 1, Size::of(30), 10, |seed, wanted, tally| {
            assert_ne!(seed, 2, "this one breaks");
            tally.count += wanted;
        });
        assert_eq!((tally.failed, tally.count), (1, 30));
        assert_eq!(tally.figures["failing"], serde_json::json!([2]));
    }
}
