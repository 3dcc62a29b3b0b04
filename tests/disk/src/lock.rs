//! Locks, and the memory that the connections of one database share. All of it is gone with the processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, atomic::AtomicU64},
};

/// Whoever has a file open.
pub type Holder = u64;

/// How much of a file somebody has, in SQLite's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    Unlocked,
    /// Reads.
    Shared,
    /// Means to write.
    Reserved,
    /// Waits for the readers to go; no new ones come.
    Pending,
    /// Writes.
    Exclusive,
}

/// The locks on one database file (<https://sqlite.org/lockingv3.html>).
#[derive(Debug, Default)]
pub struct FileLocks(BTreeMap<Holder, Level>);

impl FileLocks {
    /// `false`: somebody else has it.
    pub fn take(&mut self, holder: Holder, wanted: Level) -> bool {
        let others = self.0.iter().filter(|(other, _)| **other != holder).map(|(_, level)| *level);
        let (strongest, mine) = (others.max().unwrap_or_default(), self.level(holder));
        if wanted <= mine {
            return true;
        }
        let given = match wanted {
            Level::Unlocked => Level::Unlocked,
            Level::Shared if strongest < Level::Pending => Level::Shared,
            Level::Reserved if strongest < Level::Reserved => Level::Reserved,
            Level::Pending | Level::Exclusive if strongest == Level::Unlocked => Level::Exclusive,
            // Keeps new readers out until those that are there have gone.
            Level::Pending | Level::Exclusive if strongest < Level::Reserved => Level::Pending,
            Level::Shared | Level::Reserved | Level::Pending | Level::Exclusive => return false,
        };
        self.0.insert(holder, given);
        given >= wanted
    }

    /// Down to a level.
    pub fn release(&mut self, holder: Holder, to: Level) {
        if to == Level::Unlocked {
            self.0.remove(&holder);
        } else if self.level(holder) > to {
            self.0.insert(holder, to);
        }
    }

    /// Whether somebody writes or means to.
    pub fn is_reserved(&self) -> bool {
        self.0.values().any(|level| *level >= Level::Reserved)
    }

    fn level(&self, holder: Holder) -> Level {
        self.0.get(&holder).copied().unwrap_or_default()
    }
}

/// SQLite's write-ahead log has so many locks.
const SLOTS: usize = 8;

/// The memory that connections to one database share, and its locks.
#[derive(Debug, Default)]
pub struct Shared(Mutex<SharedState>);

#[derive(Debug, Default)]
struct SharedState {
    regions: Vec<Box<[AtomicU64]>>,
    readers: [BTreeSet<Holder>; SLOTS],
    writers: [Option<Holder>; SLOTS],
}

impl Shared {
    /// The start of a region, which stays where it is as long as this value does; `None`: it is not there yet.
    pub fn region(&self, at: usize, bytes: usize, make: bool) -> Option<*mut u64> {
        let mut state = self.0.lock().ok()?;
        while make && state.regions.len() <= at {
            state.regions.push((0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        state.regions.get(at).map(|region| region.as_ptr().cast_mut().cast())
    }

    /// `false`: somebody else has one of them.
    pub fn lock(&self, holder: Holder, slots: std::ops::Range<usize>, exclusive: bool) -> bool {
        let Ok(mut state) = self.0.lock() else { return false };
        let free = slots.clone().all(|slot| {
            let written = state.writers[slot].is_some_and(|writer| writer != holder);
            let read = state.readers[slot].iter().any(|reader| *reader != holder);
            !(written || exclusive && read)
        });
        if free {
            for slot in slots {
                if exclusive {
                    state.writers[slot] = Some(holder);
                } else {
                    state.readers[slot].insert(holder);
                }
            }
        }
        free
    }

    /// Lets go of them.
    pub fn unlock(&self, holder: Holder, slots: std::ops::Range<usize>) {
        let Ok(mut state) = self.0.lock() else { return };
        for slot in slots {
            state.readers[slot].remove(&holder);
            if state.writers[slot] == Some(holder) {
                state.writers[slot] = None;
            }
        }
    }

    /// Lets go of all.
    pub fn leave(&self, holder: Holder) {
        self.unlock(holder, 0..SLOTS);
    }
}
