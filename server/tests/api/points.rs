use aralau_server::authorize::Role;
use aralau_sync_core::{
    id::{DocumentId, Kind},
    visit::Position,
};
use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

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
