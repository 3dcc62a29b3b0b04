//! An organisation's old visits come into the store, and stay what they were.

use std::fmt::Write as _;

use aralau_tests::{
    headquarters::Headquarters,
    process::{Run, command},
    world::World,
};
use serde_json::{Value, json};

const MAP: &str = r#"
register = "journal"
time_zone = "Asia/Almaty"
[columns]
id = "Рег. номер"
started_at = "Дата"
address = "Адрес"
beat = "Участок"
inspector = "ФИО"
outcome = "Результат"
note = "Примечание"
[outcomes]
"Дверь закрыта" = "no_access"
"#;
const HEADER: &str = "Рег. номер;Дата;Адрес;Участок;ФИО;Результат;Примечание;Телефон\n";

fn import(world: &World, arguments: &[&str]) -> Run {
    world.admin(&[&["import"], arguments].concat())
}

/// Beat 7 with two houses, and an inspector.
fn organised() -> World {
    let world = World::new();
    let beats = world.write("beats.csv", "code,name\nuch-7,Участок 7\n");
    let places = world.write("places.csv", "beat,address\nuch-7,Абая 1\nuch-7,Абая 2\n");
    let staff = world.write("staff.csv", "name,beat\nСерик А.,uch-7\n");
    world.admin(&["load", "--beats", &beats, "--places", &places, "--staff", &staff]).ok();
    world
}

fn counts(report: &Value) -> Vec<u64> {
    ["visits", "known", "repeated", "rejected"].map(|name| report[name].as_u64().unwrap()).into()
}

fn body(headquarters: &Headquarters, path: &str) -> Value {
    headquarters.get(path)
}

#[test]
fn a_journal_is_mapped_imported_beside_the_server_and_imported_again() {
    let world = organised();
    let rows = "1;12.03.2023 14:05;Абая 1;uch-7;серик  а.;Дверь закрыта;звонил;+7\n\
        2;13.03.2023;Абая 2;Участок 7;Серик А.;contacted;;+7\n\
        2;13.03.2023;Абая 2;Участок 7;Серик А.;contacted;;+7\n\
        3;14.03.2023;Абая 99;uch-7;Серик А.;;;\n\
        4;14.03.2023;Абая 1;uch-7;Серек А.;рейд;;\n\
        2;13.03.2023;Абая 1;uch-7;Серик А.;;;\n\
        Итого;;;;;;;\n";
    let journal = world.write("journal.csv", &format!("Обходы 2023\n{HEADER}{rows}"));
    assert_eq!(import(&world, &["--visits", &journal]).failed(), "map_missing");
    let proposed = import(&world, &["--visits", &journal, "--propose-map"]).ok().object();
    assert_eq!(
        proposed["columns_not_imported"],
        json!(["Рег. номер", "Телефон"]),
        "numbers that stand twice name nothing"
    );
    assert_eq!(
        import(&world, &["--visits", &journal, "--propose-map"]).failed(),
        "map_exists",
        "it may have been edited"
    );
    let map = world.write("map.toml", MAP);
    let run = |more: &[&str]| import(&world, &[&["--visits", &journal, "--map", &map], more].concat()).ok().object();

    let planned = run(&["--dry-run"]);
    assert_eq!((counts(&planned), world.path("journal.rejected.csv").exists()), (vec![2, 0, 1, 4], false));
    let imported = run(&[]);
    assert_eq!(counts(&imported), [2, 0, 1, 4]);
    let faults: Vec<_> = imported["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["row"].as_u64().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [(6, "place_unknown"), (7, "word_unknown"), (8, "id_twice"), (9, "total_row")],
        "a row is told by the first thing that keeps it out"
    );
    let rejected = std::fs::read_to_string(world.path("journal.rejected.csv")).unwrap();
    assert_eq!(rejected.lines().count(), 5);
    assert!(rejected.contains("place_unknown") && rejected.contains("Абая 99"), "{rejected}");
    assert_eq!(counts(&run(&[])), [0, 2, 1, 4], "nothing is imported twice");

    let headquarters = world.headquarters();
    let visits = headquarters.visits("&beat=uch-7");
    let told: Vec<_> =
        visits.iter().map(|visit| (visit["author"]["name"].clone(), visit["started_at"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("Серик А."), json!("2023-03-12T18:00:00.000Z")),
            (json!("Серик А."), json!("2023-03-12T08:05:00.000Z"))
        ]
    );
    let id = visits[1]["id"].as_str().unwrap();
    let detail = body(&headquarters, &format!("/v1/visits/{id}"));
    assert_eq!(
        (&detail["value"]["source_file"], &detail["value"]["source_row"], &detail["notes"][0]["by"]),
        (&json!("journal.csv"), &json!(3), &json!("Headquarters"))
    );
    let history = body(&headquarters, &format!("/v1/visits/{id}/history"));
    assert_eq!(history["history"][0]["author"]["name"], "Headquarters", "whose hand wrote it is not hidden: {history}");
    world.check();
}

