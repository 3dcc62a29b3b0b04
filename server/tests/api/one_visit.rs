use aralau_server::{authorize::Role, keys::ReceiptVerifier, store};
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind, ServerKey, TreeHash},
    merkle::leaf_hash,
    proof::{is_consistent, root_by_inclusion},
    receipt::Receipt,
    time::{Millis, Monotonic},
    visit::VisitEdit,
};
use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::world::{NOW, World, draft};

/// Two people log one visit without knowing of each other, and differ in its outcome only.
async fn disputed(world: &World) -> DocumentId {
    let (mut anna, mut bolat) = (world.phone("Анна", 1).await, world.phone("Болат", 2).await);
    let id = world.visit(&mut anna, 1, NOW.0, "никого").await;
    world.wait_an_hour();
    let mut other = draft(2, NOW.0 + 60_000, "открыли");
    other.outcome = Some("refused".into());
    let puts = other.puts(bolat.stream.replica, [6; 16]);
    assert_eq!(world.write(&mut bolat, Kind::VISIT, id, &puts).await, None);
    id
}

#[tokio::test]
async fn what_two_people_wrote_is_all_there_and_their_difference_can_be_settled() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let id = disputed(&world).await;
    let uri = format!("/v1/visits/{id}");
    let visit = world.list(&uri, &token).await;
    assert_eq!(visit["state"], "conflict");
    assert_eq!(visit["value"]["visit_type"], "door_to_door", "equal values are no conflict");
    let notes: Vec<_> = visit["notes"].as_array().unwrap().iter().map(|note| (&note["text"], &note["by"])).collect();
    assert_eq!(notes, [(&json!("никого"), &json!("Анна")), (&json!("открыли"), &json!("Болат"))]);
    let [conflict] = &visit["conflicts"].as_array().unwrap()[..] else { panic!("one conflict: {visit}") };
    assert_eq!(conflict["field"], "outcome");
    let mut values: Vec<_> = conflict["values"].as_array().unwrap().clone();
    values.sort_by_key(|value| value["author"].to_string());
    assert_eq!(values[0]["value"], "contacted");
    assert_eq!(values[0]["author"], "Анна");
    assert_eq!(values[1]["value"], "refused");
    assert_eq!(values[1]["at"], "2026-05-28T21:26:40.000Z");
    assert_eq!(visit["receipts"]["rows"], json!([1, 2]));
    assert_eq!(visit["receipts"]["size"], 2);
    assert_eq!(visit["receipts"]["root"].as_str().unwrap().len(), 64);
    let queue = world.list("/v1/conflicts", &token).await;
    assert_eq!((&queue["conflicts"][0]["visit"], &queue["conflicts"][0]["field"]), (&json!(id), &json!("outcome")));

    let row = &queue["conflicts"][0];
    assert_eq!(
        (&row["notes"][0]["text"], &row["values"][0]["people"][0]["name"]),
        (&visit["notes"][0]["text"], &visit["conflicts"][0]["values"][0]["author"])
    );
    assert_eq!(
        (&row["started_at"], &row["inspector"], &row["type"]),
        (&visit["started_at"], &visit["author"], &visit["type"])
    );
    assert_eq!((&queue["total"], &queue["fields"]), (&json!(1), &json!([{ "field": "outcome", "conflicts": 1 }])));
    for (field, total) in [("outcome", 1), ("visit_type", 0), ("commitments/*/due", 0), ("*", 0)] {
        let found = world.list(&format!("/v1/conflicts?field={field}"), &token).await;
        assert_eq!((&found["total"], found["conflicts"].as_array().unwrap().len()), (&json!(total), total), "{field}");
    }

    let resolve = format!("{uri}/resolve");
    let body = json!({ "field": "visit_type", "value": "meeting" });
    let reply = world.send(Method::POST, &resolve, Some(&token), Some(body)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::CONFLICT, "not_in_conflict"));
    let body = json!({ "field": "outcome", "value": ["refused"] });
    let reply = world.send(Method::POST, &resolve, Some(&token), Some(body)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_value"));
    let body = json!({ "field": "outcome", "value": "refused" });
    let reply = world.send(Method::POST, &resolve, Some(&token), Some(body.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let visit = world.list(&uri, &token).await;
    assert_eq!((&visit["state"], &visit["conflicts"]), (&json!("settled"), &json!([])));
    assert_eq!(visit["value"]["outcome"], "refused");
    assert_eq!(world.list("/v1/conflicts", &token).await["conflicts"], json!([]));
    let reply = world.send(Method::POST, &resolve, Some(&token), Some(body)).await;
    assert_eq!(reply.code(), "not_in_conflict");
}

#[tokio::test]
async fn a_settlement_is_taken_back_by_one_edit_more_as_long_as_nobody_wrote_since() {
    let world = World::new().await;
    let token = world.token(Role::Supervisor).await;
    let id = disputed(&world).await;
    let uri = format!("/v1/visits/{id}");
    let settle = async |value: &str, instead_of: Option<&Json>| {
        let mut body = json!({ "field": "outcome", "value": value });
        body["instead_of"] = json!(instead_of);
        world.send(Method::POST, &format!("{uri}/resolve"), Some(&token), Some(body)).await
    };
    let values = world.list(&uri, &token).await["conflicts"][0]["values"].clone();
    let [shown, other] = [0, 1].map(|at: usize| values[at]["value"].as_str().unwrap().to_owned());
    let first = settle(&other, None).await.json()["change"].clone();
    assert_eq!(
        settle(&shown, Some(&json!("00".repeat(32)))).await.code(),
        "settled_since",
        "of no change of this visit"
    );
    let back = settle(&shown, Some(&first)).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.body);
    assert_eq!(world.list(&uri, &token).await["value"]["outcome"], json!(shown));
    assert_eq!(settle(&other, Some(&first)).await.code(), "settled_since", "it was taken back already");
    let again = settle(&other, Some(&back.json()["change"])).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    let history = world.list(&format!("{uri}/history"), &token).await;
    let by_hand = history["history"].as_array().unwrap().iter().filter(|row| !row["decided_by"].is_null());
    assert_eq!(by_hand.count(), 3, "all of it stays to be read");
}

/// What the server's own receipt says of a proof, and whether each row of the visit is under its root.
fn opened(proof: &Json) -> (Receipt, bool) {
    let key: ServerKey = proof["server_key"].as_str().unwrap().parse().unwrap();
    let receipt = Receipt::open(proof["receipt"].as_str().unwrap(), &key, &ReceiptVerifier).unwrap();
    let rows = proof["rows"].as_array().unwrap();
    let is_under = |row: &Json| {
        let hash = |field: &str| TreeHash::from_slice(&hex::decode(row[field].as_str().unwrap()).unwrap()).unwrap();
        let received_at: DateTime<Utc> = row["received_at"].as_str().unwrap().parse().unwrap();
        let leaf = [
            &b"aralau/leaf/1\0"[..],
            &[u8::try_from(row["kind"].as_u64().unwrap()).unwrap()],
            &received_at.timestamp_millis().to_be_bytes(),
            hash("entry").as_bytes(),
            hash("verdict").as_bytes(),
        ]
        .concat();
        let path = hashes(&row["path"]);
        let at = row["sequence"].as_u64().unwrap() - 1;
        root_by_inclusion(leaf_hash(&leaf), at, receipt.size, &path) == Some(receipt.root)
    };
    let all = rows.iter().all(is_under);
    (receipt, all)
}

fn hashes(path: &Json) -> Vec<TreeHash> {
    path.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_visit_is_proven_to_be_under_a_signed_root_that_goes_on_from_an_earlier_one() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let id = disputed(&world).await;
    let before = world.list(&format!("/v1/visits/{id}/proof"), &token).await;
    let (earlier, is_under) = opened(&before);
    assert!(is_under);
    assert_eq!((earlier.size, &before["consistency"]), (2, &Json::Null));
    assert_eq!(before["rows"].as_array().unwrap().len(), 2);

    let mut phone = world.phone("Сауле", 3).await;
    for number in 10..15 {
        world.visit(&mut phone, number, NOW.0, "дальше").await;
    }
    let after = world.list(&format!("/v1/visits/{id}/proof?since=2"), &token).await;
    let (receipt, is_under) = opened(&after);
    assert!(is_under);
    assert_eq!(receipt.size, 7);
    assert!(is_consistent(2, &earlier.root, 7, &receipt.root, &hashes(&after["consistency"])));

    let beyond = world.list(&format!("/v1/visits/{id}/proof?since=8"), &token).await;
    assert_eq!(beyond["consistency"], Json::Null);
    let reply = world.get(&format!("/v1/visits/{id}/proof?since=-1"), &token).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"));
    let reply = world.get(&format!("/v1/visits/{}/proof", Uuid::nil()), &token).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_row_that_somebody_changed_in_the_database_is_not_under_the_signed_root() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let id = disputed(&world).await;
    let change = |tx: &mut store::Transaction<'_>| {
        Ok(tx.execute("UPDATE log SET received_at = received_at - 1 WHERE kind = 1 AND entry_index = 1", [])?)
    };
    assert!(world.app.store().write(change).unwrap() > 0);
    assert!(!opened(&world.list(&format!("/v1/visits/{id}/proof"), &token).await).1);
}

