use aralau_server::{
    authorize::Role,
    store::{self, Organisation, PlaceLine},
};
use aralau_sync_core::{
    id::{DocumentId, Kind},
    visit::{Coordinates, Position},
};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::coverage::visit;
use crate::world::{NOW, World, draft};

#[tokio::test]
async fn a_map_shows_the_newest_visits_of_its_part_of_the_globe() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    for (number, lat, lon) in [(1, 43.25, 76.9), (2, 43.26, 76.91), (3, 51.1, 71.4), (4, 143.0, 76.9)] {
        let mut visit = draft(number, NOW.0 + number as i64, "шум");
        visit.position = Some(Position { lat, lon, accuracy_m: None, mock: number == 2 });
        let puts = visit.puts(anna.stream.replica, [7; 16]);
        world.write(&mut anna, Kind::VISIT, DocumentId(Uuid::from_u128(number)), &puts).await;
    }
    let all = world.list("/v1/visits/points", &token).await;
    assert_eq!(
        (all["points"].as_array().unwrap().len(), &all["truncated"]),
        (3, &json!(false)),
        "none is off the globe"
    );
    let almaty = world.list("/v1/visits/points?bbox=76.8,43.1,77,43.4&beat=beat-01", &token).await;
    assert_eq!(almaty["points"].as_array().unwrap().len(), 2);
    assert_eq!(
        almaty["points"][0],
        json!({ "id": Uuid::from_u128(2), "lat": 43.26, "lon": 76.91, "accuracy_m": null, "mock": true,
                "outcome": "contacted", "beat": "beat-01" })
    );
    let newest = world.list("/v1/visits/points?bbox=76.8,43.1,77,43.4&limit=1", &token).await;
    assert_eq!((&newest["points"][0]["mock"], &newest["truncated"]), (&json!(true), &json!(true)));
    for wrong in ["bbox=1,2,3", "bbox=3,2,1,4", "limit=0", "limit=20001", "cursor=x"] {
        let reply = world.get(&format!("/v1/visits/points?{wrong}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{wrong}");
    }
}

#[tokio::test]
async fn a_map_shows_places_and_whether_they_are_due() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Auditor).await, world.phone("Анна", 1).await);
    let line = |house: i64| PlaceLine {
        beat: "beat-01".to_owned(),
        address: format!("ул. Абая, {house}"),
        external_code: None,
        place_type: None,
        coordinates: (house < 4).then_some(Coordinates { lat: 43.25, lon: 76.0 + house as f64 }),
    };
    let organisation = Organisation { places: (1..=4).map(line).collect(), ..Organisation::default() };
    let (app, beat, now) = (world.app.clone(), world.beat.clone(), world.app.now());
    let load = move |tx: &mut store::Transaction<'_>| {
        store::load(tx, app.identity(), &organisation, now)?;
        store::places_of(tx, &beat)
    };
    let places = world.app.write(load).await.unwrap();
    visit(&world, &mut anna, 1, places[0], "contacted", 400).await;
    visit(&world, &mut anna, 2, places[1], "contacted", 4).await;
    let shown = world.list("/v1/places/points", &token).await;
    let standings: Json = shown["points"].as_array().unwrap().iter().map(|point| point["standing"].clone()).collect();
    assert_eq!(standings, json!(["overdue", null, "due"]));
    assert_eq!(
        shown["points"][1],
        json!({ "id": places[1], "address": "ул. Абая, 2", "lat": 43.25, "lon": 78.0, "standing": null, "beat": "beat-01" })
    );
    let near = world.list("/v1/places/points?bbox=76.5,43,78.5,44&standing=contacted", &token).await;
    assert_eq!((near["points"].as_array().unwrap().len(), &near["points"][0]["id"]), (1, &json!(places[1])));
    assert_eq!(world.list("/v1/places/points?limit=2", &token).await["truncated"], true);
}
