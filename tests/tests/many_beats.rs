//! Somebody who oversees hundreds of beats.

use std::fmt::Write as _;

use aralau_tests::{phone::Phone, world::World};
use serde_json::Value;

const BEATS: usize = 400;
/// What hearing that nothing is new may cost, up and down.
const IDLE_BYTES: u64 = 2_048;

fn code(number: usize) -> String {
    format!("many-{number:03}")
}

/// A phone of somebody with all the beats, each with a place.
fn overseer(world: &World) -> Phone {
    let (mut beats, mut places) = ("code,name\n".to_owned(), "beat,address\n".to_owned());
    for number in 0..BEATS {
        writeln!(beats, "{},Участок № {number}", code(number)).unwrap();
        writeln!(places, "{},\"ул. Абая, {number}\"", code(number)).unwrap();
    }
    let staff = format!("name,beat\nСауле,{}\n", code(0));
    let files = [("--beats", beats), ("--places", places), ("--staff", staff)].map(|(flag, table)| {
        let path = world.path(&format!("{}.csv", flag.trim_start_matches('-')));
        std::fs::write(&path, table).unwrap();
        [flag.to_owned(), path.to_str().unwrap().to_owned()]
    });
    let files: Vec<&str> = files.iter().flatten().map(String::as_str).collect();
    world.admin(&[&["load"], &files[..]].concat()).ok();
    let codes: Vec<String> = (0..BEATS).map(code).collect();
    let of_beats = codes.iter().flat_map(|code| ["--beat", code.as_str()]);
    let enroll: Vec<&str> = ["enroll", "--inspector", "Сауле"].into_iter().chain(of_beats).collect();
    let made = world.admin(&enroll).ok().object();
    let phone = Phone::at(&world.path("overseer"));
    phone.run(&["enroll", "--server", &world.server.url(), "--code", made["code"].as_str().unwrap()]).ok();
    phone
}

fn bytes(report: &Value) -> u64 {
    report["bytes_up"].as_u64().unwrap() + report["bytes_down"].as_u64().unwrap()
}

#[test]
fn four_hundred_beats_are_heard_of_in_one_short_request() {
    let world = World::new();
    let (overseer, inspector) = (overseer(&world), world.phone("Айгүл", "beat-01"));
    overseer.sync();
    let places = overseer.places();
    assert_eq!(places.len(), BEATS);
    let idle = overseer.sync();
    assert_eq!((&idle["requests"], &idle["pulled"]), (&1.into(), &0.into()));
    assert!(bytes(&idle) <= IDLE_BYTES, "{idle}");

    overseer.log(&places[7], &["--note", "Own words"]);
    let pushed = overseer.sync();
    assert_eq!((&pushed["requests"], &pushed["pushed"], &pushed["unsent"]), (&1.into(), &1.into(), &0.into()));
    assert!(bytes(&pushed) <= IDLE_BYTES, "{pushed}");

    let made = world.admin(&["enroll", "--beat", &code(3), "--inspector", "Болат"]).ok().object();
    let partner = Phone::at(&world.path("partner"));
    partner.run(&["enroll", "--server", &world.server.url(), "--code", made["code"].as_str().unwrap()]).ok();
    partner.sync();
    partner.log(&partner.places()[0], &["--note", "Of a partner"]);
    partner.sync();
    let gained = overseer.sync();
    assert_eq!((&gained["requests"], &gained["pulled"]), (&1.into(), &1.into()));
    assert!(bytes(&gained) <= IDLE_BYTES, "{gained}");

    inspector.sync();
    let alone = inspector.sync();
    assert_eq!(&alone["requests"], 1);
    world.check();
}
