//! What stands behind coverage's figures: the places, the promises and the concerns that came up again.

use aralau_server::authorize::Role;
use aralau_sync_core::{change::Value, id::DocumentId, visit::VisitEdit};
use axum::http::StatusCode;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    coverage::{edit, nothing_changes_when_all_is_made_anew, outcome, places, visit},
    world::{Phone, World},
};

/// Sets a field of an item of a visit.
async fn set(world: &World, phone: &mut Phone, visit: u128, collection: &str, item: u8, field: &str, value: Value) {
    let item = uuid::Builder::from_random_bytes([item; 16]).into_uuid();
    edit(world, phone, visit, VisitEdit::Set { field: format!("{collection}/{item}/{field}"), value }).await;
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

/// The figure of the one beat, and the rows behind it.
async fn figure(world: &World, token: &str, period: &str, name: &str) -> i64 {
    let coverage = world.list(&format!("/v1/coverage?bucket=month{period}"), token).await;
    coverage["beats"][0][name].as_i64().unwrap()
}

#[tokio::test]
async fn every_figure_of_places_opens_to_those_places() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let known = places(&world).await;
    for (number, place, result, days_ago) in [
        (1, 0, "contacted", 400),
        (2, 1, "contacted", 340),
        (3, 2, "contacted", 100),
        (4, 0, "not_home", 1),
        (5, 2, "refused", 110),
        (6, 1, "not_home", 341),
    ] {
        visit(&world, &mut anna, number, known[place], result, days_ago).await;
    }
    for period in
        ["", "&from=2025-04-01&to=2025-07-31", "&from=2026-01-01&to=2026-03-01", "&from=2024-01-01&to=2024-02-01"]
    {
        for standing in ["contacted", "attempted", "due", "overdue"] {
            let behind = world.list(&format!("/v1/places?standing={standing}&beat=beat-01{period}"), &token).await;
            let rows = behind["places"].as_array().unwrap().len() as i64;
            assert_eq!(rows, figure(&world, &token, period, &format!("{standing}_places")).await, "{standing}{period}");
        }
    }
    let overdue = world.list("/v1/places?standing=overdue", &token).await;
    assert_eq!(overdue["places"][0]["id"], known[0].to_string());
    assert_eq!(overdue["places"][0]["contacted_at"], "2025-04-23T20:26:40.000Z");
    assert_eq!(overdue["places"][0]["attempted_at"], "2026-05-27T20:26:40.000Z");
    let all = world.list("/v1/places?limit=3", &token).await;
    let next = all["next"].as_str().unwrap();
    assert_eq!(world.list(&format!("/v1/places?cursor={next}"), &token).await["places"].as_array().unwrap().len(), 1);

    for (wrong, named) in
        [("standing=late", "standing"), ("from=2026-02-01&to=2026-01-01", "to"), ("from=0001-01-01", "from")]
    {
        let reply = world.get(&format!("/v1/places?{wrong}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{wrong}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{}", reply.body);
    }
}

#[tokio::test]
async fn open_promises_open_to_their_visits() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let known = places(&world).await;
    for (number, days_ago) in [(1, 3), (2, 2), (3, 1), (4, 0)] {
        visit(&world, &mut anna, number, known[0], "contacted", days_ago).await;
    }
    set(&world, &mut anna, 1, "commitments", 1, "due", text("2026-05-01")).await;
    set(&world, &mut anna, 1, "commitments", 2, "due", text("2026-12-31")).await;
    set(&world, &mut anna, 2, "commitments", 3, "due", text("2026-12-31")).await;
    set(&world, &mut anna, 3, "commitments", 4, "text", text("без срока")).await;
    let today = "2026-05-29";
    let overdue = format!("/v1/visits?due_before={today}");
    assert_eq!(world.ids("/v1/visits?commitment=true", &token).await, [id(3), id(2), id(1)]);
    assert_eq!(world.ids("/v1/visits?commitment=false", &token).await, [id(4)]);
    assert_eq!(world.ids(&overdue, &token).await, [id(1)]);
    assert_eq!(figure(&world, &token, "", "commitments_open").await, 4);
    assert_eq!(figure(&world, &token, "", "commitments_overdue").await, 1);

    set(&world, &mut anna, 1, "commitments", 1, "fulfilled_at", Value::Timestamp(1_779_000_000_000)).await;
    set(&world, &mut anna, 2, "commitments", 3, "status", text("withdrawn")).await;
    assert_eq!(world.ids(&overdue, &token).await, Vec::<String>::new());
    assert_eq!(world.ids("/v1/visits?commitment=true", &token).await, [id(3), id(1)]);
    assert_eq!(figure(&world, &token, "", "commitments_open").await, 2);
    edit(&world, &mut anna, 3, VisitEdit::Withdraw).await;
    assert_eq!(figure(&world, &token, "", "commitments_open").await, 1);
    nothing_changes_when_all_is_made_anew(&world).await;
}

