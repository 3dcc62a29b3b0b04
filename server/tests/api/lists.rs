use std::{collections::BTreeSet, io::Read as _};

use aralau_server::authorize::Role;
use aralau_sync_core::{
    id::{DocumentId, Kind},
    visit::{Place, VisitEdit},
};
use axum::http::{Method, StatusCode};
use uuid::Uuid;

use crate::world::{NOW, World, draft};

#[tokio::test]
async fn pages_walk_all_visits_exactly_once_even_where_all_began_at_once() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    for number in 0..23 {
        let started_at = if number < 20 { NOW.0 } else { NOW.0 + i64::try_from(number).unwrap() };
        world.visit(&mut anna, number, started_at, "шум").await;
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.list(&format!("/v1/visits?limit=7{cursor}"), &token).await;
        seen.extend(page["visits"].as_array().unwrap().iter().cloned());
        pages += 1;
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, 4);
    let ids: BTreeSet<_> = seen.iter().map(|visit| visit["id"].as_str().unwrap()).collect();
    assert_eq!((seen.len(), ids.len()), (23, 23));
    let times: Vec<_> = seen.iter().map(|visit| visit["started_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
}

#[tokio::test]
async fn a_visit_in_a_list_has_every_field_of_the_contract() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let place = DocumentId(Uuid::from_u128(77));
    let puts =
        Place { address: Some("ул. Абая, 1".into()), external_code: Some("А-1".into()), ..Place::default() }
            .puts([9; 16]);
    assert_eq!(world.write(&mut anna, Kind::PLACE, place, &puts).await, None);
    let mut visit = draft(1, NOW.0 - 1_000, "шум");
    visit.place = Some(place);
    let id = DocumentId(Uuid::from_u128(1));
    let puts = visit.puts(anna.stream.replica, [8; 16]);
    world.write(&mut anna, Kind::VISIT, id, &puts).await;

    let page = world.list("/v1/visits", &token).await;
    let mut shown = page["visits"][0].clone();
    assert!(shown["author"]["id"].as_str().unwrap().parse::<Uuid>().is_ok());
    shown["author"]["id"] = serde_json::Value::Null;
    assert_eq!(
        shown,
        serde_json::json!({
            "id": id, "beat": "beat-01", "place": { "id": place, "address": "ул. Абая, 1", "external_code": "А-1" },
            "author": { "id": null, "name": "Анна" }, "type": "door_to_door", "outcome": "contacted",
            "status": "active", "started_at": "2026-05-28T20:26:39.000Z", "ended_at": null,
            "received_at": "2026-05-28T20:26:40.000Z", "late": false, "conflicts": 0, "notes": 1,
            "position": { "lat": 43.25, "lon": 76.9, "accuracy_m": 12.5, "mock": false },
        })
    );
    assert_eq!(page["next"], serde_json::Value::Null);

    let places = world.list("/v1/places?beat=beat-01", &token).await;
    assert_eq!(places["places"][0]["address"], "ул. Абая, 1");
    assert_eq!(places["places"][0]["last_visit_at"], "2026-05-28T20:26:39.000Z");
    assert_eq!(world.ids(&format!("/v1/places/{place}/visits"), &token).await, [id.to_string()]);
    assert_eq!(world.get(&format!("/v1/places/{id}/visits"), &token).await.code(), "not_found", "a visit is no place");
}

