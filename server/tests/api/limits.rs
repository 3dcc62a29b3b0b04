//! How much one may ask, and who counts as one.

use std::time::Duration;

use aralau_server::{
    authorize::Role,
    device_auth::Nonces,
    http::peer::Peer,
    settings::{Limits, Settings},
};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::json;

use crate::{
    attempts::{asking, code},
    world::{Reply, World},
};

const OFFICE: &str = "203.0.113.1";
const ELSEWHERE: &str = "198.51.100.1";
const PROXY: &str = "10.0.0.1";
const UNKNOWN: &str = "ABCD-EFGH-JKLM";

fn limits() -> Limits {
    Limits {
        address_requests_per_minute: 0,
        token_requests_per_minute: 0,
        device_requests_per_minute: 0,
        wrong_codes_per_minute: 0,
        trusted_proxies: vec!["10.0.0.0/24".parse().unwrap()],
    }
}

async fn world(limits: Limits) -> World {
    World::with(Settings { limits, attempt_pause: Duration::ZERO, ..Settings::default() }).await
}

async fn ask(world: &World, peer: &str, head: &[(&str, &str)], path: &str, body: Option<serde_json::Value>) -> Reply {
    let peer = Peer { address: peer.parse().unwrap(), is_tls: true };
    let mut head = head.to_vec();
    let (method, body) = match body {
        Some(body) => {
            head.push(("content-type", "application/json"));
            (Method::POST, Body::from(body.to_string()))
        }
        None => (Method::GET, Body::empty()),
    };
    world.hand_in_from(Some(peer), method, path, &head, body).await
}

async fn get(world: &World, peer: &str, head: &[(&str, &str)]) -> StatusCode {
    ask(world, peer, head, "/v1/code-lists", None).await.status
}

async fn enroll(world: &World, peer: &str, code: &str) -> Reply {
    ask(world, peer, &[], "/v1/enroll", Some(asking(code))).await
}

