//! What a phone is told of its beats' outlines.

use aralau_server::{
    area::Area,
    store::{self, BeatRow, Organisation},
};
use aralau_sync_core::sync::{MAX_OUTLINES_BYTES, Outlines};

use crate::world::{NOW, World};

impl World {
    fn draw(&self, beat: &str, area: Area) {
        let (handle, areas) = (self.store.clone(), vec![(beat.to_owned(), area)]);
        let organisation = Organisation { areas, ..Organisation::default() };
        self.store.write(move |tx| store::load(tx, handle.identity(), &organisation, NOW)).unwrap();
    }

    fn told(&self, beats: &[BeatRow], known: u64, most_bytes: Option<u32>) -> Option<Outlines> {
        self.store.read(|connection| store::outlines(connection, beats, known, most_bytes)).unwrap()
    }
}

/// A many-cornered line around a point.
fn round(corners: u32) -> Area {
    let angle = |corner: u32| std::f64::consts::TAU * f64::from(corner) / f64::from(corners);
    let corner = |corner: u32| [76.9 + 0.3 * angle(corner).cos(), 43.2 + 0.3 * angle(corner).sin()];
    let ring: Vec<_> = (0..corners).chain([0]).map(corner).collect();
    serde_json::from_value(serde_json::json!({ "type": "Polygon", "coordinates": [ring] })).unwrap()
}

#[test]
fn a_phone_is_told_the_outlines_of_its_beats_until_it_has_them() {
    let world = World::new();
    let beats = [world.beat.clone()];
    let first = world.told(&beats, 0, None).expect("the sample has outlines");
    assert_eq!(first.beats.iter().map(|one| one.scope).collect::<Vec<_>>(), [world.beat.scope], "and of no other beat");
    assert_eq!(world.told(&beats, first.mark, None), None);

    world.draw("beat-01", Area::rectangle([76.9, 43.2], [76.95, 43.25]));
    let second = world.told(&beats, first.mark, None).expect("it is another one");
    let corners = [[76.9, 43.2], [76.95, 43.2], [76.95, 43.25], [76.9, 43.25]];
    assert_eq!(second.beats[0].rings[0].corners().unwrap(), corners);
    assert_eq!(world.told(&[], second.mark, None), Some(Outlines::default()), "who has no beats forgets them");
    assert_eq!(world.told(&[], 0, None), None);
}

#[test]
fn a_line_that_cuts_long_answers_is_given_none_that_is_too_long_for_it() {
    let world = World::new();
    world.draw("beat-01", round(5_000));
    let beats = [world.beat.clone()];
    assert_eq!(world.told(&beats, 0, Some(4 * 1024)), None);
    assert!(world.told(&beats, 0, Some(64 * 1024)).is_some());
}

#[test]
fn of_outlines_that_are_too_many_those_are_told_that_fit() {
    let world = World::new();
    let beats = world.store.read(store::beats).unwrap();
    let codes: Vec<_> = (0..12).map(|number| format!("large-{number}")).collect();
    let (handle, named) = (world.store.clone(), codes.iter().map(|code| (code.clone(), code.clone())).collect());
    let areas = codes.iter().map(|code| (code.clone(), round(9_000))).collect();
    let organisation = Organisation { beats: named, areas, ..Organisation::default() };
    world.store.write(move |tx| store::load(tx, handle.identity(), &organisation, NOW)).unwrap();
    let all = world.store.read(store::beats).unwrap();
    let told = world.told(&all, 0, None).unwrap();
    assert!(aralau_sync_core::cbor::encode(&told).len() <= MAX_OUTLINES_BYTES + 64);
    assert!(told.beats.len() > beats.len() && told.beats.len() < all.len(), "{}", told.beats.len());
    for beat in &beats {
        assert!(told.beats.iter().any(|one| one.scope == beat.scope), "{} is short", beat.code);
    }
    assert_eq!(world.told(&all, told.mark, None), None, "and not again at each sync");
}
