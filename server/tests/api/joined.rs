use aralau_server::{
    authorize::Role,
    store::{self, NotJoined, Organisation, PlaceLine, StaffLine},
};
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind},
    time::DAY_MS,
    visit::{Place, VisitEdit},
};
use uuid::Uuid;

use crate::world::{NOW, Phone, World, draft};

const ONE: &str = "ул. Абая, 10";
const OTHER: &str = "пр. Абая 10";

fn id(number: u128) -> DocumentId {
    DocumentId(Uuid::from_u128(number))
}

async fn place(world: &World, phone: &mut Phone, number: u128, address: &str, code: Option<&str>) {
    let place = Place { address: Some(address.into()), external_code: code.map(str::to_owned), ..Place::default() };
    assert_eq!(world.write(phone, Kind::PLACE, id(number), &place.puts([9; 16])).await, None);
}

async fn visit_at(world: &World, phone: &mut Phone, number: u128, place: u128, days_ago: i64) {
    let mut visit = draft(number, NOW.0 - days_ago * DAY_MS, "шум");
    visit.place = Some(id(place));
    let mut puts = visit.puts(phone.stream.replica, [8; 16]);
    let concern = uuid::Builder::from_random_bytes((number << 64).to_be_bytes()).into_uuid();
    puts.push((format!("concerns/{concern}/category"), "noise".into()));
    assert_eq!(world.write(phone, Kind::VISIT, id(number), &puts).await, None);
}

async fn join_places(world: &World, place: &str, into: &str) -> Result<u64, NotJoined<DocumentId>> {
    let (handle, words, now) = (world.app.clone(), (place.to_owned(), into.to_owned()), world.app.now());
    let joined = move |tx: &mut store::Transaction<'_>| {
        store::join_places(tx, handle.identity(), None, (&words.0, &words.1), now)
    };
    world.app.write(joined).await.unwrap().map(|made| made.visits)
}

async fn part_place(world: &World, place: &str) -> Result<u64, NotJoined<DocumentId>> {
    let (handle, word, now) = (world.app.clone(), place.to_owned(), world.app.now());
    let parted = move |tx: &mut store::Transaction<'_>| store::part_place(tx, handle.identity(), None, &word, now);
    world.app.write(parted).await.unwrap().map(|made| made.visits)
}

/// Puts of headquarters' hand, as another server of the deployment may have made them.
async fn by_headquarters(world: &World, place: u128, puts: &[(&str, Value)]) {
    let (handle, now) = (world.app.clone(), world.app.now());
    let puts: Vec<_> = puts.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let write = move |tx: &mut store::Transaction<'_>| {
        let scope_no = tx.query_row("SELECT min(scope_no) FROM beat", [], |row| row.get(0))?;
        let document = (Kind::PLACE, id(place));
        store::author(tx, handle.identity(), scope_no, document, &puts, None, now)
    };
    assert!(world.app.write(write).await.unwrap().is_ok());
}

/// Rows that the writer has changed so far.
async fn rows_changed(world: &World) -> u64 {
    world.app.write(|tx| Ok(tx.total_changes())).await.unwrap()
}

fn sound(world: &World) {
    let store = world.app.store();
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    assert_eq!(store.rebuild().unwrap().changed, 0, "a rebuild finds the same");
}

/// The visits of a place, newest first, and what its row says.
async fn told_of(world: &World, token: &str, place: u128) -> (Vec<u128>, serde_json::Value) {
    let ids = world.ids(&format!("/v1/places/{}/visits", id(place)), token).await;
    let numbers = ids.iter().map(|id| id.parse::<Uuid>().unwrap().as_u128()).collect();
    let list = world.list("/v1/places", token).await;
    let rows = list["places"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id(place).to_string()).cloned();
    (numbers, row.unwrap_or_default())
}