#[test]
fn what_the_map_lets_be_made_is_made_and_a_phone_is_given_it() {
    let world = organised();
    let rows = "1;12.03.2023 14:05;Абая 3;uch-7;Болат Б.;contacted;;\n2;13.03.2023 14:05;абая  3;uch-7;Болат Б.;;;\n";
    let journal = world.write("journal.csv", &format!("{HEADER}{rows}"));
    let map = world.write("map.toml", MAP);
    assert_eq!(import(&world, &["--visits", &journal, "--map", &map]).failed(), "all_rejected");
    let makes = format!("{MAP}\n[places]\nunknown = \"make\"\n[inspectors]\nunknown = \"make\"\n");
    let map = world.write("map.toml", &makes);
    let run = |more: &[&str]| import(&world, &[&["--visits", &journal, "--map", &map], more].concat()).ok().object();
    assert_eq!(run(&["--dry-run"])["places_made"], json!(["uch-7: Абая 3"]));
    let imported = run(&[]);
    assert_eq!((counts(&imported), &imported["people_made"]), (vec![2, 0, 0, 0], &json!(["Болат Б."])));
    assert_eq!(counts(&run(&[])), [0, 2, 0, 0]);
    let phone = world.phone("Серик А.", "uch-7");
    phone.sync();
    let visits = phone.run(&["visits"]).ok().lines();
    assert_eq!(visits.len(), 2, "{visits:?}");
    world.check();
}

#[test]
fn a_register_that_got_another_name_does_not_come_in_twice() {
    let world = organised();
    let rows: String = (1..=6).map(|n| format!("{n};{n}.03.2023 14:05;Абая 1;uch-7;Серик А.;contacted;;\n")).collect();
    let journal = world.write("journal.csv", &format!("{HEADER}{rows}"));
    let map = world.write("map.toml", MAP);
    assert_eq!(counts(&import(&world, &["--visits", &journal, "--map", &map]).ok().object()), [6, 0, 0, 0]);
    let other = world.write("journal (1).csv", &format!("{HEADER}{rows}"));
    let renamed = world.write("other.toml", &MAP.replace("\"journal\"", "\"Journal (1)\""));
    let again = ["--visits", &other, "--map", &renamed];
    assert_eq!(import(&world, &[&again[..], &["--dry-run"]].concat()).failed(), "register_doubled");
    assert_eq!(import(&world, &again).failed(), "register_doubled");
    // The same words under other ids are no other visits; and half of them new ones make no other register.
    let numbered: String =
        (1..=6).map(|n| format!("x{n};{n}.03.2023 14:05;Абая 1;uch-7;Серик А.;contacted;;\n")).collect();
    let numbered = world.write("numbered.csv", &format!("{HEADER}{numbered}9;9.04.2023 9:00;Абая 2;uch-7;;;;\n"));
    assert_eq!(import(&world, &["--visits", &numbered, "--map", &map]).failed(), "register_doubled");
    let said = [&again[..], &["--another-register"]].concat();
    assert_eq!(counts(&import(&world, &said).ok().object()), [6, 0, 0, 0]);
    assert_eq!(counts(&import(&world, &again).ok().object()), [0, 6, 0, 0]);
}

