use aralau_server::{
    authorize::Role,
    keys::CustodyKey,
    settings::Settings,
    store::{self, Enrollment, HEADQUARTERS},
};
use aralau_sync_core::{digest::replica_named, id::DeviceId, stream::SignDevice as _};
use aws_lc_rs::rand::SystemRandom;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn people_come_by_name_with_the_beats_that_they_work() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    for (name, number) in [("Болат", 1), ("Анна", 2), ("Вера", 3)] {
        world.phone(name, number).await;
    }
    let first = world.list("/v1/people?limit=2", &token).await;
    let people = first["people"].as_array().unwrap();
    assert_eq!((&people[0]["name"], &people[0]["beats"]), (&json!("Анна"), &json!(["beat-01"])));
    let rest = world.list(&format!("/v1/people?limit=2&cursor={}", first["next"].as_str().unwrap()), &token).await;
    assert_eq!((&rest["people"][0]["name"], &rest["next"]), (&json!("Вера"), &json!(null)));
    let headquarters = world.token(Role::Headquarters).await;
    assert_eq!(world.get("/v1/people", &headquarters).await.code(), "forbidden");
}

#[tokio::test]
async fn a_code_lets_one_phone_in_as_the_person_it_was_made_for() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    world.phone("Анна", 1).await;
    let person = world.list("/v1/people", &token).await["people"][0]["person"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let head = [("authorization", bearer.as_str()), ("host", "10.0.0.1:8470")];
    let made = world.ask(Method::POST, &format!("/v1/people/{person}/codes"), &head, None).await.json();
    assert_eq!(made["expires_at"], "2026-05-28T20:41:40.000Z");
    assert_eq!(made["server_url"], "http://10.0.0.1:8470");

    let random = SystemRandom::new();
    let key = CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap().public_key();
    let code = made["code"].as_str().unwrap().to_owned();
    let (ask, now) = (Enrollment { code, key, replica: replica_named(&key, [9; 4]) }, world.app.now());
    let enrolled = world.app.write(move |tx| store::enroll(tx, &ask, now)).await.unwrap().unwrap();
    assert_eq!(enrolled.person.to_string(), person);
}

#[tokio::test]
async fn nobody_enrolls_as_headquarters_or_as_nobody() {
    let world =
        World::with(Settings { public_url: "https://visits.example".parse().ok(), ..Settings::default() }).await;
    let token = world.token(Role::Administrator).await;
    for person in [HEADQUARTERS.to_string(), uuid::Uuid::nil().to_string(), "not-an-id".to_owned()] {
        let reply = world.send(Method::POST, &format!("/v1/people/{person}/codes"), Some(&token), None).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{person}");
    }
    world.phone("Анна", 1).await;
    let person = world.list("/v1/people", &token).await["people"][0]["person"].as_str().unwrap().to_owned();
    let made = world.send(Method::POST, &format!("/v1/people/{person}/codes"), Some(&token), None).await;
    assert_eq!(made.json()["server_url"], "https://visits.example");
}

#[tokio::test]
async fn the_devices_that_wait_are_confirmed_one_by_one_or_all_at_once() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    for number in 1..=3_u8 {
        world.stranger(&format!("Анна {number}"), number).await;
    }
    let waiting = async || {
        let devices = world.list("/v1/devices", &token).await;
        devices["devices"].as_array().unwrap().iter().filter(|device| device["unconfirmed"] == true).count()
    };
    assert_eq!(waiting().await, 3);
    let one = format!("/v1/devices/{}/confirm", DeviceId::from_bytes([2; 16]));
    assert_eq!(world.send(Method::POST, &one, Some(&token), None).await.json(), json!({ "served": true }));
    assert_eq!(waiting().await, 2);
    let all = "/v1/devices/confirm-all";
    for role in [Role::Supervisor, Role::Headquarters, Role::Auditor] {
        let other = world.token(role).await;
        assert_eq!(world.send(Method::POST, all, Some(&other), None).await.code(), "forbidden", "{role}");
    }
    assert_eq!(world.send(Method::POST, all, Some(&token), None).await.json(), json!({ "confirmed": 2 }));
    assert_eq!(
        (waiting().await, world.send(Method::POST, all, Some(&token), None).await.json()),
        (0, json!({ "confirmed": 0 }))
    );
}
