//! What `aralau device` says when something is not as it should be, and in which order lists are printed.

use std::{fmt::Write as _, thread};

use aralau_tests::{
    phone::Phone,
    process::{Run, aralau},
    world::World,
};

/// As a person has it: in words.
fn say(phone: &Phone, arguments: &[&str]) -> Run {
    aralau([&["device", "--home", phone.home.to_str().unwrap()], arguments].concat())
}

#[test]
fn enrolling_waits_for_a_server_that_is_just_starting() {
    let mut world = World::new();
    let phone = Phone::at(&world.path("phone"));
    let (code, url) = (world.code("Aigul", "beat-01"), world.server.url());
    world.server.stop();
    let enrolling = {
        let phone = phone.clone();
        thread::spawn(move || phone.run(&["enroll", "--server", &url, "--code", &code, "--wait", "60"]))
    };
    world.server.start_again();
    enrolling.join().unwrap().ok();
    assert_eq!(phone.places(), [] as [String; 0], "nothing was received yet");
}

#[test]
fn a_code_that_does_not_count_leaves_no_folder_behind() {
    let world = World::new();
    let phone = Phone::at(&world.path("phone"));
    let enroll = |code: &str| phone.run(&["enroll", "--server", &world.server.url(), "--code", code]);
    assert_eq!(enroll("AAAA-AAAA-AAAA").failed(), "enrollment_code_unknown");
    assert!(!phone.home.exists());
    let code = world.code("Aigul", "beat-01");
    enroll(&code).ok();
    // Of a device that is known nothing is taken away.
    assert!(!enroll("AAAA-AAAA-AAAA").status.success());
    phone.sync();
    assert!(!phone.places().is_empty());
}

#[test]
fn a_phone_that_no_server_knows_says_so_whatever_it_is_asked() {
    let world = World::new();
    let phone = Phone::at(&world.path("phone"));
    // Port 9 discards what it gets, or nobody listens.
    let nobody = ["enroll", "--server", "http://127.0.0.1:9", "--code", "AAAA-AAAA-AAAA", "--wait", "0"];
    assert!(!phone.run(&nobody).status.success());
    for task in [&["places"][..], &["visits"], &["status"], &["sync"]] {
        assert_eq!(phone.run(task).failed(), "not_enrolled", "{task:?}");
    }
}

#[test]
fn a_phone_that_was_shut_out_says_so_in_words_and_by_what_it_ends_with() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    phone.log(&phone.places()[0], &[]);
    assert_eq!(say(&phone, &["sync"]).status.code(), Some(0));
    world.admin(&["revoke", &world.device("Aigul")]).ok();
    phone.log(&phone.places()[0], &[]);
    let synced = say(&phone, &["sync"]);
    assert_eq!(synced.status.code(), Some(3));
    assert!(synced.stdout.starts_with("1 sent"), "{}", synced.stdout);
    let sentence = "headquarters has shut this device out";
    assert!(synced.stderr.contains(sentence), "{}", synced.stderr);
    assert!(say(&phone, &["visits"]).ok().stderr.contains(sentence));
    assert!(say(&phone, &["status"]).ok().stdout.contains(sentence));
}

#[test]
fn a_code_that_is_not_listed_is_refused_with_the_nearest_one() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let place = &phone.places()[0];
    let log = ["log", "--place", place, "--type", "door_to_door", "--outcome", "contactd"];
    let refused = phone.run(&log);
    assert_eq!(refused.failed(), "code_unlisted");
    assert!(refused.stderr.contains("`contacted`"), "{}", refused.stderr);
    assert_eq!(phone.visits(), [] as [serde_json::Value; 0]);
    phone.run(&[&log[..], &["--force"]].concat()).ok();
    let codes = phone.run(&["codes", "outcome"]).ok().lines();
    assert!(codes.iter().any(|code| code["code"] == "contacted" && code["ru"].is_string()), "{codes:?}");
    assert_eq!(phone.run(&["codes", "weather"]).failed(), "list_unknown");
}

#[test]
fn a_visit_that_is_yet_to_come_is_logged_with_a_warning() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let place = &phone.places()[0];
    let log = ["log", "--place", place, "--type", "door_to_door", "--outcome", "contacted"];
    let logged = say(&phone, &[&log[..], &["--at", "2099-01-01T08:00:00+05:00"]].concat()).ok();
    assert!(logged.stderr.contains("2099-01-01"), "{}", logged.stderr);
    assert_eq!(say(&phone, &log).ok().stderr, "");
}

#[test]
fn only_what_is_in_conflict_can_be_settled() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let visit = phone.log(&phone.places()[0], &[]);
    for field in ["outcome", "nonsense"] {
        let resolve = ["resolve", &visit, "--field", field, "--value", "refused"];
        assert_eq!(phone.run(&resolve).failed(), "not_in_conflict");
    }
    assert_eq!(phone.visit(&visit)["outcome"], "contacted");
}

/// The lists of `sync-core/tests/collation/cases.json`, of texts that a place may be called by.
fn ordered() -> Vec<Vec<String>> {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../../sync-core/tests/collation/cases.json")).unwrap();
    let mut lists: Vec<Vec<String>> = serde_json::from_value(cases["ordered"].clone()).unwrap();
    lists.retain(|list| list.iter().all(|text| text.chars().any(char::is_alphanumeric)));
    lists
}

/// Those of a list that were printed, each once.
fn printed(lines: impl Iterator<Item = String>, list: &[String]) -> Vec<String> {
    let mut found: Vec<String> = lines.filter(|line| list.contains(line)).collect();
    found.dedup();
    found
}

#[test]
fn places_and_devices_are_printed_in_the_order_in_which_people_read() {
    let world = World::new();
    let lists = ordered();
    assert!(lists.len() > 5);
    let mut places = "beat,address,external_code\n".to_owned();
    // From the last to the first; known by codes, for letters in another case do not make another address.
    for (number, text) in lists.iter().flatten().rev().enumerate() {
        writeln!(places, "beat-01,\"{}\",KZ-{number}", text.replace('"', "\"\"")).unwrap();
    }
    let file = world.write("places.csv", &places);
    world.admin(&["load", "--places", &file]).ok();
    let names = &lists[1][..4];
    for name in names.iter().rev() {
        world.phone(name, "beat-01");
    }
    let phone = world.phone("Aigul", "beat-01");
    let lines = say(&phone, &["places"]).ok().stdout;
    for list in &lists {
        // Behind the id.
        let addresses = lines.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_owned()));
        assert_eq!(printed(addresses, list), *list);
    }
    let devices = world.devices().into_iter().map(|device| device["person"]["name"].as_str().unwrap().to_owned());
    assert_eq!(printed(devices, names), names);
}
