//! How many syncs may be under way at once. Each holds a decoder, whose window may be 4 MiB, while its body arrives.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aralau_sync_core::id::DeviceId;

use crate::app::App;

/// Of one device. It has one under way; those before may not have been noticed to be broken yet.
const MAX_OF_DEVICE: usize = 4;
/// Of all requests together that do not say what they will bring, and so may be anybody's until their end.
const MAX_UNNAMED: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub struct Turns(Mutex<BTreeMap<Option<DeviceId>, usize>>);

/// A sync under way, until it is dropped.
pub struct Turn {
    app: App,
    of: Option<DeviceId>,
}

impl Turn {
    /// One more of this device, or of nobody known yet. `None`: there are as many as there may be.
    pub fn begin(app: &App, of: Option<DeviceId>) -> Option<Self> {
        app.http().turns.take(of).then(|| Self { app: app.clone(), of })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.http().turns.give_back(self.of);
    }
}

impl Turns {
    fn take(&self, of: Option<DeviceId>) -> bool {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if of.is_some() { MAX_OF_DEVICE } else { MAX_UNNAMED };
        let taken = turns.entry(of).or_default();
        let is_free = *taken < most;
        *taken += usize::from(is_free);
        is_free
    }

    fn give_back(&self, of: Option<DeviceId>) {
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
        let (one, other) = (Some(DeviceId::from_bytes([1; 16])), Some(DeviceId::from_bytes([2; 16])));
        assert!((0..MAX_OF_DEVICE).all(|_| turns.take(one)));
        assert!(!turns.take(one));
        assert!(turns.take(other));
        assert!((0..MAX_UNNAMED).all(|_| turns.take(None)));
        assert!(!turns.take(None));
        turns.give_back(one);
        assert!(turns.take(one));
        (0..MAX_OF_DEVICE).for_each(|_| turns.give_back(one));
        turns.give_back(other);
        (0..MAX_UNNAMED).for_each(|_| turns.give_back(None));
        assert!(turns.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    }
}
