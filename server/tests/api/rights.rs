//! Who may do what: every route, asked by every role, within beats and everywhere, and by devices however they stand.

use std::collections::BTreeMap;

use aralau_server::{
    auth,
    authorize::{
        Action::{self, *},
        Role, Standing, Who, authorize,
    },
    reach::Reach,
    store,
};
use aralau_sync_core::{
    auth::{NONCE_HEADER, body_hash},
    cbor,
    id::{DocumentId, Kind},
    stream::{Seen, Tip},
    sync::{Answer, Ask, Directive, Hello},
};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::routes,
    world::{NOW, Phone, Reply, World, draft},
};

/// What a route asks of whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A cookie, or a token to have one made for: see `session.rs`.
    Session,
    /// What a device signs, and these rights of its own.
    Device(&'static [Action]),
    /// A token or a session that may do this.
    Person(Action),
}

use Needs::{Device, Nothing, Person, Session};

/// Every route there is.
const RIGHTS: [(&str, Needs); 56] = [
    ("GET /livez", Nothing),
    ("GET /metrics", Nothing),
    ("GET /readyz", Nothing),
    ("GET /v1/backup", Person(Administer)),
    ("GET /v1/beats", Person(ReadVisits)),
    ("GET /v1/code-lists", Person(ReadCodeLists)),
    ("GET /v1/conflicts", Person(ReadVisits)),
    ("GET /v1/conflicts.csv", Person(Export)),
    ("GET /v1/conflicts.xlsx", Person(Export)),
    ("GET /v1/coverage", Person(ReadVisits)),
    ("GET /v1/coverage.csv", Person(Export)),
    ("GET /v1/coverage.xlsx", Person(Export)),
    ("GET /v1/deployment", Nothing),
    ("GET /v1/devices", Person(ReadDevices)),
    ("GET /v1/devices.csv", Person(Export)),
    ("GET /v1/devices.xlsx", Person(Export)),
    ("POST /v1/devices/confirm-all", Person(Enroll)),
    ("POST /v1/devices/{id}/confirm", Person(Enroll)),
    ("POST /v1/devices/{id}/revoke", Person(RevokeDevice)),
    // A code, which is a right of its own: see `hostile` in the tests of the whole.
    ("POST /v1/enroll", Nothing),
    ("GET /v1/events", Person(ReadVisits)),
    ("GET /v1/export.csv", Person(Export)),
    ("GET /v1/export.geojson", Person(Export)),
    ("GET /v1/export.ndjson", Person(Export)),
    ("GET /v1/export.xlsx", Person(Export)),
    ("POST /v1/organisation/plans", Person(Administer)),
    ("POST /v1/organisation/plans/{plan}/apply", Person(Administer)),
    ("GET /v1/people", Person(Enroll)),
    ("POST /v1/people/{person}/codes", Person(Enroll)),
    ("GET /v1/places", Person(ReadVisits)),
    ("GET /v1/places.csv", Person(Export)),
    ("GET /v1/places.xlsx", Person(Export)),
    ("GET /v1/places/points", Person(ReadVisits)),
    ("GET /v1/places/{id}/visits", Person(ReadVisits)),
    ("GET /v1/quarantine", Person(ReadQuarantine)),
    ("POST /v1/quarantine/reject", Person(JudgeQuarantine)),
    ("POST /v1/quarantine/release", Person(JudgeQuarantine)),
    ("POST /v1/quarantine/{replica}/{scope}/{index}/reject", Person(JudgeQuarantine)),
    ("POST /v1/quarantine/{replica}/{scope}/{index}/release", Person(JudgeQuarantine)),
    ("GET /v1/repeat-problems", Person(ReadVisits)),
    ("DELETE /v1/session", Session),
    ("GET /v1/session", Session),
    ("POST /v1/session", Session),
    ("GET /v1/suggestions/people", Person(ReadVisits)),
    ("GET /v1/suggestions/places", Person(ReadVisits)),
    ("POST /v1/sync", Device(&[SendEntries, ReceiveRows])),
    ("GET /v1/tokens", Person(ManageTokens)),
    ("POST /v1/tokens", Person(ManageTokens)),
    ("DELETE /v1/tokens/{id}", Person(ManageTokens)),
    ("GET /v1/visits", Person(ReadVisits)),
    ("GET /v1/visits/count", Person(ReadVisits)),
    ("GET /v1/visits/points", Person(ReadVisits)),
    ("GET /v1/visits/{id}", Person(ReadVisits)),
    ("GET /v1/visits/{id}/history", Person(ReadVisits)),
    ("GET /v1/visits/{id}/proof", Person(ReadVisits)),
    ("POST /v1/visits/{id}/resolve", Person(Resolve)),
];

