//! How many syncs of one device may be under way at once: each holds a decoder, whose window may be 4 MiB, while its body
//! arrives, and then its answer until it is read. The server works for one of them at a time: a device has one hand, as a
//! person who holds it, and takes no more of the processor than that however many lines it opens.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aralau_sync_core::id::DeviceId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::App;

/// A device has one under way; those before may not have been noticed to be broken yet.
const MAX_OF_DEVICE: usize = 4;

/// However long an answer took.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub struct Turns(Mutex<BTreeMap<DeviceId, Taken>>);

#[derive(Debug)]
struct Taken {
    count: usize,
    hand: Arc<Semaphore>,
}

/// A sync under way, until it is dropped.
pub struct Turn {
    app: App,
    of: DeviceId,
    hand: Arc<Semaphore>,
}

impl Turn {
    /// One more of this device. `None`: there are as many as there may be.
    pub fn begin(app: &App, of: DeviceId) -> Option<Self> {
        let hand = app.http().turns.take(of)?;
        Some(Self { app: app.clone(), of, hand })
    }

    /// Waits until nothing else is done for this device, and keeps it so until what it returns is dropped. `None`: nobody closes it.
    pub async fn hand(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.hand).acquire_owned().await.ok()
    }
}

/// Keeps a device's hand for so long from what else it has under way, while whoever asked has the answer already.
pub fn rest(hand: Option<OwnedSemaphorePermit>, time: Duration) {
    let Some(hand) = hand else { return };
    tokio::spawn(async move {
        tokio::time::sleep(time.min(LONGEST_REST)).await;
        drop(hand);
    });
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.http().turns.give_back(self.of);
    }
}

impl Turns {
    fn take(&self, of: DeviceId) -> Option<Arc<Semaphore>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = turns.entry(of).or_insert_with(|| Taken { count: 0, hand: Arc::new(Semaphore::new(1)) });
        if taken.count >= MAX_OF_DEVICE {
            return None;
        }
        taken.count += 1;
        Some(Arc::clone(&taken.hand))
    }

    fn give_back(&self, of: DeviceId) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = turns.get_mut(&of) {
            taken.count -= 1;
            if taken.count == 0 {
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
        let hands: Vec<_> = (0..MAX_OF_DEVICE).map(|_| turns.take(one).unwrap()).collect();
        let _works = hands[0].try_acquire().unwrap();
        assert!(hands[1].try_acquire().is_err(), "for one at a time");
        assert!(turns.take(one).is_none());
        assert!(turns.take(other).unwrap().try_acquire().is_ok());
        turns.give_back(one);
        assert!(turns.take(one).is_some());
        (0..MAX_OF_DEVICE).for_each(|_| turns.give_back(one));
        turns.give_back(other);
        assert!(turns.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    }
}
