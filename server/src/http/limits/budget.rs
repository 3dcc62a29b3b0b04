//! So much a minute for each of many, in memory that never grows.
//!
//! Each key has the moment at which its debt is paid: what is taken puts that moment off by a share of a minute, and whoever
//! would put it off by more than a minute has to wait. A key whose debt is paid need not be remembered. The table has a fixed
//! number of rows with a few slots each; where a row is full, the key that owes least is forgotten, that is, forgiven.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const ROWS: usize = 4_096;
const SLOTS: usize = 4;
const MINUTE_US: u64 = 60_000_000;

/// A table of debts.
#[derive(Debug)]
pub(super) struct Budget {
    began: Instant,
    /// Keyed by chance, so that nobody chooses with whom they share a row.
    hasher: RandomState,
    rows: Mutex<Vec<[Debt; SLOTS]>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Debt {
    key: u64,
    /// Microseconds since the table began.
    paid_at: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { began: Instant::now(), hasher: RandomState::new(), rows: Mutex::default() }
    }
}

impl Budget {
    /// Takes one of so many a minute. Refused: how long until there is one more.
    pub(super) fn take(&self, key: impl Hash, a_minute: u32) -> Result<(), Duration> {
        self.at(key, a_minute, true)
    }

    /// Whether there is one to take.
    pub(super) fn look(&self, key: impl Hash, a_minute: u32) -> Result<(), Duration> {
        self.at(key, a_minute, false)
    }

    fn at(&self, key: impl Hash, a_minute: u32, takes: bool) -> Result<(), Duration> {
        if a_minute == 0 {
            return Ok(());
        }
        let share = MINUTE_US / u64::from(a_minute);
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let key = self.hasher.hash_one(key);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_empty() {
            rows.resize(ROWS, [Debt::default(); SLOTS]);
        }
        let row = &mut rows[key as usize % ROWS];
        let paid_at = row.iter().find(|debt| debt.key == key).map_or(now, |debt| debt.paid_at.max(now));
        let next = paid_at + share;
        if let Some(wait @ 1..) = next.checked_sub(now + MINUTE_US) {
            return Err(Duration::from_micros(wait));
        }
        if takes {
            let slot = row.iter().position(|debt| debt.key == key);
            let least = || row.iter().enumerate().min_by_key(|(_, debt)| debt.paid_at).map_or(0, |(at, _)| at);
            let at = slot.unwrap_or_else(least);
            row[at] = Debt { key, paid_at: next };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_s_worth_may_be_taken_at_once_and_then_one_at_a_time() {
        let budget = Budget::default();
        for _ in 0..60 {
            assert_eq!(budget.take("a", 60), Ok(()));
        }
        let wait = budget.take("a", 60).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(budget.look("a", 60), Err(wait));
        assert_eq!(budget.take("b", 60), Ok(()), "that was another's");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((budget.look("a", 60), budget.take("a", 60)), (Ok(()), Ok(())));
        assert!(budget.take("a", 60).is_err());
        tokio::time::advance(Duration::from_secs(120)).await;
        assert_eq!((0..100).filter(|_| budget.take("a", 60).is_ok()).count(), 60, "nothing is saved up");
        assert_eq!(budget.take("a", 0), Ok(()), "no limit");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_of_keys_takes_no_more_memory_and_keeps_who_owes_most() {
        let budget = Budget::default();
        for _ in 0..60 {
            budget.take("a", 60).unwrap();
        }
        for stranger in 0..100_000 {
            assert_eq!(budget.take(stranger, 60), Ok(()));
        }
        let rows = budget.rows.lock().unwrap();
        assert_eq!((rows.len(), size_of_val(&rows[..])), (ROWS, 256 << 10));
        drop(rows);
        assert!(budget.take("a", 60).is_err());
    }
}
