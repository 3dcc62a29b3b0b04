use std::collections::BTreeSet;

use aralau_sync_core::visit::{ACTIVE, WITHDRAWN};
use uuid::Uuid;

use super::{
    super::{KnownPlace, PlaceLine, StaffLine, place_id},
    *,
};

fn beat(number: u8) -> BeatRow {
    BeatRow {
        code: format!("b{number}"),
        scope: ScopeId(Uuid::from_u128(number.into())),
        name: format!("Beat {number}"),
        scope_no: i64::from(number) + 1,
    }
}

/// A row `beat|address|code|type`.
fn line(row: &str) -> PlaceLine {
    let mut cells = row.split('|').map(|cell| Some(cell.to_owned()).filter(|cell| !cell.is_empty()));
    let mut next = || cells.next().flatten();
    PlaceLine {
        beat: next().unwrap_or_default(),
        address: next().unwrap_or_default(),
        external_code: next(),
        place_type: next(),
        coordinates: None,
    }
}

/// A known place from a row, withdrawn where the row ends with `|x`.
fn known_place(row: &str) -> KnownPlace {
    let status = if row.ends_with("|x") { WITHDRAWN } else { ACTIVE };
    let PlaceLine { beat, address, external_code, place_type, .. } = line(row.trim_end_matches("|x"));
    let scope_no = beat.trim_start_matches('b').parse::<i64>().unwrap() + 1;
    let id = place_id(&beat, &address, external_code.as_deref(), 1);
    let place = Place { address: Some(address), external_code, place_type, status: status.into(), ..Place::default() };
    KnownPlace { scope_no, id, place, goes_as: None }
}

fn store(places: &[&str]) -> Known {
    Known {
        beats: vec![beat(1), beat(2)],
        places: places.iter().map(|row| known_place(row)).collect(),
        ..Known::default()
    }
}

fn table(rows: &[&str]) -> Organisation {
    Organisation { places: rows.iter().map(|row| line(row)).collect(), ..Organisation::default() }
}

/// The plan for a table of places, one word a row that is written, and the numbers of what is left.
fn places(known: &[&str], rows: &[&str]) -> Result<(Vec<String>, usize, usize), Vec<String>> {
    let plan = Plan::of(&store(known), &table(rows), LoadOptions::default()).map_err(|refusals| {
        refusals
            .iter()
            .map(|refusal| format!("{} {:?} {:?}", refusal.kind.code(), refusal.line, refusal.other))
            .collect::<Vec<_>>()
    })?;
    let text = |value: &FieldValue| match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Point(point) => format!("{},{}", point.lat, point.lon),
    };
    let change = |change: &FieldChange| format!("{:?}={}", change.field, text(&change.to));
    let address = |place: &Place| place.address.clone().unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    words.extend(plan.places_added.iter().map(|place| format!("new {} {}", place.beat, address(&place.place))));
    words.extend(plan.places_changed.iter().map(|place| {
        format!(
            "{} {}: {}",
            place.beat,
            place.address.as_deref().unwrap_or(""),
            place.changes.iter().map(change).collect::<Vec<_>>().join(" ")
        )
    }));
    words.extend(plan.places_moved.iter().map(|place| {
        let back = if place.comes_back { " back" } else { "" };
        format!("{}→{}{back} {}", place.from_beat, place.to_beat, address(&place.place))
    }));
    Ok((words, plan.left.places, plan.left.places_not_listed))
}

fn done(words: &[&str], left: usize, not_listed: usize) -> Result<(Vec<String>, usize, usize), Vec<String>> {
    Ok((words.iter().map(|word| (*word).to_owned()).collect(), left, not_listed))
}

#[test]
fn a_place_is_known_again_by_its_code_or_else_by_its_address_however_that_is_spaced() {
    assert_eq!(
        places(&["b1|Абая 1", "b1|Абая 2|A-2"], &["b1| Абая \u{a0} 1", "b1|Абая 2|a-2 "]),
        done(&["b1 Абая 2: ExternalCode=a-2"], 1, 0)
    );
    assert_eq!(places(&["b1|Абая 1"], &["B1|абая 1"]), done(&["b1 Абая 1: Address=абая 1"], 0, 0));
    assert_eq!(places(&["b1|Абая 1|A"], &["b1|Абая 1"]), done(&[], 1, 0), "what is blank stays");
    assert_eq!(places(&["b1|Абая 1"], &["b2|Абая 1"]), done(&["new b2 Абая 1"], 0, 0), "another beat's address");
    assert_eq!(places(&["b1|Абая 1"], &["b1|Абая 1|A"]), done(&["b1 Абая 1: ExternalCode=A"], 0, 0));
    let flats = done(&["new b1 Абая 1", "new b1 Абая 1"], 0, 1);
    assert_eq!(places(&["b1|Абая 1"], &["b1|Абая 1|A", "b1|Абая 1|B"]), flats, "neither is the one known");
}

