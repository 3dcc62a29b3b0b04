//! Streams sent again, in another order, without end, or by a clock that is wrong.

use aralau_sync_core::{
    frame::MAX_FRAME_ENTRIES,
    stream::{Header, Link},
    time::Millis,
};
use aralau_tests::{chance::Chance, phone, rogue::Rogue, world::World};
use serde_json::json;

use super::poison::document;

#[test]
fn an_upload_may_be_repeated_and_reordered_with_the_same_result() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut frames = Vec::new();
    for n in 0..6 {
        let links = (0..4).map(|m| rogue.visit(&format!("{n}/{m}")).1).collect();
        frames.push(rogue.frame(links));
    }
    let mut chance = Chance::new();
    for _ in 0..12 {
        let mut shuffled: Vec<_> = frames.iter().chain(&frames).cloned().collect();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, chance.below(at as u64 + 1) as usize);
        }
        rogue.send(&shuffled);
    }
    assert_eq!(rogue.send(&frames).fates().last().map(String::as_str), Some("decided 24"));
    let headquarters = world.role("administrator");
    assert_eq!((headquarters.visits("").len(), headquarters.quarantine().len()), (24, 0));
    world.check();
}

#[test]
fn a_stream_that_is_held_and_held_again_is_full_at_last() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut fates = Vec::new();
    for _ in 0..3 {
        let mut poisoned = || {
            let links = (0..MAX_FRAME_ENTRIES).map(|_| rogue.link(document(), b"poison")).collect();
            rogue.frame(links)
        };
        let frames: Vec<_> = (0..8).map(|_| poisoned()).collect();
        fates = rogue.send(&frames).fates();
    }
    let refused = ["too_much_held", "gap 2000", "gap 2000", "gap 2000"];
    assert_eq!(fates[3..], [&["decided 2000"][..], &refused].concat(), "2,000 held entries, and no more");
    // Others of the beat are none the worse.
    let mut honest = world.sdk("Boris", "beat-01");
    phone::log(&mut honest, "still here");
    assert_eq!(phone::sync(&mut honest, 8).unwrap().pushed, 1);
    world.check();
}

#[test]
fn a_clock_fifty_years_wrong_is_labelled_and_nothing_else() {
    const FIFTY_YEARS_MS: i64 = 50 * 365 * 24 * 60 * 60 * 1000;
    let world = World::new();
    let headquarters = world.headquarters();
    let wrong = [("Past", -FIFTY_YEARS_MS, "late"), ("Future", FIFTY_YEARS_MS, "clock_ahead")];
    for (name, skew_ms, label) in wrong {
        let mut rogue = Rogue::enroll(&world, name, "beat-01");
        rogue.skew_ms = skew_ms;
        let (document, visit) = rogue.visit("when?");
        let frame = rogue.frame(vec![visit]);
        assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"]);
        let history = headquarters.get(&format!("/v1/visits/{document}/history"));
        assert_eq!(history["history"][0]["labels"], json!([label]), "{name}");
        let devices = world.devices();
        let device = devices.iter().find(|device| device["person"]["name"] == name).unwrap();
        let skew = device["clock_skew_ms"].as_i64().unwrap();
        assert!((skew - skew_ms).abs() < 60_000, "{skew}");
    }
    // The ends of what a number can say, and of what a calendar can.
    for at in [i64::MIN, i64::MAX, 0, 253_402_300_800_000] {
        let mut rogue = Rogue::enroll(&world, &format!("At {at}"), "beat-01");
        let (document, puts) = (document(), rogue.visit_puts("never"));
        let change = rogue.author(document, &puts);
        let header = Header { at: Millis(at), ..rogue.header(document) };
        let link = Link::Full { header: header.to_bytes(), body: change.body().to_vec() };
        let frame = rogue.frame(vec![link]);
        assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"]);
        assert_eq!(headquarters.ask(&format!("/v1/visits/{document}")).status, 200);
        assert_eq!(headquarters.ask(&format!("/v1/visits/{document}/history")).status, 200);
    }
    let mut honest = world.sdk("Boris", "beat-01");
    assert_eq!(honest.visits().unwrap().len(), 6);
    phone::log(&mut honest, "now");
    phone::sync(&mut honest, 8).unwrap();
    assert_eq!(headquarters.visits("").len(), 7);
    assert_eq!(headquarters.ask("/v1/export.csv").status, 200);
    world.check();
}
