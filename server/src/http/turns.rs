//! How many syncs of one device may be under way at once: each holds a decoder, whose window may be 4 MiB, while its body
//! arrives, and then its answer until it is read.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aralau_sync_core::id::DeviceId;

use crate::app::App;

/// A device has one under way; those before may not have been noticed to be broken yet.
const MAX_OF_DEVICE: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub struct Turns(Mutex<BTreeMap<DeviceId, usize>>);

/// A sync under way, until it is dropped.
pub struct Turn {
    app: App,
    of: DeviceId,
}

impl Turn {
    /// One more of this device. `None`: there are as many as there may be.
    pub fn begin(app: &App, of: DeviceId) -> Option<Self> {
        app.http().turns.take(of).then(|| Self { app: app.clone(), of })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.http().turns.give_back(self.of);
    }
}

impl Turns {
    fn take(&self, of: DeviceId) -> bool {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = turns.entry(of).or_default();
        let is_free = *taken < MAX_OF_DEVICE;
        *taken += usize::from(is_free);
        is_free
    }

    fn give_back(&self, of: DeviceId) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = turns.get_mut(&of) {
            *taken -= 1;
            if *taken == 0 {
                turns.remove(&of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_its_turns_and_takes_none_of_anothers() {
        let turns = Turns::default();
        let (one, other) = (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        assert!((0..MAX_OF_DEVICE).all(|_| turns.take(one)));
        assert!(!turns.take(one));
        assert!(turns.take(other));
        turns.give_back(one);
        assert!(turns.take(one));
        (0..MAX_OF_DEVICE).for_each(|_| turns.give_back(one));
        turns.give_back(other);
        assert!(turns.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    }
}
