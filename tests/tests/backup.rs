//! A backup taken while serving restores, and the phones bring back what it lacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use aralau_tests::{
    headquarters::Headquarters,
    phone::{self, Phone},
    process::{Server, aralau, eventually},
    world::World,
};
use serde_json::{Value, json};

#[track_caller]
fn backup(world: &World, file: &Path) -> Value {
    let (data, file) = (world.server.data.to_str().unwrap(), file.to_str().unwrap());
    aralau(["backup", "--data", data, file, "--json"]).ok().object()
}

/// Kills the server and puts one restored from `file` in its place, at the same address; the operator knows that nobody was shut out.
fn restore(world: &mut World, file: &Path) {
    restore_as(world, file, &["--accept", "--keep-tokens"]);
}

/// The same, with other decisions of the operator's. Returns what the command said.
fn restore_as(world: &mut World, file: &Path, decisions: &[&str]) -> Value {
    world.server.kill();
    let data = world.path("restored");
    let arguments = ["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"];
    let arguments: Vec<_> = arguments.iter().chain(decisions).copied().collect();
    let said = aralau(arguments.clone()).ok().object();
    assert_eq!(said["new_epoch"], true);
    assert_eq!(aralau(arguments).failed(), "data_not_empty", "a folder in use is never overwritten");
    world.server = Server::start_at(&data, world.server.address);
    said
}

/// What headquarters knows of every visit: who set what by whose clock, in no order of arrival.
fn history(headquarters: &Headquarters) -> BTreeMap<String, BTreeSet<String>> {
    let visits = headquarters.visits("");
    let rows = |visit: &str| {
        let history = headquarters.get(&format!("/v1/visits/{visit}/history"));
        let rows = history["history"].as_array().unwrap().clone();
        let told = |row: Value| {
            json!([row["author"], row["replica"], row["device_time"], row["outcome"], row["puts"]]).to_string()
        };
        rows.into_iter().map(told).collect()
    };
    let visits = visits.iter().map(|visit| visit["id"].as_str().unwrap().to_owned());
    visits.map(|visit| (visit.clone(), rows(&visit))).collect()
}

#[test]
fn a_backup_taken_under_load_restores_and_the_phones_bring_back_the_rest() {
    let mut world = World::to_return();
    let phones = ["Aigul", "Boris", "Zarina"].map(|name| world.phone(name, "beat-01"));
    let file = world.path("nightly.backup");
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = phones
        .iter()
        .map(|phone| {
            let (home, stop) = (phone.home.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                let mut client = phone::open(&home);
                let mut logged = 0;
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..5 {
                        phone::log(&mut client, &format!("note {logged}"));
                        logged += 1;
                    }
                    phone::sync(&mut client, 20).expect("the server is there all the while");
                }
                logged
            })
        })
        .collect();
    let headquarters = world.headquarters();
    eventually("visits arrive", || headquarters.visits("").len() > 30);
    let saved = backup(&world, &file);
    let then = headquarters.visits("").len();
    eventually("more visits arrive", || headquarters.visits("").len() > then + 30);
    stop.store(true, Ordering::Relaxed);
    let logged: usize = busy.into_iter().map(|phone| phone.join().unwrap()).sum();
    phones.iter().for_each(|phone| drop(phone.sync()));
    let before = history(&headquarters);
    assert_eq!(before.len(), logged);

    // Aigul's phone falls into a river; the server's disk dies. What she wrote is on Boris' phone and Zarina's.
    std::fs::remove_dir_all(&phones[0].home).unwrap();
    restore(&mut world, &file);
    let remaining = headquarters.visits("").len();
    assert!(remaining < logged, "the backup lacks something");
    assert!(saved["rows"].as_u64().unwrap() >= remaining as u64);
    world.check();

    let first = phones[1].sync();
    assert_eq!((&first["rewound"], &first["unsent"]), (&json!(true), &json!(0)), "{first}");
    assert!(first["relayed"].as_u64().unwrap() > 0, "a partner brings back what others wrote: {first}");
    phones[2].sync();
    phones[1].sync();
    assert_eq!(history(&headquarters), before);
    assert_eq!(headquarters.quarantine().len(), 0);
    for phone in &phones[1..] {
        let status = phone.run(&["status"]).ok().object();
        assert_eq!(status["unsent"], 0);
        assert!(status["scopes"].as_array().unwrap().iter().all(|scope| scope["epoch"].as_u64() > Some(1)));
        assert_eq!(phone.visits().len(), logged);
        assert!(phone.visits().iter().all(|visit| visit["state"] == "at_headquarters"));
    }
    world.check();
    // The new epoch is as good as the old one.
    let visit = phones[1].log(&phones[1].places()[0], &[]);
    phones[1].sync();
    phones[2].sync();
    assert_eq!(phones[2].visit(&visit)["state"], "at_headquarters");
}

