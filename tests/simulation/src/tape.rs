//! What a phone did and heard, as a script that other builds of the client go through.

use std::sync::{Arc, Mutex, PoisonError};

use aralau_client_sdk::{
    HttpResponse,
    replay::{Act, Answer, Scene, Script, to_hex},
    seams::{Clock as _, Entropy},
};
use aralau_sync_core::id::PublicKey;

use crate::{
    time::{PhoneClock, PhoneDice},
    world::decompressed_answer,
};

/// Of a phone that is recorded. It ends where the phone goes on from other files than it wrote.
#[derive(Default)]
pub struct Tape {
    /// Nothing where nobody records, or no more.
    scenes: Option<Vec<Scene>>,
    /// What was recorded until the end.
    ended: Option<Vec<Scene>>,
    clock: Option<PhoneClock>,
    random: Random,
}

/// The random bytes of the present scene.
type Random = Arc<Mutex<Vec<u8>>>;

impl Tape {
    /// One that records.
    pub fn running() -> Self {
        Self { scenes: Some(Vec::new()), ..Self::default() }
    }

    /// The dice of an app that starts now, and the clock by which it goes.
    pub fn load(&mut self, dice: PhoneDice, clock: PhoneClock) -> Box<dyn Entropy> {
        self.clock = Some(clock);
        if self.scenes.is_none() {
            return Box::new(dice);
        }
        self.take_random();
        Box::new(RecordedDice { dice, random: self.random.clone() })
    }

    /// Bytes that were asked for until now belong to no scene.
    pub fn begin(&self) {
        self.take_random();
    }

    /// What was done since it began, and what came of it.
    pub fn keep(&mut self, act: Act, told: impl FnOnce() -> Vec<String>) {
        let random = to_hex(&self.take_random());
        let (Some(scenes), Some(clock)) = (&mut self.scenes, &self.clock) else { return };
        let monotonic = clock.monotonic();
        let (now, monotonic) = (clock.now(), (monotonic.session, monotonic.ms));
        scenes.push(Scene { now, monotonic, random, act, told: told() });
    }

    /// What follows cannot be done again.
    pub fn end(&mut self) {
        if let Some(scenes) = self.scenes.take() {
            self.ended = Some(scenes);
        }
    }

    /// What was recorded.
    pub fn script(&self, public_key: PublicKey) -> Option<Script> {
        let scenes = self.scenes.as_ref().or(self.ended.as_ref())?.clone();
        Some(Script { public_key, scenes })
    }

    fn take_random(&self) -> Vec<u8> {
        std::mem::take(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer as a script has it.
pub fn answer(response: &HttpResponse) -> Answer {
    let headers = response.headers.iter().filter(|(name, _)| name != "content-encoding").cloned().collect();
    Answer { status: response.status, headers, body: to_hex(&decompressed_answer(response)) }
}

struct RecordedDice {
    dice: PhoneDice,
    random: Random,
}

impl Entropy for RecordedDice {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.dice.fill(bytes);
        self.random.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}
