use aralau_server::{
    area::Area,
    authorize::Role,
    store::{self, Organisation, PlaceLine},
};
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind},
    time::Millis,
    visit::VisitEdit,
};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::world::{NOW, Phone, World, draft};

pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Four places of the beat.
pub async fn places(world: &World) -> Vec<DocumentId> {
    let line = |house| PlaceLine {
        beat: "beat-01".to_owned(),
        address: format!("ул. Абая, {house}"),
        external_code: None,
        place_type: None,
        coordinates: None,
    };
    let organisation = Organisation { places: (1..=4).map(line).collect(), ..Organisation::default() };
    let (app, beat, now) = (world.app.clone(), world.beat.clone(), world.app.now());
    let load = move |tx: &mut store::Transaction<'_>| {
        store::load(tx, app.identity(), &organisation, now)?;
        store::places_of(tx, &beat)
    };
    world.app.write(load).await.unwrap()
}

pub async fn visit(world: &World, phone: &mut Phone, number: u128, place: DocumentId, outcome: &str, days_ago: i64) {
    let mut visit = draft(number, NOW.0 - days_ago * DAY_MS, "шум");
    (visit.place, visit.outcome) = (Some(place), Some(outcome.to_owned()));
    let puts = visit.puts(phone.stream.replica, [7; 16]);
    assert_eq!(world.write(phone, Kind::VISIT, DocumentId(Uuid::from_u128(number)), &puts).await, None);
}

pub async fn edit(world: &World, phone: &mut Phone, number: u128, edit: VisitEdit) {
    let id = DocumentId(Uuid::from_u128(number));
    assert_eq!(world.write(phone, Kind::VISIT, id, &[edit.put()]).await, None);
}

pub fn outcome(value: &str) -> VisitEdit {
    VisitEdit::Set { field: "outcome".to_owned(), value: Value::Text(value.to_owned()) }
}

/// Visits, contacted, attempted and late ones of all points.
fn sums(coverage: &Json) -> [i64; 4] {
    let points = coverage["series"].as_array().unwrap();
    ["visits", "contacted", "attempted", "late"]
        .map(|name| points.iter().map(|point| point[name].as_i64().unwrap()).sum::<i64>())
}

/// Contacted, attempted, due and overdue places of the one beat.
fn standing(coverage: &Json) -> [i64; 4] {
    ["contacted_places", "attempted_places", "due_places", "overdue_places"]
        .map(|name| coverage["beats"][0][name].as_i64().unwrap())
}

pub async fn nothing_changes_when_all_is_made_anew(world: &World) {
    let store = world.app.store().clone();
    let report = tokio::task::spawn_blocking(move || store.rebuild()).await.unwrap().unwrap();
    assert_eq!(report.changed, 0);
}

#[tokio::test]
async fn visits_count_for_their_local_day_and_edits_move_them() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let places = places(&world).await;
    // 2026-05-28T20:26Z is the 29th in Almaty.
    visit(&world, &mut anna, 1, places[0], "contacted", 0).await;
    visit(&world, &mut anna, 2, places[1], "not_home", 0).await;
    visit(&world, &mut anna, 3, places[1], "refused", 1).await;
    let by_day = world.list("/v1/coverage?bucket=day&from=2026-05-28&to=2026-05-29", &token).await;
    assert_eq!(by_day["time_zone"], "Asia/Almaty");
    assert_eq!(
        by_day["series"],
        json!([
            { "beat": "beat-01", "start": "2026-05-28", "visits": 1, "contacted": 0, "attempted": 1, "late": 0 },
            { "beat": "beat-01", "start": "2026-05-29", "visits": 2, "contacted": 1, "attempted": 1, "late": 0 },
        ])
    );
    let by_week = world.list("/v1/coverage?from=2026-05-28&to=2026-05-29", &token).await;
    assert_eq!(by_week["series"][0]["start"], "2026-05-25");
    assert_eq!(sums(&by_week), [3, 1, 2, 0]);
    assert_eq!(standing(&by_week), [1, 1, 3, 0]);

    edit(&world, &mut anna, 2, outcome("contacted")).await;
    edit(&world, &mut anna, 1, VisitEdit::Withdraw).await;
    let edited = world.list("/v1/coverage", &token).await;
    assert_eq!((sums(&edited), standing(&edited)), ([2, 1, 1, 0], [1, 0, 3, 0]));
    edit(&world, &mut anna, 2, VisitEdit::Withdraw).await;
    edit(&world, &mut anna, 3, VisitEdit::Withdraw).await;
    let empty = world.list("/v1/coverage", &token).await;
    assert_eq!((sums(&empty), standing(&empty), &empty["series"]), ([0; 4], [0, 0, 4, 0], &json!([])));
    nothing_changes_when_all_is_made_anew(&world).await;
}

#[tokio::test]
async fn a_place_is_due_and_then_overdue_as_of_the_end_of_the_period() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let places = places(&world).await;
    visit(&world, &mut anna, 1, places[0], "contacted", 400).await;
    visit(&world, &mut anna, 2, places[1], "contacted", 340).await;
    visit(&world, &mut anna, 3, places[2], "contacted", 100).await;
    visit(&world, &mut anna, 4, places[0], "not_home", 1).await;
    let now = world.list("/v1/coverage", &token).await;
    // The second will be overdue within a month; at the fourth nobody was ever met.
    assert_eq!((&now["beats"][0]["places"], standing(&now)), (&json!(4), [0, 1, 2, 1]));

    let past = "/v1/coverage?bucket=month&from=2025-04-01&to=2025-07-31";
    let then = world.list(past, &token).await;
    assert_eq!(standing(&then), [2, 0, 2, 0]);
    visit(&world, &mut anna, 5, places[0], "contacted", 0).await;
    assert_eq!(standing(&world.list(past, &token).await), [2, 0, 2, 0], "what came later changes nothing then");
    assert_eq!(standing(&world.list("/v1/coverage", &token).await), [1, 0, 2, 0]);
    nothing_changes_when_all_is_made_anew(&world).await;
}