#[test]
fn what_headquarters_decided_after_the_backup_comes_back_too() {
    let mut world = World::to_return();
    let phones = ["Aigul", "Boris"].map(|name| world.phone(name, "beat-01"));
    let headquarters = world.headquarters();
    let visits = [0, 1].map(|n| phones[0].log(&phones[0].places()[n], &[]));
    phones.iter().for_each(|phone| drop(phone.sync()));
    for visit in &visits {
        phones[0].edit(visit, &["--outcome", "refused"]);
        phones[1].edit(visit, &["--outcome", "nobody_home"]);
    }
    phones.iter().for_each(|phone| drop(phone.sync()));
    let settle = |visit: &str, value: &str| {
        let resolution = json!({ "field": "outcome", "value": value });
        assert_eq!(headquarters.post(&format!("/v1/visits/{visit}/resolve"), &resolution).status, 200);
    };
    let file = world.path("x.backup");
    backup(&world, &file);
    settle(&visits[0], "refused");
    phones.iter().for_each(|phone| drop(phone.sync()));
    restore(&mut world, &file);
    assert_eq!(headquarters.conflicts().len(), 2, "the backup is from before");
    // Headquarters goes on at once, before any phone has come back.
    settle(&visits[1], "nobody_home");
    phones.iter().chain(&phones).for_each(|phone| drop(phone.sync()));
    assert_eq!(headquarters.conflicts(), [] as [Value; 0]);
    for phone in &phones {
        let outcomes = visits.each_ref().map(|visit| phone.visit(visit)["outcome"].clone());
        assert_eq!(outcomes, ["refused", "nobody_home"]);
        assert_eq!(phone.run(&["status"]).ok().object()["alarms"], json!([]));
    }
    world.check();
}

#[test]
fn a_phone_enrolled_after_the_backup_is_let_in_again_with_a_new_code() {
    let mut world = World::to_return();
    let partner = world.phone("Boris", "beat-01");
    let file = world.path("x.backup");
    backup(&world, &file);
    let late = world.phone("Aigul", "beat-01");
    let visit = late.log(&late.places()[0], &["--note", "after the backup"]);
    late.sync();
    partner.sync();
    restore(&mut world, &file);
    // Nobody knows her phone any more; her partner's sync goes through all the same.
    assert_eq!(late.run(&["sync", "--wait", "1"]).failed(), "device_unknown");
    assert_eq!(partner.sync()["unsent"], 0);
    assert_eq!(late.visit(&visit)["notes"][0]["text"], "after the backup");
    let code = world.code("Aigul", "beat-01");
    late.run(&["enroll", "--server", &world.server.url(), "--code", &code]).ok();
    late.sync();
    partner.sync();
    let visits = world.headquarters().visits("");
    assert_eq!(visits.iter().map(|visit| visit["id"].as_str().unwrap()).collect::<Vec<_>>(), [visit.as_str()]);
    assert_eq!(partner.visit(&visit)["state"], "at_headquarters");
    world.check();
}

#[test]
fn the_words_of_somebody_who_came_after_the_backup_come_back_though_their_phone_does_not() {
    let mut world = World::to_return();
    let partner = world.phone("Boris", "beat-01");
    let file = world.path("x.backup");
    backup(&world, &file);
    let late = world.phone("Aigul", "beat-01");
    let visit = late.log(&late.places()[0], &["--note", "after the backup"]);
    late.sync();
    partner.sync();
    restore(&mut world, &file);
    // Her phone lies in a river. The server knows her again by what it once told her partner, and only what she may.
    let told = partner.sync();
    assert_eq!(told["unsent"], 0);
    assert_eq!(told["held"], Value::Array(Vec::new()), "none of the partner's own words is held");
    assert_eq!(world.headquarters().visits("").len(), 0);
    let held = world.headquarters().quarantine();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0]["reason"].as_str(), held[0]["from"]["name"].as_str()), (Some("not_granted"), Some("Aigul")));
    // Given her beat again, she had a right to her words.
    world.code("Aigul", "beat-01");
    let visits = world.headquarters().visits("");
    assert_eq!(visits.iter().map(|visit| visit["id"].as_str().unwrap()).collect::<Vec<_>>(), [visit.as_str()]);
    assert_eq!(visits[0]["author"]["name"], "Aigul");
    partner.sync();
    assert_eq!(partner.visit(&visit)["state"], "at_headquarters");
    world.check();
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let world = World::new();
    let nonsense = world.path("nonsense");
    std::fs::write(&nonsense, vec![7; 50_000]).unwrap();
    let data = world.path("fresh");
    let arguments = |file: &Path| {
        ["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"].map(str::to_owned)
    };
    assert_eq!(aralau(arguments(&nonsense)).failed(), "not_a_backup");
    let phone = Phone::at(&world.phone("Aigul", "beat-01").home);
    assert_eq!(aralau(arguments(&phone.home.join("device.db"))).failed(), "not_a_backup");
    let file = world.path("whole.backup");
    backup(&world, &file);
    let whole = std::fs::read(&file).unwrap();
    let cut = world.path("cut.backup");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(aralau(arguments(&cut)).failed(), "not_a_backup");
    aralau(arguments(&file)).ok();
}

