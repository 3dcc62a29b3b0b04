use aralau_server::authorize::Role;
use aralau_sync_core::{
    id::{DocumentId, Kind},
    visit::{Position, VisitEdit},
};
use axum::http::header;
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
    assert_eq!(cell("started_at"), "2026-05-28T20:26:40.000Z");
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
        let column = rows[0].iter().position(|heading| *heading == Data::String(name.to_owned())).unwrap();
        rows[1][column].clone()
    };
    assert_eq!(cell("author"), Data::String("=Анна".to_owned()), "a string, which no program runs");
    assert_eq!(cell("lat"), Data::Float(43.25));
    let (days_to_1970, day_ms) = (25_569.0, 86_400_000.0);
    let Data::DateTime(started_at) = cell("started_at") else { panic!("no time: {}", cell("started_at")) };
    assert!((started_at.as_f64() - (NOW.0 as f64 / day_ms + days_to_1970)).abs() < 1e-6, "{started_at}");
    assert_eq!(cell("mock"), Data::Bool(false));
}
