use std::time::Duration;

use aralau_server::{
    authorize::Role,
    http::{
        peer::Peer,
        web::{Asset, WebApp},
    },
    settings::{Limits, Settings},
};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::world::{NOW, Reply, World};

/// A page of this server asks.
const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
const REVOKE: &str = "/v1/devices/00000000-0000-0000-0000-000000000001/revoke";

async fn sign_in(world: &World, token: &str) -> Reply {
    world.ask(Method::POST, "/v1/session", &[SAME], Some(json!({ "token": token }))).await
}

/// The cookie as a browser would send it back.
fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let set = reply.headers[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn show(world: &World, cookie: &str) -> Reply {
    world.ask(Method::GET, "/v1/session", &[("cookie", cookie)], None).await
}

#[tokio::test]
async fn a_browser_signs_in_reads_and_signs_out() {
    let world = World::new().await;
    let token = world.token(Role::Auditor).await;
    let signed_in = sign_in(&world, &token).await;
    let set = signed_in.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"), "{set}");
    let who = signed_in.json();
    assert_eq!((&who["role"], &who["label"]), (&json!("auditor"), &json!("Айгуль")));
    assert_eq!(who["expires_at"], "2026-05-29T08:26:40.000Z");
    assert_eq!(who["time_zone"], "Asia/Almaty");
    assert_eq!(who["may"], json!(["read_code_lists", "read_visits", "export", "read_quarantine", "read_devices"]));
    let cookie = cookie(&signed_in);
    assert!(!cookie.contains(&token));
    assert_eq!(show(&world, &cookie).await.json(), who);
    let visits = world.ask(Method::GET, "/v1/visits", &[("cookie", &format!("theme=dark; {cookie}"))], None).await;
    assert_eq!(visits.status, StatusCode::OK);

    let out = world.ask(Method::DELETE, "/v1/session", &[SAME, ("cookie", &cookie)], None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().starts_with("aralau_session=; "));
    assert_eq!(show(&world, &cookie).await.code(), "unauthorized");
    let again = world.ask(Method::DELETE, "/v1/session", &[SAME, ("cookie", &cookie)], None).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_does_not_count_begins_no_session() {
    let world = World::new().await;
    for wrong in ["", "aralau_AAAA"] {
        assert_eq!(sign_in(&world, wrong).await.code(), "unauthorized");
    }
    for body in [json!({}), json!({ "password": "x" }), json!({ "token": 1 }), json!("token")] {
        let reply = world.ask(Method::POST, "/v1/session", &[SAME], Some(body)).await;
        assert_eq!(reply.code(), "bad_body");
    }
    for cookie in ["aralau_session=", "aralau_session=AAAA", "other=1", &format!("aralau_session={}", "a".repeat(500))]
    {
        assert_eq!(show(&world, cookie).await.code(), "unauthorized", "{cookie}");
    }
}

#[tokio::test]
async fn another_site_changes_nothing_with_a_session() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let cookie = cookie(&sign_in(&world, &token).await);
    let host = ("host", "visits.example");
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[host, ("origin", "https://evil.example")],
        &[host],
    ] {
        let head = [foreign, &[("cookie", cookie.as_str())]].concat();
        for (method, uri) in [(Method::POST, REVOKE), (Method::DELETE, "/v1/session")] {
            let reply = world.ask(method, uri, &head, None).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "cross_site"), "{foreign:?}");
        }
    }
    for own in [&[SAME][..], &[host, ("origin", "https://visits.example")]] {
        let head = [own, &[("cookie", cookie.as_str())]].concat();
        assert_eq!(world.ask(Method::POST, REVOKE, &head, None).await.code(), "not_found", "{own:?}");
    }
    let head = [("sec-fetch-site", "cross-site")];
    let reply = world.ask(Method::POST, "/v1/session", &head, Some(json!({ "token": token }))).await;
    assert_eq!(reply.code(), "cross_site");
    let bearer = format!("Bearer {token}");
    let reply = world.ask(Method::POST, REVOKE, &[("authorization", &bearer), head[0]], None).await;
    assert_eq!(reply.code(), "not_found", "no browser adds a token by itself");
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours() {
    let world = World::new().await;
    let cookie = cookie(&sign_in(&world, &world.token(Role::Headquarters).await).await);
    for _ in 0..11 {
        world.wait_an_hour();
    }
    assert_eq!(show(&world, &cookie).await.status, StatusCode::OK);
    world.wait_an_hour();
    assert_eq!(show(&world, &cookie).await.code(), "unauthorized");
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_token_and_ends_with_it() {
    let world = World::new().await;
    let token = world.token(Role::Supervisor).await;
    let cookie = cookie(&sign_in(&world, &token).await);
    let ask = async |method, uri| world.ask(method, uri, &[SAME, ("cookie", &cookie)], None).await;
    assert_eq!(ask(Method::POST, REVOKE).await.code(), "forbidden");
    assert_eq!(ask(Method::GET, "/v1/people").await.code(), "forbidden");
    assert_eq!(ask(Method::GET, "/v1/export.csv").await.status, StatusCode::OK);
    assert_eq!(ask(Method::GET, "/v1/visits").await.status, StatusCode::OK);
    world.end_token(&token).await;
    assert_eq!(ask(Method::GET, "/v1/visits").await.code(), "unauthorized");
    assert_eq!(ask(Method::GET, "/v1/session").await.code(), "unauthorized");
}

#[tokio::test]
async fn the_oldest_session_of_a_token_makes_room_for_the_newest() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let first = cookie(&sign_in(&world, &token).await);
    world.wait_an_hour();
    let second = cookie(&sign_in(&world, &token).await);
    world.wait_an_hour();
    for _ in 0..63 {
        sign_in(&world, &token).await;
    }
    assert_eq!(show(&world, &first).await.code(), "unauthorized");
    assert_eq!(show(&world, &second).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_signed_in_listener_hears_nothing_more_once_it_has_signed_out() {
    let world = World::new().await;
    let cookie = cookie(&sign_in(&world, &world.token(Role::Headquarters).await).await);
    let mut anna = world.phone("Анна", 1).await;
    let mut body = world.open_with("/v1/events", (header::COOKIE, &cookie)).await.into_body();
    assert!(body.frame().await.is_some());
    world.ask(Method::DELETE, "/v1/session", &[SAME, ("cookie", &cookie)], None).await;
    world.visit(&mut anna, 1, NOW.0, "шум").await;
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn over_tls_the_cookie_stays_on_tls() {
    let limits = Limits { trusted_proxies: vec!["10.0.0.1/32".parse().unwrap()], ..Limits::default() };
    let world = World::with(Settings { limits, attempt_pause: Duration::ZERO, ..Settings::default() }).await;
    let token = world.token(Role::Headquarters).await;
    let secure = |reply: &Reply| reply.headers[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure");
    let from = async |address: &str, is_tls, proto| {
        let peer = Peer { address: address.parse().unwrap(), is_tls };
        let head = [SAME, ("content-type", "application/json"), ("x-forwarded-proto", proto)];
        let body = Body::from(json!({ "token": token }).to_string());
        world.hand_in_from(Some(peer), Method::POST, "/v1/session", &head, body).await
    };
    assert!(secure(&from("192.0.2.1", true, "http").await), "TLS with this server");
    assert!(secure(&from("10.0.0.1", false, "https").await), "TLS with a proxy that is believed");
    assert!(!secure(&from("10.0.0.1", false, "http").await));
    assert!(!secure(&from("192.0.2.1", false, "https").await), "anybody may claim it");
    assert!(!secure(&sign_in(&world, &token).await));
    let public_url = Some("https://visits.example".parse().unwrap());
    let world = World::with(Settings { public_url, ..Settings::default() }).await;
    let token = world.token(Role::Headquarters).await;
    assert!(secure(&sign_in(&world, &token).await));
}

static ASSETS: [Asset; 1] = [Asset {
    path: "index.html",
    content_type: "text/html; charset=utf-8",
    etag: "\"1\"",
    immutable: false,
    plain: b"<!doctype html>",
    brotli: b"",
    gzip: b"",
}];

#[tokio::test]
async fn the_console_is_served_beside_the_interface_and_in_no_foreign_frame() {
    let world = World::with(Settings { console: WebApp::console(&ASSETS), ..Settings::default() }).await;
    for path in ["/", "/visits", "/visits/1?tab=history"] {
        let page = world.ask(Method::GET, path, &[], None).await;
        assert_eq!((page.status, page.body.as_str()), (StatusCode::OK, "<!doctype html>"), "{path}");
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    for path in ["/v1/nothing", "/v1", "/gone.js"] {
        assert_eq!(world.ask(Method::GET, path, &[], None).await.code(), "unknown_route", "{path}");
    }
    assert_eq!(world.ask(Method::POST, "/visits", &[], None).await.code(), "unknown_route");
}

#[tokio::test]
async fn anybody_may_ask_what_deployment_this_is() {
    let world = World::new().await;
    let plain = world.send(Method::GET, "/v1/deployment", None, None).await.json();
    assert_eq!(plain["deployment"], world.app.deployment().to_string());
    assert_eq!((&plain["name"], &plain["training"]), (&json!(null), &json!(false)));
    assert_eq!((&plain["time_zone"], &plain["visit_interval_days"]), (&json!("Asia/Almaty"), &json!(365)));
    let settings = Settings { name: Some("Учебный".into()), training: true, ..Settings::default() };
    let training = World::with(settings).await.send(Method::GET, "/v1/deployment", None, None).await.json();
    assert_eq!((&training["name"], &training["training"]), (&json!("Учебный"), &json!(true)));
}

static FIELD_ASSETS: [Asset; 2] = [
    Asset { plain: b"<!doctype html><!-- field -->", ..ASSETS[0] },
    Asset { path: "sw.js", content_type: "text/javascript; charset=utf-8", plain: b"//", ..ASSETS[0] },
];

#[tokio::test]
async fn the_inspectors_app_is_served_in_a_folder_of_its_own_and_may_use_camera_and_position() {
    let (console, field) = (WebApp::console(&ASSETS), WebApp::field(&FIELD_ASSETS));
    let world = World::with(Settings { console, field, ..Settings::default() }).await;
    for path in ["/field/", "/field/visits/1"] {
        let page = world.ask(Method::GET, path, &[], None).await;
        assert_eq!((page.status, page.body.as_str()), (StatusCode::OK, "<!doctype html><!-- field -->"), "{path}");
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'"), "{policy}");
        assert_eq!(
            page.headers["permissions-policy"],
            "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()"
        );
    }
    let worker = world.ask(Method::GET, "/field/sw.js", &[], None).await;
    assert_eq!((worker.status, &worker.headers[header::CACHE_CONTROL]), (StatusCode::OK, &"no-cache".parse().unwrap()));
    let moved = world.ask(Method::GET, "/field", &[], None).await;
    assert_eq!(moved.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(moved.headers[header::LOCATION], "/field/");
    assert_eq!(world.ask(Method::GET, "/field/gone.js", &[], None).await.code(), "unknown_route");
    // The console knows of neither.
    for path in ["/", "/fields"] {
        let page = world.ask(Method::GET, path, &[], None).await;
        assert_eq!(page.body, "<!doctype html>", "{path}");
        let permissions = page.headers["permissions-policy"].to_str().unwrap();
        assert!(permissions.starts_with("geolocation=(), camera=(),"), "{path}: {permissions}");
    }
}