#[test]
fn other_spellings_of_those_who_are_made_make_nobody_more() {
    let world = organised();
    let rows = "1;12.03.2023;Абая 1;uch-7;Болат Серикович Ахметов;;;\n\
        2;13.03.2023;Абая 1;uch-7;Ахметов Болат;;;\n\
        3;14.03.2023;Абая 1;uch-7;Серек А.;;;\n\
        4;15.03.2023;Абая 1;uch-7;Ахметова Болат;;;\n";
    let journal = world.write("journal.csv", &format!("{HEADER}{rows}"));
    let said = "[inspectors]\nunknown = \"make\"\n[inspectors.names]\n\"Ахметова Болат\" = \"Ахметова Болат\"\n";
    let map = world.write("map.toml", &format!("{MAP}\n{said}"));
    let imported = import(&world, &["--visits", &journal, "--map", &map]).ok().object();
    let faults: Vec<_> =
        imported["faults"].as_array().unwrap().iter().map(|fault| (&fault["code"], &fault["row"])).collect();
    assert_eq!(faults, [(&json!("inspector_near"), &json!(3)), (&json!("inspector_near"), &json!(4))]);
    assert_eq!(imported["people_made"], json!(["Ахметова Болат", "Болат Серикович Ахметов"]));
}

#[test]
fn addresses_in_parts_are_found_and_a_point_is_where_the_visit_was_made() {
    let world = organised();
    let places = "beat,address,lat,lon\nuch-7,\"Абая, 10, 5\",43.2389,76.8897\nuch-7,\"Абая, 12\",43.24,76.89\n";
    let places = world.write("more.csv", places);
    world.admin(&["load", "--places", &places]).ok();
    let journal = world.write(
        "journal.csv",
        "Рег. номер;Дата;Адрес;;;ФИО;Координаты\n;;улица;дом;кв.;;\n\
         1;12.03.2023;Абая;10;5;Серик А.;\"43,238949; 76,889709\"\n",
    );
    let map = world.path("journal.map.toml").display().to_string();
    import(&world, &["--visits", &journal, "--propose-map"]).ok();
    let run = |journal: &str| import(&world, &["--visits", journal, "--map", &map]).ok().object();
    assert_eq!(counts(&run(&journal)), [1, 0, 0, 0]);
    let more = world.write(
        "more-visits.csv",
        "Рег. номер;Дата;Адрес / улица;Адрес / дом;Адрес / кв.;ФИО;Координаты\n\
         2;13.03.2023;Абая;12;;Серик А.;76.89, 43.24\n3;13.03.2023;Абая;12;;Серик А.;\n\
         1;12.03.2023;Абая;10;5;Серик А.;43.3, 76.889709\n",
    );
    let report = run(&more);
    assert_eq!(counts(&report), [1, 0, 0, 2]);
    let codes: Vec<_> = report["faults"].as_array().unwrap().iter().map(|fault| fault["code"].clone()).collect();
    assert_eq!(codes, ["point_swapped", "imported_differently"]);

    let headquarters = world.headquarters();
    let visits = headquarters.visits("&beat=uch-7");
    let first = visits.iter().find(|visit| visit["place"]["address"] == "Абая, 10, 5").unwrap();
    let detail = body(&headquarters, &format!("/v1/visits/{}", first["id"].as_str().unwrap()));
    let position = &detail["position"];
    assert_eq!((position["lat"].as_f64(), position["lon"].as_f64()), (Some(43.238_949), Some(76.889_709)), "{detail}");
    assert_eq!(visits.len(), 2);
    world.check();
}

#[test]
fn a_journal_is_known_again_after_an_address_was_corrected_and_an_array_of_json_is_one() {
    let world = organised();
    let places = |address: &str| {
        let table = world.write("coded.csv", &format!("beat,address,external_code\nuch-7,{address},K-1\n"));
        world.admin(&["load", "--places", &table]).ok();
    };
    places("Абая 30");
    let journal = world.write(
        "journal.json",
        "[{\"id\": \"1\", \"date\": \"2023-03-12T14:05:00+06:00\", \"address\": \"Абая 30\", \"officer\": \"Серик А.\"}]",
    );
    let map = world.write(
        "map.toml",
        "register = \"j\"\n[columns]\nid = \"id\"\nstarted_at = \"date\"\naddress = \"address\"\ninspector = \"officer\"\n",
    );
    let run = || counts(&import(&world, &["--visits", &journal, "--map", &map]).ok().object());
    assert_eq!(run(), [1, 0, 0, 0]);
    places("Абая 30а");
    assert_eq!(run(), [0, 1, 0, 0], "the place has another address, the visit is the same");
    // A map as an editor for Windows may save it.
    let text = std::fs::read_to_string(&map).unwrap();
    let utf16 = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes);
    std::fs::write(&map, utf16.collect::<Vec<u8>>()).unwrap();
    assert_eq!(run(), [0, 1, 0, 0]);
    world.check();
}

