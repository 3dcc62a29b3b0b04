//! A bad line: connections that break anywhere, in either direction, and still everybody gets level.

use std::time::Instant;

use aralau_tests::{
    chance::Chance,
    phone::{self, Phone, Sdk},
    relay::{CALM, Relay, Weather},
    world::World,
};

const VISITS: usize = 700;
const BATCH: usize = 35;
const STORM: Weather = Weather { cut_percent: 70, within_bytes: 24 * 1024, stall_ms: 3, ..CALM };

/// A phone whose server is behind the line.
fn behind(world: &World, relay: &Relay, name: &str) -> Phone {
    relay.set(CALM);
    let phone = Phone::at(&world.path(name));
    let code = world.code(name, "beat-01");
    phone.run(&["enroll", "--server", &relay.url(), "--code", &code]).ok();
    phone.sync();
    phone
}

#[test]
fn phones_behind_a_line_that_cuts_at_random_always_get_level() {
    let world = World::new();
    let relay = Relay::to(world.server.address, CALM, Chance::new());
    let (sender, reader) = (behind(&world, &relay, "Aigul"), behind(&world, &relay, "Boris"));
    let (mut sending, mut reading) = (sender.sdk(), reader.sdk());
    relay.set(STORM);
    let started = Instant::now();
    let mut logged = 0;
    let is_level = |sending: &Sdk, reading: &Sdk| {
        sending.status().unwrap().unsent == 0 && reading.visits().unwrap().len() == VISITS
    };
    while !is_level(&sending, &reading) {
        for _ in 0..BATCH.min(VISITS - logged) {
            // Words that do not compress away, so that there is something to cut.
            let noise: String = (0..12).map(|_| uuid::Uuid::new_v4().to_string()).collect();
            phone::log(&mut sending, &noise);
            logged += 1;
        }
        drop(phone::sync(&mut sending, 1));
        drop(phone::sync(&mut reading, 0));
        assert!(started.elapsed().as_secs() < 120, "they never get level: {} unsent", sending.status().unwrap().unsent);
    }
    println!("{} cuts, {:?}", relay.cuts(), started.elapsed());
    assert!(relay.cuts() >= 8, "the line was too good: {} cuts", relay.cuts());
    relay.set(CALM);
    for client in [&mut sending, &mut reading] {
        phone::sync(client, 8).unwrap();
        let status = client.status().unwrap();
        assert_eq!((status.unsent, &status.alarms), (0, &Vec::new()));
    }
    assert_eq!(sending.visits().unwrap().len(), VISITS);
    assert_eq!(world.headquarters().visits("").len(), VISITS);
    world.check();
}

#[test]
fn a_first_sync_gets_through_a_line_that_carries_only_some_kilobytes_at_a_time() {
    const VISITS: usize = 80;
    let world = World::new();
    let relay = Relay::to(world.server.address, CALM, Chance::new());
    let (sender, reader) = (behind(&world, &relay, "Aigul"), behind(&world, &relay, "Boris"));
    let (mut sending, mut reading) = (sender.sdk(), reader.sdk());
    for _ in 0..VISITS {
        let noise: String = (0..12).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        phone::log(&mut sending, &noise);
    }
    phone::sync(&mut sending, 8).unwrap();

    // All of it in one answer is about 25 KB, which no connection here lives to carry.
    relay.set(Weather { cut_percent: 100, within_bytes: 16 * 1024, ..CALM });
    phone::sync(&mut reading, 90).unwrap();
    assert_eq!(reading.visits().unwrap().len(), VISITS);
    assert!(relay.cuts() > 0);
}
