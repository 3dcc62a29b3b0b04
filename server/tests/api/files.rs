//! Files that the people who open them can read: headings, labels and sheets in their language, beside codes that programs join by.

use std::{collections::BTreeMap, io::Cursor};

use aralau_server::authorize::Role;
use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind},
    visit::{Coordinates, Place, VisitEdit},
};
use axum::http::{Method, StatusCode, header};
use calamine::{Data, Reader as _, Xlsx};
use serde_json::json;
use uuid::Uuid;

use crate::world::{NOW, Phone, World, draft};

const PLACE: u128 = 77;
const VISIT: u128 = 1;

/// The rows of a CSV by heading, the headings first.
fn table(body: &str) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let text = body.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|row| headings.iter().cloned().zip(row.unwrap().iter().map(str::to_owned)).collect::<BTreeMap<_, _>>());
    let rows = rows.collect();
    (headings, rows)
}

/// The sheets of a workbook, each row by heading, every cell as text.
async fn sheets(world: &World, uri: &str, token: &str) -> Vec<(String, Vec<BTreeMap<String, String>>)> {
    let reply = world.get(uri, token).await;
    assert_eq!(reply.status, StatusCode::OK, "{uri}: {}", reply.body);
    let mut workbook = calamine::open_workbook_from_rs::<Xlsx<_>, _>(Cursor::new(reply.bytes)).unwrap();
    let read = |(name, range): (String, calamine::Range<Data>)| {
        let mut rows = range.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>());
        let headings = rows.next().unwrap();
        let rows = rows.map(|row| headings.iter().cloned().zip(row).collect()).collect();
        (name, rows)
    };
    workbook.worksheets().into_iter().map(read).collect()
}

fn set(collection: &str, item: u128, field: &str, value: impl Into<Value>) -> (String, Value) {
    let id = uuid::Builder::from_random_bytes(item.to_be_bytes()).into_uuid();
    VisitEdit::Set { field: format!("{collection}/{id}/{field}"), value: value.into() }.put()
}

async fn write(world: &World, phone: &mut Phone, kind: Kind, number: u128, puts: &[(String, Value)]) {
    assert_eq!(world.write(phone, kind, DocumentId(Uuid::from_u128(number)), puts).await, None);
}

/// A visit that brought one of everything, whose outcome two inspectors dispute.
async fn filled(world: &World) {
    let (mut anna, mut bolat) = (world.phone("Анна", 1).await, world.phone("Болат", 2).await);
    let place = Place {
        address: Some("ул. Абая, 1".into()),
        external_code: Some("00123".into()),
        place_type: Some("house".into()),
        coordinates: Some(Coordinates { lat: 43.25, lon: 76.9 }),
        ..Place::default()
    };
    write(world, &mut anna, Kind::PLACE, PLACE, &place.puts([9; 16])).await;
    let mut visit = draft(VISIT, NOW.0, "=шум");
    visit.place = Some(DocumentId(Uuid::from_u128(PLACE)));
    let puts = visit.puts(anna.stream.replica, [8; 16]);
    write(world, &mut anna, Kind::VISIT, VISIT, &puts).await;
    for put in [
        set("concerns", 11, "category", "noise"),
        set("commitments", 12, "to", "Кв. 5"),
        set("commitments", 12, "text", "Починить свет"),
        set("commitments", 12, "due", "2026-06-01"),
        set("referrals", 13, "agency", "akimat"),
        set("referrals", 13, "referral_status", "in_progress"),
    ] {
        write(world, &mut anna, Kind::VISIT, VISIT, &[put]).await;
    }
    let mut disputed = draft(VISIT + 100, NOW.0, "иначе");
    disputed.outcome = Some("refused".to_owned());
    let puts = disputed.puts(bolat.stream.replica, [7; 16]);
    write(world, &mut bolat, Kind::VISIT, VISIT, &puts).await;
}

