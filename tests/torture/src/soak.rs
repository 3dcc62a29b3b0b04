//! A server that works for a long time: its memory must not grow.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use aralau_tests::{
    phone::{self, Sdk},
    world::World,
};
use serde_json::json;

use crate::{
    campaign::Tally,
    crowd::{Listeners, phones},
};

const PHONES: usize = 20;
const LISTENERS: u64 = 20;
/// Between two syncs of a phone.
const PAUSE: Duration = Duration::from_millis(1500);
/// Between two questions of headquarters.
const QUESTION_PAUSE: Duration = Duration::from_millis(700);
/// What memory may have grown by, from the second quarter of the time to the last.
const MAX_GROWTH_MIB: f64 = 16.0;

const QUESTIONS: [&str; 6] = [
    "/v1/visits?limit=200",
    "/v1/visits?beat=crowd-0&limit=50",
    "/v1/conflicts?limit=100",
    "/v1/devices",
    "/v1/export.ndjson?beat=crowd-1",
    "/metrics",
];

/// Works for so many minutes. Counts them.
pub fn campaign(seed: u64, minutes: f64) -> Tally {
    let mut tally = Tally::new("soak", seed);
    let world = World::new();
    let mut phones = phones(&world, PHONES);
    let listeners = Listeners::hold(&world, LISTENERS);
    let time = Duration::from_secs_f64(minutes * 60.0);
    let (began, stop, syncs, questions) =
        (Instant::now(), AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let samples = thread::scope(|scope| {
        let working: Vec<_> = phones.iter_mut().map(|client| scope.spawn(|| work(client, &stop, &syncs))).collect();
        let asking = scope.spawn(|| ask(&world, &stop, &questions));
        let samples = sample(&world, began, time);
        stop.store(true, Relaxed);
        let logged: u64 = working.into_iter().map(|phone| phone.join().expect("it is served")).sum();
        asking.join().expect("it is answered");
        assert_eq!(world.headquarters().visits("").len() as u64, logged);
        tally.note("visits", logged);
        samples
    });
    assert_eq!(listeners.open(), LISTENERS, "listeners were dropped");
    world.check();
    tally.count = began.elapsed().as_secs() / 60;
    tally.note("syncs", syncs.load(Relaxed));
    tally.note("questions", questions.load(Relaxed));
    tally.note("memory_each_minute_mib", json!(samples));
    tally.note("peak_memory_mib", world.server.peak_memory_mib());
    let growth = growth_mib(&samples);
    tally.note("growth_mib", growth);
    tally.failed = u64::from(growth > MAX_GROWTH_MIB);
    tally
}

/// The mean of the last quarter above the mean of the second.
fn growth_mib(samples: &[u64]) -> f64 {
    let mean = |part: &[u64]| part.iter().sum::<u64>() as f64 / part.len().max(1) as f64;
    let quarter = samples.len() / 4;
    let growth = mean(&samples[quarter * 3..]) - mean(&samples[quarter..quarter * 2]);
    (growth * 10.0).round() / 10.0
}

fn work(client: &mut Sdk, stop: &AtomicBool, syncs: &AtomicU64) -> u64 {
    let mut logged = 0;
    while !stop.load(Relaxed) {
        phone::log(client, &format!("note {logged}: the intercom has been broken since spring"));
        logged += 1;
        phone::sync(client, 60).expect("the server serves");
        syncs.fetch_add(1, Relaxed);
        thread::sleep(PAUSE);
    }
    logged
}

fn ask(world: &World, stop: &AtomicBool, questions: &AtomicU64) {
    let headquarters = world.headquarters();
    for question in QUESTIONS.iter().cycle() {
        if stop.load(Relaxed) {
            return;
        }
        let reply = headquarters.ask(question);
        assert_eq!(reply.status, 200, "{question}: {}", reply.text);
        questions.fetch_add(1, Relaxed);
        thread::sleep(QUESTION_PAUSE);
    }
}

/// What the server holds at the start, and then each minute, or more often where the time is short.
fn sample(world: &World, began: Instant, time: Duration) -> Vec<u64> {
    let step = Duration::from_secs(60).min(time / 12);
    let mut samples = vec![world.server.memory_mib()];
    while began.elapsed() < time {
        thread::sleep(step);
        samples.push(world.server.memory_mib());
        eprintln!("soak: {:.1} minutes, {samples:?} MiB", began.elapsed().as_secs_f64() / 60.0);
    }
    samples
}
