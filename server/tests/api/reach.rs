//! A token within one beat: what happens in any other changes no answer that it gets.

use std::{collections::BTreeMap, io::Cursor};

use aralau_server::{
    auth,
    authorize::Role,
    reach::Reach,
    store::{self, BeatRow},
};
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind},
    visit::{Coordinates, Place, VisitEdit},
};
use axum::{
    body::Bytes,
    http::{Method, StatusCode},
};
use calamine::{Reader as _, Xlsx};
use http_body_util::BodyExt as _;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    access::{OPEN, WITHOUT_A_TOKEN},
    coverage::{DAY_MS, nothing_changes_when_all_is_made_anew},
    world::{NOW, Phone, World, draft},
};

/// Routes in whose answers no beat is to be seen, whoever asks.
const OF_NO_BEAT: [&str; 1] = ["/v1/code-lists"];
/// Routes that only an administrator may ask, who cannot be limited.
const OF_AN_ADMINISTRATOR: [&str; 3] = ["/v1/backup", "/v1/people", "/v1/tokens"];
/// How the address of a workbook ends.
const PACKED: &str = ".xlsx";

/// A word that stands in whatever the secret beat holds.
const SECRET: &str = "Тайна";

async fn within(world: &World, role: Role, beats: &[&BeatRow]) -> String {
    let (reach, now, entropy) =
        (Reach::within(beats.iter().map(|beat| beat.scope_no)), world.app.now(), world.entropy());
    let wanted = auth::Wanted { role, name: "Старший".to_owned(), reach, expires_at: now.plus(auth::LIFE_MS) };
    world.app.write(move |tx| auth::mint_until(tx, &wanted, now, entropy)).await.unwrap()
}

/// What a beat holds, by what stands for it in the path of a route.
type Ids = BTreeMap<&'static str, String>;

async fn write(world: &World, phone: &mut Phone, kind: Kind, number: u128, puts: &[(String, Value)]) {
    assert_eq!(world.write(phone, kind, DocumentId(Uuid::from_u128(number)), puts).await, None);
}

/// Something of everything, in the words of `word`: a place, visits to it that repeat a problem and hold a promise, a conflict,
/// an entry that is held.
async fn fill(world: &World, beat: &BeatRow, word: &str, phones: u8) -> Ids {
    let numbers = u128::from(phones) * 1_000;
    let (place, first, second) = (numbers, numbers + 1, numbers + 2);
    let mut one = world.phone_of(beat, &format!("{word} Первая"), phones).await;
    let mut other = world.phone_of(beat, &format!("{word} Вторая"), phones + 1).await;
    let mut lost = world.phone_of(beat, &format!("{word} Потерянная"), phones + 2).await;
    let address = Some(format!("улица {word}"));
    let coordinates = Some(Coordinates { lat: 43.25, lon: 76.9 });
    let puts = Place { address, external_code: Some(format!("{word}-1")), coordinates, ..Place::default() };
    let puts = puts.puts([9; 16]);
    write(world, &mut one, Kind::PLACE, place, &puts).await;
    for (number, days_ago) in [(first, 3), (second, 1)] {
        let mut visit = draft(number, NOW.0 - days_ago * DAY_MS, &format!("заметка {word}"));
        visit.place = Some(DocumentId(Uuid::from_u128(place)));
        let puts = visit.puts(one.stream.replica, [7; 16]);
        write(world, &mut one, Kind::VISIT, number, &puts).await;
        let set = |collection: &str, field: &str, value: &str| {
            let id = uuid::Builder::from_random_bytes((number + 100).to_be_bytes()).into_uuid();
            let field = format!("{collection}/{id}/{field}");
            VisitEdit::Set { field, value: Value::Text(value.to_owned()) }.put()
        };
        write(world, &mut one, Kind::VISIT, number, &[set("concerns", "category", "noise")]).await;
        write(world, &mut one, Kind::VISIT, number, &[set("commitments", "due", "2026-05-01")]).await;
    }
    let mut disputed = draft(numbers + 3, NOW.0, &format!("иначе {word}"));
    disputed.outcome = Some("refused".to_owned());
    let puts = disputed.puts(other.stream.replica, [6; 16]);
    write(world, &mut other, Kind::VISIT, second, &puts).await;
    let (device, now) = (lost.device, world.app.now());
    world.app.write(move |tx| store::revoke_device(tx, device, now)).await.unwrap();
    let puts = draft(numbers + 4, NOW.0, &format!("после потери {word}")).puts(lost.stream.replica, [5; 16]);
    let held = world.write(&mut lost, Kind::VISIT, DocumentId(Uuid::from_u128(numbers + 4)), &puts).await;
    assert_eq!(held.as_deref(), Some("revoked"));
    BTreeMap::from([
        ("visits", Uuid::from_u128(second).to_string()),
        ("places", Uuid::from_u128(place).to_string()),
        ("devices", one.device.to_string()),
        ("tokens", Uuid::from_u128(1).to_string()),
        ("{person}", Uuid::from_u128(2).to_string()),
        ("{replica}", lost.stream.replica.to_string()),
        ("{scope}", beat.scope.to_string()),
        ("{index}", "1".to_owned()),
        ("{plan}", "00".to_owned()),
    ])
}

