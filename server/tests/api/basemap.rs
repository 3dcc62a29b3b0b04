use aralau_server::{authorize::Role, http::basemap::Basemap, settings::Settings};
use axum::http::{Method, StatusCode, header};

use crate::world::{Reply, World};

const ARCHIVE: &[u8] = b"PMTiles\x03, a directory, and tiles";

/// A server with a basemap. The folder holds it as long as it lives.
async fn world() -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("almaty.pmtiles");
    std::fs::write(&path, ARCHIVE).unwrap();
    let basemap = Some(Basemap::open(path).unwrap());
    (World::with(Settings { basemap, ..Settings::default() }).await, folder)
}

async fn ask(world: &World, method: Method, head: &[(&str, &str)]) -> Reply {
    world.ask(method, "/basemap.pmtiles", head, None).await
}

async fn says_there_is_one(world: &World) -> bool {
    let token = world.token(Role::Auditor).await;
    let head = [("sec-fetch-site", "same-origin")];
    let signed_in = world.ask(Method::POST, "/v1/session", &head, Some(serde_json::json!({ "token": token }))).await;
    signed_in.json()["basemap"].as_bool().unwrap()
}

#[tokio::test]
async fn a_browser_gets_exactly_the_bytes_that_it_asks_for() {
    let (world, _folder) = world().await;
    let part = ask(&world, Method::GET, &[("range", "bytes=7-12")]).await;
    assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &ARCHIVE[7..=12]));
    assert_eq!(part.headers[header::CONTENT_RANGE], format!("bytes 7-12/{}", ARCHIVE.len()));
    assert_eq!(part.headers[header::CACHE_CONTROL], "no-cache");
    // A reader of archives asks for more than a small one has.
    let all = ask(&world, Method::GET, &[("range", "bytes=0-16383")]).await;
    assert_eq!((all.status, &all.bytes[..]), (StatusCode::PARTIAL_CONTENT, ARCHIVE));
    let beyond = ask(&world, Method::GET, &[("range", "bytes=5000-6000")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers[header::CONTENT_RANGE], format!("bytes */{}", ARCHIVE.len()));
}

#[tokio::test]
async fn the_whole_is_told_by_its_tag_and_not_sent_twice() {
    let (world, _folder) = world().await;
    let whole = ask(&world, Method::GET, &[]).await;
    assert_eq!((whole.status, &whole.bytes[..]), (StatusCode::OK, ARCHIVE));
    assert_eq!(whole.headers[header::ACCEPT_RANGES], "bytes");
    let head = ask(&world, Method::HEAD, &[]).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers[header::CONTENT_LENGTH], ARCHIVE.len().to_string());
    let tag = whole.headers[header::ETAG].to_str().unwrap();
    let again = ask(&world, Method::GET, &[("if-none-match", tag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&world, Method::POST, &[]).await.code(), "method_not_allowed");
}

#[tokio::test]
async fn a_session_says_whether_there_is_a_basemap() {
    let (with, folder) = world().await;
    assert!(says_there_is_one(&with).await);
    drop(folder);
    assert_eq!(ask(&with, Method::GET, &[]).await.code(), "not_found", "the file was taken away");
    let without = World::new().await;
    assert!(!says_there_is_one(&without).await);
    let absent = ask(&without, Method::GET, &[("range", "bytes=0-6")]).await;
    assert_eq!((absent.status, absent.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}
