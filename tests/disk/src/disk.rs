//! A disk as tests hold it.

use std::{
    collections::BTreeMap,
    ffi::CString,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aralau_tests::chance::Chance;

use crate::{
    fault::Plan,
    state::{Copying, State},
    vfs,
};

/// A file system that SQLite knows by name. They are never taken down, only used again: SQLite may still hold on to one.
pub(crate) struct Slot {
    pub name: CString,
    /// Somebody has closed a file.
    pub closed: Condvar,
    state: Mutex<State>,
}

impl Slot {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that nobody uses now.
static IDLE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());
static MADE: Mutex<u64> = Mutex::new(0);

fn take_slot() -> &'static Slot {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    idle.unwrap_or_else(|| {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        let name = CString::new(format!("aralau-disk-{made}")).expect("no zero in it");
        let slot: &'static Slot =
            Box::leak(Box::new(Slot { name, closed: Condvar::new(), state: Mutex::new(State::new(Chance::from(0))) }));
        vfs::register(slot);
        slot
    })
}

/// A disk in memory; clones are the same disk. Its content goes with the last of them.
#[derive(Clone)]
pub struct Disk(Arc<Held>);

struct Held(&'static Slot);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.state();
        *state = State::after(&state, 0);
        drop(state);
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Disk").field(&self.vfs()).finish()
    }
}

impl Disk {
    /// An empty disk. Every choice that it makes comes from the seed.
    pub fn new(seed: u64) -> Self {
        let slot = take_slot();
        let mut state = slot.state();
        *state = State::after(&state, seed);
        drop(state);
        Self(Arc::new(Held(slot)))
    }

    /// The name by which SQLite opens files on it.
    pub fn vfs(&self) -> &str {
        self.0.0.name.to_str().unwrap_or_default()
    }

    pub(crate) fn state(&self) -> MutexGuard<'static, State> {
        self.0.0.state()
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.state().schedule.done
    }

    /// Operations so far that needed room.
    pub fn operations_needing_room(&self) -> u64 {
        self.state().schedule.needing_room
    }

    /// Fails the operation that the plan names.
    pub fn fail(&self, plan: Plan) {
        let mut state = self.state();
        state.schedule.arm(plan);
        state.struck = None;
    }

    /// Nothing fails any more; room is back.
    pub fn heal(&self) {
        self.state().schedule.disarm();
    }

    /// What failed first since [`fail`](Self::fail), in words; `None`: nothing yet.
    pub fn struck(&self) -> Option<String> {
        self.state().struck.clone()
    }

    /// Cuts the power now.
    pub fn power_off(&self) {
        self.state().off = true;
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// The power is back, or has gone for an instant: what had not reached the medium is kept, dropped or torn.
    pub fn power_on(&self) {
        let mut state = self.state();
        state.end_life();
        let mut chance = state.chance.fork();
        state.medium.cut(&mut chance);
        state.schedule.disarm();
        state.off = false;
    }

    /// Every process that uses the disk ends at once; what they have written is there.
    pub fn end_processes(&self) {
        self.state().end_life();
    }

    /// Waits until everybody has closed what they had open, in this life or an earlier one. A server's store does so in a
    /// thread of its own, after it was dropped; a connection that is being closed removes its write-ahead log by name, and
    /// must not find the next life's.
    ///
    /// # Panics
    /// Where that takes a minute.
    pub fn wait_until_closed(&self) {
        let open = |state: &mut State| state.open_files > 0;
        let waited = self.0.0.closed.wait_timeout_while(self.state(), Duration::from_secs(60), open);
        assert!(!waited.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "somebody keeps files open");
    }

    /// From now on syncs succeed and do nothing: the disk that every judge has to catch.
    pub fn ignore_syncs(&self) {
        self.state().ignores_syncs = true;
    }

    /// Every file with its content, as a copy of the folder would have it.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let content = |name: &str| state.medium.find(name).map(|file| state.medium.content(file).to_vec());
        state.medium.names().map(|name| (name.to_owned(), content(name).unwrap_or_default())).collect()
    }

    /// Replaces everything on the disk, on the medium; whoever had something open has it no longer.
    pub fn replace(&self, files: &BTreeMap<String, Vec<u8>>) {
        let mut state = self.state();
        state.end_life();
        state.medium = crate::medium::Medium::default();
        for (name, content) in files {
            let file = state.medium.make(name);
            state.medium.write(file, 0, content);
            state.medium.sync(file);
            state.medium.sync_folder_of(name);
        }
    }

    /// Copies a file once so many operations have been done, in the middle of whatever is going on.
    pub fn copy_at(&self, operations: u64, name: &str) {
        self.state().copies.push(Copying { at: operations, name: name.to_owned(), made: None });
    }

    /// The copies that [`copy_at`](Self::copy_at) has made so far; a file that was not there has none.
    pub fn copies(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let made = state.copies.iter().filter_map(|copy| Some((copy.name.clone(), copy.made.clone()??)));
        made.collect()
    }
}