#[tokio::test]
async fn a_clock_that_runs_ahead_does_not_put_a_place_off() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let places = places(&world).await;
    visit(&world, &mut anna, 1, places[0], "contacted", -4_000).await;
    let today = world.list("/v1/coverage", &token).await;
    assert_eq!((sums(&today), standing(&today)[0]), ([0; 4], 1), "it counts for the day it names, and was met today");
}

#[tokio::test]
async fn another_time_zone_counts_by_other_days() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let places = places(&world).await;
    visit(&world, &mut anna, 1, places[0], "contacted", 0).await;
    world.app.write(|tx| store::set_time_zone(tx, "Europe/London".parse().unwrap())).await.unwrap();
    let london = world.list("/v1/coverage?bucket=day", &token).await;
    assert_eq!((&london["time_zone"], &london["series"][0]["start"]), (&json!("Europe/London"), &json!("2026-05-28")));
    nothing_changes_when_all_is_made_anew(&world).await;
}

#[tokio::test]
async fn promises_and_repeated_concerns_are_counted_while_they_are_open() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let places = places(&world).await;
    for number in 1..=3 {
        visit(&world, &mut anna, number, places[0], "contacted", 0).await;
        let item = Uuid::from_u128(0x4000_8000_0000_0000_0000 + number);
        let item = uuid::Builder::from_random_bytes(*item.as_bytes()).into_uuid();
        let due = if number == 1 { "2026-05-01" } else { "2026-12-31" };
        for (field, value) in [
            (format!("concerns/{item}/category"), if number < 3 { "noise" } else { "lighting" }),
            (format!("commitments/{item}/due"), due),
        ] {
            edit(&world, &mut anna, number, VisitEdit::Set { field, value: Value::Text(value.to_owned()) }).await;
        }
    }
    let figures = |coverage: &Json| {
        ["commitments_open", "commitments_overdue", "repeat_problems"]
            .map(|name| coverage["beats"][0][name].as_i64().unwrap())
    };
    assert_eq!(figures(&world.list("/v1/coverage", &token).await), [3, 1, 1]);
    edit(&world, &mut anna, 1, VisitEdit::Withdraw).await;
    assert_eq!(figures(&world.list("/v1/coverage", &token).await), [2, 0, 0]);
}

#[tokio::test]
async fn coverage_says_whose_words_are_still_out() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let anna = world.phone("Анна", 1).await;
    world.phone("Болат", 2).await;
    let (now, unsent) = (world.app.now(), Millis(NOW.0 - DAY_MS));
    let status = store::DeviceStatus {
        device: anna.device,
        replica: anna.stream.replica,
        last_sync_at: now,
        clock_skew_ms: 0,
        monotonic: None,
        unsent: 2,
        oldest_unsent_at: Some(unsent),
        app: None,
        nonce_issued_at: now,
    };
    world.app.write(move |tx| store::note_status(tx, &status)).await.unwrap();
    assert_eq!(
        world.list("/v1/coverage?beat=beat-01", &token).await["freshness"],
        json!({ "as_of": "2026-05-28T20:26:40.000Z", "devices": 2, "silent_devices": 1,
                "oldest_unsent_at": "2026-05-27T20:26:40.000Z" })
    );
    let nowhere = world.list("/v1/coverage?beat=beat-99", &token).await;
    assert_eq!((&nowhere["beats"], &nowhere["freshness"]["devices"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_period_that_is_none_is_refused_by_name() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    for (wrong, named) in [
        ("from=2026-02-01&to=2026-01-01", "to"),
        ("from=2024-01-01&to=2026-01-01&bucket=day", "from"),
        ("from=yesterday", "from"),
        ("to=%2B12026-01-01", "to"),
        ("bucket=year", "bucket"),
        ("author=x", "author"),
    ] {
        let reply = world.get(&format!("/v1/coverage?{wrong}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{wrong}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{}", reply.body);
    }
}

#[tokio::test]
async fn beats_are_shown_with_their_outlines() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let area = json!({ "type": "Polygon", "coordinates": [[[76.9, 43.2], [77.0, 43.2], [77.0, 43.3], [76.9, 43.2]]] });
    let outline: Area = serde_json::from_value(area.clone()).unwrap();
    let (app, now) = (world.app.clone(), world.app.now());
    let organisation = Organisation {
        beats: vec![("beat-02".to_owned(), "Участок 2".to_owned())],
        areas: vec![("beat-02".to_owned(), outline)],
        ..Organisation::default()
    };
    world.app.write(move |tx| store::load(tx, app.identity(), &organisation, now)).await.unwrap();
    let shown = world.list("/v1/beats", &token).await;
    assert_eq!(
        shown["beats"][0],
        json!({ "code": "beat-01", "scope": world.beat.scope, "name": "Участок 1", "area": null })
    );
    assert_eq!((&shown["beats"][1]["code"], &shown["beats"][1]["area"]), (&json!("beat-02"), &area));
}