#[tokio::test]
async fn what_is_said_of_a_place_is_found_under_the_one_that_it_is_and_can_be_told_apart_again() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    place(&world, &mut anna, 101, ONE, Some("A-10")).await;
    place(&world, &mut anna, 102, OTHER, None).await;
    visit_at(&world, &mut anna, 1, 101, 40).await;
    visit_at(&world, &mut anna, 2, 102, 10).await;
    let repeats = || async { world.list("/v1/repeat-problems", &token).await["repeats"].as_array().unwrap().len() };
    assert_eq!(repeats().await, 0, "at two places");

    assert_eq!(join_places(&world, OTHER, "A-10").await, Ok(1));
    let (visits, row) = told_of(&world, &token, 101).await;
    assert_eq!((visits, &row["status"]), (vec![2, 1], &"active".into()));
    assert_eq!(row["contacted_at"], row["last_visit_at"]);
    assert_eq!(told_of(&world, &token, 102).await.0, [2, 1], "the name of before leads there");
    assert_eq!(told_of(&world, &token, 102).await.1["status"], "withdrawn");
    assert_eq!(repeats().await, 1, "noise twice within ninety days at one place");
    let shown = world.list("/v1/visits", &token).await;
    assert_eq!(shown["visits"][0]["place"]["external_code"], "A-10");
    sound(&world);

    // A phone that has not heard of it goes on to name the old one.
    visit_at(&world, &mut anna, 3, 102, 5).await;
    assert_eq!(told_of(&world, &token, 101).await.0, [3, 2, 1]);
    world.write(&mut anna, Kind::VISIT, id(3), &[VisitEdit::Withdraw.put()]).await;
    assert_eq!(told_of(&world, &token, 101).await.0, [3, 2, 1]);
    sound(&world);

    assert_eq!(part_place(&world, OTHER).await, Ok(2));
    assert_eq!(told_of(&world, &token, 101).await.0, [1]);
    let (visits, row) = told_of(&world, &token, 102).await;
    assert_eq!((visits, &row["status"]), (vec![3, 2], &"active".into()));
    assert_eq!(repeats().await, 0);
    sound(&world);
}

#[tokio::test]
async fn chains_are_followed_to_their_end_and_a_ring_is_refused() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    for number in 101..=104 {
        place(&world, &mut anna, number, &format!("Абая {number}"), None).await;
        visit_at(&world, &mut anna, number - 100, number, 200 - number as i64).await;
    }
    assert_eq!(join_places(&world, "Абая 101", "Абая 102").await, Ok(1));
    assert_eq!(join_places(&world, "Абая 102", "Абая 103").await, Ok(1));
    assert_eq!(told_of(&world, &token, 103).await.0, [3, 2, 1]);
    assert_eq!(join_places(&world, "Абая 103", "Абая 101").await, Err(NotJoined::Itself));
    assert_eq!(join_places(&world, "Абая 101", "Абая 104").await, Err(NotJoined::Part));
    assert_eq!(join_places(&world, "Абая 104", "Абая 104").await, Err(NotJoined::Itself));
    assert_eq!(join_places(&world, "Абая 105", "Абая 104").await, Err(NotJoined::Unknown("Абая 105".into())));
    assert_eq!(part_place(&world, "Абая 104").await, Err(NotJoined::Apart));
    assert_eq!(part_place(&world, "Абая 102").await, Ok(1));
    assert_eq!(told_of(&world, &token, 103).await.0, [3]);
    assert_eq!(told_of(&world, &token, 102).await.0, [2, 1]);
    sound(&world);
    // Two servers that each joined one into the other agree on which remains.
    for (number, into) in [(103, 104), (104, 103)] {
        let puts = [("status", "withdrawn".into()), ("joined_into", id(into).to_string().into())];
        by_headquarters(&world, number, &puts).await;
    }
    assert_eq!(told_of(&world, &token, 103).await.0, [4, 3]);
    assert_eq!(told_of(&world, &token, 104).await.0, [4, 3]);
    sound(&world);
    assert_eq!(part_place(&world, "Абая 103").await, Ok(1));
    assert_eq!(told_of(&world, &token, 103).await.0, [4, 3]);
    sound(&world);
}