/// What is nowhere.
fn absent() -> Ids {
    let nothing = Uuid::from_u128(0xdead).to_string();
    let ids = ["visits", "places", "devices", "tokens", "{person}", "{scope}"].map(|name| (name, nothing.clone()));
    ids.into_iter()
        .chain([("{replica}", "01".repeat(14)), ("{index}", "1".to_owned()), ("{plan}", "00".to_owned())])
        .collect()
}

/// A route as the description has it.
struct Route {
    method: Method,
    path: String,
    /// What its query string may hold.
    parameters: Vec<String>,
}

impl Route {
    fn is_of_one(&self) -> bool {
        self.path.contains('{')
    }

    /// The path with its ids filled in.
    fn of(&self, ids: &Ids) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for part in self.path.split('/') {
            let key = if part == "{id}" { parts.last().copied().unwrap_or_default() } else { part };
            parts.push(if part.starts_with('{') { ids[key].as_str() } else { part });
        }
        parts.join("/")
    }

    /// Query strings that would bring the secret beat, if anything did.
    fn queries(&self) -> Vec<String> {
        let has = |name: &str| self.parameters.iter().any(|parameter| parameter == name);
        let mut queries = vec![String::new()];
        queries.extend(has("beat").then(|| "?beat=beat-02".to_owned()));
        queries.extend(has("text").then(|| format!("?text={}", percent(SECRET))));
        queries.extend(has("author").then(|| format!("?author={}", percent(&format!("{SECRET} Первая")))));
        queries.extend(has("limit").then(|| "?limit=1".to_owned()));
        queries
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn routes(world: &World) -> Vec<Route> {
    let description = world.send(Method::GET, "/openapi.json", None, None).await.json();
    let mut routes = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        if OPEN.contains(&path.as_str()) || WITHOUT_A_TOKEN.contains(&path.as_str()) {
            continue;
        }
        for (method, said) in methods.as_object().unwrap() {
            let parameters = said["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            let names = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned());
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            routes.push(Route { method, path: path.clone(), parameters: names.collect() });
        }
    }
    routes
}

/// Status and body; of events, which do not end, the first.
async fn answer(world: &World, uri: &str, token: &str) -> (StatusCode, Bytes) {
    if uri == "/v1/events" {
        let response = world.open(uri, token).await;
        let (status, mut body) = (response.status(), response.into_body());
        return (status, body.frame().await.unwrap().unwrap().into_data().unwrap());
    }
    let reply = world.get(uri, token).await;
    let is_workbook =
        uri.split('?').next().is_some_and(|path| path.ends_with(PACKED)) && reply.status == StatusCode::OK;
    (reply.status, if is_workbook { cells(reply.bytes) } else { reply.bytes })
}

/// What a workbook holds: the file itself tells when it was made.
fn cells(workbook: Bytes) -> Bytes {
    let mut workbook = calamine::open_workbook_from_rs::<Xlsx<_>, _>(Cursor::new(workbook)).unwrap();
    format!("{:?}", workbook.worksheets()).into()
}

/// The answers to everything that can be read with a token.
async fn read_all(world: &World, token: &str, routes: &[Route], ids: &Ids) -> BTreeMap<String, (StatusCode, Bytes)> {
    let mut answers = BTreeMap::new();
    for route in routes.iter().filter(|route| route.method == Method::GET) {
        for query in route.queries() {
            let uri = format!("{}{query}", route.of(ids));
            let answer = answer(world, &uri, token).await;
            answers.insert(uri, answer);
        }
    }
    answers
}

#[tokio::test]
async fn what_happens_outside_changes_no_answer() {
    let world = World::new().await;
    let routes = routes(&world).await;
    let own = fill(&world, &world.beat, "Своя", 1).await;
    let all = world.token(Role::Administrator).await;
    let mut limited = Vec::new();
    for role in [Role::Supervisor, Role::Headquarters, Role::Auditor] {
        let token = within(&world, role, &[&world.beat]).await;
        let before = read_all(&world, &token, &routes, &own).await;
        limited.push((role, token, before));
    }
    let before = read_all(&world, &all, &routes, &own).await;

    let secret = world.beat("beat-02", "Участок Тайна").await;
    let foreign = fill(&world, &secret, SECRET, 11).await;

    for (role, token, before) in &limited {
        let after = read_all(&world, token, &routes, &own).await;
        for (uri, (status, body)) in &after {
            let (status_before, body_before) = &before[uri];
            assert_eq!(status, status_before, "{role} {uri}");
            let readable = (String::from_utf8_lossy(body_before), String::from_utf8_lossy(body));
            assert!(body == body_before, "{role} {uri}: {readable:?}");
        }
        // It does read its own.
        for uri in ["/v1/visits", "/v1/places", "/v1/quarantine", "/v1/devices", "/v1/beats", "/v1/export.ndjson"] {
            let (status, body) = &after[uri];
            assert_eq!(*status, StatusCode::OK, "{role} {uri}");
            assert!(String::from_utf8_lossy(body).contains("beat-01"), "{role} {uri}");
        }
    }

    // Each route that lists anything has been brought something to hide.
    let after = read_all(&world, &all, &routes, &own).await;
    for route in routes.iter().filter(|route| route.method == Method::GET && !route.is_of_one()) {
        let path = &route.path;
        if OF_NO_BEAT.contains(&path.as_str()) || OF_AN_ADMINISTRATOR.contains(&path.as_str()) {
            continue;
        }
        assert_ne!(before[path].1, after[path].1, "{path}: let `fill` bring what this route shows");
    }

    // What lies outside looks as what is nowhere, whoever asks and whatever for.
    for (role, token, _) in &limited {
        for route in routes.iter().filter(|route| route.is_of_one()) {
            let (outside, nowhere) = (route.of(&foreign), route.of(&absent()));
            for beat in ["", "?beat=beat-02"]
                .iter()
                .filter(|query| query.is_empty() || route.parameters.contains(&"beat".to_owned()))
            {
                let ask = async |path: &str| {
                    let body = body(path);
                    world.send(route.method.clone(), &format!("{path}{beat}"), Some(token), body).await
                };
                let (found, missing) = (ask(&outside).await, ask(&nowhere).await);
                assert!(matches!(missing.code().as_str(), "not_found" | "forbidden"), "{role} {nowhere}");
                assert_eq!(
                    (found.status, &found.body),
                    (missing.status, &missing.body),
                    "{role} {} {outside}",
                    route.method
                );
            }
        }
    }
    for path in ["/v1/visits", "/v1/conflicts", "/v1/quarantine"] {
        assert_eq!(answer(&world, path, &all).await, after[path], "nothing was changed: {path}");
    }
    nothing_changes_when_all_is_made_anew(&world).await;
    let token = &limited[0].1;
    assert_eq!(world.get(&format!("/v1/visits/{}", foreign["visits"]), token).await.code(), "not_found");
}

fn body(path: &str) -> Option<Json> {
    if path.ends_with("/reject") {
        Some(json!({ "note": "" }))
    } else if path.ends_with("/resolve") {
        Some(json!({ "field": "outcome", "value": "refused" }))
    } else {
        None
    }
}

#[tokio::test]
async fn several_beats_read_as_one_list() {
    let world = World::new().await;
    let (second, third) = (world.beat("beat-02", "Участок 2").await, world.beat("beat-03", "Участок 3").await);
    let all = world.token(Role::Auditor).await;
    let token = within(&world, Role::Supervisor, &[&world.beat, &third]).await;
    let mut phones = Vec::new();
    for (number, beat) in [(1, &world.beat), (2, &second), (3, &third)] {
        phones.push(world.phone_of(beat, &format!("Анна {number}"), number).await);
    }
    for number in 0..30_u128 {
        let phone = &mut phones[number as usize % 3];
        let mut visit = draft(number + 1, NOW.0 - (number as i64 * 7 % 11) * 60_000, "шум во дворе");
        visit.place = Some(DocumentId(Uuid::from_u128(number + 500)));
        write(&world, phone, Kind::VISIT, number + 1, &visit.puts(phone.stream.replica, [7; 16])).await;
        let address = Some(format!("Абая, {}", number * 7 % 11));
        let puts = Place { address, ..Place::default() }.puts([9; 16]);
        write(&world, phone, Kind::PLACE, number + 500, &puts).await;
    }
    for (path, rows) in
        [("/v1/visits", "visits"), ("/v1/visits?text=%D1%88%D1%83%D0%BC", "visits"), ("/v1/places", "places")]
    {
        let joined = |cursor: &str| format!("{path}{}limit=3{cursor}", if path.contains('?') { "&" } else { "?" });
        let expected: Vec<Json> = world.list(path, &all).await[rows].as_array().unwrap().to_vec();
        let expected: Vec<_> = expected.into_iter().filter(|row| row["beat"] != "beat-02").collect();
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.list(&joined(&cursor), &token).await;
            found.extend(page[rows].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((found.len(), &found), (20, &expected), "{path}");
    }
    let points = world.list("/v1/visits/points?limit=20", &token).await;
    assert_eq!((points["points"].as_array().unwrap().len(), &points["truncated"]), (20, &json!(false)));
    let points = world.list("/v1/visits/points?limit=19", &token).await;
    assert_eq!((points["points"].as_array().unwrap().len(), &points["truncated"]), (19, &json!(true)));
    let figures = world.list("/v1/coverage", &token).await;
    let beats: Vec<_> = figures["beats"].as_array().unwrap().iter().map(|beat| beat["beat"].clone()).collect();
    assert_eq!((beats, &figures["freshness"]["devices"]), (vec![json!("beat-01"), json!("beat-03")], &json!(2)));
}

#[tokio::test]
async fn of_one_id_in_two_beats_the_one_within_is_meant() {
    let world = World::new().await;
    let second = world.beat("beat-02", "Участок 2").await;
    let (mut anna, mut bolat) = (world.phone("Анна", 1).await, world.phone_of(&second, "Болат", 2).await);
    let id = world.visit(&mut anna, 1, NOW.0, "в первом").await;
    world.visit(&mut bolat, 1, NOW.0, "во втором").await;
    let token = within(&world, Role::Auditor, &[&second]).await;
    let visit = world.list(&format!("/v1/visits/{id}"), &token).await;
    assert_eq!((&visit["beat"], &visit["notes"][0]["text"]), (&json!("beat-02"), &json!("во втором")));
    assert_eq!(world.get(&format!("/v1/visits/{id}?beat=beat-01"), &token).await.code(), "not_found");
}

/// Somebody who works inside and outside is shown as working inside.
#[tokio::test]
async fn of_a_persons_beats_those_within_are_told() {
    let world = World::new().await;
    let second = world.beat("beat-02", "Участок 2").await;
    world.phone("Анна", 1).await;
    world.phone_of(&second, "Анна", 2).await;
    world.phone_of(&second, "Болат", 3).await;
    let token = within(&world, Role::Supervisor, &[&world.beat]).await;
    let devices = world.list("/v1/devices", &token).await;
    let shown: Vec<_> = devices["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| (&device["person"]["name"], &device["beats"]))
        .collect();
    assert_eq!(shown, vec![(&json!("Анна"), &json!(["beat-01"])); 2]);
}

#[tokio::test]
async fn a_token_is_made_within_beats_and_a_supervisors_has_to_be() {
    let world = World::new().await;
    world.beat("beat-02", "Участок 2").await;
    let administrator = world.token(Role::Administrator).await;
    let make = async |body: Json| world.send(Method::POST, "/v1/tokens", Some(&administrator), Some(body)).await;
    for (wanted, told) in [
        (json!({ "role": "supervisor", "name": "Анна" }), "certain beats"),
        (json!({ "role": "supervisor", "name": "Анна", "beats": [] }), "at least one"),
        (json!({ "role": "supervisor", "name": "Анна", "beats": ["beat-99"] }), "beat-99"),
        (json!({ "role": "supervisor", "name": "Анна", "beats": ["beat-01"], "all_beats": true }), "not both"),
        (json!({ "role": "administrator", "name": "Анна", "beats": ["beat-01"] }), "administrator"),
    ] {
        let reply = make(wanted.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_body"), "{wanted}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(told), "{}", reply.body);
    }
    let made = make(json!({ "role": "supervisor", "name": "Анна", "beats": ["beat-02", "beat-01"] })).await.json();
    make(json!({ "role": "supervisor", "name": "Болат", "all_beats": true })).await.json();
    make(json!({ "role": "auditor", "name": "Вера" })).await.json();
    let listed = world.list("/v1/tokens", &administrator).await;
    let beats = |name: &str| {
        let tokens = listed["tokens"].as_array().unwrap();
        tokens.iter().find(|token| token["name"] == name).unwrap()["beats"].clone()
    };
    assert_eq!(beats("Анна"), json!(["beat-01", "beat-02"]));
    assert_eq!((beats("Болат"), beats("Вера")), (json!(null), json!(null)));

    let signed_in = world.send(Method::POST, "/v1/session", None, Some(json!({ "token": made["token"] }))).await;
    assert_eq!(signed_in.json()["beats"], json!(["beat-01", "beat-02"]));
    nothing_changes_when_all_is_made_anew(&world).await;
}

/// A limit that is lost leaves nothing to be read, and never everything.
#[tokio::test]
async fn a_limit_to_nothing_is_one() {
    let world = World::new().await;
    let mut anna = world.phone("Анна", 1).await;
    world.visit(&mut anna, 1, NOW.0, "шум").await;
    let token = within(&world, Role::Headquarters, &[]).await;
    assert_eq!(world.list("/v1/visits", &token).await["visits"], json!([]));
    assert_eq!(world.list("/v1/beats", &token).await["beats"], json!([]));
    let administrator = within(&world, Role::Administrator, &[&world.beat]).await;
    assert_eq!(world.get("/v1/tokens", &administrator).await.code(), "unauthorized");
}
