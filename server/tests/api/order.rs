//! Lists of names and addresses stand in the order of the cases that the core and the console pass as well.

use std::collections::BTreeSet;

use aralau_server::{
    authorize::Role,
    store::{self, Organisation, PlaceLine, StaffLine},
};
use serde_json::Value as Json;

use crate::world::{NOW, World};

/// The lists of the cases, empty texts aside: nobody and nothing is called so.
fn cases() -> Vec<Vec<String>> {
    let cases: Json = serde_json::from_str(include_str!("../../../sync-core/tests/collation/cases.json")).unwrap();
    let lists = cases["ordered"].as_array().unwrap().iter();
    let texts = |list: &Json| list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    lists
        .map(texts)
        .map(|list: Vec<String>| list.into_iter().filter(|text| !text.trim().is_empty()).collect())
        .collect()
}

/// The pages of a list, one after the other.
async fn walk(world: &World, token: &str, uri: &str, list: &str) -> Vec<Json> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let separator = if uri.contains('?') { '&' } else { '?' };
        let page = world.list(&format!("{uri}{separator}limit=3{cursor}"), token).await;
        rows.extend(page[list].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// A column of a file, without the apostrophe before what a spreadsheet would take for a formula.
async fn column(world: &World, uri: &str, token: &str, name: &str) -> Vec<String> {
    let body = world.get(uri, token).await.body;
    let mut reader = csv::Reader::from_reader(body.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().unwrap().iter().position(|heading| heading == name).unwrap();
    let rows = reader.records().map(|row| row.unwrap()[at].to_owned());
    rows.map(|cell| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell)).collect()
}

fn texts(rows: &[Json], field: &str) -> Vec<String> {
    rows.iter().map(|row| row.pointer(field).unwrap().as_str().unwrap().to_owned()).collect()
}

async fn load(world: &World, organisation: Organisation) {
    let (app, now) = (world.app.clone(), world.app.now());
    world.app.write(move |tx| store::load(tx, app.identity(), &organisation, now)).await.unwrap();
}

/// One of each person: letters in another case do not make another.
fn distinct(list: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    list.iter().filter(|name| seen.insert(store::key(name))).cloned().collect()
}

/// In an order that is not the right one.
fn shuffled(list: &[String]) -> impl Iterator<Item = &String> {
    list.iter().step_by(2).chain(list.iter().skip(1).step_by(2)).rev()
}

fn place(address: &str) -> PlaceLine {
    let (beat, address) = ("beat-01".to_owned(), address.to_owned());
    PlaceLine { beat, address, external_code: None, place_type: None, coordinates: None }
}

#[tokio::test]
async fn places_come_by_address_and_people_by_name_also_across_pages() {
    for list in cases() {
        let world = World::new().await;
        let token = world.token(Role::Administrator).await;
        // Known by their codes: letters in another case would not make another address.
        let place = |(address, number): (&String, u32)| PlaceLine {
            external_code: Some(format!("KZ-{number}")),
            ..place(address)
        };
        let places = shuffled(&list).zip(0..).map(place).collect();
        let people = distinct(&list);
        let staff =
            shuffled(&people).map(|name| StaffLine { name: name.clone(), beat: "beat-01".to_owned() }).collect();
        load(&world, Organisation { places, staff, ..Organisation::default() }).await;
        for filter in ["", "?beat=beat-01", "?status=active"] {
            let uri = format!("/v1/places{filter}");
            assert_eq!(texts(&walk(&world, &token, &uri, "places").await, "/address"), list, "{uri}");
            assert_eq!(column(&world, &format!("/v1/places.csv{filter}"), &token, "address").await, list);
        }
        assert_eq!(texts(&walk(&world, &token, "/v1/people", "people").await, "/name"), people);
    }
}

#[tokio::test]
async fn beats_come_by_name_and_where_these_read_alike_by_code() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let beat = |(code, name): (&str, &str)| (code.to_owned(), name.to_owned());
    let beats =
        [("a-10", "Участок 2"), ("a-9", "Участок 2"), ("z-1", "Участок 1а"), ("k-1", "Әуезов"), ("b-1", "Баянауыл")];
    load(&world, Organisation { beats: beats.map(beat).to_vec(), ..Organisation::default() }).await;
    let expected = ["k-1", "b-1", "beat-01", "z-1", "a-9", "a-10"];
    let found = world.list("/v1/beats", &token).await;
    assert_eq!(texts(found["beats"].as_array().unwrap(), "/code"), expected);
    let coverage = world.list("/v1/coverage", &token).await;
    assert_eq!(texts(coverage["beats"].as_array().unwrap(), "/beat"), expected);
    assert_eq!(column(&world, "/v1/coverage.csv?language=kk", &token, "beat").await, expected);
}

#[tokio::test]
async fn devices_come_by_the_name_of_who_has_them() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let list = &cases()[1][..8];
    for (name, number) in shuffled(list).zip(1..) {
        world.phone(name, number).await;
    }
    let names = texts(&walk(&world, &token, "/v1/devices", "devices").await, "/person/name");
    let names: Vec<_> = names.into_iter().filter(|name| list.contains(name)).collect();
    assert_eq!(names, list);
    let exported = column(&world, "/v1/devices.csv", &token, "person").await;
    assert_eq!(exported.into_iter().filter(|name| list.contains(name)).collect::<Vec<_>>(), list);
}

