use aralau_server::authorize::Role;
use aralau_sync_core::{
    id::{DocumentId, Kind},
    time::{DAY_MS, Millis, Monotonic},
    visit::{Place, Position, VisitEdit},
};
use axum::http::{StatusCode, header};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::world::{NOW, World, draft};

/// More visits than one batch holds.
const VISITS: u128 = 1_101;

#[tokio::test]
async fn a_file_holds_every_visit_once_however_many_batches_it_takes() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    for number in 0..VISITS {
        world.visit(&mut anna, number, NOW.0, "шум").await;
    }
    let reply = world.get("/v1/export.ndjson?outcome=contacted", &token).await;
    let lines: Vec<serde_json::Value> = reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: std::collections::BTreeSet<_> = lines.iter().map(|visit| visit["id"].as_str().unwrap()).collect();
    assert_eq!((lines.len() as u128, ids.len() as u128), (VISITS, VISITS));
    assert_eq!(lines[0]["notes"][0]["text"], "шум");
    let geo = world.get("/v1/export.geojson", &token).await.json();
    assert_eq!(geo["features"].as_array().unwrap().len() as u128, VISITS);
    let csv = world.get("/v1/export.csv", &token).await;
    assert_eq!(csv.body.lines().count() as u128, VISITS + 1);
}

#[tokio::test]
async fn long_notes_make_batches_short_and_lose_nothing() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    for number in 0..80 {
        world.visit(&mut anna, number, NOW.0, &"а".repeat(16_000)).await;
    }
    let reply = world.get("/v1/export.ndjson", &token).await;
    assert_eq!(reply.body.lines().count(), 80);
}

#[tokio::test]
async fn a_spreadsheet_reads_the_csv_and_runs_nothing_in_it() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("=Анна", 1).await);
    world.visit(&mut anna, 1, NOW.0, "=cmd|' /C calc'!A0, \"да\"\nи ещё").await;
    let reply = world.get("/v1/export.csv", &token).await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(reply.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"visits.csv\"");
    let text = reply.body.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let cell = |name| &row[headings.iter().position(|heading| heading == name).unwrap()];
    assert_eq!(cell("text"), "'=cmd|' /C calc'!A0, \"да\"\nи ещё");
    assert_eq!(cell("author"), "'=Анна");
    assert_eq!((cell("lat"), cell("lon"), cell("mock")), ("43.25", "76.9", "false"));
    assert_eq!(cell("started_at"), "2026-05-29T01:26:40.000+05:00");
}

#[tokio::test]
async fn geojson_places_what_has_a_place_on_the_globe() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Administrator).await, world.phone("Анна", 1).await);
    world.visit(&mut anna, 1, NOW.0, "шум").await;
    for (number, position) in [(2, None), (3, Some(Position { lat: 143.25, lon: 76.9, accuracy_m: None, mock: true }))]
    {
        let mut visit = draft(number, NOW.0 - i64::try_from(number).unwrap(), "шум");
        visit.position = position;
        let puts = visit.puts(anna.stream.replica, [4; 16]);
        world.write(&mut anna, Kind::VISIT, DocumentId(Uuid::from_u128(number)), &puts).await;
    }
    let reply = world.get("/v1/export.geojson", &token).await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/geo+json");
    let collection = reply.json();
    assert_eq!(collection["type"], "FeatureCollection");
    let features = collection["features"].as_array().unwrap();
    assert!(features.iter().all(|feature| feature["type"] == "Feature" && feature["properties"].is_object()));
    assert_eq!(features[0]["geometry"], serde_json::json!({ "type": "Point", "coordinates": [76.9, 43.25] }));
    assert!(features[1]["geometry"].is_null() && features[2]["geometry"].is_null());
    let empty = world.get("/v1/export.geojson?beat=none", &token).await.json();
    assert_eq!(empty["features"], serde_json::json!([]));
}