#[test]
fn a_row_with_another_content_corrects_and_one_left_out_is_left() {
    let known = ["b1|Абая 1|A|house", "b1|Абая 2", "b2|Сатпаева 5"];
    let changed = done(&["b1 Абая 1: Address=Абая 10 PlaceType=apartment"], 0, 1);
    assert_eq!(places(&known, &["b1|Абая 10|A|apartment"]), changed);
    assert_eq!(places(&["b1|Абая 1|x"], &["b1|Абая 1"]), done(&["b1 Абая 1: Status=active"], 0, 0));
}

#[test]
fn a_code_under_another_beat_is_a_move_and_back_again_a_return() {
    assert_eq!(places(&["b1|Абая 1|A|house"], &["b2|Абая 1|A"]), done(&["b1→b2 Абая 1"], 0, 0));
    let known = ["b1|Абая 1|A|house|x", "b2|Абая 1|A"];
    assert_eq!(places(&known, &["b1|Абая 1|A"]), done(&["b2→b1 back Абая 1"], 0, 0));
    assert_eq!(places(&known, &["b2|Абая 1|A"]), done(&[], 1, 0));
    // From a time when one code could be at two places.
    assert_eq!(places(&["b1|Абая 1|A", "b2|Абая 1|A"], &["b2|Абая 1|A"]), done(&[], 1, 0));
}

#[test]
fn a_moved_place_keeps_what_the_row_leaves_blank() {
    let plan = Plan::of(&store(&["b1|Абая 1|A|house"]), &table(&["b2|Абая 1|A"]), LoadOptions::default()).unwrap();
    assert_eq!(plan.places_moved[0].place.place_type.as_deref(), Some("house"));
}

#[test]
fn rows_that_contradict_each_other_are_refused_with_both_lines() {
    let refused = |rows: &[&str]| places(&[], rows).unwrap_err();
    assert_eq!(refused(&["b1|Абая 1|A", "b2|Абая 1|A"]), ["external_code_twice Place(1) Some(Place(0))"]);
    assert_eq!(refused(&["b1|Абая 1||house", "b1|абая  1||other"]), ["place_twice Place(1) Some(Place(0))"]);
    assert_eq!(refused(&["b1|Абая 1", "b3|Абая 1"]), ["beat_unknown Place(1) None"]);
    assert_eq!(places(&[], &["b1|Абая 1||house", "b1|абая  1||house"]), done(&["new b1 Абая 1"], 0, 0));
    let ambiguous = places(&["b1|Абая 1|A", "b1|Абая 1|B"], &["b1|Абая 1"]);
    assert_eq!(ambiguous.unwrap_err(), ["place_ambiguous Place(0) None"]);
}

#[test]
fn a_name_that_another_place_once_had_is_not_taken_again() {
    // Its address was corrected by its code; a new place is at the old one.
    let mut known = store(&["b1|Абая 1"]);
    known.places[0].place.address = Some("Абая 10".into());
    known.places[0].place.external_code = Some("A".into());
    let plan = Plan::of(&known, &table(&["b1|Абая 1"]), LoadOptions::default()).unwrap();
    assert_ne!(plan.places_added[0].id, known.places[0].id);
    assert_eq!(plan.places_added[0].id, place_id("b1", "Абая 1", None, 2));
}

#[test]
fn a_second_place_of_the_same_address_from_an_earlier_build_is_told_and_none_is_made() {
    let known = store(&["b1|Абая  1", "b1|Абая 1"]);
    let plan = Plan::of(&known, &table(&["b1|Абая 1"]), LoadOptions::default()).unwrap();
    assert_eq!((plan.places_written(), plan.left.places, plan.left.places_not_listed), (0, 1, 1));
    assert_eq!(plan.warnings[0].kind.code(), "place_known_twice");
}