#[tokio::test]
async fn a_csv_for_a_reader_begins_with_what_they_read_and_ends_with_what_programs_join() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    filled(&world).await;
    let (names, plain) = table(&world.get("/v1/export.csv", &token).await.body);
    for (language, headings, cells) in [
        (
            "ru",
            ["Участок", "Адрес", "Внешний код", "Инспектор"],
            [("Вид", "поквартирный обход"), ("Поздняя запись", "нет"), ("Начало (Asia/Almaty)", "2026-05-29 01:26:40")],
        ),
        (
            "kk",
            ["Учаске", "Мекенжай", "Сыртқы код", "Инспектор"],
            [("Түрі", "пәтерлерді аралау"), ("Кеш жазба", "жоқ"), ("Басталуы (Asia/Almaty)", "2026-05-29 01:26:40")],
        ),
        (
            "en",
            ["Beat", "Address", "External code", "Inspector"],
            [("Type", "door-to-door"), ("Late entry", "no"), ("Started (Asia/Almaty)", "2026-05-29 01:26:40")],
        ),
    ] {
        let (found, rows) = table(&world.get(&format!("/v1/export.csv?language={language}"), &token).await.body);
        assert_eq!(found[..4], headings, "{language}");
        assert_eq!(rows.len(), plain.len());
        assert_eq!(rows[0][headings[0]], "Участок 1");
        for (heading, expected) in cells {
            assert_eq!(rows[0][heading], expected, "{language} {heading}");
        }
        // Whatever a program joins by has the name and the value that it has without a language.
        for name in ["id", "beat", "place_id", "author_id", "type", "outcome", "status", "late", "labels", "mock"] {
            assert!(names.contains(&name.to_owned()));
            assert_eq!(rows[0][name], plain[0][name], "{language} {name}");
        }
        assert_eq!(rows[0].values().filter(|cell| *cell == "'=шум\nиначе").count(), 1, "words stand once");
    }
    let wrong = world.get("/v1/export.csv?language=de", &token).await;
    assert_eq!(wrong.code(), "bad_parameter");
}

#[tokio::test]
async fn a_workbook_has_a_sheet_for_each_thing_of_which_a_visit_brings_several() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    filled(&world).await;
    let resolve = json!({ "field": "outcome", "value": "refused" });
    let uri = "/v1/export.xlsx?sheets=all";
    let before = sheets(&world, &format!("{uri}&language=ru"), &token).await;
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Посещения",
            "Заметки",
            "Что беспокоит",
            "Обещания",
            "Направления в органы",
            "Расхождения",
            "История изменений"
        ]
    );
    let rows = |number: usize| &before[number].1;
    let notes: Vec<_> = rows(1).iter().map(|row| (row["Текст"].as_str(), row["Кто записал"].as_str())).collect();
    assert_eq!(notes, [("=шум", "Анна"), ("иначе", "Болат")]);
    assert_eq!((rows(2)[0]["Категория"].as_str(), rows(2)[0]["category"].as_str()), ("шум", "noise"));
    assert_eq!((rows(3)[0]["Кому"].as_str(), rows(3)[0]["Текст"].as_str()), ("Кв. 5", "Починить свет"));
    assert_eq!(rows(3)[0]["Срок"], "46174", "2026-06-01, as Excel counts days: no text");
    assert_eq!((rows(4)[0]["Орган"].as_str(), rows(4)[0]["Ход исполнения"].as_str()), ("акимат", "исполняется"));
    let mut said: Vec<_> = rows(5)
        .iter()
        .filter(|row| row["field"] == "outcome")
        .map(|row| (row["Кто записал"].as_str(), row["Значение"].as_str(), row["value"].as_str(), row["Поле"].as_str()))
        .collect();
    said.sort_unstable();
    assert_eq!(said, [("Анна", "состоялся", "contacted", "Итог"), ("Болат", "отказ", "refused", "Итог")]);
    for (_, rows) in &before[1..] {
        assert!(rows.iter().all(|row| row["visit_id"] == Uuid::from_u128(VISIT).to_string()));
        assert!(rows.iter().all(|row| row["Участок"] == "Участок 1" && row["beat"] == "beat-01"));
    }

    let path = format!("/v1/visits/{}/resolve", Uuid::from_u128(VISIT));
    assert_eq!(world.send(Method::POST, &path, Some(&token), Some(resolve)).await.status, StatusCode::OK);
    for (language, headings, headquarters) in [
        ("ru", ["Поле", "Кто записал"], "Штаб"),
        ("kk", ["Өріс", "Кім жазды"], "Штаб"),
        ("en", ["Field", "Written by"], "Headquarters"),
    ] {
        let all = sheets(&world, &format!("{uri}&language={language}"), &token).await;
        let settled = all[6].1.iter().rfind(|row| row["field"] == "outcome").unwrap();
        assert_eq!(settled[headings[1]], headquarters);
        assert_ne!(settled[headings[0]], "outcome");
        assert!(all[5].1.iter().all(|row| row["field"] != "outcome"), "settled");
    }
    let plain = sheets(&world, uri, &token).await;
    let names: Vec<_> = plain.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["visits", "notes", "concerns", "commitments", "referrals", "conflicts", "changes"]);
    assert_eq!(sheets(&world, "/v1/export.xlsx", &token).await.len(), 1, "a sheet more has to be asked for");
}