#[tokio::test]
async fn a_name_that_means_nothing_hides_no_visit_until_it_means_something() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    place(&world, &mut anna, 101, ONE, None).await;
    visit_at(&world, &mut anna, 1, 101, 9).await;
    by_headquarters(&world, 101, &[("status", "withdrawn".into())]).await;
    by_headquarters(&world, 101, &[("joined_into", id(102).to_string().into())]).await;
    assert_eq!(told_of(&world, &token, 101).await.0, [1], "there is no such place");
    sound(&world);
    place(&world, &mut anna, 102, OTHER, None).await;
    assert_eq!(told_of(&world, &token, 102).await.0, [1]);
    sound(&world);
    // What was withdrawn by another change than it was joined by stays so when it is parted.
    assert_eq!(part_place(&world, ONE).await, Ok(1));
    assert_eq!(told_of(&world, &token, 101).await.1["status"], "withdrawn");
    sound(&world);
}

#[tokio::test]
async fn headquarters_makes_a_place_one_of_its_own_again_by_making_it_active() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    place(&world, &mut anna, 101, ONE, None).await;
    place(&world, &mut anna, 102, OTHER, None).await;
    visit_at(&world, &mut anna, 1, 101, 9).await;
    assert_eq!(join_places(&world, ONE, OTHER).await, Ok(1));
    by_headquarters(&world, 101, &[("status", "active".into())]).await;
    assert_eq!(told_of(&world, &token, 101).await.0, [1]);
    by_headquarters(&world, 101, &[("status", "withdrawn".into())]).await;
    assert_eq!(told_of(&world, &token, 102).await.0, [1]);
    sound(&world);
}

#[tokio::test]
async fn a_phone_neither_joins_places_nor_parts_them_nor_makes_their_visits_be_written_anew() {
    const VISITS: u128 = 40;
    const EDITS: u64 = 3;
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    place(&world, &mut anna, 101, ONE, None).await;
    place(&world, &mut anna, 102, OTHER, None).await;
    for number in 1..=VISITS {
        visit_at(&world, &mut anna, number, 101, number as i64).await;
    }
    let says = |into: Option<u128>, status: &str| {
        let into = into.map_or(Value::Null, |into| id(into).to_string().into());
        [("joined_into".to_owned(), into), ("status".to_owned(), status.into())]
    };
    let before = rows_changed(&world).await;
    for (into, status) in [(Some(102), "withdrawn"), (None, "active"), (Some(102), "withdrawn")] {
        world.write(&mut anna, Kind::PLACE, id(101), &says(into, status)).await;
        assert_eq!(told_of(&world, &token, 101).await.0.len() as u128, VISITS, "joined by a phone");
    }
    let alone = rows_changed(&world).await - before;
    sound(&world);

    // What the phone said before does not keep headquarters from saying it.
    assert_eq!(join_places(&world, ONE, OTHER).await, Ok(VISITS as u64));
    let before = rows_changed(&world).await;
    for (into, status) in [(None, "active"), (Some(102), "withdrawn"), (Some(103), "active")] {
        world.write(&mut anna, Kind::PLACE, id(101), &says(into, status)).await;
        assert_eq!(told_of(&world, &token, 102).await.0.len() as u128, VISITS, "parted by a phone");
        assert_eq!(told_of(&world, &token, 101).await.1["status"], "withdrawn");
    }
    let joined = rows_changed(&world).await - before;
    let most = EDITS * VISITS as u64;
    assert!(alone < most && joined < most, "rows changed by {EDITS} edits each: {alone}, {joined}");
    sound(&world);

    world.write(&mut anna, Kind::PLACE, id(101), &says(None, "active")).await;
    assert_eq!(part_place(&world, ONE).await, Ok(VISITS as u64));
    assert_eq!(told_of(&world, &token, 101).await.0.len() as u128, VISITS);
    assert_eq!(told_of(&world, &token, 102).await.0.len(), 0);
    sound(&world);
}