#[test]
fn a_point_outside_of_its_beat_is_told_with_whether_it_is_the_wrong_way_round() {
    let mut wanted = table(&["b1|inside", "b1|swapped", "b1|far"]);
    wanted.areas = vec![("B1".into(), Area::rectangle([76.0, 43.0], [77.0, 44.0]))];
    for (place, (lat, lon)) in wanted.places.iter_mut().zip([(43.5, 76.5), (76.5, 43.5), (50.0, 70.0)]) {
        place.coordinates = Some(Coordinates { lat, lon });
    }
    let plan = Plan::of(&store(&[]), &wanted, LoadOptions::default()).unwrap();
    let told: Vec<_> =
        plan.warnings.iter().map(|warning| (warning.line, warning.kind.to_string().contains("exchanged"))).collect();
    assert_eq!(told, [(Line::Place(1), true), (Line::Place(2), false)]);
}

fn staff(rows: &[(&str, &str)]) -> Organisation {
    let line = |(name, beat): &(&str, &str)| StaffLine { name: (*name).into(), beat: (*beat).into() };
    Organisation { staff: rows.iter().map(line).collect(), ..Organisation::default() }
}

fn people(names: &[&str], granted: &[(usize, i64)]) -> Known {
    let id = |number: usize| PersonId(Uuid::from_u128(number as u128));
    Known {
        people: names.iter().enumerate().map(|(number, name)| (id(number), (*name).to_owned())).collect(),
        grants: granted.iter().map(|(number, scope_no)| (id(*number), *scope_no)).collect(),
        ..store(&[])
    }
}

#[test]
fn one_person_is_one_however_the_name_is_spaced_and_one_cell_may_name_two_beats() {
    let wanted = staff(&[("Болат  С.", "b1"), ("болат\u{a0}с.", "b1; b2"), ("Болат С.", "B2"), ("Дана", "b1/b2,b1")]);
    let plan = Plan::of(&people(&["Болат С."], &[(0, 2)]), &wanted, LoadOptions::default()).unwrap();
    let grants: Vec<_> = plan.grants_added.iter().map(|grant| format!("{} {}", grant.name, grant.beat)).collect();
    assert_eq!(grants, ["Болат С. b2", "Дана b1", "Дана b2"]);
    assert_eq!(plan.people_added.iter().map(|person| &*person.name).collect::<Vec<_>>(), ["Дана"]);
    assert_eq!((plan.left.people, plan.left.repeated_rows), (1, 1));
}

#[test]
fn a_new_person_with_a_name_like_a_known_one_is_told() {
    let plan = Plan::of(&people(&["Болат С."], &[]), &staff(&[("Булат С.", "b1")]), LoadOptions::default()).unwrap();
    assert_eq!(plan.people_added[0].near, ["Болат С."]);
    assert_eq!(plan.warnings[0].kind.code(), "person_near");
}

#[test]
fn rights_end_only_where_that_is_asked_for_and_only_those_of_listed_people() {
    let known = people(&["Анна", "Болат"], &[(0, 2), (1, 2)]);
    let wanted = staff(&[("Анна", "b2")]);
    let plan = Plan::of(&known, &wanted, LoadOptions::default()).unwrap();
    assert_eq!((plan.grants_ended.len(), &*plan.grants_kept[0].beat, plan.grants_kept.len()), (0, "b1", 1));
    let plan = Plan::of(&known, &wanted, LoadOptions { replace_grants: true, ..LoadOptions::default() }).unwrap();
    let ended: BTreeSet<_> = plan.grants_ended.iter().map(|ended| (&*ended.name, &*ended.beat)).collect();
    assert_eq!((ended, plan.grants_kept.len()), (BTreeSet::from([("Анна", "b1")]), 0));
}

#[test]
fn nobody_becomes_headquarters_by_name_and_an_unknown_beat_is_told_with_the_one_that_was_meant() {
    let wanted = staff(&[("HEADQUARTERS", "b1"), ("Анна", "b3; b1, b9x")]);
    let refusals = Plan::of(&people(&[], &[]), &wanted, LoadOptions::default()).unwrap_err();
    let told: Vec<_> = refusals.iter().map(|refusal| (refusal.kind.code(), refusal.kind.value())).collect();
    assert_eq!(told, [("name_reserved", "HEADQUARTERS"), ("beat_unknown", "b3"), ("beat_unknown", "b9x")]);
    assert!(refusals[1].kind.to_string().contains("is \"b1\" meant?"));
}