async fn put_off(world: &World, limit: &str) -> u64 {
    let metrics = world.send(Method::GET, "/metrics", None, None).await.body;
    let series = format!("aralau_put_off_total{{limit=\"{limit}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_address_that_asks_too_much_is_told_when_to_come_again_and_nobody_else_is() {
    let world = world(Limits { address_requests_per_minute: 30, ..limits() }).await;
    for _ in 0..30 {
        assert_eq!(get(&world, OFFICE, &[]).await, StatusCode::UNAUTHORIZED);
    }
    let refused = ask(&world, OFFICE, &[], "/v1/code-lists", None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(get(&world, ELSEWHERE, &[]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(put_off(&world, "address").await, 1);
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert_eq!(get(&world, OFFICE, &[]).await, StatusCode::UNAUTHORIZED, "it came when it was told to");
    // A whole network of IPv6 is one address, and this machine is none.
    for last in 0..40 {
        get(&world, &format!("2001:db8::{last:x}"), &[]).await;
    }
    assert_eq!(get(&world, "2001:db8::ffff", &[]).await, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..40 {
        assert_eq!(get(&world, "127.0.0.1", &[]).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_forwarded_address_buys_nothing() {
    let world = world(Limits { address_requests_per_minute: 30, ..limits() }).await;
    // Straight to the server: what the head says is nobody's word.
    for number in 0..30 {
        let forged = format!("192.0.2.{number}");
        assert_eq!(get(&world, OFFICE, &[("x-forwarded-for", &forged)]).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(get(&world, OFFICE, &[("x-forwarded-for", "192.0.2.77")]).await, StatusCode::TOO_MANY_REQUESTS);
    // Through the proxy, which adds on the right whom it heard it from.
    for number in 0..30 {
        let passed = format!("192.0.2.{number}, {ELSEWHERE}");
        assert_eq!(get(&world, PROXY, &[("x-forwarded-for", &passed)]).await, StatusCode::UNAUTHORIZED);
    }
    let next = [("x-forwarded-for", "192.0.2.88, 198.51.100.1")];
    assert_eq!(get(&world, PROXY, &next).await, StatusCode::TOO_MANY_REQUESTS);
    // In another's name nobody is put off: the forged addresses owe nothing.
    assert_eq!(get(&world, "192.0.2.5", &[]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        get(&world, PROXY, &[("forwarded", "for=192.0.2.9")]).await,
        StatusCode::UNAUTHORIZED,
        "not read at all"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_has_its_own_budget_wherever_it_is_used() {
    let world = world(Limits { token_requests_per_minute: 20, ..limits() }).await;
    let (one, other) = (world.token(Role::Headquarters).await, world.token(Role::Headquarters).await);
    let (one, other) = (format!("Bearer {one}"), format!("Bearer {other}"));
    for number in 0..20 {
        let address = if number % 2 == 0 { OFFICE } else { ELSEWHERE };
        assert_eq!(get(&world, address, &[("authorization", &one)]).await, StatusCode::OK);
    }
    assert_eq!(get(&world, OFFICE, &[("authorization", &one)]).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(get(&world, OFFICE, &[("authorization", &other)]).await, StatusCode::OK);
    assert_eq!(put_off(&world, "token").await, 1);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(get(&world, OFFICE, &[("authorization", &one)]).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_device_has_its_own_budget_and_nobody_else_can_use_it_up() {
    let world = world(Limits { device_requests_per_minute: 10, ..limits() }).await;
    let phone = world.phone("Анна", 1).await;
    let signature = "00".repeat(64);
    let claims = |nonce: &str| format!("Aralau-Device device={}, nonce={nonce}, signature={signature}", phone.device);
    let stranger = claims("AAAA");
    for _ in 0..20 {
        assert_ne!(get(&world, ELSEWHERE, &[("authorization", &stranger)]).await, StatusCode::TOO_MANY_REQUESTS);
    }
    let own = claims(&Nonces(&world.app.identity().nonce_secret).issue(phone.device, world.app.now()));
    for _ in 0..10 {
        assert_ne!(get(&world, OFFICE, &[("authorization", &own)]).await, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(get(&world, OFFICE, &[("authorization", &own)]).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(put_off(&world, "device").await, 1);
}

#[tokio::test(start_paused = true)]
async fn who_guesses_codes_is_put_off_by_address_and_a_right_code_from_elsewhere_is_not() {
    let world = world(Limits { wrong_codes_per_minute: 5, ..limits() }).await;
    let right = code(&world).await;
    for number in 0..5 {
        assert_eq!(enroll(&world, OFFICE, &format!("ABCD-EFGH-JK{number}M")).await.status, StatusCode::FORBIDDEN);
    }
    let refused = enroll(&world, OFFICE, "ABCD-EFGH-JKLM").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"));
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert_eq!(put_off(&world, "wrong_from_address").await, 1);
    // From there even a right one is not looked at: whether it is right would be an answer.
    assert_eq!(enroll(&world, OFFICE, &right).await.status, StatusCode::TOO_MANY_REQUESTS);
    let signs_in = ask(&world, OFFICE, &[], "/v1/session", Some(json!({ "token": "aralau_AAAA" }))).await;
    assert_eq!(signs_in.code(), "too_many_attempts");
    assert_eq!(enroll(&world, ELSEWHERE, &right).await.status, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert_eq!(enroll(&world, OFFICE, UNKNOWN).await.status, StatusCode::FORBIDDEN, "it is looked at again");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_wrong_for_all_is_put_off_from_wherever_it_is_tried() {
    let world = world(Limits { wrong_codes_per_minute: 5, ..limits() }).await;
    let right = code(&world).await;
    for number in 0..5 {
        let refused = enroll(&world, &format!("192.0.2.{number}"), UNKNOWN).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(enroll(&world, "192.0.2.99", UNKNOWN).await.code(), "too_many_attempts");
    assert_eq!(put_off(&world, "wrong_code").await, 1);
    assert_eq!(enroll(&world, "192.0.2.99", &right).await.status, StatusCode::OK);
    // Once it is used, others who try it keep its own phone from nothing.
    for number in 0..20 {
        let used = enroll(&world, &format!("192.0.2.{number}"), &right).await;
        assert_eq!(used.code(), "enrollment_code_used");
    }
}

#[tokio::test(start_paused = true)]
async fn who_guesses_tokens_does_not_keep_an_office_s_programs_from_asking() {
    let world = world(Limits { wrong_codes_per_minute: 5, ..limits() }).await;
    let token = world.token(Role::Headquarters).await;
    for _ in 0..6 {
        ask(&world, OFFICE, &[], "/v1/session", Some(json!({ "token": "aralau_AAAA" }))).await;
    }
    let right = ask(&world, OFFICE, &[], "/v1/session", Some(json!({ "token": token }))).await;
    assert_eq!(right.code(), "too_many_attempts", "signing in waits");
    assert_eq!(get(&world, OFFICE, &[("authorization", &format!("Bearer {token}"))]).await, StatusCode::OK);
    let elsewhere = ask(&world, ELSEWHERE, &[], "/v1/session", Some(json!({ "token": token }))).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
}