#[tokio::test]
async fn a_table_that_names_a_place_as_before_finds_the_one_that_it_is() {
    let world = World::new().await;
    let mut anna = world.phone("Анна", 1).await;
    place(&world, &mut anna, 101, ONE, None).await;
    place(&world, &mut anna, 102, OTHER, None).await;
    join_places(&world, OTHER, ONE).await.unwrap();
    let line = |address: &str| PlaceLine {
        beat: "beat-01".into(),
        address: address.into(),
        external_code: None,
        place_type: None,
        coordinates: None,
    };
    place(&world, &mut anna, 103, "Абая 12", Some("X-1")).await;
    join_places(&world, "X-1", ONE).await.unwrap();
    let table = Organisation { places: vec![line(ONE), line(OTHER), line("Абая 12")], ..Organisation::default() };
    let (store, handle) = (world.app.store(), world.app.clone());
    let report = store.write(move |tx| store::load(tx, handle.identity(), &table, NOW)).unwrap();
    assert_eq!(report.places, 0);
    let [one, other] = store
        .read(|connection| {
            let sought = store::Sought { codes: [].into(), addresses: [store::key(ONE), store::key(OTHER)].into() };
            let lookup = store::Lookup::read(connection, &sought)?;
            Ok([ONE, OTHER].map(|address| lookup.place(None, None, Some(address)).map(|found| found.id)))
        })
        .unwrap();
    // A visit of before is written as of the one that its row names, which goes as the other.
    assert_eq!((one, other), (Ok(id(101)), Ok(id(102))));
    sound(&world);
}

#[tokio::test]
async fn what_was_joined_is_found_where_the_one_that_remains_has_moved_since() {
    let world = World::new().await;
    let east = world.beat("beat-02", "Участок 2").await;
    let mut anna = world.phone("Анна", 1).await;
    place(&world, &mut anna, 101, ONE, Some("B-1")).await;
    place(&world, &mut anna, 102, OTHER, Some("A-1")).await;
    place(&world, &mut anna, 103, "Абая 12", None).await;
    join_places(&world, "A-1", "B-1").await.unwrap();
    join_places(&world, "Абая 12", "B-1").await.unwrap();
    let line = |beat: &str, address: &str, code: Option<&str>| PlaceLine {
        beat: beat.into(),
        address: address.into(),
        external_code: code.map(str::to_owned),
        place_type: None,
        coordinates: None,
    };
    let plan = |line: PlaceLine| {
        let table = Organisation { places: vec![line], ..Organisation::default() };
        world.app.store().read(move |connection| {
            let known = store::Known::read(connection, &table, NOW)?;
            Ok(store::Plan::of(&known, &table, store::LoadOptions::default())
                .map(|plan| (plan.places_written(), plan.left.places))
                .map_err(|refusals| (refusals[0].kind.code(), refusals[0].kind.to_string())))
        })
    };
    let refused = |line: PlaceLine, beat: &str| {
        let (code, message) = plan(line).unwrap().unwrap_err();
        assert!(code == "place_joined" && message.contains(beat), "{code}: {message}");
    };
    assert_eq!(plan(line("beat-01", OTHER, Some("A-1"))).unwrap(), Ok((0, 1)));
    refused(line("beat-02", OTHER, Some("A-1")), "beat-01");

    let table = Organisation { places: vec![line("beat-02", ONE, Some("B-1"))], ..Organisation::default() };
    let handle = world.app.clone();
    world.app.store().write(move |tx| store::load(tx, handle.identity(), &table, NOW)).unwrap();
    assert_eq!(plan(line("beat-02", OTHER, Some("A-1"))).unwrap(), Ok((0, 1)));
    assert_eq!(plan(line("beat-02", "Абая 12", None)).unwrap(), Ok((0, 1)));
    refused(line("beat-01", OTHER, Some("A-1")), "beat-02");
    refused(line("beat-01", "Абая 12", None), "beat-02");

    let words = |words: &[&str]| words.iter().map(|word| store::key(word)).collect();
    let sought = store::Sought { codes: words(&["A-1", "B-1"]), addresses: words(&[OTHER, "Абая 12"]) };
    let lookup = world.app.store().read(move |connection| store::Lookup::read(connection, &sought)).unwrap();
    let remains = lookup.place(None, Some("B-1"), None).unwrap();
    let beat = |scope_no| lookup.beat_of(scope_no).map(|beat| beat.scope);
    assert_eq!(beat(remains.scope_no), Some(east.scope));
    let west = lookup.beat("beat-01").unwrap().scope_no;
    for scope_no in [None, Some(west), Some(remains.scope_no)] {
        assert_eq!(lookup.place(scope_no, Some("A-1"), None), Ok(remains), "by the code of before");
        assert_eq!(lookup.place(scope_no, None, Some("Абая 12")), Ok(remains), "by the address of before");
    }
    sound(&world);
}