#[tokio::test]
async fn metrics_count_by_route_and_name_nobody() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let id = world.visit(&mut anna, 1, NOW.0, "шум").await;
    world.write(&mut anna, Kind::VISIT, id, &[VisitEdit::Withdraw.put()]).await;
    world.get(&format!("/v1/visits/{id}"), &token).await;
    world.get("/v1/nothing/at/all", &token).await;
    let text = world.get("/metrics", &token).await.body;
    for line in [
        "aralau_requests_total{method=\"GET\",route=\"/v1/visits/{id}\",status=\"200\"} 1",
        "aralau_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "aralau_devices 1",
        "aralau_reads ",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains(&id.to_string()) && !text.contains("Анна"));
}

#[tokio::test]
async fn a_workbook_holds_the_same_visits_as_the_other_files() {
    use calamine::{Data, Reader as _, Xlsx};
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("=Анна", 1).await);
    for number in 0..VISITS {
        world.visit(&mut anna, number, NOW.0, "=cmd|' /C calc'!A0").await;
    }
    let reply = world.get("/v1/export.xlsx?outcome=contacted", &token).await;
    assert_eq!(reply.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"visits.xlsx\"");
    assert_eq!(reply.headers[header::CONTENT_LENGTH], reply.bytes.len().to_string());
    let mut workbook = calamine::open_workbook_from_rs::<Xlsx<_>, _>(std::io::Cursor::new(reply.bytes)).unwrap();
    let rows: Vec<Vec<Data>> = workbook.worksheet_range("visits").unwrap().rows().map(<[_]>::to_vec).collect();
    assert_eq!(rows.len() as u128, VISITS + 1);
    let cell = |name: &str| {
        let column = rows[0].iter().position(|heading| *heading == Data::String(name.to_owned())).expect(name);
        rows[1][column].clone()
    };
    assert_eq!(cell("author"), Data::String("=Анна".to_owned()), "a string, which no program runs");
    assert_eq!(cell("lat"), Data::Float(43.25));
    let (days_to_1970, day_ms, ahead_ms) = (25_569.0, 86_400_000.0, 5 * 60 * 60 * 1000);
    let Data::DateTime(started_at) = cell("started_at (Asia/Almaty)") else { panic!("no time") };
    let on_the_wall = (NOW.0 + ahead_ms) as f64 / day_ms + days_to_1970;
    assert!((started_at.as_f64() - on_the_wall).abs() < 1e-6, "{started_at}");
    assert_eq!(cell("mock"), Data::Bool(false));
}

/// Table by heading, of a CSV's first visit.
fn first_row(body: &str, delimiter: u8) -> std::collections::BTreeMap<String, String> {
    let text = body.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    headings.iter().zip(row.iter()).map(|(heading, cell)| (heading.to_owned(), cell.to_owned())).collect()
}

/// A visit to a place of another register, written by a phone whose clock is two days slow and whose uptime is known.
async fn a_visit_by_a_wrong_clock(world: &World) {
    let mut anna = world.phone("Анна", 1).await;
    let uptime = |ms| Some(Monotonic { session: 5, ms, counts_sleep: true });
    let status = aralau_server::store::DeviceStatus {
        device: anna.device,
        replica: anna.stream.replica,
        last_sync_at: NOW,
        clock_skew_ms: -2 * DAY_MS,
        monotonic: uptime(10_000),
        unsent: 0,
        oldest_unsent_at: None,
        app: None,
        nonce_issued_at: NOW,
    };
    world.app.write(move |tx| aralau_server::store::note_status(tx, &status)).await.unwrap();
    let place = DocumentId(Uuid::from_u128(77));
    let puts =
        Place {
            address: Some("ул. Абая, 1".into()), external_code: Some("00123; А".into()), ..Place::default()
        };
    assert_eq!(world.write(&mut anna, Kind::PLACE, place, &puts.puts([9; 16])).await, None);
    let mut visit = draft(1, NOW.0 - 2 * DAY_MS, "шум; -1");
    visit.place = Some(place);
    let puts = visit.puts(anna.stream.replica, [8; 16]);
    anna.monotonic = uptime(4_000);
    let entry = anna.edit(Kind::VISIT, DocumentId(Uuid::from_u128(1)), &puts, Millis(NOW.0 - 2 * DAY_MS));
    assert_eq!(world.upload(&mut anna, &entry).await, None);
}