#[test]
fn what_somebody_corrected_among_the_rejected_rows_is_not_written_over() {
    let world = organised();
    let journal = world.write("journal.csv", &format!("{HEADER}1;вчера;Абая 1;uch-7;Серик А.;;;\n"));
    let map = world.write("map.toml", MAP);
    let run = || import(&world, &["--visits", &journal, "--map", &map]);
    assert_eq!(run().failed(), "all_rejected");
    world.write("journal.rejected.csv", "corrected by hand");
    assert_eq!(run().failed(), "all_rejected");
    assert_eq!(std::fs::read_to_string(world.path("journal.rejected.csv")).unwrap(), "corrected by hand");
    assert!(world.path("journal.rejected-2.csv").exists());
}

#[test]
fn what_was_imported_while_two_were_one_goes_with_the_one_that_it_names() {
    let world = organised();
    let staff = world.write("twin.csv", "name,beat\nСерик Ахметов,uch-7\n");
    world.admin(&["load", "--staff", &staff]).ok();
    world.admin(&["join", "place", "Абая 2", "--into", "Абая 1"]).ok();
    world.admin(&["join", "person", "Серик Ахметов", "--into", "Серик А."]).ok();
    let rows =
        "1;12.03.2023 14:05;Абая 2;uch-7;Серик Ахметов;contacted;;\n2;13.03.2023 14:05;Абая 1;uch-7;Серик А.;;;\n";
    let journal = world.write("journal.csv", &format!("{HEADER}{rows}"));
    let map = world.write("map.toml", MAP);
    let run = || counts(&import(&world, &["--visits", &journal, "--map", &map]).ok().object());
    assert_eq!(run(), [2, 0, 0, 0]);
    let headquarters = world.headquarters();
    let shown = || {
        let of = |visit: &Value| format!("{} {}", visit["place"]["address"], visit["author"]["name"]);
        let mut shown: Vec<String> = headquarters.visits("&beat=uch-7").iter().map(of).collect();
        shown.sort();
        shown
    };
    assert_eq!(shown(), ["\"Абая 1\" \"Серик А.\""; 2]);
    assert_eq!(run(), [0, 2, 0, 0]);
    world.admin(&["part", "place", "Абая 2"]).ok();
    world.admin(&["part", "person", "Серик Ахметов"]).ok();
    assert_eq!(shown(), ["\"Абая 1\" \"Серик А.\"", "\"Абая 2\" \"Серик Ахметов\""]);
    assert_eq!(run(), [0, 2, 0, 0]);
    world.check();
}

#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    const ROWS: usize = 6_000;
    let world = organised();
    let mut rows = HEADER.to_owned();
    for number in 0..ROWS {
        let (day, hour) = (1 + number / 24 % 28, number % 24);
        writeln!(
            rows,
            "n-{number};{day}.03.2023 {hour}:00;Абая {};uch-7;Серик А.;contacted;заметка {number};",
            1 + number % 2
        )
        .unwrap();
    }
    let journal = world.write("journal.csv", &rows);
    let map = world.write("map.toml", MAP);
    let data = world.server.data.to_str().unwrap().to_owned();
    let arguments = ["--json", "admin", "--data", &data, "import", "--visits", &journal, "--map", &map];
    let headquarters = world.headquarters();
    let mut killed = command(arguments).spawn().unwrap();
    aralau_tests::process::eventually("some visits are written", || !headquarters.visits("&beat=uch-7").is_empty());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let report = import(&world, &["--visits", &journal, "--map", &map]).ok().object();
    let counts = counts(&report);
    assert_eq!((counts[0] + counts[1], counts[3]), (ROWS as u64, 0), "{report}");
    assert!(counts[1] > 0, "what was written before counts");
    world.check();
}
