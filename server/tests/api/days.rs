use aralau_server::authorize::Role;
use aralau_sync_core::time::Millis;
use axum::http::StatusCode;
use serde_json::json;

use crate::{
    coverage::{places, visit},
    world::{NOW, Phone, World},
};

fn at(text: &str) -> Millis {
    aralau_server::calendar::instant(text).unwrap()
}

/// Visits around the night in which Almaty went from UTC+6 to UTC+5, and around another one.
const BEGAN: [&str; 9] = [
    "2024-02-28T23:59:59+06:00",
    "2024-02-29T00:00:00+06:00",
    "2024-02-29T01:30:00+06:00",
    "2024-02-29T23:30:00+06:00",
    "2024-02-29T23:30:00+05:00",
    "2024-03-01T00:00:00+05:00",
    "2024-03-01T01:30:00+05:00",
    "2024-03-01T23:59:59+05:00",
    "2024-03-02T00:00:00+05:00",
];

async fn visits(world: &World, phone: &mut Phone) {
    for (number, began) in (0..).zip(BEGAN) {
        world.visit(phone, number, at(began).0, "шум").await;
    }
}

async fn count(world: &World, uri: &str, of: &str, token: &str) -> usize {
    world.list(uri, token).await[of].as_array().unwrap().len()
}

#[tokio::test]
async fn a_day_holds_as_many_visits_in_every_list_and_file_as_its_figure_says() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Administrator).await, world.phone("Анна", 1).await);
    visits(&world, &mut anna).await;
    for (day, expected) in [("2024-02-28", 1), ("2024-02-29", 4), ("2024-03-01", 3), ("2024-03-02", 1)] {
        let period = format!("from={day}&to={day}");
        let coverage = world.list(&format!("/v1/coverage?bucket=day&{period}"), &token).await;
        assert_eq!(coverage["series"][0]["visits"], json!(expected), "{day}");
        assert_eq!(count(&world, &format!("/v1/visits?{period}"), "visits", &token).await, expected, "{day}");
        assert_eq!(count(&world, &format!("/v1/visits?{period}&text=шум"), "visits", &token).await, expected, "{day}");
        assert_eq!(count(&world, &format!("/v1/visits/points?{period}"), "points", &token).await, expected, "{day}");
        assert_eq!(count(&world, &format!("/v1/export.geojson?{period}"), "features", &token).await, expected, "{day}");
        for format in ["csv", "ndjson"] {
            let file = world.get(&format!("/v1/export.{format}?{period}"), &token).await;
            let headings = usize::from(format == "csv");
            assert_eq!(file.body.lines().count(), expected + headings, "{format} {day}");
        }
    }
    let month = world.list("/v1/coverage?bucket=month&from=2024-02-01&to=2024-02-29", &token).await;
    assert_eq!(month["series"][0]["visits"], json!(5));
    assert_eq!(count(&world, "/v1/visits?from=2024-02-01&to=2024-02-29", "visits", &token).await, 5);
}

#[tokio::test]
async fn another_time_zone_has_other_days_in_every_list() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Administrator).await, world.phone("Анна", 1).await);
    visits(&world, &mut anna).await;
    world.app.write(|tx| aralau_server::store::set_time_zone(tx, "UTC".parse().unwrap())).await.unwrap();
    let period = "from=2024-02-29&to=2024-02-29";
    let coverage = world.list(&format!("/v1/coverage?bucket=day&{period}"), &token).await;
    assert_eq!(coverage["series"][0]["visits"], json!(4));
    assert_eq!(count(&world, &format!("/v1/visits?{period}"), "visits", &token).await, 4);
}

#[tokio::test]
async fn a_period_that_ends_before_it_begins_is_said_everywhere_alike() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Administrator).await, world.phone("Анна", 1).await);
    let place = places(&world).await[0];
    visit(&world, &mut anna, 1, place, "contacted", 0).await;
    let of_place = format!("/v1/places/{place}/visits");
    for uri in [
        "/v1/visits",
        "/v1/visits/points",
        of_place.as_str(),
        "/v1/places",
        "/v1/places/points",
        "/v1/coverage",
        "/v1/repeat-problems",
        "/v1/export.csv",
        "/v1/export.xlsx",
        "/v1/export.geojson",
        "/v1/export.ndjson",
    ] {
        let reply = world.get(&format!("{uri}?from=2026-05-02&to=2026-05-01"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{uri}");
        assert_eq!(reply.json()["detail"], "to: the period ends before it begins", "{uri}");
        let one_day = world.get(&format!("{uri}?from=2026-05-01&to=2026-05-01"), &token).await;
        assert_eq!(one_day.status, StatusCode::OK, "{uri}: {}", one_day.body);
    }
    let backwards = format!("/v1/visits?from=2026-05-29&to={}", "2026-05-28T18:59:59Z");
    assert_eq!(world.get(&backwards, &token).await.code(), "bad_parameter");
    let words = world.get("/v1/visits?from=2026-05-02&to=2026-05-01&text=nothing", &token).await;
    assert_eq!(words.code(), "bad_parameter", "also where nothing could be found");
    assert!(at("2026-05-28T20:26:40Z") == NOW);
}