#[tokio::test]
async fn every_file_says_the_register_the_true_time_and_what_is_wrong_with_the_clock() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    a_visit_by_a_wrong_clock(&world).await;
    let row = first_row(&world.get("/v1/export.csv", &token).await.body, b',');
    for (heading, expected) in [
        ("external_code", "00123; А"),
        ("address", "ул. Абая, 1"),
        ("started_at", "2026-05-27T01:26:40.000+05:00"),
        ("device_time", "2026-05-27T01:26:40.000+05:00"),
        ("corrected_time", "2026-05-29T01:26:34.000+05:00"),
        ("received_at", "2026-05-29T01:26:40.000+05:00"),
        ("late", "true"),
        ("labels", "late"),
        ("notes", "1"),
    ] {
        assert_eq!(row[heading], expected, "{heading}");
    }
    let line = world.get("/v1/export.ndjson", &token).await.json();
    assert_eq!((&line["place"]["external_code"], &line["labels"]), (&json!("00123; А"), &json!(["late"])));
    assert_eq!(
        (&line["started_at"], &line["device_time"], &line["corrected_time"]),
        (&json!("2026-05-26T20:26:40.000Z"), &json!("2026-05-26T20:26:40.000Z"), &json!("2026-05-28T20:26:34.000Z"))
    );
    let properties = world.get("/v1/export.geojson", &token).await.json()["features"][0]["properties"].clone();
    for (name, expected) in [
        ("place_address", json!("ул. Абая, 1")),
        ("place_external_code", json!("00123; А")),
        ("author", json!("Анна")),
        ("corrected_time", json!("2026-05-29T01:26:34.000+05:00")),
        ("labels", json!("late")),
        ("conflicts", json!(0)),
        ("notes", json!(1)),
        ("lat", json!(43.25)),
        ("mock", json!(false)),
        ("ended_at", Json::Null),
    ] {
        assert_eq!(properties[name], expected, "{name}");
    }
    let is_flat = |value: &Json| !value.is_object() && !value.is_array();
    assert!(properties.as_object().unwrap().values().all(is_flat), "{properties}");
    let history = world.list(&format!("/v1/visits/{}/history", Uuid::from_u128(1)), &token).await;
    assert_eq!(history["history"][0]["corrected_time"], line["corrected_time"], "as the visit's own page has it");
}

#[tokio::test]
async fn a_csv_is_written_as_the_spreadsheets_country_writes_it() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    a_visit_by_a_wrong_clock(&world).await;
    for (style, delimiter, lat) in [
        ("", b',', "43.25"),
        ("?delimiter=comma&decimal=point", b',', "43.25"),
        ("?decimal=comma", b',', "43,25"),
        ("?delimiter=semicolon&decimal=comma", b';', "43,25"),
        ("?delimiter=tab&outcome=contacted", b'\t', "43.25"),
    ] {
        let reply = world.get(&format!("/v1/export.csv{style}"), &token).await;
        assert_eq!(reply.status, StatusCode::OK, "{style}: {}", reply.body);
        let row = first_row(&reply.body, delimiter);
        assert_eq!((row["lat"].as_str(), row["external_code"].as_str()), (lat, "00123; А"), "{style}");
        assert_eq!(row["text"], "шум; -1");
    }
    for wrong in ["csv?delimiter=%3B", "csv?decimal=dot", "csv?delimiter=tab&delimiter=tab", "xlsx?delimiter=tab"] {
        let reply = world.get(&format!("/v1/export.{wrong}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{wrong}");
    }
}
