use std::time::Duration;

use aralau_server::{
    authorize::Role,
    keys::CustodyKey,
    settings::{ATTEMPT_PAUSE, Settings},
};
use aralau_sync_core::{auth::enroll_preimage, digest::replica_named, stream::SignDevice as _};
use aws_lc_rs::rand::SystemRandom;
use axum::http::{Method, StatusCode, header};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{Reply, World};

const WRONG: &str = "aralau_AAAA";

/// What a new phone with this code asks, signed with its key.
pub fn asking(code: &str) -> Value {
    let random = SystemRandom::new();
    let key = CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap();
    let (public, replica) = (key.public_key(), replica_named(&key.public_key(), [9; 4]));
    let signature = key.sign(&enroll_preimage(code, &replica, &public));
    json!({ "code": code, "public_key": public, "replica": replica, "signature": signature })
}

async fn enroll(world: &World, code: &str) -> Reply {
    world.send(Method::POST, "/v1/enroll", None, Some(asking(code))).await
}

async fn sign_in(world: &World, token: &str) -> Reply {
    world.send(Method::POST, "/v1/session", None, Some(json!({ "token": token }))).await
}

pub async fn code(world: &World) -> String {
    let token = world.token(Role::Administrator).await;
    world.phone("Анна", 1).await;
    let person = world.list("/v1/people", &token).await["people"][0]["person"].as_str().unwrap().to_owned();
    let made = world.send(Method::POST, &format!("/v1/people/{person}/codes"), Some(&token), None).await;
    made.json()["code"].as_str().unwrap().to_owned()
}

async fn failures(world: &World, credential: &str) -> u64 {
    let metrics = world.send(Method::GET, "/metrics", None, None).await.body;
    let series = format!("aralau_failed_attempts_total{{credential=\"{credential}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |count| count.parse().unwrap())
}

/// What came of a request, and how long it took by the paused clock.
async fn timed(request: impl Future<Output = Reply>) -> (StatusCode, Duration) {
    let began = Instant::now();
    (request.await.status, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_answered_late_and_what_is_right_at_once() {
    let world = World::with(Settings::default()).await;
    let (token, code) = (world.token(Role::Headquarters).await, code(&world).await);
    let (unknown, late) = ("ABCD-EFGH-JKLM", ATTEMPT_PAUSE..ATTEMPT_PAUSE * 2);
    for (status, took) in [
        timed(enroll(&world, unknown)).await,
        timed(sign_in(&world, WRONG)).await,
        timed(world.get("/v1/visits", WRONG)).await,
    ] {
        assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED), "{status}");
        assert!(late.contains(&took), "{took:?}");
    }
    for right in [
        timed(enroll(&world, &code)).await,
        timed(sign_in(&world, &token)).await,
        timed(world.get("/v1/visits", &token)).await,
    ] {
        assert_eq!(right, (StatusCode::OK, Duration::ZERO));
    }
    // Nothing was tried where nothing was brought.
    let nothing = timed(world.send(Method::GET, "/v1/visits", None, None)).await;
    assert_eq!(nothing, (StatusCode::UNAUTHORIZED, Duration::ZERO));
    assert_eq!((failures(&world, "code").await, failures(&world, "token").await), (1, 2));
}

#[tokio::test]
async fn a_crowd_of_guesses_is_sent_away_and_keeps_nobody_else_waiting() {
    let never = Duration::from_secs(3_600);
    let world = World::with(Settings { attempt_pause: never, ..Settings::default() }).await;
    let (token, code) = (world.token(Role::Headquarters).await, code(&world).await);
    let guesses = join_all((0..8).map(|_| world.get("/v1/visits", WRONG)));
    let others = async {
        while failures(&world, "token").await < 8 {
            tokio::task::yield_now().await;
        }
        for sent_away in
            [enroll(&world, "ABCD-EFGH-JKLM").await, sign_in(&world, WRONG).await, world.get("/v1/visits", WRONG).await]
        {
            let code = sent_away.code();
            assert_eq!((sent_away.status, code.as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"));
            assert_eq!(sent_away.headers[header::RETRY_AFTER], "2");
        }
        for served in
            [enroll(&world, &code).await, sign_in(&world, &token).await, world.get("/v1/visits", &token).await]
        {
            assert_eq!(served.status, StatusCode::OK, "{}", served.body);
        }
    };
    tokio::select! {
        _ = guesses => panic!("a guess is answered after an hour"),
        () = others => {}
    }
    // Whoever hangs up waits no more.
    let next = tokio::time::timeout(Duration::from_millis(200), world.get("/v1/visits", WRONG)).await;
    assert!(next.is_err(), "it waits its turn out");
}