/// Place, category and visits of each repeat problem.
fn repeats(page: &Json) -> Vec<(String, String, i64)> {
    let rows = page["repeats"].as_array().unwrap().iter();
    let row = |row: &Json| {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        (text(&row["place"]["id"]), text(&row["category"]), row["visits"].as_i64().unwrap())
    };
    rows.map(row).collect()
}

async fn concern(world: &World, phone: &mut Phone, number: u128, place: DocumentId, category: &str, days_ago: i64) {
    visit(world, phone, number, place, "contacted", days_ago).await;
    set(world, phone, number, "concerns", 1, "category", text(category)).await;
}

#[tokio::test]
async fn a_concern_that_comes_up_again_within_ninety_days_is_a_repeat_problem() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let known = places(&world).await;
    let now = async || {
        let page = world.list("/v1/repeat-problems", &token).await;
        assert_eq!(
            page["repeats"].as_array().unwrap().len() as i64,
            figure(&world, &token, "", "repeat_problems").await
        );
        repeats(&page)
    };
    let noise = |place: usize, visits| (known[place].to_string(), "noise".to_owned(), visits);
    concern(&world, &mut anna, 1, known[0], "noise", 200).await;
    concern(&world, &mut anna, 2, known[0], "noise", 100).await;
    concern(&world, &mut anna, 3, known[0], "lighting", 99).await;
    concern(&world, &mut anna, 4, known[1], "noise", 98).await;
    assert_eq!(now().await, [], "a hundred days are too long, and other concerns and places are others");
    concern(&world, &mut anna, 5, known[0], "noise", 20).await;
    assert_eq!(now().await, [noise(0, 3)]);
    // What comes late takes its place among what is there.
    concern(&world, &mut anna, 6, known[1], "noise", 10).await;
    concern(&world, &mut anna, 7, known[1], "noise", 30).await;
    assert_eq!(now().await, [noise(1, 3), noise(0, 3)]);
    let first = world.list("/v1/repeat-problems?limit=1", &token).await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(repeats(&world.list(&format!("/v1/repeat-problems?cursor={next}"), &token).await), [noise(0, 3)]);
    assert_eq!(first["repeats"][0]["place"]["address"], "ул. Абая, 2");

    // A period of the past knows nothing of what came after it.
    let past = async |period: &str| repeats(&world.list(&format!("/v1/repeat-problems?{period}"), &token).await);
    assert_eq!(past("from=2025-10-01&to=2026-03-31").await, []);
    assert_eq!(past("from=2026-04-25&to=2026-05-01").await, [noise(1, 3)], "thirty days ago, after sixty-eight");
    assert_eq!(figure(&world, &token, "&from=2026-04-25&to=2026-05-01", "repeat_problems").await, 1);

    // Edits take back what they brought.
    let visits = format!("/v1/visits?place={}&concern=noise", known[1]);
    assert_eq!(world.ids(&visits, &token).await, [id(6), id(7), id(4)]);
    assert_eq!(world.ids("/v1/visits?concern=lighting", &token).await, [id(3)]);
    edit(&world, &mut anna, 6, VisitEdit::Withdraw).await;
    edit(&world, &mut anna, 5, VisitEdit::Set { field: "place".to_owned(), value: text(&known[3].to_string()) }).await;
    assert_eq!(now().await, [noise(1, 2)]);
    set(&world, &mut anna, 7, "concerns", 1, "category", text("lighting")).await;
    assert_eq!(now().await, []);
    edit(&world, &mut anna, 7, outcome("refused")).await;
    nothing_changes_when_all_is_made_anew(&world).await;
}
