use std::sync::Arc;

use aralau_sync_core::{id::Kind, reading::Reading, time::Millis, visit::Place};

use super::*;
use crate::{
    entropy::SystemEntropy,
    store::{Store, custody, projection},
};

const NOW: Millis = Millis(1_700_000_000_000);

struct World {
    store: Store,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        Self { store, _folder: folder }
    }

    /// Plans and applies in one transaction, as the command does.
    fn load(&self, wanted: Organisation, options: LoadOptions) -> Result<Plan, Vec<Refusal>> {
        let handle = self.store.clone();
        let loaded = self.store.write(move |tx| {
            let plan = match Plan::of(&Known::read(tx, &wanted, NOW)?, &wanted, options) {
                Ok(plan) => plan,
                Err(refusals) => return Ok(Err(refusals)),
            };
            apply(tx, handle.identity(), &plan, NOW, &|_, _| {})?;
            Ok(Ok(plan))
        });
        loaded.unwrap()
    }

    /// Beat, address, code, type and status of each place, in the order of the store.
    fn places(&self) -> Vec<String> {
        let read = self.store.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT concat_ws('|', code, address, external_code, place_type, status)
                 FROM place p JOIN document USING (document_no) JOIN beat ON beat.scope_no = p.scope_no ORDER BY document_no",
            )?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        read.unwrap()
    }

    /// Everything agrees with everything, and the projections follow from the log.
    fn check(&self) {
        assert_eq!(self.store.check().unwrap().problems, Vec::<String>::new());
        assert_eq!(self.store.rebuild().unwrap().changed, 0);
    }

    fn text(&self, beat: &str, id: DocumentId, field: &str) -> Option<String> {
        let read = self.store.read(|connection| {
            let beat = directory::beat(connection, beat)?.unwrap();
            let document = projection::load(connection, beat.scope_no, id)?.0.document;
            Ok(Reading::of_document(&document, |_| NOW).text(field).map(str::to_owned))
        });
        read.unwrap()
    }
}

fn place(beat: &str, address: &str, external_code: Option<&str>, place_type: Option<&str>) -> PlaceLine {
    PlaceLine {
        beat: beat.to_owned(),
        address: address.to_owned(),
        external_code: external_code.map(str::to_owned),
        place_type: place_type.map(str::to_owned),
        coordinates: None,
    }
}

fn organisation(places: Vec<PlaceLine>) -> Organisation {
    Organisation {
        beats: ["b1", "b2"].map(|code| (code.to_owned(), String::new())).to_vec(),
        places,
        staff: vec![StaffLine { name: "Болат С.".to_owned(), beat: "b1".to_owned() }],
        areas: Vec::new(),
    }
}

#[test]
fn what_is_planned_is_done_and_the_same_tables_again_find_nothing_to_do() {
    let world = World::new();
    let first = organisation(vec![
        place("b1", "Абая 1", Some("A-1"), Some("house")),
        place("b1", "Абая 2", None, None),
        place("b2", "Сатпаева 5", Some("S-5"), None),
    ]);
    assert_eq!(
        world.load(first, LoadOptions::default()).unwrap().made(),
        LoadReport { beats: 2, places: 3, people: 1 }
    );
    let second = || Organisation {
        beats: vec![("B1".to_owned(), "Первый".to_owned())],
        areas: vec![("b2".to_owned(), Area::rectangle([76.0, 43.0], [77.0, 44.0]))],
        staff: vec![StaffLine { name: "болат  с.".to_owned(), beat: "b2".to_owned() }],
        places: vec![place("b2", "Абая 1", Some("A-1"), None), place("b1", "Абая 2", None, Some("apartment"))],
    };
    let plan = world.load(second(), LoadOptions { replace_grants: true, ..LoadOptions::default() }).unwrap();
    assert_eq!((plan.made(), plan.grants_ended.len()), (LoadReport::default(), 1));
    assert_eq!(
        world.places(),
        [
            "b1|Абая 1|A-1|house|withdrawn",
            "b1|Абая 2|apartment|active",
            "b2|Сатпаева 5|S-5|active",
            "b2|Абая 1|A-1|house|active",
        ]
    );
    let moved = &plan.places_moved[0];
    assert_eq!(world.text("b1", moved.from, "moved_to"), Some(moved.to.to_string()));
    assert_eq!(world.text("b2", moved.to, "continues"), Some(moved.from.to_string()));
    let again = world.load(second(), LoadOptions { replace_grants: true, ..LoadOptions::default() }).unwrap();
    assert!(again.is_empty(), "{again:?}");
    world.check();
    let back = organisation(vec![place("b1", "Абая 1", Some("A-1"), None)]);
    assert!(world.load(back, LoadOptions::default()).unwrap().places_moved[0].comes_back);
    assert_eq!(world.places()[0], "b1|Абая 1|A-1|house|active");
    assert_eq!(world.text("b1", moved.from, "moved_to"), None);
    world.check();
}