#[tokio::test]
async fn every_list_of_the_console_is_a_file_as_well() {
    let world = World::new().await;
    let token = world.token(Role::Supervisor).await;
    filled(&world).await;
    for (list, sheet, heading, expected) in [
        ("places", "Места", "Вид места", "частный дом"),
        ("devices", "Устройства", "Состояние", "молчит"),
        ("conflicts", "Расхождения", "Поле", "Итог"),
        ("coverage", "По участкам", "Участок", "Участок 1"),
    ] {
        let reply = world.get(&format!("/v1/{list}.csv?language=ru"), &token).await;
        assert_eq!(reply.headers[header::CONTENT_DISPOSITION], format!("attachment; filename=\"{list}.csv\""));
        let (_, rows) = table(&reply.body);
        assert!(rows.iter().any(|row| row[heading] == expected), "{list}: {rows:?}");
        let book = sheets(&world, &format!("/v1/{list}.xlsx?language=ru"), &token).await;
        assert_eq!(book[0].0, sheet);
        assert_eq!(book[0].1.len(), rows.len(), "{list}");
        let (names, plain) = table(&world.get(&format!("/v1/{list}.csv"), &token).await.body);
        assert_eq!(plain.len(), rows.len());
        assert!(names.iter().all(|name| name.is_ascii()), "{names:?}");
        for format in ["csv", "xlsx"] {
            let wrong = world.get(&format!("/v1/{list}.{format}?limit=3"), &token).await;
            assert_eq!(wrong.code(), "bad_parameter", "a file has no pages");
            let inspector = world.token(Role::Inspector).await;
            assert_eq!(world.get(&format!("/v1/{list}.{format}"), &inspector).await.code(), "forbidden");
        }
    }
}

#[tokio::test]
async fn a_file_of_places_has_those_of_its_filter_and_how_they_stand() {
    let world = World::new().await;
    let token = world.token(Role::Headquarters).await;
    filled(&world).await;
    let (_, rows) = table(&world.get("/v1/places.csv?language=en&standing=contacted", &token).await.body);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["Standing"].as_str(), rows[0]["standing"].as_str()), ("contacted", "contacted"));
    assert_eq!(rows[0]["Next contact due (Asia/Almaty)"], "2027-05-29 01:26:40");
    let (_, none) = table(&world.get("/v1/places.csv?standing=overdue", &token).await.body);
    assert!(none.is_empty());
    let listed = world.list("/v1/places", &token).await["places"][0].clone();
    assert_eq!((&listed["standing"], &listed["due_at"]), (&json!("contacted"), &json!("2027-05-28T20:26:40.000Z")));
    assert_eq!(world.get("/v1/places.csv?from=2026-05-02&to=2026-05-01", &token).await.code(), "bad_parameter");
}

#[tokio::test]
async fn the_count_of_visits_is_that_of_the_list_and_of_its_file() {
    let world = World::new().await;
    let (token, mut anna) = (world.token(Role::Headquarters).await, world.phone("Анна", 1).await);
    filled(&world).await;
    for number in 200..207 {
        world.visit(&mut anna, number, NOW.0, "шум во дворе").await;
    }
    for filter in [
        "",
        "?beat=beat-01",
        "?beat=none",
        "?conflict=true",
        "?from=2026-05-29&to=2026-05-29",
        "?to=2026-05-01",
        "?text=%D1%88%D1%83%D0%BC",
        "?text=%D0%B4%D0%B2%D0%BE%D1%80%D0%B5&outcome=contacted",
        "?text=%22",
        "?author=%D0%90%D0%BD%D0%BD%D0%B0",
        "?author=nobody",
        "?concern=noise",
        "?commitment=true",
        "?due_before=2026-07-01",
    ] {
        let counted = world.list(&format!("/v1/visits/count{filter}"), &token).await["visits"].as_u64().unwrap();
        let listed = world.ids(&format!("/v1/visits{filter}"), &token).await.len() as u64;
        let (_, rows) = table(&world.get(&format!("/v1/export.csv{filter}"), &token).await.body);
        assert_eq!((counted, rows.len() as u64), (listed, listed), "{filter}");
    }
    assert_eq!(world.get("/v1/visits/count?limit=1", &token).await.code(), "bad_parameter");
    assert_eq!(world.get("/v1/visits/count?from=2026-05-02&to=2026-05-01", &token).await.code(), "bad_parameter");
}
