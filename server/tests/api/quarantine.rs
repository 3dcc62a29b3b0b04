use aralau_server::authorize::Role;
use aralau_sync_core::{
    id::{DocumentId, Kind},
    visit::VisitEdit,
};
use axum::http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::world::{NOW, World, draft};

#[tokio::test]
async fn what_a_lost_phone_sends_is_held_until_someone_decides() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let mut anna = world.phone("Анна", 1).await;
    let id = world.visit(&mut anna, 1, NOW.0, "до потери").await;
    let shut = world.send(Method::POST, &format!("/v1/devices/{}/revoke", anna.device), Some(&token), None).await;
    assert_eq!(shut.status, StatusCode::OK, "{}", shut.body);
    let note = VisitEdit::AddNote { id: Uuid::from_u128(99), text: "после потери".into() }.put();
    assert_eq!(world.write(&mut anna, Kind::VISIT, id, &[note]).await.as_deref(), Some("revoked"));
    let other = DocumentId(Uuid::from_u128(2));
    let puts = draft(2, NOW.0, "чужое").puts(anna.stream.replica, [5; 16]);
    assert_eq!(world.write(&mut anna, Kind::VISIT, other, &puts).await.as_deref(), Some("revoked"));

    let queue = world.list("/v1/quarantine", &token).await;
    let held = queue["held"].as_array().unwrap();
    assert_eq!(held.len(), 2);
    assert_eq!((&held[0]["reason"], &held[0]["remedy"]), (&json!("revoked"), &json!("judge")));
    assert_eq!((&held[0]["from"]["name"], &held[0]["document"]), (&json!("Анна"), &json!(id)));
    assert_eq!(held[0]["puts"][0]["value"], "после потери");
    assert_eq!(world.list(&format!("/v1/visits/{id}"), &token).await["state"], "partly_held");
    assert_eq!(world.get(&format!("/v1/visits/{other}"), &token).await.code(), "not_found");

    let entry = |at: usize| {
        let held = &held[at];
        let (replica, scope) = (held["replica"].as_str().unwrap(), held["scope"].as_str().unwrap());
        format!("/v1/quarantine/{replica}/{scope}/{}", held["index"])
    };
    let release = format!("{}/release", entry(0));
    let reply = world.send(Method::POST, &release, Some(&token), None).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({ "filled": 1 })));
    let reply = world.send(Method::POST, &release, Some(&token), None).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::CONFLICT, "already_decided"));
    let visit = world.list(&format!("/v1/visits/{id}"), &token).await;
    assert_eq!((&visit["state"], visit["notes"].as_array().unwrap().len()), (&json!("settled"), 2));

    let body = json!({ "note": "не наш" });
    let reply = world.send(Method::POST, &format!("{}/reject", entry(1)), Some(&token), Some(body)).await;
    assert_eq!(reply.json(), json!({ "rejected": true }));
    assert_eq!(world.list("/v1/quarantine", &token).await["held"], json!([]));
    let rejected = world.list("/v1/quarantine?state=rejected", &token).await;
    assert_eq!(
        (&rejected["held"][0]["note"], &rejected["held"][0]["decided_by"]),
        (&json!("не наш"), &json!("Айгуль"))
    );

    let history = world.list(&format!("/v1/visits/{id}/history"), &token).await;
    let rows = history["history"].as_array().unwrap();
    let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["accepted", "held", "filled"]);
    assert_eq!(rows[1]["reason"], "revoked");
    assert_eq!(rows[2]["decided_by"], "Айгуль");
    assert_eq!(rows[2]["puts"][0]["value"], "после потери");
}
