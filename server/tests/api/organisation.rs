//! An operator's tables, handed in by a browser.

use aralau_server::{
    auth,
    authorize::Role,
    reach::Reach,
    store::{self, HEADQUARTERS_NAME},
};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::world::{Reply, World};

const PLANS: &str = "/v1/organisation/plans";

impl World {
    async fn post_table(&self, uri: &str, token: &str, table: impl Into<Vec<u8>>) -> Reply {
        let bearer = format!("Bearer {token}");
        self.hand_in(Method::POST, uri, &[("authorization", &bearer)], Body::from(table.into())).await
    }

    /// A plan, which must be answered; `choices` as in a query string.
    async fn plan(&self, token: &str, choices: &str, table: impl Into<Vec<u8>>) -> Value {
        let reply = self.post_table(&format!("{PLANS}?{choices}"), token, table).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.json()
    }

    async fn apply(&self, token: &str, choices: &str, plan: &Value, table: impl Into<Vec<u8>>) -> Reply {
        let plan = plan["plan"].as_str().expect("a plan");
        self.post_table(&format!("{PLANS}/{plan}/apply?{choices}"), token, table).await
    }

    /// Plans, and does it.
    async fn load_table(&self, token: &str, choices: &str, table: &str) -> Value {
        let plan = self.plan(token, choices, table).await;
        let done = self.apply(token, choices, &plan, table).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        done.json()
    }

    /// Rows of all logs, and those among them that name nobody who had them written.
    async fn rows_without_author(&self) -> (i64, i64) {
        let read = |connection: &rusqlite::Connection| {
            Ok(connection.query_row(
                "SELECT count(*), sum(instr(verdict, cast('Айгуль (token' AS BLOB)) = 0) FROM log",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?)
        };
        self.app.read(read).await.unwrap()
    }
}

fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(*cells) {
                sheet.write_string(row, column, *cell).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn organisation(second_beat: &str) -> Vec<u8> {
    workbook(&[
        ("Участки", &[&["Код", "Название"], &["101", "Участок № 101"], &["102", "Участок № 102"]]),
        (
            "Адреса",
            &[&["Участок", "Адрес", "Тип"], &["101", "ул. Абая, 1", "Квартира"], &[second_beat, "ул. Абая, 2", ""]],
        ),
        ("Сотрудники", &[&["ФИО", "Участок"], &["Сейтова Айгүл", "101, 102"]]),
    ])
}

#[tokio::test]
async fn a_workbook_is_shown_as_a_plan_and_then_done_by_whoever_asked() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let table = organisation("102");
    let before = world.rows_without_author().await;
    let plan = world.plan(&token, "file=organisation.xlsx", table.clone()).await;
    let changes = &plan["changes"];
    assert_eq!(changes["beats_added"]["first"][0], json!({ "code": "101", "name": "Участок № 101" }));
    assert_eq!((&changes["places_added"]["count"], &changes["grants_added"]["count"]), (&json!(2), &json!(2)));
    assert_eq!(changes["places_added"]["first"][0]["place_type"], "apartment");
    assert_eq!(changes["people_added"]["first"][0], json!({ "name": "Сейтова Айгүл", "near": [] }));
    assert_eq!((&plan["read"][1]["sheet"], &plan["read"][1]["kind"]), (&json!("Адреса"), &json!("places")));
    assert_eq!((&plan["nothing_to_do"], &plan["faults"]["count"]), (&json!(false), &json!(0)));
    assert_eq!(world.rows_without_author().await, before, "nothing is written");

    let done = world.apply(&token, "file=organisation.xlsx", &plan, table.clone()).await.json();
    assert_eq!(
        (&done["beats"], &done["places"], &done["people"][0]["name"]),
        (&json!(2), &json!(2), &json!("Сейтова Айгүл"))
    );
    let people = world.list("/v1/people", &token).await;
    assert_eq!(people["people"][0]["person"], done["people"][0]["person"]);
    assert_eq!(people["people"][0]["beats"], json!(["101", "102"]));
    assert_eq!(world.list("/v1/places", &token).await["places"].as_array().unwrap().len(), 2);
    let (rows, without) = world.rows_without_author().await;
    // Two beats, a person, two rights and two places; and headquarters' hand, which is the server's own, once.
    assert!(rows >= before.0 + 7, "{rows}");
    assert_eq!(without, before.1, "every row says who had it written");

    let again = world.plan(&token, "file=organisation.xlsx", table.clone()).await;
    assert_eq!(again["nothing_to_do"], true);
    let stale = world.apply(&token, "file=organisation.xlsx", &plan, table).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "plan_stale"), "done once");
    assert_ne!(people["people"][0]["name"], HEADQUARTERS_NAME);
}

