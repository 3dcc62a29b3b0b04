//! How much a device may bring: so much a day, less of what is held, and nothing while the disk's reserve is touched. What is
//! refused stays on the phone, which sends it again with a later sync.
//!
//! Kept in memory: a server that starts again begins the day anew.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use aralau_sync_core::{
    id::DeviceId,
    sync::FrameRefusal,
    time::{DAY_MS, Millis},
};

use crate::settings::Settings;

/// A device that is shut out, and what is held, has so much less.
const RESTRICTED: u64 = 16;

/// See the module.
#[derive(Debug)]
pub struct Quotas {
    today: Mutex<Today>,
    available_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Today {
    day: i64,
    brought: BTreeMap<DeviceId, Brought>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Brought {
    bytes: u64,
    held_bytes: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { today: Mutex::default(), available_bytes: AtomicU64::new(u64::MAX) }
    }
}

impl Quotas {
    /// Whether a device, perhaps one that is shut out, may bring more; why it may not.
    pub fn admit(&self, device: DeviceId, is_out: bool, settings: &Settings, now: Millis) -> Result<(), FrameRefusal> {
        if self.is_reserve_touched(settings) {
            return Err(FrameRefusal::DiskReserved);
        }
        let quota = settings.device_quota_bytes;
        let Brought { bytes, held_bytes } = self.brought(device, now);
        let may = bytes < if is_out { quota / RESTRICTED } else { quota };
        if may && held_bytes < quota / RESTRICTED { Ok(()) } else { Err(FrameRefusal::QuotaReached) }
    }

    /// Notes what a device has brought, and how much of it is held.
    pub fn note(&self, device: DeviceId, bytes: u64, held_bytes: u64, now: Millis) {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.0.div_euclid(DAY_MS);
        if today.day != day {
            *today = Today { day, brought: BTreeMap::new() };
        }
        let brought = today.brought.entry(device).or_default();
        brought.bytes += bytes;
        brought.held_bytes += held_bytes;
    }

    fn brought(&self, device: DeviceId, now: Millis) -> Brought {
        let today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        let is_today = today.day == now.0.div_euclid(DAY_MS);
        today.brought.get(&device).filter(|_| is_today).copied().unwrap_or_default()
    }

    /// Whether less of the disk is left than is to be.
    pub fn is_reserve_touched(&self, settings: &Settings) -> bool {
        self.available_bytes() < settings.reserve_bytes
    }

    /// Left on the disk, when it was looked at last.
    pub fn available_bytes(&self) -> u64 {
        self.available_bytes.load(Ordering::Relaxed)
    }

    /// So much is left on the disk.
    pub fn set_available(&self, bytes: u64) {
        self.available_bytes.store(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_780_000_000_000);

    #[test]
    fn a_device_has_its_day_less_for_what_is_held_and_less_once_it_is_out() {
        let (quotas, one, other) = (Quotas::default(), DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let settings = Settings { device_quota_bytes: 1600, ..Settings::default() };
        let may = |device, is_out, now| quotas.admit(device, is_out, &settings, now);
        quotas.note(one, 200, 0, NOW);
        assert_eq!(may(one, false, NOW), Ok(()));
        assert_eq!(may(one, true, NOW), Err(FrameRefusal::QuotaReached));
        quotas.note(one, 1400, 0, NOW);
        assert_eq!(may(one, false, NOW), Err(FrameRefusal::QuotaReached));
        quotas.note(other, 100, 100, NOW);
        assert_eq!(may(other, false, NOW), Err(FrameRefusal::QuotaReached));
        let tomorrow = NOW.plus(DAY_MS);
        assert_eq!(may(one, false, tomorrow), Ok(()));
        quotas.note(other, 1, 0, tomorrow);
        assert_eq!((may(one, false, tomorrow), may(other, false, tomorrow)), (Ok(()), Ok(())));
    }

    #[test]
    fn nobody_brings_anything_while_the_reserve_is_touched() {
        let (quotas, device) = (Quotas::default(), DeviceId::from_bytes([1; 16]));
        let settings = Settings { reserve_bytes: 1000, ..Settings::default() };
        assert_eq!(quotas.admit(device, false, &settings, NOW), Ok(()), "nobody has looked yet");
        quotas.set_available(999);
        assert_eq!(quotas.admit(device, false, &settings, NOW), Err(FrameRefusal::DiskReserved));
        quotas.set_available(1000);
        assert_eq!(quotas.admit(device, false, &settings, NOW), Ok(()));
    }
}
