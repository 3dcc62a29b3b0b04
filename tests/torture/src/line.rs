//! Phones behind a bad line: it cuts, falls silent, flips bits, crawls. Whatever it does, everybody gets level, in bounded
//! time, and no byte is taken for another.
//!
//! The judge keeps every word that was written down and compares it with what headquarters exports and what each phone shows.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use aralau_client_sdk::{DocumentId, VisitState};
use aralau_tests::{
    chance::Chance,
    headquarters::Headquarters,
    phone::{self, Phone, Sdk},
    relay::{CALM, Relay, SECOND_GENERATION, Weather},
    world::World,
};
use serde_json::Value;

use crate::campaign::{Size, Tally, worlds};

const PHONES: usize = 4;
const VISITS: usize = 36;
const BATCH: usize = 3;
/// The longest that any weather may keep the phones from getting level.
const LONGEST: Duration = Duration::from_secs(300);

/// Each world has one of these, in turn.
fn weather(seed: u64) -> (&'static str, Weather) {
    let storm = Weather { within_bytes: 6 * 1024, stall_ms: 3, ..CALM };
    match seed % 5 {
        0 => ("cuts", Weather { cut_percent: 70, ..storm }),
        1 => ("hangs", Weather { hang_percent: 40, cut_percent: 10, ..storm }),
        2 => ("2g", SECOND_GENERATION),
        3 => ("flips", Weather { flip_percent: 90, within_bytes: 2 * 1024, ..storm }),
        _ => ("all", Weather { cut_percent: 20, hang_percent: 10, flip_percent: 40, within_bytes: 3 * 1024, ..slow() }),
    }
}

fn slow() -> Weather {
    Weather { latency_ms: 30..200, bytes_per_second: (20_000, 40_000), ..CALM }
}

/// As many worlds as the size says.
pub fn campaign(first: u64, size: Size) -> Tally {
    worlds("line", first, size, 1, world)
}

/// What was written down: each visit's words.
type Words = BTreeMap<DocumentId, String>;

fn world(seed: u64, _: u64, tally: &mut Tally) {
    let mut chance = Chance::of(seed);
    let (name, weather) = weather(seed);
    let mut world = World::new();
    let relay = Relay::to(world.server.address, CALM, chance.fork());
    let mut clients: Vec<_> = (0..PHONES).map(|number| behind(&world, &relay, number).sdk()).collect();
    relay.set(weather);
    let began = Instant::now();
    let written: Vec<Words> = thread::scope(|scope| {
        let phones: Vec<_> = clients.iter_mut().map(|client| (client, chance.fork())).collect();
        let phones = phones.into_iter().map(|(client, chance)| scope.spawn(|| work(client, chance, began)));
        let phones: Vec<_> = phones.collect();
        phones.into_iter().map(|phone| phone.join().expect("it gets level in time")).collect()
    });
    tally.most("longest_s", began.elapsed().as_secs());
    tally.add(&format!("{name}_worlds"), 1);
    tally.add("cuts", relay.cuts());
    tally.add("flips", relay.flips());
    let alarms = clients.iter().flat_map(|client| client.status().expect("readable").alarms);
    for alarm in alarms {
        assert!(relay.flips() > 0, "a line that only breaks is no cause for alarm: {alarm:?}");
        tally.add(alarm.code.code(), alarm.count);
    }
    let replicas = clients.iter().map(Sdk::replica).collect::<Vec<_>>();

    // Before the line is good again: each phone believes that all is at headquarters, and it is.
    let words: Words = written.into_iter().flatten().collect();
    let headquarters = world.headquarters();
    assert_eq!(exported(&headquarters), words);
    relay.set(CALM);
    for client in &mut clients {
        phone::sync(client, 8).expect("the line is good");
    }
    for (client, replica) in clients.iter().zip(replicas) {
        assert_eq!(client.replica(), replica, "it needs no new name");
        assert_eq!(shown(client), words);
        let status = client.status().expect("readable");
        assert_eq!((status.unsent, status.orphans), (0, 0));
        assert!(status.scopes.iter().all(|scope| scope.sequence == scope.verified), "{status:?}");
        assert!(client.visits().expect("readable").iter().all(|visit| visit.state == VisitState::AtHeadquarters));
    }
    assert_eq!(headquarters.quarantine().len(), 0);
    world.check();
    assert!(world.server.is_running());
    assert!(!world.server.log().contains("panicked"), "{}", world.server.log());
    tally.add("visits", words.len() as u64);
    tally.count += 1;
}

/// A phone whose server is behind the line.
fn behind(world: &World, relay: &Relay, number: usize) -> Phone {
    let phone = Phone::at(&world.path(&format!("phone-{number}")));
    let code = world.code(&format!("Inspector {number}"), "beat-01");
    phone.run(&["enroll", "--server", &relay.url(), "--code", &code]).ok();
    phone.sync();
    phone
}

/// Logs and syncs until all of it is at headquarters.
fn work(client: &mut Sdk, mut chance: Chance, began: Instant) -> Words {
    let mut words = Words::new();
    while words.len() < VISITS || !is_at_headquarters(client) {
        for _ in 0..BATCH.min(VISITS - words.len()) {
            // Words that do not compress away, so that there is something to break.
            let noise: String = (0..1 + chance.below(12)).map(|_| format!("{:016x}", chance.bits())).collect();
            words.insert(phone::log(client, &noise), noise);
        }
        drop(phone::sync(client, 0));
        assert!(
            began.elapsed() < LONGEST,
            "it does not get level: {} unsent",
            client.status().expect("readable").unsent
        );
    }
    words
}

fn is_at_headquarters(client: &Sdk) -> bool {
    let visits = client.visits().expect("readable");
    visits.iter().all(|visit| visit.state == VisitState::AtHeadquarters)
}

fn shown(client: &Sdk) -> Words {
    let visits = client.visits().expect("readable").into_iter();
    visits.map(|visit| (visit.id, visit.notes.into_iter().map(|note| note.text).collect())).collect()
}

fn exported(headquarters: &Headquarters) -> Words {
    let file = headquarters.ask("/v1/export.ndjson");
    assert_eq!(file.status, 200);
    let visit = |line: &str| {
        let visit: Value = serde_json::from_str(line).expect("JSON");
        let notes = visit["notes"].as_array().expect("a list").iter();
        let text = notes.map(|note| note["text"].as_str().expect("text")).collect();
        (visit["id"].as_str().expect("an id").parse().expect("an id"), text)
    };
    file.text.lines().map(visit).collect()
}