#[tokio::test]
async fn every_fault_is_told_with_its_sheet_row_column_and_value() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let plan = world.plan(&token, "file=organisation.xlsx", organisation("103")).await;
    assert_eq!((&plan["plan"], &plan["changes"]), (&json!(null), &json!(null)));
    let fault = &plan["faults"]["first"][0];
    assert_eq!(plan["faults"]["count"], 1);
    assert_eq!(fault["code"], "beat_unknown");
    assert_eq!((&fault["sheet"], &fault["row"], &fault["column"]), (&json!("Адреса"), &json!(3), &json!("Участок")));
    assert_eq!((&fault["value"], &fault["meant"]), (&json!("103"), &json!("101")));

    let many = (0..150).fold("beat,address\n".to_owned(), |table, at| table + &format!("none,Абая {at}\n"));
    let plan = world.plan(&token, "file=places.csv", many).await;
    let faults = &plan["faults"];
    assert_eq!((&faults["count"], faults["first"].as_array().unwrap().len()), (&json!(150), 100));
    assert_eq!((&faults["first"][0]["sheet"], &faults["first"][0]["row"]), (&json!(null), &json!(2)));
    let twice = "beat,address,external_code\nbeat-01,Абая 1,A\nbeat-01,Абая 2,A\n";
    let fault = world.plan(&token, "", twice).await["faults"]["first"][0].clone();
    assert_eq!((&fault["code"], &fault["see_row"]), (&json!("external_code_twice"), &json!(2)));
}

#[tokio::test]
async fn a_plan_that_would_do_something_else_by_now_is_not_done() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let table = "name,beat\nАнна,beat-01\n";
    let plan = world.plan(&token, "", table).await;
    // Nothing that the plan speaks of: it stays what it is.
    world.beat("beat-02", "Участок 2").await;
    assert_eq!(world.plan(&token, "", table).await["plan"], plan["plan"]);
    let now = world.app.now();
    world.app.write(move |tx| store::ensure_person(tx, "Анна", now)).await.unwrap();
    let stale = world.apply(&token, "", &plan, table).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "plan_stale"));
    assert_eq!(world.list("/v1/people", &token).await["people"][0]["beats"], json!([]));
    let renewed = world.plan(&token, "", table).await;
    assert_eq!(renewed["changes"]["people_added"]["count"], 0);
    assert_eq!(world.apply(&token, "", &renewed, table).await.status, StatusCode::OK);
    // Other tables or choices are another plan.
    let other = world.plan(&token, "", "name,beat\nВера,beat-01\n").await;
    assert_eq!(world.apply(&token, "", &other, table).await.code(), "plan_stale");
}

