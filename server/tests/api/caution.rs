//! What a browser is told not to do: on every answer of every route.

use aralau_server::{
    authorize::Role,
    http::{
        peer::Peer,
        web::{Asset, WebApp},
    },
    settings::Settings,
};
use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, header},
};
use futures_util::future::join_all;

use crate::{
    access::routes,
    rights::filled,
    world::{Reply, World},
};

static ASSETS: [Asset; 2] = [asset("assets/index-1.js", "text/javascript"), asset("index.html", "text/html")];

const fn asset(path: &'static str, content_type: &'static str) -> Asset {
    Asset { path, content_type, etag: "\"1\"", immutable: false, plain: b"x", brotli: b"", gzip: b"" }
}

fn settings() -> Settings {
    Settings { console: WebApp::console(&ASSETS), field: WebApp::field(&ASSETS), ..Settings::default() }
}

async fn ask(world: &World, (method, path): (Method, String), token: Option<&str>, is_tls: bool) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let head: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let peer = Peer { address: [192, 0, 2, 1].into(), is_tls };
    world.hand_in_from(Some(peer), method, &path, &head, Body::empty()).await
}

/// What holds for every answer; a page may be allowed more by its own policy, but stands in no frame either.
fn hold(headers: &HeaderMap, is_tls: bool, of: &str) {
    let text = |name: &str| headers.get(name).unwrap_or_else(|| panic!("{of}: no {name}")).to_str().unwrap();
    assert_eq!(text("x-content-type-options"), "nosniff", "{of}");
    assert_eq!(text("referrer-policy"), "no-referrer", "{of}");
    assert_eq!(text("cross-origin-opener-policy"), "same-origin", "{of}");
    assert_eq!(text("cross-origin-resource-policy"), "same-origin", "{of}");
    let policy = text("content-security-policy");
    assert!(policy.contains("default-src") && policy.contains("frame-ancestors 'none'"), "{of}: {policy}");
    assert!(!text("cache-control").is_empty(), "{of}");
    let permissions = text("permissions-policy");
    assert!(permissions.contains("microphone=()"), "{of}: {permissions}");
    let is_app = of.contains(" /field/");
    let allowed = ["camera=(self)", "geolocation=(self)"].map(|allowed| permissions.contains(allowed));
    assert_eq!(allowed, [is_app; 2], "{of}: {permissions}");
    assert_eq!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), is_tls, "{of}");
    assert_eq!(headers.get_all("content-security-policy").iter().count(), 1, "{of}");
}

#[tokio::test]
async fn every_answer_of_every_route_says_what_a_browser_must_not_do() {
    let world = World::with(settings()).await;
    let token = world.token(Role::Administrator).await;
    let mut asked: Vec<_> = routes(&world).await.into_iter().map(|(method, path)| (method, filled(&path))).collect();
    // It does not end by itself.
    asked.retain(|(_, path)| path != "/v1/events");
    let more = ["/", "/visits/1", "/assets/index-1.js", "/field/", "/field/assets/index-1.js", "/field", "/nothing.js"];
    asked.extend(more.map(|path| (Method::GET, path.to_owned())));
    asked.extend([(Method::PUT, "/v1/visits".to_owned()), (Method::GET, "/openapi.json".to_owned())]);
    asked.push((Method::GET, format!("/v1/visits?text={}", "x".repeat(5_000))));
    assert!(asked.len() > 60);
    for is_tls in [false, true] {
        for token in [None, Some(token.as_str())] {
            let answers = join_all(asked.iter().map(|asked| ask(&world, asked.clone(), token, is_tls))).await;
            for ((method, path), answer) in asked.iter().zip(&answers) {
                hold(&answer.headers, is_tls, &format!("{method} {path}"));
            }
        }
    }
    let events = world.open("/v1/events", &token).await;
    hold(events.headers(), false, "GET /v1/events");
}

#[tokio::test]
async fn an_answer_to_who_asks_too_much_is_as_careful() {
    let mut settings = settings();
    settings.limits.address_requests_per_minute = 1;
    let world = World::with(settings).await;
    let asked = || (Method::GET, "/v1/visits".to_owned());
    ask(&world, asked(), None, true).await;
    let put_off = ask(&world, asked(), None, true).await;
    assert_eq!(put_off.status, StatusCode::TOO_MANY_REQUESTS);
    hold(&put_off.headers, true, "429");
}