#[test]
fn a_beat_is_found_by_its_name_unless_two_are_called_so() {
    assert_eq!(places(&[], &["Beat 2|Абая 1"]), done(&["new b2 Абая 1"], 0, 0));
    let mut wanted = table(&["Участок 7|Абая 1", "b2|Абая 1"]);
    wanted.beats = [("7", "Участок 7"), ("8", "b2")].map(|(code, name)| (code.into(), name.into())).to_vec();
    let plan = Plan::of(&store(&[]), &wanted, LoadOptions::default()).unwrap();
    let of: Vec<_> = plan.places_added.iter().map(|place| &*place.beat).collect();
    assert_eq!(of, ["7", "b2"], "a code stands before a name");
    wanted.beats[1].1 = "Участок  7".into();
    let refusals = Plan::of(&store(&[]), &wanted, LoadOptions::default()).unwrap_err();
    assert_eq!(refusals[0].kind.code(), "beat_ambiguous");
    let mut known = store(&[]);
    known.beats[0].code = "01".into();
    wanted = Organisation {
        beats: vec![("1".into(), String::new()), ("9".into(), "beat  2".into())],
        ..Organisation::default()
    };
    assert_eq!(warnings(&known, &wanted), [("beat_near", Line::Beat(0)), ("beat_near", Line::Beat(1))]);
    let refusals = Plan::of(&known, &table(&["№ 01|Абая 1"]), LoadOptions::default()).unwrap_err();
    assert!(refusals[0].kind.to_string().contains("is \"01\" meant?"));
}

fn warnings(known: &Known, wanted: &Organisation) -> Vec<(&'static str, Line)> {
    let plan = Plan::of(known, wanted, LoadOptions::default()).unwrap();
    plan.warnings.iter().map(|warning| (warning.kind.code(), warning.line)).collect()
}

#[test]
fn what_a_row_may_have_meant_otherwise_is_told() {
    // Another code at an address that is known, unless both have a row.
    let known = store(&["b1|Абая 1|A"]);
    assert_eq!(warnings(&known, &table(&["b1|Абая 1|B"])), [("address_taken", Line::Place(0))]);
    assert_eq!(warnings(&known, &table(&["b1|Абая 1|A", "b1|Абая 1|B", "b2|Абая 1|C"])), []);
    assert_eq!(warnings(&store(&[]), &table(&["b1|Абая 1|A", "b1|Абая 1|B"])), []);
    // The same address with a code and without, in one table; and where a place comes to one that another has.
    assert_eq!(
        warnings(&store(&[]), &table(&["b1|Абая 1|A", "b1|Абая 1"])),
        [("address_taken", Line::Place(0)), ("address_taken", Line::Place(1))]
    );
    assert_eq!(
        warnings(&store(&["b1|Абая 1|A"]), &table(&["b1|Абая 1|A", "b1|Абая 1"])),
        [("address_taken", Line::Place(1))]
    );
    let two = store(&["b1|Абая 1|A", "b1|Абая 2|B", "b2|Абая 2|C"]);
    assert_eq!(warnings(&two, &table(&["b1|Абая 2|A"])), [("address_taken", Line::Place(0))]);
    assert_eq!(warnings(&two, &table(&["b1|Абая 2|C"])), [("address_taken", Line::Place(0))]);
    // Latin letters among Cyrillic ones.
    assert_eq!(warnings(&known, &table(&["b1|Абая 5\u{41}"])), [("alphabets_mixed", Line::Place(0))]);
    assert_eq!(warnings(&people(&[], &[]), &staff(&[("\u{41}нна", "b1")])), [("alphabets_mixed", Line::Staff(0))]);
    // What turned out to be another place is not corrected by its old name.
    let mut joined = store(&["b1|Абая 1|A|house", "b1|Абая 2|B"]);
    joined.places[1].goes_as = Some(joined.places[0].found());
    assert_eq!(warnings(&joined, &table(&["b1|Абая 2|B|apartment"])), [("joined_not_corrected", Line::Place(0))]);
    assert_eq!(warnings(&joined, &table(&["b1|Абая 2|B|house"])), []);
    assert_eq!(warnings(&joined, &table(&["b1|Абая 2б|B"])), [("joined_not_corrected", Line::Place(0))]);
    // Nor is its code given to another house, which has none.
    joined.places.push(known_place("b2|Абая 5"));
    let refusals = Plan::of(&joined, &table(&["b2|Абая 5|B"]), LoadOptions::default()).unwrap_err();
    assert_eq!(refusals.iter().map(|refusal| refusal.kind.code()).collect::<Vec<_>>(), ["place_joined"]);
    // One point among many that is the other way round.
    let mut wanted = table(&["b1|1", "b1|2", "b1|3", "b1|4", "b1|5"]);
    for (place, (lat, lon)) in
        wanted.places.iter_mut().zip([(43.2, 51.1), (43.3, 51.2), (51.2, 43.3), (43.25, 51.15), (43.1, 51.1)])
    {
        place.coordinates = Some(Coordinates { lat, lon });
    }
    assert_eq!(warnings(&store(&[]), &wanted), [("point_swapped", Line::Place(2))]);
}