/// As builds did that knew a place by its row's very letters.
fn load_as_before(world: &World, beat: &'static str, address: &'static str, external_code: Option<&'static str>) {
    let handle = world.store.clone();
    let authored = world.store.write(move |tx| {
        let (beat, _) = directory::ensure_beat(tx, beat, beat, NOW)?;
        let place = Place {
            address: Some(address.to_owned()),
            external_code: external_code.map(str::to_owned),
            status: "active".to_owned(),
            ..Place::default()
        };
        let name = format!("{}|{address}|{}", beat.code, external_code.unwrap_or(""));
        let id = DocumentId(Uuid::new_v5(&PLACE_NAMESPACE, name.as_bytes()));
        let puts = place.puts(tx.random()?);
        custody::author(tx, handle.identity(), beat.scope_no, (Kind::PLACE, id), &puts, None, NOW)
    });
    authored.unwrap().unwrap();
}

#[test]
fn a_table_that_an_earlier_build_loaded_makes_no_second_place() {
    let world = World::new();
    for (address, code) in [("Абая  1", None), ("абая 2", Some("A-2")), ("Абая 3", None)] {
        load_as_before(&world, "b1", address, code);
    }
    let rows = ["Абая 1", "Абая 2", "Абая 3"].into_iter().zip([None, Some("A-2"), Some("A-3")]);
    let table = organisation(rows.map(|(address, code)| place("b1", address, code, None)).collect());
    let plan = world.load(table, LoadOptions::default()).unwrap();
    assert_eq!((plan.places_added.len(), plan.left.places, plan.places_changed.len()), (0, 1, 2));
    assert_eq!(world.places().len(), 3);
    world.check();
}

#[test]
fn a_load_that_is_refused_leaves_nothing() {
    let world = World::new();
    let mut wanted = organisation(vec![place("b1", "Абая 1", None, None)]);
    wanted.staff.push(StaffLine { name: "Анна".to_owned(), beat: "b9".to_owned() });
    assert_eq!(world.load(wanted, LoadOptions::default()).unwrap_err()[0].kind.code(), "beat_unknown");
    assert_eq!(world.places(), Vec::<String>::new());
    assert!(world.store.read(directory::beats).unwrap().is_empty());
}

#[test]
fn many_places_and_long_ones_share_frames_and_are_sound() {
    let world = World::new();
    let mut places: Vec<_> = (0..230).map(|number| place("b1", &format!("Абая {number}"), None, None)).collect();
    places.extend((0..9).map(|number| place("b2", &format!("{number} {}", "ы".repeat(16_000)), None, None)));
    assert_eq!(world.load(organisation(places), LoadOptions::default()).unwrap().places_added.len(), 239);
    let heads: i64 = world
        .store
        .read(|connection| Ok(connection.query_row("SELECT count(*) FROM head", [], |row| row.get(0))?))
        .unwrap();
    assert!((5..=9).contains(&heads), "{heads} signatures");
    world.check();
}

#[test]
fn a_person_is_found_however_the_name_is_spaced_and_written_as_given() {
    let world = World::new();
    let ensure = |name: &'static str| world.store.write(move |tx| directory::ensure_person(tx, name, NOW)).unwrap();
    let (bolat, new) = ensure(" Болат \u{a0}С. ");
    assert!(new);
    assert_eq!([ensure("Болат С."), ensure("БОЛАТ  С.")], [(bolat, false); 2]);
    assert_eq!(world.store.read(people).unwrap(), [(bolat, "Болат С.".to_owned())]);
    assert!(ensure("Болат А.").1);
}
