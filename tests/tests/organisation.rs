//! Where inspectors work and who they are: loaded from tables, corrected, made one where it is there twice.

use aralau_tests::{process::texts, world::World};
use serde_json::json;

#[test]
fn an_organisation_of_ones_own_is_loaded_from_tables() {
    let world = World::new();
    let write = |name: &str, text: &str| world.write(name, text);
    let beats = write("beats.csv", "\u{feff}code,name\r\nuch-7,Участок 7\r\n");
    let places = write("places.csv", "beat,address,external_code\nuch-7,\"Абая 10, кв. 5\",A-1\nuch-7,Абая 12,\n");
    let staff = write("staff.csv", "name,beat\nСерик,uch-7\n");
    let load = |places: &str| world.admin(&["load", "--beats", &beats, "--places", places, "--staff", &staff]);
    let loaded = load(&places).ok().object();
    assert_eq!((&loaded["beats"], &loaded["places"], &loaded["people"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(load(&places).ok().object()["places"], 0, "it may be repeated");
    let phone = world.phone("Серик", "uch-7");
    let shown = phone.run(&["places"]).ok().lines();
    assert_eq!(texts(&shown, "address"), ["Абая 10, кв. 5", "Абая 12"]);
    let broken = write("broken.csv", "beat,address\nuch-9");
    assert_eq!(load(&broken).failed(), "table");
}

#[test]
fn a_table_as_excel_saves_it_here_is_planned_loaded_and_corrected() {
    let world = World::new();
    let write = |name: &str, text: &str| world.write(name, text);
    let places = write("places.csv", "\u{feff}Участок;Адрес;Внешний код;lattitude\r\nuch-7;Абая 10;A-1;43\r\n;;;\r\n");
    let beats = write("beats.csv", "Код;Название\nuch-7;Участок 7\nuch-8;Участок 8\n");
    let load = |arguments: &[&str]| world.admin(&[&["load"], arguments].concat());
    let planned = load(&["--beats", &beats, "--places", &places, "--dry-run"]).ok().object();
    assert_eq!((&planned["places"], &planned["plan"]["places_added"][0]["beat"]), (&json!(1), &json!("uch-7")));
    assert_eq!(planned["read"][1]["columns_not_read"], json!([{ "column": "lattitude", "meant": "lat" }]));
    assert_eq!(load(&["--places", &places]).failed(), "table", "a dry run made nothing");
    load(&["--beats", &beats, "--places", &places]).ok();

    let phone = world.phone("Серик А.", "uch-7");
    let place = &phone.places()[0];
    let visit = phone.log(place, &[]);
    let corrected = write("corrected.csv", "Участок;Адрес;Внешний код\nuch-7;Абая 10, корпус 2;A-1\n");
    assert_eq!(
        load(&["--places", &corrected]).ok().object()["plan"]["places_changed"][0]["changes"][0]["to"],
        "Абая 10, корпус 2"
    );
    phone.sync();
    assert_eq!(texts(&phone.run(&["places"]).ok().lines(), "address"), ["Абая 10, корпус 2"]);

    // The place goes to another beat, and so does its inspector; what was unsent is not lost.
    let after = phone.log(place, &["--note", "unsent when both were moved"]);
    let moved = write("moved.csv", "Участок;Адрес;Внешний код\nuch-8;Абая 10, корпус 2;A-1\n");
    let staff = write("staff.csv", "ФИО;Участок\nсерик  а.;uch-8\n");
    let told = load(&["--places", &moved, "--staff", &staff, "--replace-grants"]).ok().object();
    assert_eq!((&told["plan"]["grants_ended"][0]["beat"], &told["people"]), (&json!("uch-7"), &json!(0)));
    phone.sync();
    phone.sync();
    let headquarters = world.headquarters();
    let mut visits = texts(&headquarters.visits("&beat=uch-7"), "id");
    visits.sort_unstable();
    let mut logged = [visit, after];
    logged.sort_unstable();
    assert_eq!(visits, logged);
    let places = headquarters.get("/v1/places?external_code=A-1")["places"].as_array().unwrap().clone();
    assert_eq!(texts(&places, "status"), ["withdrawn", "active"]);
    assert_eq!(texts(&places, "beat"), ["uch-7", "uch-8"]);
    world.check();
}

#[test]
fn all_faults_of_all_tables_are_told_at_once() {
    let world = World::new();
    let write = |name: &str, text: &str| world.write(name, text);
    let places = write("places.csv", "beat,address\nbeat-01,\nbeat-99,Abay 1\n");
    let staff = write("staff.csv", "name,beat\nAigul\n");
    let reply = world.admin(&["load", "--places", &places, "--staff", &staff]);
    let error = reply.object()["error"].clone();
    let told: Vec<_> = error["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["code"].as_str().unwrap(), fault["row"].clone()))
        .collect();
    assert_eq!(told, [("cell_missing", json!(2)), ("beat_unknown", json!(3)), ("cell_missing", json!(2))]);
    assert_eq!((&error["code"], &error["more"]), (&json!("table"), &json!(0)));
    assert_eq!(world.admin(&["load"]).failed(), "usage");
}

#[test]
fn an_inspector_is_enrolled_by_a_name_however_it_is_spaced_and_a_new_one_is_told() {
    let world = World::new();
    let enroll = |name: &str| world.admin(&["enroll", "--beat", "beat-01", "--inspector", name]).ok().object();
    assert_eq!(enroll("Болат С.")["new"], true);
    let again = enroll("болат \u{a0}С. ");
    assert_eq!((&again["new"], &again["inspector"]), (&json!(false), &json!("Болат С.")));
    assert_eq!(enroll("Булат С.")["near"], json!(["Болат С."]));
    let own = world.admin(&["enroll", "--beat", "beat-01", "--inspector", "headquarters"]);
    assert_eq!(own.failed(), "inspector");
}

#[test]
fn what_is_there_twice_is_made_one_and_two_again() {
    let world = World::new();
    let write = |name: &str, text: &str| world.write(name, text);
    let beats = write("beats.csv", "code,name\nuch-7,Участок 7\n");
    let places =
        write("places.csv", "beat,address,external_code\nuch-7,Абая 10,A-1\nuch-7,пр. Абая 10,\nuch-7,Абая 10,A-2\n");
    world.admin(&["load", "--beats", &beats, "--places", &places]).ok();
    let phone = world.phone("Болат С.", "uch-7");
    let shown = phone.run(&["places"]).ok().lines();
    let of = |address: &str| shown.iter().find(|place| place["address"] == address).unwrap()["id"].clone();
    let other = of("пр. Абая 10");
    let visit = phone.log(other.as_str().unwrap(), &[]);
    phone.sync();

    let join = |place: &str, into: &str| world.admin(&["join", "place", place, "--into", into]);
    let several = join("пр. Абая 10", "Абая 10");
    assert_eq!(several.failed(), "place_ambiguous");
    let codes = texts(several.object()["error"]["found"].as_array().unwrap(), "external_code");
    assert_eq!(codes, ["A-1", "A-2"]);
    assert_eq!(join("Абая 11", "A-1").failed(), "place_unknown");
    assert_eq!(join("A-1", "A-1").failed(), "place_itself");
    let made = join("пр. Абая 10", "A-1").ok().object();
    assert_eq!(
        (&made["was"]["id"], &made["goes_as"]["external_code"], &made["visits"]),
        (&other, &json!("A-1"), &json!(1))
    );

    let headquarters = world.headquarters();
    let coded =
        |code: &str| headquarters.visits("").iter().filter(|visit| visit["place"]["external_code"] == code).count();
    assert_eq!(coded("A-1"), 1);
    // The phone does not know yet, logs there, and is told.
    phone.log(other.as_str().unwrap(), &[]);
    phone.sync();
    assert_eq!(coded("A-1"), 2);
    let shown = phone.run(&["places"]).ok().lines();
    assert_eq!(shown.iter().find(|place| place["id"] == other).unwrap()["status"], "withdrawn");
    assert_eq!(phone.visit(&visit)["place"], other, "what was written stays");
    let again = world.admin(&["load", "--beats", &beats, "--places", &places]).ok().object();
    assert_eq!((&again["places"], &again["plan"]["places_changed"]), (&json!(0), &json!([])));

    let twin = world.phone("Болат Серик", "uch-7");
    twin.log(&twin.places()[0], &[]);
    twin.sync();
    world.admin(&["join", "person", "Болат Серик", "--into", "болат с."]).ok();
    assert_eq!(
        texts(&headquarters.visits("").iter().map(|visit| visit["author"].clone()).collect::<Vec<_>>(), "name"),
        ["Болат С."; 3]
    );
    let enrolled = world.admin(&["enroll", "--beat", "uch-7", "--inspector", "Болат Серик"]).ok().object();
    assert_eq!((&enrolled["new"], &enrolled["inspector"]), (&json!(false), &json!("Болат С.")));
    twin.log(&twin.places()[0], &[]);
    twin.sync();
    world.check();

    world.admin(&["part", "place", "пр. Абая 10"]).ok();
    world.admin(&["part", "person", "Болат Серик"]).ok();
    assert_eq!(world.admin(&["part", "person", "Болат Серик"]).failed(), "person_apart");
    assert_eq!(coded("A-1"), 0);
    world.check();
}
