use aralau_server::authorize::Role;
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind},
    visit::{Place, VisitEdit},
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

fn address(text: &str) -> Vec<(String, Value)> {
    Place { address: Some(text.to_owned()), ..Place::default() }.puts([9; 16])
}

/// A visit with two edits, that came after their phone was lost.
async fn of_a_lost_phone(world: &World) -> (String, DocumentId) {
    let token = world.token(Role::Administrator).await;
    let mut anna = world.phone("Анна", 1).await;
    let mut other = world.phone("Борис", 2).await;
    let (place, puts) = (DocumentId(Uuid::from_u128(9)), address("Абая, 1"));
    assert_eq!(world.write(&mut other, Kind::PLACE, place, &puts).await, None);
    world.send(Method::POST, &format!("/v1/devices/{}/revoke", anna.device), Some(&token), None).await;
    let id = DocumentId(Uuid::from_u128(2));
    let mut begun = draft(2, NOW.0, "чужое");
    begun.place = Some(place);
    let puts = begun.puts(anna.stream.replica, [5; 16]);
    assert_eq!(world.write(&mut anna, Kind::VISIT, id, &puts).await.as_deref(), Some("revoked"));
    for outcome in ["moved", "vacant"] {
        let edit = VisitEdit::Set { field: "outcome".into(), value: outcome.into() }.put();
        assert_eq!(world.write(&mut anna, Kind::VISIT, id, &[edit]).await.as_deref(), Some("revoked"));
    }
    (token, id)
}

fn names(page: &serde_json::Value) -> Vec<serde_json::Value> {
    let held = page["held"].as_array().unwrap().iter();
    held.map(|held| json!({ "replica": held["replica"], "scope": held["scope"], "index": held["index"] })).collect()
}

fn path(name: &serde_json::Value, verb: &str) -> String {
    let text = |field: &str| name[field].as_str().unwrap().to_owned();
    format!("/v1/quarantine/{}/{}/{}/{verb}", text("replica"), text("scope"), name["index"])
}

#[tokio::test]
async fn a_held_entry_tells_its_address_and_whether_there_is_a_visit() {
    let world = World::new().await;
    let (token, _) = of_a_lost_phone(&world).await;
    let page = world.list("/v1/quarantine?reason=revoked", &token).await;
    for held in page["held"].as_array().unwrap() {
        assert_eq!((&held["place"]["address"], &held["has_visit"]), (&json!("Абая, 1"), &json!(false)), "{held}");
    }
    assert_eq!(page["places"][0]["address"], "Абая, 1");
    assert_eq!((&page["total"], &page["reasons"]), (&json!(3), &json!([{ "reason": "revoked", "entries": 3 }])));
    let other = world.list("/v1/quarantine?reason=waiting", &token).await;
    assert_eq!((&other["total"], &other["reasons"]), (&json!(0), &page["reasons"]), "what there is besides is told");
    let name = &names(&page)[0];
    let said = json!({ "note": "телефон нашёлся" });
    let reply = world.send(Method::POST, &path(name, "release"), Some(&token), Some(said)).await;
    assert_eq!(reply.json(), json!({ "filled": 1 }));
    let rest = world.list("/v1/quarantine", &token).await;
    assert_eq!((&rest["held"][0]["has_visit"], &rest["total"]), (&json!(true), &json!(2)));
    assert!(rest["held"][0]["started_at"].is_string());
    let filled = world.list("/v1/quarantine?state=filled", &token).await;
    assert_eq!(filled["held"][0]["note"], "телефон нашёлся");
}

#[tokio::test]
async fn what_builds_on_a_rejected_entry_says_so_and_goes_in_only_with_it() {
    let world = World::new().await;
    let (token, id) = of_a_lost_phone(&world).await;
    let names = names(&world.list("/v1/quarantine", &token).await);
    let reply =
        world.send(Method::POST, &path(&names[0], "reject"), Some(&token), Some(json!({ "note": "не наш" }))).await;
    assert_eq!(reply.status, StatusCode::OK);
    let held = world.list("/v1/quarantine", &token).await["held"].clone();
    assert_eq!((&held[0]["remedy"], &held[0]["rejected_base"]["index"]), (&json!("with_base"), &names[0]["index"]));
    assert_eq!((&held[1]["remedy"], &held[1]["rejected_base"]), (&json!("judge"), &json!(null)));
    let release = path(&names[1], "release");
    let reply = world.send(Method::POST, &release, Some(&token), None).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::CONFLICT, "base_rejected"));
    let with = json!({ "note": "всё же наш", "with_rejected": true });
    let reply = world.send(Method::POST, &release, Some(&token), Some(with)).await;
    assert_eq!(reply.json(), json!({ "filled": 2 }));
    assert_eq!(world.list(&format!("/v1/visits/{id}"), &token).await["outcome"], "moved");
    assert_eq!(world.list("/v1/quarantine?state=rejected", &token).await["total"], 0);
}

#[tokio::test]
async fn many_held_entries_are_decided_by_one_request_each_with_a_row_of_its_own() {
    let world = World::new().await;
    let (token, id) = of_a_lost_phone(&world).await;
    let page = world.list("/v1/quarantine", &token).await;
    let names = names(&page);
    let ask = async |verb: &str, which: serde_json::Value| {
        let body = json!({ "which": which, "note": "проверено по телефону" });
        world.send(Method::POST, &format!("/v1/quarantine/{verb}"), Some(&token), Some(body)).await
    };
    let reply = ask("reject", json!({ "entries": [names[2]] })).await;
    assert_eq!(reply.json(), json!({ "decided": 1, "kept": [], "next": null }));
    let before = json!({ "all": { "reason": "revoked", "until": "2000-01-01T00:00:00Z" } });
    assert_eq!(ask("release", before).await.json()["decided"], 0, "nobody has seen what came later");
    let all = json!({ "all": { "beat": "beat-01", "reason": "revoked", "until": page["as_of"] } });
    assert_eq!(ask("release", all).await.json(), json!({ "decided": 2, "kept": [], "next": null }));
    let unknown = json!({ "entries": [{ "replica": "01".repeat(14), "scope": Uuid::nil(), "index": 1 }] });
    assert_eq!(ask("release", unknown).await.json()["kept"][0]["code"], "not_found");
    let many = json!({ "entries": vec![&names[0]; 201] });
    assert_eq!(ask("reject", many).await.code(), "bad_body");
    let history = world.list(&format!("/v1/visits/{id}/history"), &token).await;
    let rows = history["history"].as_array().unwrap().iter();
    let decided: Vec<_> = rows.filter(|row| !row["decided_by"].is_null()).collect();
    assert_eq!(decided.len(), 3);
    for row in decided {
        assert_eq!((&row["decided_by"], &row["note"]), (&json!("Айгуль"), &json!("проверено по телефону")), "{row}");
    }
}
