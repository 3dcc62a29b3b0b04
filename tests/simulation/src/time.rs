//! Virtual time, and randomness from the seed, as server and phones see them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use aralau_client_sdk::{Millis, seams};
use aralau_server::entropy::{Entropy, NoEntropy};
use aralau_sync_core::time::Monotonic;
use aralau_tests::chance::Chance;

/// When every world begins: in the summer of 2026.
const BEGINNING: i64 = 1_780_000_000_000;

/// The true time. It passes only where the world says so.
#[derive(Debug, Clone)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    /// At the beginning.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING)))
    }

    /// Now.
    pub fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    /// Lets it pass.
    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::new()
    }
}

/// A clock that is off, by whatever it was last set to.
#[derive(Debug, Clone)]
pub struct WallClock {
    time: Time,
    offset_ms: Arc<AtomicI64>,
}

impl WallClock {
    /// Right, to begin with.
    pub fn new(time: &Time) -> Self {
        Self { time: time.clone(), offset_ms: Arc::default() }
    }

    /// What it shows.
    pub fn now(&self) -> Millis {
        self.time.now().plus(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Sets it so far off.
    pub fn set(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
    }
}

/// The clocks of one run of an app.
#[derive(Clone)]
pub struct PhoneClock {
    wall: WallClock,
    session: u64,
    started: Millis,
}

impl PhoneClock {
    /// Started now.
    pub fn new(wall: WallClock, session: u64) -> Self {
        let started = wall.time.now();
        Self { wall, session, started }
    }
}

impl seams::Clock for PhoneClock {
    fn now(&self) -> Millis {
        self.wall.now()
    }

    fn monotonic(&self) -> Monotonic {
        let ms = self.wall.time.now().since(self.started).unsigned_abs();
        Monotonic { session: self.session, ms, counts_sleep: false }
    }

    fn sleep(&self, ms: u64) {
        self.wall.time.pass(i64::try_from(ms).unwrap_or(0));
    }
}

/// Randomness of a phone.
pub struct PhoneDice(pub Chance);

impl seams::Entropy for PhoneDice {
    fn fill(&mut self, bytes: &mut [u8]) {
        fill(&mut self.0, bytes);
    }
}

/// Randomness of the server.
pub struct ServerDice(Mutex<Chance>);

impl ServerDice {
    /// From its own part of the seed.
    pub fn new(chance: Chance) -> Self {
        Self(Mutex::new(chance))
    }
}

impl Entropy for ServerDice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        fill(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), bytes);
        Ok(())
    }
}

fn fill(chance: &mut Chance, bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&chance.bits().to_le_bytes()[..chunk.len()]);
    }
}