/// A world with a backup, after which Boris' phone was shut out and a partner heard of it.
fn with_a_phone_shut_out_after_the_backup() -> (World, [Phone; 2], std::path::PathBuf) {
    let world = World::to_return();
    let phones = ["Aigul", "Boris"].map(|name| world.phone(name, "beat-01"));
    let visit = phones[1].log(&phones[1].places()[0], &[]);
    phones.iter().for_each(|phone| drop(phone.sync()));
    let file = world.path("x.backup");
    backup(&world, &file);
    world.admin(&["revoke", &world.device("Boris")]).ok();
    let before = phones[0].log(&phones[0].places()[0], &["--note", "after the backup"]);
    phones[0].sync();
    assert_ne!(visit, before);
    (world, phones, file)
}

fn is_shut_out(world: &World, name: &str) -> bool {
    let devices = world.devices();
    !devices.iter().find(|device| device["person"]["name"] == name).expect("enrolled")["revoked_at"].is_null()
}

#[test]
fn a_phone_shut_out_after_the_backup_is_shut_out_again_by_what_its_partner_was_told() {
    let (mut world, phones, file) = with_a_phone_shut_out_after_the_backup();
    let token = world.headquarters();
    assert_eq!(restore_as(&mut world, &file, &[])["unconfirmed"], 2);
    assert_eq!(token.ask("/v1/visits").status, 401, "tokens end with a restore");
    assert!(!is_shut_out(&world, "Boris"), "the backup is from before");
    // Nobody is served, least of all the one who was shut out.
    assert_eq!(phones[1].run(&["sync", "--wait", "1"]).failed(), "device_unconfirmed");
    assert_eq!(phones[0].run(&["sync", "--wait", "1"]).failed(), "device_unconfirmed");
    assert!(is_shut_out(&world, "Boris"), "her phone has brought it back");
    // He logs on offline; she is confirmed, and everything she had comes back.
    world.admin(&["confirm", "--all"]).ok();
    assert_eq!(phones[0].sync()["unsent"], 0);
    assert_eq!(world.headquarters().visits("").len(), 2);
    let last = phones[1].sync();
    assert_eq!(last["wipe"], true, "{last}");
    assert_eq!(world.headquarters().quarantine().len(), 0);
    world.check();
    assert_eq!(world.admin(&["rebuild"]).failed(), "data_locked");
}

#[test]
fn notices_of_the_lost_folder_spare_everybody_the_asking() {
    let (mut world, phones, file) = with_a_phone_shut_out_after_the_backup();
    let notices = world.server.data.join("notices");
    let said = restore_as(&mut world, &file, &["--notices", notices.to_str().unwrap()]);
    assert_eq!((&said["unconfirmed"], &said["ended_again"]), (&json!(0), &json!(1)), "{said}");
    assert!(is_shut_out(&world, "Boris"));
    assert_eq!(phones[1].sync()["wipe"], true);
    assert_eq!(phones[0].sync()["unsent"], 0);
    assert_eq!(world.headquarters().visits("").len(), 2);
    world.check();
}

#[test]
fn a_server_that_was_told_to_accept_hears_of_it_from_the_first_partner_who_syncs() {
    let (mut world, phones, file) = with_a_phone_shut_out_after_the_backup();
    restore_as(&mut world, &file, &["--accept"]);
    assert!(!is_shut_out(&world, "Boris"));
    phones[0].sync();
    assert!(is_shut_out(&world, "Boris"));
    assert_eq!(phones[1].sync()["wipe"], true);
    world.check();
}

#[test]
fn a_raw_copy_of_a_database_is_restored_and_said_to_be_one() {
    let world = World::new();
    world.phone("Aigul", "beat-01");
    let copy = world.path("copy.db");
    std::fs::copy(world.server.data.join("aralau.db"), &copy).unwrap();
    let data = world.path("fresh");
    let said = aralau(["restore", copy.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"]).ok().object();
    assert_eq!(said["is_raw_copy"], true);
    let file = world.path("whole.backup");
    backup(&world, &file);
    let data = world.path("second");
    let said = aralau(["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"]).ok().object();
    assert_eq!(said["is_raw_copy"], false);
}