#[test]
fn codes_that_an_earlier_build_told_apart_by_case_stay_apart() {
    let mut known = store(&[]);
    known.beats.push(BeatRow { code: "B1".into(), ..beat(3) });
    let wanted = table(&["b1|Абая 1", "B1|Абая 1"]);
    let plan = Plan::of(&known, &wanted, LoadOptions::default()).unwrap();
    assert_eq!(plan.places_added.iter().map(|place| &*place.beat).collect::<Vec<_>>(), ["b1", "B1"]);
}

#[test]
fn a_cell_with_several_beats_is_told_from_a_beat_that_nobody_knows() {
    let refused = |row: &str| places(&[], &[row]).unwrap_err()[0].split(' ').next().unwrap_or_default().to_owned();
    for row in ["b1 и b2|Абая 1", "b1, B2|Абая 1", "b1/b2|Абая 1", "b2 және b1|Абая 1"] {
        assert_eq!(refused(row), "beats_several", "{row}");
    }
    assert_eq!(refused("b1, b7|Абая 1"), "beat_unknown");
}

#[test]
fn an_outline_that_leaves_known_places_outside_is_told() {
    let mut known = store(&[]);
    let at = |lat, lon| Coordinates { lat, lon };
    known.points.insert(2, vec![at(43.5, 76.5), at(43.6, 76.6)]);
    let warned = |known: &Known, from, to| {
        let areas = vec![("b1".into(), Area::rectangle(from, to))];
        let wanted = Organisation { areas, ..Organisation::default() };
        let plan = Plan::of(known, &wanted, LoadOptions::default()).unwrap();
        plan.warnings.into_iter().map(|warning| warning.kind).collect::<Vec<_>>()
    };
    assert_eq!(warned(&known, [76.0, 43.0], [77.0, 44.0]), []);
    let told = |outside, swapped| vec![WarningKind::PlacesOutside { code: "b1".into(), outside, of: 2, swapped }];
    assert_eq!(warned(&known, [76.0, 43.0], [76.55, 44.0]), told(1, false));
    assert_eq!(warned(&known, [43.0, 76.0], [44.0, 77.0]), told(2, true));
}

#[test]
fn beats_are_made_renamed_and_outlined_once() {
    let square = Area::rectangle([76.0, 43.0], [77.0, 44.0]);
    let beats = [("b1", ""), ("B2", "Second"), ("b3", ""), ("b3", "")].map(|(code, name)| (code.into(), name.into()));
    let wanted = Organisation {
        beats: beats.to_vec(),
        areas: vec![("b3".into(), square.clone()), ("b1".into(), square.clone())],
        ..Organisation::default()
    };
    let mut known = store(&[]);
    known.areas.insert(2, square.clone());
    let plan = Plan::of(&known, &wanted, LoadOptions::default()).unwrap();
    assert_eq!(plan.beats_added, [BeatAdded { code: "b3".into(), name: "b3".into() }]);
    assert_eq!((&*plan.beats_renamed[0].code, &*plan.beats_renamed[0].to), ("b2", "Second"));
    assert_eq!(plan.outlines_set.iter().map(|(code, _)| &**code).collect::<Vec<_>>(), ["b3"]);
    assert_eq!((plan.left.beats, plan.left.repeated_rows), (1, 1));
    let twice = Organisation {
        beats: vec![("b1".into(), "One".into()), ("B1".into(), "Two".into())],
        areas: vec![("b1".into(), square.clone()), ("b1".into(), square)],
        ..Organisation::default()
    };
    let refusals = Plan::of(&known, &twice, LoadOptions::default()).unwrap_err();
    let told: Vec<_> = refusals.iter().map(|refusal| refusal.kind.code()).collect();
    assert_eq!(told, ["beat_twice", "outline_twice"]);
}