#[tokio::test]
async fn what_is_no_table_is_refused_by_what_it_is() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let code = async |table: Vec<u8>| {
        let plan = world.plan(&token, "file=organisation.xlsx", table).await;
        assert_eq!((&plan["plan"], &plan["faults"]["count"]), (&json!(null), &json!(1)));
        plan["faults"]["first"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(b"%PDF-1.7\n\x00\x01binary".to_vec()).await, "format_unknown");
    assert_eq!(code(Vec::new()).await, "table_empty");
    assert_eq!(code(b"PK\x03\x04 and nothing that follows".to_vec()).await, "workbook_broken");
    assert_eq!(code(b"{\"type\": \"Topology\"}".to_vec()).await, "map_malformed");
    assert_eq!(code("colour;size\nred;1\n".into()).await, "sheet_missing");
    let rows = (0..=200_000).fold("beat,address\n".to_owned(), |table, at| table + &format!("b,{at}\n"));
    assert_eq!(code(rows.into()).await, "too_many_rows");

    let large = world.post_table(PLANS, &token, vec![b'x'; (16 << 20) + 1]).await;
    assert_eq!((large.status, large.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    assert_eq!(world.post_table(&format!("{PLANS}?dry_run=true"), &token, "code\n1\n").await.code(), "bad_parameter");
    assert_eq!(world.post_table(&format!("{PLANS}?place=1"), &token, "code\n1\n").await.code(), "bad_parameter");
}

#[tokio::test]
async fn a_small_file_that_unpacks_to_much_is_not_read() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..129 {
        std::io::Write::write_all(&mut packed, &vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = packed.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    let plan = world.plan(&token, "file=organisation.xlsx", bomb).await;
    assert_eq!(plan["faults"]["first"][0]["code"], "file_too_large");
}

#[tokio::test]
async fn only_an_administrator_loads_and_nobody_within_a_limit() {
    let world = World::new().await;
    let table = "code,name\nbeat-09,Чужой\n";
    for role in [Role::Inspector, Role::Supervisor, Role::Headquarters, Role::Auditor] {
        let (now, entropy, scope) = (world.app.now(), world.entropy(), world.beat.scope_no);
        let wanted = auth::Wanted {
            role,
            name: "Старший".to_owned(),
            reach: Reach::within([scope]),
            expires_at: now.plus(auth::LIFE_MS),
        };
        let within = world.app.write(move |tx| auth::mint_until(tx, &wanted, now, entropy)).await.unwrap();
        for token in [within, world.token(role).await] {
            assert_eq!(world.post_table(PLANS, &token, table).await.code(), "forbidden", "{role}");
            let absent = world.post_table(&format!("{PLANS}/00/apply"), &token, table).await;
            assert_eq!(absent.code(), "forbidden", "{role}");
        }
    }
    assert_eq!(world.post_table(PLANS, "aralau_none", table).await.code(), "unauthorized");
}

#[tokio::test]
async fn a_place_is_corrected_moved_and_withdrawn_by_its_id() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    world.beat("beat-02", "Участок 2").await;
    let head = "beat,address,external_code,place_type,lat,lon\n";
    world
        .load_table(
            &token,
            "",
            &format!("{head}beat-01,ул. Абая 1,,,,\nbeat-01,ул. Абая 2,,,,\nbeat-01,Мира 5,M5,,,\n"),
        )
        .await;
    let place = async |address: &str| {
        let places = world.list("/v1/places?status=active", &token).await["places"].clone();
        places.as_array().unwrap().iter().find(|place| place["address"] == address).cloned().unwrap_or_default()
    };
    let first = place("ул. Абая 1").await;
    let choices = format!("place={}", first["id"].as_str().unwrap());
    let table = format!("{head}beat-01,ул. Абая 1а,A1,house,43.25,76.9\n");
    let plan = world.plan(&token, &choices, table.clone()).await;
    assert_eq!(
        plan["changes"]["places_changed"]["first"][0]["changes"][0],
        json!({ "field": "address", "from": "ул. Абая 1", "to": "ул. Абая 1а" })
    );
    assert_eq!(world.apply(&token, &choices, &plan, table).await.status, StatusCode::OK);
    assert_eq!((&place("ул. Абая 1а").await["id"], &place("ул. Абая 1").await), (&first["id"], &json!(null)));

    // What another place is called by is not given away; what is left out stays.
    let taken = world.plan(&token, &choices, format!("{head}beat-01,ул. Абая 1а,M5,,,\n")).await;
    assert_eq!(taken["faults"]["first"][0]["code"], "external_code_twice");
    world.load_table(&token, &choices, &format!("{head}beat-02,ул. Абая 1а,,,,\n")).await;
    let moved = place("ул. Абая 1а").await;
    assert_eq!(
        (&moved["beat"], &moved["external_code"], &moved["type"]),
        (&json!("beat-02"), &json!("A1"), &json!("house"))
    );

    let choices = format!("retire=true&place={}", moved["id"].as_str().unwrap());
    let table = format!("{head}beat-02,ул. Абая 1а,,,,\n");
    let plan = world.plan(&token, &choices, table.clone()).await;
    assert_eq!(plan["changes"]["places_changed"]["first"][0]["changes"][0]["to"], "withdrawn");
    assert_eq!(world.apply(&token, &choices, &plan, table.clone()).await.status, StatusCode::OK);
    assert_eq!(place("ул. Абая 1а").await, json!(null));
    assert_eq!(world.plan(&token, &choices, table).await["nothing_to_do"], true);

    let nowhere = format!("place={}", uuid::Uuid::from_u128(7));
    let unknown = world.plan(&token, &nowhere, format!("{head}beat-01,Мира 6,,,,\n")).await;
    assert_eq!(unknown["faults"]["first"][0]["code"], "place_unknown");
    let two = world.plan(&token, &nowhere, format!("{head}beat-01,Мира 6,,,,\nbeat-01,Мира 7,,,,\n")).await;
    assert_eq!(two["faults"]["first"][0]["code"], "too_many_rows");
}

#[tokio::test]
async fn a_table_of_what_is_no_more_ends_rights_and_withdraws_places() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    world.beat("beat-02", "Участок 2").await;
    world.load_table(&token, "", "name,beat\nСейтова Айгүл,\"beat-01, beat-02\"\n").await;
    world.load_table(&token, "", "beat,address\nbeat-01,Абая 1\n").await;
    let ended = world.plan(&token, "retire=true", "name,beat\nсейтова айгүл,beat-01\n").await;
    assert_eq!(ended["changes"]["grants_ended"]["first"][0], json!({ "name": "сейтова айгүл", "beat": "beat-01" }));
    world.load_table(&token, "retire=true", "name,beat\nсейтова айгүл,beat-01\n").await;
    assert_eq!(world.list("/v1/people", &token).await["people"][0]["beats"], json!(["beat-02"]));
    world.load_table(&token, "retire=true", "name,beat\nСейтова Айгүл,beat-02\n").await;
    assert_eq!(world.list("/v1/people", &token).await["people"][0]["beats"], json!([]));
    world.load_table(&token, "retire=true", "beat,address\nbeat-01,абая 1\n").await;
    assert_eq!(world.list("/v1/places", &token).await["places"][0]["status"], "withdrawn");

    let unknown = world.plan(&token, "retire=true", "name,beat\nАйгуль Сейтова,beat-01\n").await;
    let fault = &unknown["faults"]["first"][0];
    assert_eq!((&fault["code"], &fault["meant"]), (&json!("person_unknown"), &json!("Сейтова Айгүл")));
    let absent = world.plan(&token, "retire=true", "beat,address\nbeat-01,Абая 9\n").await;
    assert_eq!(absent["faults"]["first"][0]["code"], "place_unknown");
    let beat = world.plan(&token, "retire=true", "code\nbeat-01\n").await;
    assert_eq!(beat["faults"]["first"][0]["code"], "beat_retired");
}

#[tokio::test]
async fn a_namesake_is_asked_about() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    world.load_table(&token, "", "name,beat\nСейтова Айгүл,beat-01\n").await;
    let plan = world.plan(&token, "", "name,beat\nАйгуль Сейтова,beat-01\n").await;
    assert_eq!(plan["changes"]["people_added"]["first"][0]["near"], json!(["Сейтова Айгүл"]));
    let warning = &plan["warnings"]["first"][0];
    assert_eq!((&warning["code"], &warning["near"]), (&json!("person_near"), &json!(["Сейтова Айгүл"])));
    let same = world.plan(&token, "", "name,beat\n СЕЙТОВА  айгүл,beat-01\n").await;
    assert_eq!(same["nothing_to_do"], true);
}

