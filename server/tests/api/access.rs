use std::collections::BTreeSet;

use aralau_server::{auth, authorize::Role};
use axum::http::{Method, StatusCode, header};

use crate::world::World;

/// Routes that anyone may ask.
pub const OPEN: [&str; 3] = ["/livez", "/readyz", "/metrics"];
/// Routes that an inspector's token opens.
const FOR_ALL_ROLES: [&str; 1] = ["/v1/code-lists"];

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

/// Routes that decide about many entries, and say of each that is not there that it is not.
const MANY: [&str; 2] = ["/v1/quarantine/release", "/v1/quarantine/reject"];

fn filled(path: &str) -> String {
    path.replace("{person}", "00000000-0000-0000-0000-000000000001")
        .replace("{id}", "00000000-0000-0000-0000-000000000001")
        .replace("{scope}", "00000000-0000-0000-0000-000000000001")
        .replace("{replica}", &"01".repeat(14))
        .replace("{index}", "1")
        .replace("{plan}", "00")
}

/// A body that any route of that path would take.
fn body(path: &str) -> Option<serde_json::Value> {
    if MANY.contains(&path) {
        let entry = serde_json::json!({ "replica": "01".repeat(14), "scope": uuid::Uuid::nil(), "index": 1 });
        Some(serde_json::json!({ "which": { "entries": [entry] }, "note": "" }))
    } else if path.ends_with("/reject") {
        Some(serde_json::json!({ "note": "" }))
    } else if path.ends_with("/resolve") {
        Some(serde_json::json!({ "field": "outcome", "value": "refused" }))
    } else if path.ends_with("/tokens") {
        Some(serde_json::json!({ "role": "auditor", "name": "Айгуль" }))
    } else {
        None
    }
}

#[tokio::test]
async fn the_description_lists_every_route() {
    let world = World::new().await;
    let routes: Vec<_> = routes(&world).await.into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(
        routes,
        [
            "GET /livez",
            "GET /metrics",
            "GET /readyz",
            "GET /v1/backup",
            "GET /v1/beats",
            "GET /v1/code-lists",
            "GET /v1/conflicts",
            "GET /v1/conflicts.csv",
            "GET /v1/conflicts.xlsx",
            "GET /v1/coverage",
            "GET /v1/coverage.csv",
            "GET /v1/coverage.xlsx",
            "GET /v1/deployment",
            "GET /v1/devices",
            "GET /v1/devices.csv",
            "GET /v1/devices.xlsx",
            "POST /v1/devices/confirm-all",
            "POST /v1/devices/{id}/confirm",
            "POST /v1/devices/{id}/revoke",
            "POST /v1/enroll",
            "GET /v1/events",
            "GET /v1/export.csv",
            "GET /v1/export.geojson",
            "GET /v1/export.ndjson",
            "GET /v1/export.xlsx",
            "POST /v1/organisation/plans",
            "POST /v1/organisation/plans/{plan}/apply",
            "GET /v1/people",
            "POST /v1/people/{person}/codes",
            "GET /v1/places",
            "GET /v1/places.csv",
            "GET /v1/places.xlsx",
            "GET /v1/places/points",
            "GET /v1/places/{id}/visits",
            "GET /v1/quarantine",
            "POST /v1/quarantine/reject",
            "POST /v1/quarantine/release",
            "POST /v1/quarantine/{replica}/{scope}/{index}/reject",
            "POST /v1/quarantine/{replica}/{scope}/{index}/release",
            "GET /v1/repeat-problems",
            "DELETE /v1/session",
            "GET /v1/session",
            "POST /v1/session",
            "GET /v1/suggestions/people",
            "GET /v1/suggestions/places",
            "POST /v1/sync",
            "GET /v1/tokens",
            "POST /v1/tokens",
            "DELETE /v1/tokens/{id}",
            "GET /v1/visits",
            "GET /v1/visits/count",
            "GET /v1/visits/points",
            "GET /v1/visits/{id}",
            "GET /v1/visits/{id}/history",
            "GET /v1/visits/{id}/proof",
            "POST /v1/visits/{id}/resolve",
        ]
    );
}

#[tokio::test]
async fn every_route_asks_for_a_token_and_knows_its_role() {
    let world = World::new().await;
    let inspector = world.token(Role::Inspector).await;
    for (method, path) in routes(&world).await {
        if OPEN.contains(&path.as_str()) {
            let reply = world.send(method, &path, None, None).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
            continue;
        }
        if WITHOUT_A_TOKEN.contains(&path.as_str()) {
            continue;
        }
        let uri = filled(&path);
        for token in [None, Some("aralau_AAAA"), Some("")] {
            let reply = world.send(method.clone(), &uri, token, body(&path)).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"), "{path}");
            assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer");
        }
        let reply = world.send(method, &uri, Some(&inspector), body(&path)).await;
        let expected = if FOR_ALL_ROLES.contains(&path.as_str()) { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(reply.status, expected, "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn an_auditor_changes_nothing_and_only_an_administrator_shuts_a_device_out() {
    let world = World::new().await;
    let tokens = [
        (Role::Supervisor, world.token(Role::Supervisor).await),
        (Role::Headquarters, world.token(Role::Headquarters).await),
        (Role::Auditor, world.token(Role::Auditor).await),
        (Role::Administrator, world.token(Role::Administrator).await),
    ];
    let is_of_an_administrator =
        |path: &str| ["revoke", "confirm", "codes", "/v1/tokens/{id}"].iter().any(|end| path.ends_with(end));
    let changes = |path: &str| is_of_an_administrator(path) || body(path).is_some() && path != "/v1/tokens";
    for (method, path) in routes(&world).await.into_iter().filter(|(_, path)| changes(path)) {
        for (role, token) in &tokens {
            let reply = world.send(method.clone(), &filled(&path), Some(token), body(&path)).await;
            let allowed = match role {
                Role::Supervisor => !is_of_an_administrator(&path),
                Role::Headquarters => path.ends_with("resolve"),
                Role::Auditor | Role::Inspector => false,
                Role::Administrator => true,
            };
            let found_none = if MANY.contains(&path.as_str()) { StatusCode::OK } else { StatusCode::NOT_FOUND };
            let expected = if allowed { found_none } else { StatusCode::FORBIDDEN };
            assert_eq!(reply.status, expected, "{role} {path}");
        }
    }
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
