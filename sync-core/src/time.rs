//! Instants and clocks as values. Nothing here reads a clock: `now` is always handed in.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z; a device's wall clock may be wrong in any direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Millis(#[n(0)] pub i64);

/// A day without leaps of the clock, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Millis {
    /// `self - earlier`, saturating: absurd clocks must not overflow.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// `self + ms`, saturating.
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// A reading of a clock that only goes forward, comparable within one session of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Monotonic {
    /// Names the boot (or, where the platform hides it, the process) that the reading belongs to.
    #[n(0)]
    pub session: u64,
    /// Milliseconds since the session began.
    #[n(1)]
    pub ms: u64,
    /// Whether the clock goes on while the device sleeps.
    #[n(2)]
    pub counts_sleep: bool,
}
