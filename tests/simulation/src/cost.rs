//! What a request costs the server: heap and work, counted where the server does not know of it.
//!
//! The heap's counter is the process's own, and a request runs on several threads. A world therefore lets no other one of its
//! process move while a request of its own is under way ([`Share::alone`]). What SQLite and zstd take is theirs, in C, and not
//! counted; work is the steps of SQLite's virtual machine, which no clock and no neighbour changes.

use std::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard,
    atomic::{AtomicU64, Ordering},
};

use aralau_server::store::{Store, StoreError};
use peak_alloc::PeakAlloc;
use rusqlite::Connection;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

static WORLDS: RwLock<()> = RwLock::new(());

/// Steps are counted by so many.
const STEPS_AT_ONCE: u8 = 16;

/// What one request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of heap held at once, beyond those held before.
    pub heap: usize,
    /// Steps of SQLite's virtual machine.
    pub steps: u64,
}

/// A world's share of its process.
pub struct Share(Option<RwLockReadGuard<'static, ()>>);

impl Share {
    /// Begins to move, once no request is under way elsewhere.
    pub fn take() -> Self {
        Self(Some(WORLDS.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Does something while no other world moves.
    pub fn alone<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.0 = None;
        let alone = WORLDS.write().unwrap_or_else(PoisonError::into_inner);
        let done = work();
        drop(alone);
        *self = Self::take();
        done
    }
}

/// Counts what a store's connections do.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Counts the writer's steps.
    pub fn watch_writer(&self, store: &Store) {
        let meter = self.clone();
        store.write(move |tx| meter.watch(tx)).expect("writes");
    }

    /// Counts the steps of the reader that was idle last: while only one is wanted at a time, it is the one.
    fn watch_reader(&self, store: &Store) {
        store.read(|connection| self.watch(connection)).expect("reads");
    }

    fn watch(&self, connection: &Connection) -> Result<(), StoreError> {
        let steps = Arc::clone(&self.0);
        let count = move || {
            steps.fetch_add(STEPS_AT_ONCE.into(), Ordering::Relaxed);
            false
        };
        Ok(connection.progress_handler(STEPS_AT_ONCE.into(), Some(count))?)
    }

    /// What the work costs that the store is given by it, where nothing else goes on.
    pub fn measure<T>(&self, store: &Store, work: impl FnOnce() -> T) -> (T, Cost) {
        self.watch_reader(store);
        let (steps, held) = (self.0.load(Ordering::Relaxed), HEAP.current_usage());
        HEAP.reset_peak_usage();
        let done = work();
        let heap = HEAP.peak_usage().saturating_sub(held);
        (done, Cost { heap, steps: self.0.load(Ordering::Relaxed) - steps })
    }
}
