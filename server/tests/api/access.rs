use std::collections::BTreeSet;

use aralau_server::{auth, authorize::Role};
use axum::http::{Method, StatusCode, header};

use crate::world::World;

/// Routes that anyone may ask.
pub const OPEN: [&str; 3] = ["/livez", "/readyz", "/metrics"];
/// Routes that know the caller by something else than a token.
pub const WITHOUT_A_TOKEN: [&str; 4] = ["/v1/deployment", "/v1/enroll", "/v1/sync", "/v1/session"];

/// Method and path of every route in the description, ids filled in.
pub async fn routes(world: &World) -> Vec<(Method, String)> {
    let reply = world.send(Method::GET, "/openapi.json", None, None).await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json");
    let description = reply.json();
    let paths = description["paths"].as_object().unwrap().clone();
    let routes = paths.into_iter().flat_map(|(path, methods)| {
        let methods: Vec<_> = methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        methods.into_iter().map(move |method| (Method::from_bytes(method.as_bytes()).unwrap(), path.clone()))
    });
    routes.collect()
}

#[tokio::test]
async fn the_console_is_built_from_what_the_server_says_of_itself() {
    let world = World::new().await;
    let reply = world.send(Method::GET, "/openapi.json", None, None).await;
    let said = reply.json();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../client-sdk/console/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &reply.body).unwrap();
    }
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(kept == said, "UPDATE_GOLDEN=1 cargo test -p aralau-server --test api console_is_built writes {path} anew");
}

/// Generators of clients name functions after operations, and types after schemas.
#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let world = World::new().await;
    let said = world.send(Method::GET, "/openapi.json", None, None).await.json();
    let operations = said["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert!(names.iter().all(|name| !["list", "show"].contains(name)), "{names:?}");
    assert!(said["components"]["schemas"].get("Vec").is_none());
}

#[tokio::test]
async fn an_administrator_makes_lists_and_ends_tokens_and_nobody_else_does() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let wanted = |role: &str, name: &str, days: i64| serde_json::json!({ "role": role, "name": name, "days": days });
    for role in [Role::Supervisor, Role::Headquarters, Role::Auditor] {
        let other = world.token(role).await;
        assert_eq!(world.get("/v1/tokens", &other).await.code(), "forbidden", "{role}");
        let reply = world.send(Method::POST, "/v1/tokens", Some(&other), Some(wanted("auditor", "Айгуль", 7))).await;
        assert_eq!(reply.code(), "forbidden", "{role}");
    }
    let made =
        world.send(Method::POST, "/v1/tokens", Some(&token), Some(wanted("auditor", " Ревизор ", 7))).await.json();
    let auditor = made["token"].as_str().unwrap();
    assert_eq!(world.get("/v1/visits", auditor).await.status, StatusCode::OK);

    let listed = world.get("/v1/tokens", &token).await.json();
    assert!(!listed.to_string().contains(auditor), "the token itself is nowhere");
    let found = listed["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "Ревизор").unwrap().clone();
    assert_eq!((&found["role"], &found["ended_at"], &found["sessions"]), (&"auditor".into(), &().into(), &0.into()));
    assert_eq!(found["expires_at"], made["expires_at"]);

    let uri = format!("/v1/tokens/{}", found["id"].as_str().unwrap());
    assert_eq!(world.send(Method::DELETE, &uri, Some(&token), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/v1/visits", auditor).await.code(), "unauthorized");
    assert_eq!(world.send(Method::DELETE, &uri, Some(&token), None).await.code(), "not_found", "it has ended");
    let bad = [
        wanted("auditor", " ", 7),
        wanted("auditor", &"а".repeat(101), 7),
        wanted("auditor", "Айгуль", 0),
        wanted("auditor", "Айгуль", 3_651),
        wanted("root", "Айгуль", 7),
        wanted("inspector", "Айгуль", 7),
    ];
    for body in bad {
        let reply = world.send(Method::POST, "/v1/tokens", Some(&token), Some(body.clone())).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_body"), "{body}");
    }
}

#[tokio::test]
async fn a_token_ends_by_itself() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    for _ in 0..auth::LIFE_MS / (60 * 60 * 1000) - 1 {
        world.wait_an_hour();
    }
    assert_eq!(world.get("/v1/visits", &token).await.status, StatusCode::OK);
    world.wait_an_hour();
    assert_eq!(world.get("/v1/visits", &token).await.code(), "unauthorized");
}

#[tokio::test]
async fn an_ended_token_does_not_count() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    assert_eq!(world.get("/v1/visits", &token).await.status, StatusCode::OK);
    let (asked, now) = (token.clone(), world.app.now());
    let ended = world.app.write(move |tx| {
        let caller = auth::find(tx, &asked, now)?.expect("it counts");
        aralau_server::store::end_token(tx, caller.token, now)
    });
    assert!(ended.await.unwrap());
    assert_eq!(world.get("/v1/visits", &token).await.code(), "unauthorized");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let reply = world.get("/v1/nothing", &token).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "unknown_route"));
    let reply = world.send(Method::DELETE, "/v1/visits", Some(&token), None).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    assert!(reply.headers[header::ALLOW].to_str().unwrap().contains("GET"));
    for uri in ["/v1/visits/00000000-0000-0000-0000-000000000009", "/v1/visits/not-an-id", "/v1/visits/%00"] {
        let reply = world.get(uri, &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{uri}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let reply = world.get(&format!("/v1/visits?text={}", "a".repeat(5_000)), &token).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::URI_TOO_LONG, "query_too_long"));
    let uri = format!("/v1/quarantine/{}/{}/1/reject", "01".repeat(14), uuid::Uuid::nil());
    let note = serde_json::json!({ "note": "a".repeat(70_000) });
    let reply = world.send(Method::POST, &uri, Some(&token), Some(note)).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    for body in [serde_json::json!({}), serde_json::json!({ "note": "", "other": 1 }), serde_json::json!([])] {
        let reply = world.send(Method::POST, &uri, Some(&token), Some(body)).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_body"));
    }
    let reply = world.send(Method::POST, &uri, Some(&token), None).await;
    assert_eq!(reply.code(), "unsupported_media_type");
}