#[tokio::test]
async fn each_filter_lets_through_what_it_names() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    let (mut anna, mut bolat) = (world.phone("Анна", 1).await, world.phone("Болат", 2).await);
    let (a, b) =
        (world.visit(&mut anna, 1, NOW.0 - 86_400_000, "шум").await, world.visit(&mut bolat, 2, NOW.0, "кража").await);
    world.write(&mut bolat, Kind::VISIT, b, &[VisitEdit::Withdraw.put()]).await;
    let outcome = VisitEdit::Set { field: "outcome".into(), value: "refused".into() }.put();
    world.write(&mut bolat, Kind::VISIT, b, &[outcome]).await;
    let (a, b) = (a.to_string(), b.to_string());
    for (query, expected) in [
        ("", vec![&b, &a]),
        ("beat=beat-01", vec![&b, &a]),
        ("beat=beat-02", vec![]),
        ("author=%D0%90%D0%BD%D0%BD%D0%B0", vec![&a]),
        ("author=nobody", vec![]),
        ("type=door_to_door&outcome=contacted", vec![&a]),
        ("outcome=refused", vec![&b]),
        ("status=withdrawn", vec![&b]),
        // Half past one at night of the 28th and of the 29th in Almaty.
        ("from=2026-05-28", vec![&b, &a]),
        ("from=2026-05-29", vec![&b]),
        ("to=2026-05-28", vec![&a]),
        ("to=2026-05-27", vec![]),
        ("from=2026-05-28&to=2026-05-29", vec![&b, &a]),
        ("from=2026-05-29&to=2026-05-29", vec![&b]),
        ("from=2026-05-28T20:26:40Z&to=2026-05-29", vec![&b]),
        ("from=2026-05-29&to=2026-05-29&text=%D0%BA%D1%80%D0%B0%D0%B6%D0%B0", vec![&b]),
        ("to=2026-05-28&text=%D0%BA%D1%80%D0%B0%D0%B6%D0%B0", vec![]),
        ("from=2026-05-29T01:26:40+05:00", vec![&b]),
        ("from=2026-05-29T01:26:41%2B05:00", vec![]),
        ("late=false&conflict=false", vec![&b, &a]),
        ("late=true", vec![]),
        ("conflict=true", vec![]),
        ("place=00000000-0000-0000-0000-000000000003", vec![]),
    ] {
        assert_eq!(
            world.ids(&format!("/v1/visits?{query}"), &token).await.iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_parameter_that_is_unknown_or_out_of_range_is_refused_by_name() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    for (query, named) in [
        ("beats=1", "beats"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=Ilx1MDAwMCI", "cursor"),
        ("from=yesterday", "from"),
        ("from=2026-5-1", "from"),
        ("from=2026-02-30", "from"),
        ("to=2026-05-31T08:00:00", "to"),
        ("to=2026-05-31T12:00:60Z", "to"),
        ("late=perhaps", "late"),
        ("place=here", "place"),
        ("status=active&status=withdrawn", "status"),
        ("%6cimit=5", "limit"),
        ("text=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z+a+b+c+d+e+f+g+h+i", "text"),
    ] {
        let reply = world.get(&format!("/v1/visits?{query}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{query}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{query}: {}", reply.body);
    }
    for uri in
        ["/v1/places?x=1", "/v1/conflicts?x=1", "/v1/quarantine?x=1", "/v1/devices?x=1", "/v1/export.csv?limit=1"]
    {
        assert_eq!(world.get(uri, &token).await.code(), "bad_parameter", "{uri}");
    }
}

#[tokio::test]
async fn words_are_found_however_they_are_written_and_no_search_is_an_error() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    let a = world.visit(&mut anna, 1, 2_000, "Ребёнок плачет; сосед шумит").await.to_string();
    let b = world.visit(&mut anna, 2, 1_000, "ЕЛКА и ёлочные огни, Қайрат көше").await.to_string();
    let c = world.visit(&mut anna, 3, 500, "ҰЙҚЫ жоқ, о’қу мен ұлы Пәтер туралы Қабдеш айтты").await.to_string();
    for (text, expected) in [
        ("кабдеш", vec![&c]),
        ("УЙКЫ", vec![&c]),
        ("ұйқы", vec![&c]),
        ("улы патер", vec![&c]),
        ("оқу", vec![&c]),
        ("оку", vec![&c]),
        ("о'қу", vec![&c]),
        ("ребенок", vec![&a]),
        ("РЕБЁНОК", vec![&a]),
        ("ёлка", vec![&b]),
        ("сосед плачет", vec![&a]),
        ("шум", vec![&a]),
        ("шум сосед", vec![]),
        ("ЕЛ", vec![&b]),
        ("қайрат", vec![&b]),
        ("елка ребенок", vec![]),
        ("\"", vec![]),
        ("*", vec![]),
        ("", vec![]),
        ("NEAR(", vec![]),
        ("елка\" OR \"ребенок", vec![]),
        ("folded:елка", vec![]),
        ("елка AND", vec![]),
        ("-елка", vec![&b]),
        ("^елка", vec![&b]),
        ("{елка}", vec![&b]),
        ("'; DROP TABLE visit; --", vec![]),
        ("\0", vec![]),
    ] {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = world.ids(&format!("/v1/visits?text={escaped}"), &token).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[tokio::test]
async fn devices_show_whose_they_are_and_where_they_may_write() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let anna = world.phone("Анна", 1).await;
    world.phone("Болат", 2).await;
    let first = world.list("/v1/devices?limit=1", &token).await;
    let cursor = first["next"].as_str().unwrap();
    let second = world.list(&format!("/v1/devices?limit=1&cursor={cursor}"), &token).await;
    assert_eq!(second["next"], serde_json::Value::Null);
    let devices = [&first["devices"][0], &second["devices"][0]];
    let of_anna = devices.iter().find(|device| device["id"] == anna.device.to_string()).unwrap();
    assert_eq!(of_anna["person"]["name"], "Анна");
    assert_eq!(of_anna["beats"], serde_json::json!(["beat-01"]));
    assert_eq!(of_anna["last_sync_at"], serde_json::Value::Null);
}

#[tokio::test]
async fn long_answers_are_compressed_for_whoever_accepts_it() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    for number in 0..10 {
        world.visit(&mut anna, number, NOW.0, "шум").await;
    }
    let bearer = format!("Bearer {token}");
    let ask = async |uri: &str| {
        let head = [("authorization", bearer.as_str()), ("accept-encoding", "br, gzip")];
        let reply = world.ask(Method::GET, uri, &head, None).await;
        assert_eq!(reply.status, StatusCode::OK, "{uri}");
        let encoding = reply.headers.get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, reply.bytes)
    };
    for uri in ["/v1/visits", "/v1/export.csv"] {
        let (encoding, bytes) = ask(uri).await;
        assert_eq!(encoding.as_deref(), Some("gzip"), "{uri}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, world.get(uri, &token).await.body, "{uri}");
    }
    // Short; compressed already.
    for uri in ["/v1/visits?limit=1", "/v1/export.xlsx"] {
        assert_eq!(ask(uri).await.0, None, "{uri}");
    }
}