#[tokio::test]
async fn history_tells_who_changed_what_by_both_clocks() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let id = disputed(&world).await;
    let uri = format!("/v1/visits/{id}/history");
    let all = world.list(&uri, &token).await;
    let rows = all["history"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["outcome"], &rows[0]["author"]["name"]), (&json!("accepted"), &json!("Анна")));
    assert_eq!(rows[1]["author"]["name"], "Болат");
    assert_eq!(rows[1]["server_time"], "2026-05-28T21:26:40.000Z");
    let puts = rows[1]["puts"].as_array().unwrap();
    assert!(puts.contains(&json!({ "key": "outcome", "value": "refused" })), "{puts:?}");
    let first = world.list(&format!("{uri}?limit=1"), &token).await;
    let next = first["next"].as_str().unwrap();
    let second = world.list(&format!("{uri}?limit=1&cursor={next}"), &token).await;
    assert_eq!((&first["history"][0], &second["history"][0]), (&rows[0], &rows[1]));
}

#[tokio::test]
async fn a_late_visit_says_so() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Supervisor).await, world.phone("Анна", 1).await);
    let puts = draft(1, NOW.0, "x").puts(anna.stream.replica, [1; 16]);
    let id = DocumentId(Uuid::from_u128(1));
    let entry = anna.edit(Kind::VISIT, id, &puts, Millis(NOW.0 - 3 * 86_400_000));
    assert_eq!(world.upload(&mut anna, &entry).await, None);
    assert_eq!(world.ids("/v1/visits?late=true", &token).await, [id.to_string()]);
    let history = world.list(&format!("/v1/visits/{id}/history"), &token).await;
    assert_eq!(history["history"][0]["labels"], json!(["late"]));
}