#[tokio::test]
async fn what_one_person_wrote_under_two_names_is_found_under_one() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let west = world.beat("beat-02", "Участок 2").await;
    let (mut one, mut other) = (world.phone("Болат С.", 1).await, world.phone_of(&west, "Болат Серик", 2).await);
    world.visit(&mut one, 1, NOW.0 - 2 * DAY_MS, "шум").await;
    world.visit(&mut other, 2, NOW.0 - DAY_MS, "шум").await;
    let join = |person: &'static str, into: &'static str| {
        world.app.write(move |tx| store::join_people(tx, (person, into), NOW))
    };
    assert_eq!(join("Болат Серик", "болат  с.").await.unwrap().map(|made| made.visits), Ok(1));
    let by = |name: &str| format!("/v1/visits?author={}", name.replace(' ', "%20"));
    for name in ["Болат С.", "Болат Серик"] {
        assert_eq!(world.ids(&by(name), &token).await, [id(2).to_string(), id(1).to_string()], "{name}");
    }
    let shown = world.list("/v1/visits", &token).await;
    assert_eq!([0, 1].map(|at| shown["visits"][at]["author"]["name"].clone()), ["Болат С.", "Болат С."]);
    let administrator = world.token(Role::Administrator).await;
    let people = world.list("/v1/people", &administrator).await;
    let names: Vec<_> = people["people"].as_array().unwrap().iter().map(|person| &person["name"]).collect();
    assert_eq!(names, ["Болат С."]);
    assert_eq!(people["people"][0]["beats"], serde_json::json!(["beat-01", "beat-02"]));
    let devices = world.list("/v1/devices", &administrator).await;
    let held = devices["devices"].as_array().unwrap().iter().filter(|device| device["person"]["name"] == "Болат С.");
    assert_eq!(held.count(), 2);
    assert_eq!(join("Болат С.", "Болат Серик").await.unwrap(), Err(NotJoined::Itself));
    // Either phone has the beats of both, and keeps and loses them together.
    let holds = |person: &'static str, code: &'static str, later: i64| {
        let held = world.app.store().read(move |connection| {
            let person = store::people_called(connection, person)?[0].id;
            Ok(store::beats_of(connection, person, NOW.plus(later))?.iter().any(|beat| beat.code == code))
        });
        held.unwrap()
    };
    let names = ["Болат С.", "Болат Серик"];
    for code in ["beat-01", "beat-02"] {
        assert_eq!(names.map(|name| holds(name, code, 0)), [true, true], "{code}");
    }
    let north = world.beat("beat-03", "Участок 3").await;
    for (later, to, has, has_not) in [(1, north, "beat-03", "beat-02"), (2, west.clone(), "beat-02", "beat-03")] {
        let device = other.device;
        let assign = move |tx: &mut store::Transaction<'_>| store::assign_device(tx, device, &to, NOW.plus(later));
        assert!(world.app.write(assign).await.unwrap());
        assert_eq!(names.map(|name| holds(name, has, later)), [true, true], "{has}");
        assert_eq!(names.map(|name| holds(name, has_not, later)), [false, false], "{has_not}");
    }
    // The phone that enrolled under the other name goes on.
    world.visit(&mut other, 3, NOW.0, "шум").await;
    assert_eq!(world.ids(&by("Болат С."), &token).await.len(), 3);
    // A table by either name makes nobody new, and lists one person.
    let line = |name: &str, beat: &str| StaffLine { name: name.into(), beat: beat.into() };
    let table = Organisation {
        staff: vec![line("Болат Серик", "beat-02"), line("Болат С.", "beat-01")],
        ..Organisation::default()
    };
    let handle = world.app.clone();
    let report = world.app.store().write(move |tx| store::load(tx, handle.identity(), &table, NOW)).unwrap();
    assert_eq!(report.people, 0);
    sound(&world);

    world.app.write(|tx| store::part_person(tx, "Болат Серик", NOW)).await.unwrap().unwrap();
    assert_eq!(world.ids(&by("Болат С."), &token).await, [id(1).to_string()]);
    assert_eq!(world.ids(&by("Болат Серик"), &token).await.len(), 2);
    sound(&world);
}