#[tokio::test]
async fn the_beats_of_a_person_come_by_the_numbers_in_their_codes() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let codes = ["beat-10", "beat-2", "beat-01"].map(str::to_owned);
    let beats = codes[..2].iter().map(|code| (code.clone(), code.clone())).collect();
    let staff = codes.iter().map(|beat| StaffLine { name: "Анна".to_owned(), beat: beat.clone() }).collect();
    load(&world, Organisation { beats, staff, ..Organisation::default() }).await;
    let people = world.list("/v1/people", &token).await;
    assert_eq!(people["people"][0]["beats"], serde_json::json!(["beat-01", "beat-2", "beat-10"]));
}

#[tokio::test]
async fn notes_are_found_by_the_cases_in_lists_and_in_exports() {
    let cases: Json = serde_json::from_str(include_str!("../../../sync-core/tests/collation/cases.json")).unwrap();
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let texts = |list: &Json| -> Vec<String> {
        list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    // A search without words finds nothing: that a field without them is no filter is for those who suggest.
    for case in cases["found"].as_array().unwrap().iter().filter(|case| case["typed"] != "") {
        let (finds, passes) = (texts(&case["finds"]), texts(&case["passes"]));
        let (mut expected, mut others) = (BTreeSet::new(), BTreeSet::new());
        for (notes, ids) in [(&finds, &mut expected), (&passes, &mut others)] {
            for note in notes {
                let number = u128::from_be_bytes(world.entropy()[..16].try_into().unwrap());
                ids.insert(world.visit(&mut anna, number, NOW.0, note).await.to_string());
            }
        }
        let typed: String = case["typed"].as_str().unwrap().bytes().map(|byte| format!("%{byte:02x}")).collect();
        let listed: BTreeSet<_> = world.ids(&format!("/v1/visits?text={typed}"), &token).await.into_iter().collect();
        let exported = column(&world, &format!("/v1/export.csv?text={typed}"), &token, "id").await;
        let exported: BTreeSet<_> = exported.into_iter().collect();
        assert_eq!(listed, exported, "{case}");
        assert!(expected.is_subset(&listed) && others.is_disjoint(&listed), "{case}: {listed:?}");
    }
}

#[tokio::test]
async fn people_and_places_are_suggested_by_their_beginnings_to_whoever_reads_visits() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let staff = |name: &str| StaffLine { name: name.to_owned(), beat: "beat-01".to_owned() };
    let staff = ["Қабдеш Үміт", "Кабаев Әлі", "Ёлкин Пётр", "Анна"].map(staff).to_vec();
    let beats = vec![("beat-2".to_owned(), "Участок 2".to_owned())];
    let other = PlaceLine { beat: "beat-2".to_owned(), ..place("ул. Абая, 10") };
    let places = ["ул. Абая, 10", "ул. Абая, 2", "Әуезов көшесі, 1"].map(place).into_iter().chain([other]).collect();
    load(&world, Organisation { beats, staff, places, ..Organisation::default() }).await;
    for (query, expected) in [
        ("%D0%BA%D0%B0%D0%B1", vec!["Кабаев Әлі", "Қабдеш Үміт"]),
        ("%D0%B5%D0%BB", vec!["Ёлкин Пётр"]),
        ("%D1%83%D0%BC%20%D0%BA%D0%B0", vec!["Қабдеш Үміт"]),
        ("nobody", vec![]),
    ] {
        let found = world.list(&format!("/v1/suggestions/people?text={query}"), &token).await;
        assert_eq!(texts(found["people"].as_array().unwrap(), "/name"), expected, "{query}");
    }
    for (query, expected) in [
        ("text=%D0%B0%D0%B1", vec!["ул. Абая, 2", "ул. Абая, 10", "ул. Абая, 10"]),
        ("text=%D0%B0%D0%B1%201&beat=beat-2", vec!["ул. Абая, 10"]),
        ("text=%D0%B0%D1%83%D1%8D%D0%B7", vec![]),
        ("text=%D0%B0%D1%83%D0%B5%D0%B7", vec!["Әуезов көшесі, 1"]),
        ("", vec!["Әуезов көшесі, 1", "ул. Абая, 2", "ул. Абая, 10", "ул. Абая, 10"]),
        ("beat=beat-2", vec!["ул. Абая, 10"]),
        ("beat=nowhere", vec![]),
        ("text=%22*(", vec!["Әуезов көшесі, 1", "ул. Абая, 2", "ул. Абая, 10", "ул. Абая, 10"]),
    ] {
        let found = world.list(&format!("/v1/suggestions/places?{query}"), &token).await;
        assert_eq!(texts(found["places"].as_array().unwrap(), "/address"), expected, "{query}");
    }
    assert_eq!(world.get("/v1/suggestions/people?name=x", &token).await.code(), "bad_parameter");
    let inspector = world.token(Role::Inspector).await;
    assert_eq!(world.get("/v1/suggestions/people", &inspector).await.code(), "forbidden");
}