/// What the table says of the routes that the server has. Fails where either has one that the other lacks.
async fn rights(world: &World) -> Vec<(Method, String, Needs)> {
    let said = BTreeMap::from(RIGHTS);
    let routes = routes(world).await;
    let names: Vec<_> = routes.iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(names, RIGHTS.map(|(name, _)| name), "say here who may ask");
    routes
        .into_iter()
        .map(|(method, path)| (said[&*format!("{method} {path}")], method, path))
        .map(|(n, m, p)| (m, p, n))
        .collect()
}

pub fn filled(path: &str) -> String {
    let nobody = Uuid::from_u128(1).to_string();
    let path = ["{person}", "{id}", "{scope}"].iter().fold(path.to_owned(), |path, name| path.replace(name, &nobody));
    path.replace("{replica}", &"01".repeat(14)).replace("{index}", "1").replace("{plan}", "00")
}

/// A body that any route of that path would take.
fn body(path: &str) -> Option<serde_json::Value> {
    let entry = json!({ "replica": "01".repeat(14), "scope": Uuid::nil(), "index": 1 });
    Some(match path {
        "/v1/quarantine/release" | "/v1/quarantine/reject" => json!({ "which": { "entries": [entry] }, "note": "" }),
        "/v1/tokens" => json!({ "role": "auditor", "name": "Айгуль" }),
        _ if path.ends_with("/reject") => json!({ "note": "" }),
        _ if path.ends_with("/resolve") => json!({ "field": "outcome", "value": "refused" }),
        _ => return None,
    })
}

/// The status, and a problem's code.
async fn ask(world: &World, (method, path): (&Method, &str), token: Option<&str>) -> (StatusCode, String) {
    if path == "/v1/events" {
        // It does not end.
        return (world.open(path, token.unwrap_or_default()).await.status(), String::new());
    }
    let body = body(path).filter(|_| method == Method::POST);
    let reply = world.send(method.clone(), &filled(path), token, body).await;
    let is_problem = reply.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    (reply.status, if is_problem { reply.code() } else { String::new() })
}