#[tokio::test]
async fn the_age_of_the_last_backup_is_known_to_an_administrator_and_to_metrics() {
    let world = World::new().await;
    let token = world.token(Role::Administrator).await;
    let metric = async |name: &str| {
        let text = world.get("/metrics", &token).await.body;
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.split(' ').nth(1)?.parse::<i64>().ok()).expect("a number")
    };
    let before = world.list("/v1/backup", &token).await;
    assert_eq!(before["made_at"], json!(null));
    assert!(before["rows_since"].as_u64().unwrap() > 0);
    assert_eq!(metric("aralau_last_backup_seconds").await, 0);
    let elsewhere = tempfile::tempdir().unwrap();
    let (folder, file, now) = (world.app.store().folder().clone(), elsewhere.path().join("backup"), world.app.now());
    store::backup(folder, &file, now, |_| ()).unwrap();
    let after = world.list("/v1/backup", &token).await;
    assert_eq!(after, json!({ "made_at": "2026-05-28T20:26:40.000Z", "rows_since": 0 }));
    assert_eq!(metric("aralau_last_backup_seconds").await, now.0 / 1000);
    world.beat("beat-02", "Участок 2").await;
    assert_eq!(metric("aralau_rows_not_backed_up").await, 1);
    let auditor = world.token(Role::Auditor).await;
    assert_eq!(world.get("/v1/backup", &auditor).await.code(), "forbidden");
}