#[tokio::test]
async fn listeners_hear_of_what_grew_and_then_wait() {
    use http_body_util::BodyExt as _;
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let mut body = world.open("/v1/events", &token).await.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    let first = next().await;
    assert!(first.starts_with("event: changed\ndata: {\"scopes\":{\"beat-01\":0,\"directory\":"), "{first}");
    let id = world.visit(&mut anna, 1, NOW.0, "шум").await;
    assert_eq!(next().await, "event: changed\ndata: {\"scopes\":{\"beat-01\":1}}\n\n");
    world.write(&mut anna, Kind::VISIT, id, &[VisitEdit::Withdraw.put()]).await;
    assert_eq!(next().await, "event: changed\ndata: {\"scopes\":{\"beat-01\":2}}\n\n");
}

#[tokio::test]
async fn a_listener_whose_token_has_ended_hears_nothing_more() {
    use http_body_util::BodyExt as _;
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let mut body = world.open("/v1/events", &token).await.into_body();
    assert!(body.frame().await.is_some());
    world.end_token(&token).await;
    world.visit(&mut anna, 1, NOW.0, "шум").await;
    assert!(body.frame().await.is_none(), "the line ends without a word of what grew");
}

#[tokio::test]
async fn a_listeners_line_ends_when_the_server_stops() {
    use http_body_util::BodyExt as _;
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let mut body = world.open("/v1/events", &token).await.into_body();
    assert!(body.frame().await.is_some());
    world.app.stop();
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn the_uptime_of_a_phone_tells_when_its_clock_was_wrong() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let reading = |session, ms, counts_sleep| Some(Monotonic { session, ms, counts_sleep });
    anna.monotonic = reading(7, 1_000, true);
    let id = world.visit(&mut anna, 1, NOW.0, "никого").await;
    for (reading, outcome) in [
        (reading(8, 1_000, true), "refused"),
        (reading(7, 2_000, false), "moved"),
        (reading(7, u64::MAX, true), "no_access"),
        (None, "vacant"),
    ] {
        anna.monotonic = reading;
        let put = ("outcome".to_owned(), Value::Text(outcome.to_owned()));
        assert_eq!(world.write(&mut anna, Kind::VISIT, id, &[put]).await, None);
    }
    // It syncs an hour after the first entry, and again, over a slower line, a minute later.
    for (after_ms, said_ms) in [(3_600_000, 3_601_000), (3_700_000, 3_661_000)] {
        let status = store::DeviceStatus {
            device: anna.device,
            replica: anna.stream.replica,
            last_sync_at: Millis(NOW.0 + after_ms),
            clock_skew_ms: 0,
            monotonic: reading(7, said_ms, true),
            unsent: 0,
            oldest_unsent_at: None,
            app: None,
            nonce_issued_at: Millis(NOW.0 + after_ms),
        };
        world.app.write(move |tx| store::note_status(tx, &status)).await.unwrap();
    }
    let shown = world.list(&format!("/v1/visits/{id}/history"), &token).await;
    let corrected: Vec<_> = shown["history"].as_array().unwrap().iter().map(|row| &row["corrected_time"]).collect();
    assert_eq!(corrected[0], "2026-05-28T20:26:40.000Z");
    assert_eq!(corrected[1..3], [&Json::Null; 2], "another boot, and a clock that slept");
    assert!(corrected[3].is_string(), "an absurd reading is shown as far as it goes: {}", corrected[3]);
    assert_eq!(corrected[4], &Json::Null);
}

#[tokio::test]
async fn of_one_phone_few_boots_are_kept() {
    let world = World::new().await;
    let anna = world.phone("Анна", 1).await;
    let corrected = async |session| {
        let (device, reading) = (anna.device, Monotonic { session, ms: 5, counts_sleep: true });
        world.app.read(move |connection| store::corrected(connection, device, &reading)).await.unwrap()
    };
    for session in 0..100 {
        let at = Millis(NOW.0 + session as i64);
        let status = store::DeviceStatus {
            device: anna.device,
            replica: anna.stream.replica,
            last_sync_at: at,
            clock_skew_ms: 0,
            monotonic: Some(Monotonic { session, ms: 0, counts_sleep: true }),
            unsent: 0,
            oldest_unsent_at: None,
            app: None,
            nonce_issued_at: at,
        };
        world.app.write(move |tx| store::note_status(tx, &status)).await.unwrap();
    }
    assert_eq!(corrected(99).await, Some(Millis(NOW.0 + 99 + 5)));
    assert_eq!((corrected(36).await.is_some(), corrected(35).await), (true, None));
}
