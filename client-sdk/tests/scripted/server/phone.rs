//! A phone whose time and randomness a test holds.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aralau_client_sdk::{
    Client, DocumentId, Millis, Seams, VisitDraft,
    seams::{Clock, Entropy},
    store::{MemoryStore, Store},
};
use aralau_sync_core::time::Monotonic;

use super::line::Line;

/// Time passes only when somebody sleeps.
#[derive(Clone, Default)]
pub struct TestClock(pub Arc<AtomicU64>);

impl TestClock {
    pub fn ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000 + self.ms() as i64)
    }
    fn monotonic(&self) -> Monotonic {
        Monotonic { session: 1, ms: self.ms(), counts_sleep: false }
    }
    fn sleep(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

/// SplitMix64.
pub struct TestEntropy(pub u64);

impl Entropy for TestEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub fn seams(seed: u64, clock: &TestClock) -> Seams {
    Seams { clock: Box::new(clock.clone()), entropy: Box::new(TestEntropy(seed << 32)) }
}

/// A phone in somebody's hands, enrolled.
pub fn phone(line: &Line, name: &str, seed: u64) -> Client<MemoryStore> {
    let mut client = Client::open_in_memory(seams(seed, &TestClock::default())).expect("opens");
    client.enroll(line, "https://hq.example/", name).expect("enrolls");
    client
}

pub fn log<S: Store>(client: &mut Client<S>, outcome: &str) -> DocumentId {
    let note = (client.fresh_id(), format!("note about {outcome}"));
    let draft = VisitDraft {
        visit_type: Some("door_to_door".into()),
        outcome: Some(outcome.into()),
        started_at: Some(Millis(1_700_000_000_000)),
        note: Some(note),
        ..VisitDraft::default()
    };
    client.log_visit(draft).expect("logs")
}

pub fn log_many<S: Store>(client: &mut Client<S>, outcome: &str, count: usize) {
    for _ in 0..count {
        log(client, outcome);
    }
}
