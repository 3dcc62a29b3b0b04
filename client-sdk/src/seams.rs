//! Where the outside comes in: time and randomness. Everything below is handed them.

use aralau_sync_core::{
    digest::{REPLICA_SALT_BYTES, replica_named},
    id::{PublicKey, ReplicaId},
    time::{Millis, Monotonic},
};
use uuid::Uuid;

/// Tells the time, and lets it pass.
pub trait Clock: Send {
    /// The device's wall clock, as wrong as it may be.
    fn now(&self) -> Millis;
    /// A clock that only goes forward.
    fn monotonic(&self) -> Monotonic;
    /// Blocks for `ms`. Only the blocking [`Client::sync`](crate::Client::sync) asks for it.
    fn sleep(&self, ms: u64);
}

/// Gives random bytes fit for keys.
pub trait Entropy: Send {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// The outside, as a client sees it.
pub struct Seams {
    /// See [`Clock`].
    pub clock: Box<dyn Clock>,
    /// See [`Entropy`].
    pub entropy: Box<dyn Entropy>,
}

impl Seams {
    /// The operating system's clock and randomness.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn system() -> Self {
        let mut entropy = SystemEntropy;
        Self { clock: Box::new(SystemClock::new(&mut entropy)), entropy: Box::new(entropy) }
    }

    /// Sixteen random bytes.
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A UUIDv4.
    pub(crate) fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.nonce()).into_uuid()
    }

    /// A name for an install of the device with this key.
    pub(crate) fn replica(&mut self, key: &PublicKey) -> ReplicaId {
        let mut salt = [0; REPLICA_SALT_BYTES];
        self.entropy.fill(&mut salt);
        replica_named(key, salt)
    }

    /// Evenly between 0 and `limit`, for jitter.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit.saturating_add(1).max(1)
    }
}

/// A clock that stands still and bytes that follow from a seed, for tests that compare what is written byte by byte.
/// Nothing that is kept secret may come from them.
#[derive(Clone, Copy, Debug)]
pub struct Scripted {
    now: Millis,
    seed: u64,
}

impl Seams {
    /// Those of [`Scripted`].
    pub fn scripted(now: Millis, seed: u64) -> Self {
        let scripted = Scripted { now, seed };
        Self { clock: Box::new(scripted), entropy: Box::new(scripted) }
    }
}

impl Clock for Scripted {
    fn now(&self) -> Millis {
        self.now
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic { session: self.seed, ms: 0, counts_sleep: false }
    }

    fn sleep(&self, _: u64) {}
}

/// SplitMix64.
impl Entropy for Scripted {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.seed;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The randomness of the operating system, or of the browser.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness no key and no id is safe: nothing may go on")]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system gives randomness");
    }
}

/// The clocks of the operating system.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    session: u64,
    /// On the system's monotonic clock.
    began: std::time::Duration,
}

#[cfg(not(target_arch = "wasm32"))]
impl SystemClock {
    /// Comparable as long as the device runs, where the system names its boot; else within this process.
    pub fn new(entropy: &mut impl Entropy) -> Self {
        if let Some(session) = uptime::boot() {
            return Self { session, began: std::time::Duration::ZERO };
        }
        let mut session = [0; 8];
        entropy.fill(&mut session);
        Self { session: u64::from_le_bytes(session), began: uptime::now() }
    }
}

/// Linux and Android: the time since the device was started, asleep or not.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod uptime {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) const COUNTS_SLEEP: bool = true;

    pub(super) fn now() -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
    }

    /// A random number that the kernel draws at each start. Nobody is told itself: apps that share it could be linked.
    pub(super) fn boot() -> Option<u64> {
        let id = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        aralau_sync_core::digest::content_hash(&id).0.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

/// Elsewhere: a clock that may stand still while the device sleeps, comparable within this process.
#[cfg(not(any(target_os = "linux", target_os = "android", target_arch = "wasm32")))]
mod uptime {
    use std::{
        sync::LazyLock,
        time::{Duration, Instant},
    };

    pub(super) const COUNTS_SLEEP: bool = false;

    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn now() -> Duration {
        STARTED.elapsed()
    }

    pub(super) const fn boot() -> Option<u64> {
        None
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Millis(match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        })
    }

    fn monotonic(&self) -> Monotonic {
        let since = uptime::now().saturating_sub(self.began);
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Monotonic { session: self.session, ms, counts_sleep: uptime::COUNTS_SLEEP }
    }

    fn sleep(&self, ms: u64) {
        std::thread::sleep(std::time::Duration::from_millis(ms));
    }
}