async fn token(world: &World, role: Role, reach: Reach) -> String {
    let (now, entropy) = (world.app.now(), world.entropy());
    let wanted = auth::Wanted { role, name: "Кто-то".to_owned(), reach, expires_at: now.plus(auth::LIFE_MS) };
    world.app.write(move |tx| auth::mint_until(tx, &wanted, now, entropy)).await.unwrap()
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_lets_in_and_nobody_else() {
    let world = World::new().await;
    let here = Reach::within([world.beat.scope_no]);
    for (method, path, needs) in rights(&world).await {
        let route = (&method, path.as_str());
        let action = match needs {
            Nothing => {
                let (status, code) = ask(&world, route, None).await;
                assert!(![401, 403].contains(&status.as_u16()), "{method} {path}: {status} {code}");
                continue;
            }
            Session => continue,
            Device(_) => {
                // A token is no device, whoever holds it.
                let token = token(&world, Role::Administrator, Reach::EVERYWHERE).await;
                let (status, code) = ask(&world, route, Some(&token)).await;
                assert_eq!((status, code.as_str()), (StatusCode::UNAUTHORIZED, "device_unknown"), "{method} {path}");
                continue;
            }
            Person(action) => action,
        };
        for nobody in [None, Some("aralau_AAAA"), Some("")] {
            let (status, _) = ask(&world, route, nobody).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        for role in Role::ALL {
            let limits = if role == Role::Administrator {
                vec![Reach::EVERYWHERE]
            } else {
                vec![Reach::EVERYWHERE, here.clone()]
            };
            for reach in limits {
                // A token each: some routes end the one that asks.
                let token = token(&world, role, reach.clone()).await;
                let (status, code) = ask(&world, route, Some(&token)).await;
                let told = format!("{role} {reach:?} {method} {path}: {status} {code}");
                match authorize(Who::Person(role), action) {
                    Ok(()) => assert!(![401, 403].contains(&status.as_u16()), "{told}"),
                    Err(_) => assert_eq!(status, StatusCode::FORBIDDEN, "{told}"),
                }
            }
        }
    }
}

/// A sync with nothing to send. Whoever is told to sign again does.
async fn sync(world: &World, phone: &Phone) -> Reply {
    let ask = Ask { scope: phone.stream.scope, cursor: Seen::default(), tip: Tip::default() };
    let hello = Hello::about(phone.stream.replica, world.app.now(), vec![ask]);
    let mut body = Vec::new();
    cbor::push_item(&mut body, &cbor::encode(&hello));
    let digest = format!("sha-256=:{}:", BASE64.encode(body_hash(&body)));
    let mut nonce = String::new();
    loop {
        let signed = phone.authorization(world, "/v1/sync", &body, &nonce);
        let head = [(header::AUTHORIZATION.as_str(), &*signed), ("content-digest", &*digest)];
        let reply = world.hand_in(Method::POST, "/v1/sync", &head, Body::from(body.clone())).await;
        match reply.headers.get(NONCE_HEADER).filter(|_| nonce.is_empty()) {
            Some(fresh) => fresh.to_str().unwrap().clone_into(&mut nonce),
            None => return reply,
        }
    }
}

#[tokio::test]
async fn a_device_sends_and_receives_as_it_stands() {
    let world = World::new().await;
    let mut anna = world.phone("Анна", 1).await;
    world.visit(&mut anna, 1, NOW.0, "шум").await;
    let (bolat, vera) = (world.phone("Болат", 2).await, world.stranger("Вера", 3).await);
    let (out, now) = (bolat.device, world.app.now());
    world.app.write(move |tx| store::revoke_device(tx, out, now)).await.unwrap();
    for (phone, expected) in [(&anna, Standing::Enrolled), (&bolat, Standing::ShutOut), (&vera, Standing::Unconfirmed)]
    {
        let device = phone.device;
        let row = world.app.read(move |connection| store::device(connection, device)).await.unwrap().unwrap();
        assert_eq!(row.standing(), expected);
        let may = |action| authorize(Who::Device(expected), action).is_ok();
        // What it signs opens nothing of headquarters'.
        let signed = phone.authorization(&world, "/v1/visits", b"", "x");
        let visits = world.hand_in(Method::GET, "/v1/visits", &[("authorization", &signed)], Body::empty()).await;
        assert_eq!(visits.status, StatusCode::UNAUTHORIZED);
        let reply = sync(&world, phone).await;
        if !may(SendEntries) {
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "device_unconfirmed"));
            continue;
        }
        assert_eq!(reply.status, StatusCode::OK, "{expected:?}: {}", reply.body);
        let answer = Answer::from_items(&cbor::items(&reply.bytes, usize::MAX).unwrap()).unwrap();
        let rows: usize = answer.gained.iter().map(|gained| gained.rows.len()).sum();
        let received = if may(ReceiveRows) { (1, 1) } else { (0, 0) };
        assert_eq!((rows, answer.welcome.beats.len()), received, "{expected:?}");
        assert_eq!(answer.welcome.directives.contains(&Directive::Wipe), !may(ReceiveRows), "{expected:?}");
    }
    let mut bolat = bolat;
    let puts = draft(2, NOW.0, "после").puts(bolat.stream.replica, [7; 16]);
    let id = DocumentId(Uuid::from_u128(2));
    assert_eq!(world.write(&mut bolat, Kind::VISIT, id, &puts).await.as_deref(), Some("revoked"));
}
