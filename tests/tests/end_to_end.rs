//! The product by its command line and its HTTP interface: real processes, real folders.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use aralau_client_sdk::{Value as Code, VisitDraft, VisitEdit};
use aralau_tests::{
    headquarters::Headquarters,
    phone::{self, Phone},
    process::{Server, aralau, command, eventually, finish, texts},
    world::{World, admin},
};
use serde_json::{Value, json};

#[test]
fn words_are_found_in_one_beat_and_not_in_another() {
    let world = World::new();
    let (one, other) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-02"));
    let mut found = Vec::new();
    for (phone, words) in [(&one, "water pump"), (&other, "water main"), (&one, "nothing of it")] {
        found.push(phone.log(&phone.places()[0], &["--note", words]));
        phone.sync();
    }
    let headquarters = world.headquarters();
    let ids = |query: &str| texts(&headquarters.visits(query), "id");
    assert_eq!(ids("&text=water&beat=beat-01"), found[..1]);
    assert_eq!(ids("&text=water&beat=beat-02"), found[1..2]);
    assert_eq!(ids("&text=water").len(), 2);
    for beat in ["beat-03", "nowhere"] {
        assert_eq!(ids(&format!("&text=water&beat={beat}")), [] as [String; 0]);
    }
}

#[test]
fn a_visit_logged_offline_reaches_headquarters() {
    let world = World::new();
    let (phone, headquarters) = (world.phone("Айгүл", "beat-01"), world.headquarters());
    let place = phone.places()[0].clone();
    let visit = phone.log(&place, &["--note", "Протекает крыша", "--at", "2026-03-01T09:30:00+05:00"]);
    assert_eq!(phone.visit(&visit)["state"], "on_this_phone");
    assert_eq!(headquarters.visits(""), [] as [Value; 0]);

    let synced = phone.sync();
    assert_eq!((&synced["pushed"], &synced["confirmed_index"]), (&json!(1), &json!(1)));
    let devices = headquarters.get("/v1/devices")["devices"].as_array().unwrap().clone();
    let device = devices.iter().find(|device| device["person"]["name"] == "Айгүл").unwrap();
    assert_eq!(
        (&device["unsent"], &device["oldest_unsent_at"]),
        (&json!(0), &Value::Null),
        "what has come is not unsent"
    );
    let mine = phone.visit(&visit);
    assert_eq!(
        (&mine["state"], &mine["place"], &mine["type"]),
        (&json!("at_headquarters"), &json!(place), &json!("door_to_door"))
    );
    assert_eq!((&mine["outcome"], &mine["conflicts"]), (&json!("contacted"), &json!([])));
    let note = &mine["notes"][0];
    assert_eq!((&note["text"], &note["by"]), (&json!("Протекает крыша"), &json!("Айгүл")));
    assert!(note["id"].is_string() && note["at"].is_string(), "{note}");

    let visits = headquarters.visits("");
    assert_eq!(texts(&visits, "id"), std::slice::from_ref(&visit));
    assert_eq!(visits[0]["started_at"], "2026-03-01T04:30:00.000Z");
    assert_eq!(visits[0]["author"]["name"], "Айгүл");
    assert_eq!(texts(&headquarters.visits("&text=%D0%BA%D1%80%D1%8B%D1%88%D0%B0"), "id"), std::slice::from_ref(&visit));
    let detail = headquarters.get(&format!("/v1/visits/{visit}"));
    assert_eq!((&detail["notes"][0]["text"], &detail["state"]), (&json!("Протекает крыша"), &json!("settled")));
    let again = phone.sync();
    assert_eq!((&again["pushed"], &again["pulled"], &again["confirmed_index"]), (&json!(0), &json!(0), &json!(1)));
    world.check();
}

#[test]
fn the_sample_organisation_may_be_made_twice_beside_the_running_server() {
    let world = World::new();
    let again = world.admin(&["sample"]).ok().object();
    assert_eq!((&again["beats"], &again["places"]), (&json!(0), &json!(0)));
    let phone = world.phone("Arman", "beat-06");
    assert_eq!(phone.places().len(), 12);
    assert_eq!(world.headquarters().visits(""), [] as [Value; 0], "places, but no visits");
    assert_eq!(world.headquarters().get("/v1/places?limit=1000")["places"].as_array().unwrap().len(), 72);
    world.check();
}

#[test]
fn two_phones_that_edit_one_visit_offline_both_find_both_values_and_headquarters_settles_it() {
    let world = World::new();
    let (one, other) = (world.phone("Айгүл", "beat-01"), world.phone("Boris", "beat-01"));
    let visit = one.log(&one.places()[0], &["--note", "first"]);
    one.sync();
    other.sync();
    one.edit(&visit, &["--outcome", "refused", "--note", "Айгүл's words"]);
    other.edit(&visit, &["--outcome", "nobody_home", "--note", "Борис' words"]);
    for phone in [&one, &other, &one, &other] {
        phone.sync();
    }
    for phone in [&one, &other] {
        assert_eq!(phone.conflict(&visit, "outcome"), ["nobody_home", "refused"]);
        let shown = phone.visit(&visit);
        assert_eq!(texts(shown["notes"].as_array().unwrap(), "text").len(), 3);
        let values = shown["conflicts"][0]["values"].as_array().unwrap();
        for value in values {
            let author = if value["value"] == "refused" { "Айгүл" } else { "Boris" };
            assert_eq!(value["author"], author);
            assert!(value["at"].as_str().unwrap().ends_with('Z'));
        }
    }
    let headquarters = world.headquarters();
    let conflicts = headquarters.conflicts();
    assert_eq!(texts(&conflicts, "visit"), std::slice::from_ref(&visit));
    assert_eq!(conflicts[0]["values"].as_array().unwrap().len(), 2);
    assert_eq!(headquarters.get(&format!("/v1/visits/{visit}"))["state"], "conflict");

    let resolution = json!({ "field": "outcome", "value": "refused" });
    assert_eq!(headquarters.post(&format!("/v1/visits/{visit}/resolve"), &resolution).status, 200);
    assert_eq!(headquarters.conflicts(), [] as [Value; 0]);
    assert_eq!(
        headquarters.post(&format!("/v1/visits/{visit}/resolve"), &resolution).problem(),
        (409, "not_in_conflict")
    );
    for phone in [&one, &other] {
        phone.sync();
        assert_eq!(phone.conflict(&visit, "outcome"), [] as [&str; 0]);
        assert_eq!(phone.visit(&visit)["outcome"], "refused");
    }
    let history = headquarters.get(&format!("/v1/visits/{visit}/history"));
    assert_eq!(history["history"].as_array().unwrap().len(), 4, "the losing value stays in the history");
    world.check();
}

#[test]
fn a_phone_may_settle_a_conflict_as_well() {
    let world = World::new();
    let (one, other) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let visit = one.log(&one.places()[0], &[]);
    one.sync();
    other.sync();
    one.edit(&visit, &["--outcome", "refused"]);
    other.edit(&visit, &["--outcome", "nobody_home"]);
    for phone in [&one, &other, &one] {
        phone.sync();
    }
    one.run(&["resolve", &visit, "--field", "outcome", "--value", "nobody_home"]).ok();
    one.sync();
    other.sync();
    assert_eq!(other.conflict(&visit, "outcome"), [] as [&str; 0]);
    assert_eq!(world.headquarters().visits("")[0]["outcome"], "nobody_home");
    assert_eq!(world.headquarters().conflicts(), [] as [Value; 0]);
}

#[test]
fn equal_concurrent_values_are_no_conflict() {
    let world = World::new();
    let (one, other) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let visit = one.log(&one.places()[0], &[]);
    one.sync();
    other.sync();
    for phone in [&one, &other] {
        phone.edit(&visit, &["--outcome", "refused"]);
    }
    for phone in [&one, &other, &one, &other] {
        phone.sync();
    }
    for phone in [&one, &other] {
        assert_eq!((phone.conflict(&visit, "outcome"), &phone.visit(&visit)["outcome"]), (vec![], &json!("refused")));
    }
    assert_eq!(world.headquarters().conflicts(), [] as [Value; 0]);
}

#[test]
fn a_withdrawn_visit_stays_in_the_history() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let visit = phone.log(&phone.places()[0], &["--note", "wrong door"]);
    phone.edit(&visit, &["--withdraw"]);
    phone.sync();
    let headquarters = world.headquarters();
    assert_eq!(headquarters.visits("")[0]["status"], "withdrawn");
    assert_eq!(headquarters.get(&format!("/v1/visits/{visit}"))["notes"][0]["text"], "wrong door");
    assert_eq!(headquarters.get(&format!("/v1/visits/{visit}/history"))["history"].as_array().unwrap().len(), 2);
    assert_eq!(phone.visit(&visit)["status"], "withdrawn");
    assert_eq!(phone.run(&["edit", &visit]).failed(), "nothing_to_do");
}

#[test]
fn codes_and_fields_that_nobody_knows_are_carried_unharmed() {
    let world = World::new();
    let (one, other) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let place = one.places()[0].clone();
    let logged = ["log", "--force", "--place", &place, "--type", "drone_flyover", "--outcome", "жаңа_код"];
    let visit = one.run(&logged).ok().object()["visit"].as_str().unwrap().to_owned();
    let mut sdk = one.sdk();
    let field = |value: &str| VisitEdit::Set { field: "weather_2031".into(), value: Code::Text(value.into()) };
    sdk.edit_visit(visit.parse().unwrap(), &[field("sleet")]).unwrap();
    drop(sdk);
    one.sync();
    other.sync();
    let shown = other.visit(&visit);
    assert_eq!((&shown["type"], &shown["outcome"]), (&json!("drone_flyover"), &json!("жаңа_код")));
    assert_eq!(shown["other"]["weather_2031"], "sleet");
    let detail = world.headquarters().get(&format!("/v1/visits/{visit}"));
    assert_eq!((&detail["type"], &detail["value"]["weather_2031"]), (&json!("drone_flyover"), &json!("sleet")));
}

#[test]
fn pages_of_visits_follow_limit_and_cursor_and_nothing_else_is_taken() {
    let world = World::new();
    let mut client = world.sdk("Aigul", "beat-01");
    for n in 0..105 {
        phone::log(&mut client, &format!("note {n}"));
    }
    phone::sync(&mut client, 8).unwrap();
    let headquarters = world.headquarters();
    let count = |page: &Value| page["visits"].as_array().unwrap().len();
    let page = headquarters.get("/v1/visits");
    assert_eq!(count(&page), 100, "the default");
    let rest = headquarters.get(&format!("/v1/visits?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((count(&rest), &rest["next"]), (5, &Value::Null));
    assert_eq!(count(&headquarters.get("/v1/visits?limit=1000")), 105);
    assert_eq!(count(&headquarters.get("/v1/visits?limit=1")), 1);
    for wrong in ["limit=1001", "limit=0", "limit=x", "colour=red", "cursor=x"] {
        let reply = headquarters.ask(&format!("/v1/visits?{wrong}"));
        assert_eq!(reply.problem(), (400, "bad_parameter"), "{wrong}");
    }
}

#[test]
fn who_has_no_token_gets_401_and_who_has_the_wrong_role_403() {
    let world = World::new();
    let nobody = Headquarters::new(&world.server.url(), None);
    let forger = Headquarters::new(&world.server.url(), Some("aralau_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    for path in ["/v1/visits", "/v1/conflicts", "/v1/quarantine", "/v1/devices", "/v1/events", "/v1/export.csv"] {
        assert_eq!(nobody.ask(path).problem(), (401, "unauthorized"), "{path}");
        assert_eq!(forger.ask(path).problem(), (401, "unauthorized"), "{path}");
    }
    let auditor = world.role("auditor");
    assert_eq!(auditor.ask("/v1/visits").status, 200);
    let visit = format!("/v1/visits/{}/resolve", uuid::Uuid::new_v4());
    let resolution = json!({ "field": "outcome", "value": "refused" });
    assert_eq!(auditor.post(&visit, &resolution).problem(), (403, "forbidden"));
    let device = format!("/v1/devices/{}/revoke", uuid::Uuid::new_v4());
    assert_eq!(world.headquarters().post(&device, &json!({})).problem(), (403, "forbidden"));
}

#[test]
fn a_phone_sees_nothing_of_another_beat() {
    let world = World::new();
    let (here, there) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-02"));
    let places = here.places();
    let visit = here.log(&places[0], &["--note", "secret"]);
    here.sync();
    there.sync();
    assert_eq!(there.visits(), [] as [Value; 0]);
    assert!(there.places().iter().all(|place| !places.contains(place)));
    let foreign = ["log", "--place", &places[0], "--type", "door_to_door", "--outcome", "contacted"];
    assert_eq!(there.run(&foreign).failed(), "place_unknown");
    assert_eq!(there.run(&["edit", &visit, "--outcome", "refused"]).failed(), "document_unknown");
    let bytes = std::fs::read(there.home.join("device.db")).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"secret"), "not even in the file");
    let headquarters = world.headquarters();
    assert_eq!(texts(&headquarters.visits("&beat=beat-01"), "id"), [visit]);
    assert_eq!(headquarters.visits("&beat=beat-02"), [] as [Value; 0]);
}

#[test]
fn an_enrollment_code_lets_in_one_phone_in_time() {
    let world = World::new();
    let url = world.server.url();
    let enroll =
        |name: &str, code: &str| Phone::at(&world.path(name)).run(&["enroll", "--server", &url, "--code", code]);
    let code = world.code("Aigul", "beat-01");
    assert!(!code.starts_with('-'));
    let enrolled = enroll("one", &code).ok().object();
    assert_eq!((&enrolled["person"]["name"], &enrolled["beats"]), (&json!("Aigul"), &json!(["beat-01"])));
    enroll("one", &code).ok();
    assert_eq!(enroll("other", &code).failed(), "enrollment_code_used");
    assert_eq!(enroll("other", "AAAA-BBBB-CCCC").failed(), "enrollment_code_unknown");
    assert_eq!(enroll("other", "").failed(), "enrollment_code_unknown");

    let late = world.code("Boris", "beat-01");
    let store = rusqlite::Connection::open(world.server.data.join("aralau.db")).unwrap();
    store.execute("UPDATE enrollment_code SET expires_at = 1 WHERE device IS NULL", []).unwrap();
    assert_eq!(enroll("other", &late).failed(), "enrollment_code_expired");
    assert_eq!(Phone::at(&world.path("other")).run(&["sync"]).failed(), "not_enrolled");
    enroll("other", &world.code("Boris", "beat-01")).ok();
    assert_eq!(world.devices().len(), 2, "a failed attempt leaves no device behind");
    assert_eq!(world.admin(&["enroll", "--beat", "beat-77", "--inspector", "X"]).failed(), "beat_unknown");
    assert_eq!(world.admin(&["enroll", "--beat", "beat-01", "--inspector", " "]).failed(), "inspector");
}

#[test]
fn what_a_revoked_phone_still_sends_is_held_until_someone_releases_it() {
    let world = World::new();
    let (lost, partner) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let before = lost.log(&lost.places()[0], &["--note", "before"]);
    lost.sync();
    let after = lost.log(&lost.places()[0], &["--note", "after"]);
    lost.edit(&after, &["--outcome", "refused"]);
    world.admin(&["revoke", &world.device("Aigul")]).ok();
    let synced = lost.sync();
    assert_eq!((&synced["wipe"], &synced["unsent"]), (&json!(true), &json!(0)));

    let administrator = world.role("administrator");
    assert_eq!(texts(&administrator.visits(""), "id"), std::slice::from_ref(&before));
    let held = administrator.quarantine();
    assert_eq!(texts(&held, "reason"), ["revoked", "revoked"]);
    assert_eq!((&held[0]["document"], &held[0]["remedy"]), (&json!(after), &json!("judge")));
    let puts = held[0]["puts"].as_array().unwrap();
    assert!(puts.iter().any(|put| put["value"] == "after"), "a person sees what they judge: {puts:?}");
    let path = |held: &Value, verb: &str| {
        let text = |name: &str| held[name].as_str().unwrap().to_owned();
        format!("/v1/quarantine/{}/{}/{}/{verb}", text("replica"), text("scope"), held["index"])
    };
    let released = administrator.post(&path(&held[0], "release"), &json!({}));
    assert_eq!((released.status, &released.body["filled"]), (200, &json!(1)), "{}", released.text);
    assert_eq!(administrator.post(&path(&held[0], "release"), &json!({})).problem(), (409, "already_decided"));
    assert_eq!(administrator.post(&path(&held[1], "reject"), &json!({ "note": "not hers" })).status, 200);
    assert_eq!(administrator.quarantine(), [] as [Value; 0]);
    let mut ids = texts(&administrator.visits(""), "id");
    ids.sort();
    let mut both = [before, after.clone()];
    both.sort();
    assert_eq!(ids, both);
    partner.sync();
    assert_eq!(partner.visit(&after)["outcome"], "contacted", "released without the rejected edit");
    assert_eq!(world.admin(&["revoke", &uuid::Uuid::new_v4().to_string()]).failed(), "device_unknown");
    world.check();
}

#[test]
fn the_servers_own_hand_cannot_be_shut_out_or_moved() {
    let world = World::new();
    let devices = world.admin(&["devices"]).ok().lines();
    let own = devices.iter().find(|device| device["server_custody"] == true).unwrap()["id"].as_str().unwrap();
    assert_eq!(world.admin(&["revoke", own]).failed(), "device_unknown");
    assert_eq!(world.admin(&["assign", own, "--beat", "beat-01"]).failed(), "device_unknown");
    let revoked = world.role("administrator").post(&format!("/v1/devices/{own}/revoke"), &json!({}));
    assert_eq!(revoked.problem(), (404, "not_found"));
    assert_eq!(world.headquarters().get("/v1/places?limit=1000")["places"].as_array().unwrap().len(), 72);
}

#[test]
fn a_phone_moved_to_another_beat_still_brings_what_it_wrote_before() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let old_places = phone.places();
    let before = phone.log(&old_places[0], &["--note", "unsent when she was moved"]);
    world.admin(&["assign", &world.device("Aigul"), "--beat", "beat-03"]).ok();
    phone.sync();
    phone.sync();
    let headquarters = world.headquarters();
    assert_eq!(texts(&headquarters.visits("&beat=beat-01"), "id"), [before]);
    let new_place =
        phone.places().into_iter().find(|place| !old_places.contains(place)).expect("the new beat's places");
    let after = phone.log(&new_place, &[]);
    phone.sync();
    assert_eq!(texts(&headquarters.visits("&beat=beat-03"), "id"), [after]);
    assert_eq!(headquarters.get("/v1/quarantine")["code"], Value::Null);
    world.check();
}

#[test]
fn plain_http_to_another_machine_needs_a_word() {
    let world = World::new();
    let code = world.code("Aigul", "beat-01");
    let phone = Phone::at(&world.path("phone"));
    assert_eq!(phone.run(&["enroll", "--server", "http://hq.example:8470", "--code", &code]).failed(), "insecure_url");
    assert_eq!(phone.run(&["enroll", "--server", "hq.example", "--code", &code]).failed(), "bad_url");
    let port = world.server.address.port();
    phone.run(&["enroll", "--server", &format!("http://localhost:{port}"), "--code", &code]).ok();
    // Allowed, but not there.
    let nowhere = phone.run(&["enroll", "--insecure", "--server", "http://hq.invalid:8470", "--code", &code]);
    assert_eq!(nowhere.failed(), "unreachable");
}

#[test]
fn a_sync_without_a_server_gives_up_in_time_and_loses_nothing() {
    let mut world = World::to_return();
    let phone = world.phone("Aigul", "beat-01");
    let visit = phone.log(&phone.places()[0], &[]);
    world.server.kill();
    let started = std::time::Instant::now();
    assert_eq!(phone.run(&["sync", "--wait", "2"]).failed(), "unreachable");
    assert!(started.elapsed().as_secs() < 6, "{:?}", started.elapsed());
    assert_eq!(phone.visit(&visit)["state"], "on_this_phone");
    world.server.start_again();
    assert_eq!(phone.sync()["pushed"], 1);
    assert_eq!(phone.visit(&visit)["state"], "at_headquarters");
}

#[test]
fn a_sync_that_begins_while_the_server_is_away_finds_it_when_it_comes_back() {
    let mut world = World::to_return();
    let phone = world.phone("Aigul", "beat-01");
    phone.log(&phone.places()[0], &[]);
    world.server.kill();
    let waiting = std::thread::spawn({
        let phone = phone.clone();
        move || phone.run(&["sync", "--wait", "30"])
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    world.server.start_again();
    assert_eq!(waiting.join().unwrap().ok().object()["pushed"], 1);
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let mut client = phone.sdk();
    for n in 0..400 {
        phone::log(&mut client, &format!("{n}: {}", "long ".repeat(80)));
    }
    drop(client);
    for json in [&[][..], &["--json"]] {
        let home = phone.home.to_str().unwrap();
        let mut command = command([&["device", "--home", home, "visits"], json].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.len() > 20);
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.success(), String::from_utf8_lossy(&ended.stderr)), (true, "".into()));
    }
}

#[test]
fn a_mistake_is_one_sentence_with_a_code_and_json_where_asked() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let visit = uuid::Uuid::new_v4().to_string();
    assert_eq!(phone.run(&["edit", &visit, "--withdraw"]).failed(), "document_unknown");
    assert_eq!(phone.run(&["export", &visit, "x.automerge"]).failed(), "document_unknown");
    assert_eq!(Phone::at(&world.path("nobody")).run(&["visits"]).failed(), "not_enrolled");
    let nowhere = world.path("nowhere");
    assert_eq!(admin(&nowhere, &["check"]).failed(), "data_missing");
    let (nowhere, file) = (nowhere.to_str().unwrap(), world.path("x.backup"));
    assert_eq!(aralau(["backup", "--data", nowhere, file.to_str().unwrap(), "--json"]).failed(), "data_missing");
    assert_eq!(aralau(["restore", file.to_str().unwrap(), "--data", nowhere, "--json"]).failed(), "file_missing");
    let plain = aralau(["admin", "--data", nowhere, "check"]);
    assert_eq!((plain.status.code(), plain.stdout.as_str(), plain.stderr.lines().count()), (Some(1), "", 1));
    assert!(!std::path::Path::new(nowhere).exists(), "a mistyped folder must not become a store");
    // A misspelt command line as well.
    assert_eq!(phone.run(&["log", "--colour", "red"]).failed(), "usage");
    assert_eq!(aralau(["admin", "--json"]).failed(), "usage");
    let plain = aralau(["serve"]);
    assert_eq!((plain.status.code(), plain.stdout.as_str()), (Some(2), ""));
    assert!(plain.stderr.contains("--data"));
    for asked in ["--help", "--version"] {
        assert!(!aralau([asked]).ok().stdout.is_empty());
    }
}

#[test]
fn one_folder_is_served_once_and_a_killed_server_leaves_no_lock() {
    let mut world = World::new();
    let address = "127.0.0.1:0".parse().unwrap();
    let mut serve = command(Server::arguments(&world.server.data, address));
    serve.arg("--json");
    assert_eq!(finish(serve).failed(), "data_locked");
    assert_eq!(world.admin(&["rebuild"]).failed(), "data_locked");
    world.server.kill();
    let rebuilt = world.admin(&["rebuild"]).ok().object();
    assert_eq!(rebuilt["changed"], 0);
    let mut again = Server::start(&world.server.data);
    assert!(again.is_running());
    assert!(again.stop().success(), "SIGTERM is an orderly end");
}

#[test]
fn a_rebuild_changes_no_row() {
    let mut world = World::new();
    let (one, other) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let visit = one.log(&one.places()[0], &["--note", "words"]);
    one.sync();
    other.sync();
    one.edit(&visit, &["--outcome", "refused"]);
    other.edit(&visit, &["--outcome", "nobody_home", "--note", "more"]);
    one.sync();
    other.sync();
    let resolution = json!({ "field": "outcome", "value": "refused" });
    world.headquarters().post(&format!("/v1/visits/{visit}/resolve"), &resolution);
    assert!(world.server.stop().success());
    let rebuilt = world.admin(&["rebuild"]).ok().object();
    assert_eq!(rebuilt["changed"], 0, "{rebuilt}");
    world.check();
}

#[test]
fn a_folder_of_a_newer_version_is_refused() {
    let mut world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    assert!(world.server.stop().success());
    let newer = |path: std::path::PathBuf| {
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    };
    newer(world.server.data.join("aralau.db"));
    assert_eq!(world.admin(&["check"]).failed(), "data_newer");
    let mut serve = command(Server::arguments(&world.server.data, "127.0.0.1:0".parse().unwrap()));
    serve.arg("--json");
    assert_eq!(finish(serve).failed(), "data_newer");
    newer(phone.home.join("device.db"));
    assert_eq!(phone.run(&["visits"]).failed(), "store_newer");
}

#[test]
fn a_database_put_back_by_hand_is_recognised() {
    let mut world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    assert!(world.server.stop().success());
    let database = world.server.data.join("aralau.db");
    let older = std::fs::read(&database).unwrap();
    world.server.start_again();
    phone.log(&phone.places()[0], &[]);
    phone.sync();
    assert!(world.server.stop().success());
    std::fs::write(&database, older).unwrap();
    for name in ["aralau.db-wal", "aralau.db-shm"] {
        drop(std::fs::remove_file(world.server.data.join(name)));
    }
    let mut serve = command(Server::arguments(&world.server.data, "127.0.0.1:0".parse().unwrap()));
    serve.arg("--json");
    assert_eq!(finish(serve).failed(), "data_behind");
}

#[test]
fn a_supervisors_token_is_within_the_beats_that_are_named() {
    let world = World::new();
    let supervisor = ["token", "--role", "supervisor", "--name", "Болат"];
    let make = |beats: &[&str]| world.admin(&[&supervisor[..], beats].concat());
    let unsaid = make(&[]);
    assert_eq!(unsaid.failed(), "beats");
    assert!(unsaid.stderr.contains("--beat") && unsaid.stderr.contains("--all-beats"), "{}", unsaid.stderr);
    assert_eq!(make(&["--beat", "beat-99"]).failed(), "beat_unknown");
    let limited = world.admin(&["token", "--role", "administrator", "--beat", "beat-01"]);
    assert_eq!(limited.failed(), "beats");
    make(&["--all-beats"]).ok();
    let made = make(&["--beat", "beat-02", "--beat", "beat-01"]).ok().object();
    let listed = world.admin(&["tokens"]).ok().lines();
    let of = |token: &Value| token["beats"].clone();
    assert_eq!(listed.iter().map(of).collect::<Vec<_>>(), [json!(["beat-01", "beat-02"]), json!(null)]);

    let (inside, outside) = (world.phone("Aigul", "beat-01"), world.phone("Timur", "beat-03"));
    for phone in [&inside, &outside] {
        phone.log(&phone.places()[0], &[]);
        phone.sync();
    }
    let headquarters = Headquarters::new(&world.server.url(), made["token"].as_str());
    let visits = headquarters.visits("");
    assert_eq!(visits.iter().map(|visit| visit["beat"].clone()).collect::<Vec<_>>(), [json!("beat-01")]);
    assert_eq!(headquarters.ask("/v1/export.ndjson").text.lines().count(), 1);
    world.admin(&["check"]).ok();
}

#[test]
fn listeners_of_events_hear_of_a_sync() {
    use std::io::Write as _;
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let token = world.admin(&["token", "--role", "headquarters"]).ok().object()["token"].as_str().unwrap().to_owned();
    let mut line = std::net::TcpStream::connect(world.server.address).unwrap();
    write!(line, "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
    line.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut lines = BufReader::new(line).lines().map(|line| line.expect("a line in time"));
    assert!(lines.next().unwrap().contains("200"));
    phone.log(&phone.places()[0], &[]);
    phone.sync();
    assert!(lines.any(|line| line.starts_with("data:")));
}

#[test]
fn exports_hold_what_phones_sent() {
    let world = World::new();
    let mut client = world.sdk("Aigul", "beat-01");
    let place = client.places().unwrap()[0].id;
    for n in 0..3 {
        let note = Some((client.fresh_id(), format!("note {n}, \"quoted\"")));
        client.log_visit(VisitDraft { place: Some(place), note, ..VisitDraft::default() }).unwrap();
    }
    phone::sync(&mut client, 8).unwrap();
    let headquarters = world.headquarters();
    let csv = headquarters.ask("/v1/export.csv");
    assert!(csv.text.starts_with('\u{feff}') && csv.text.contains("note 2"), "{}", csv.text);
    assert_eq!(headquarters.ask("/v1/export.ndjson").text.lines().count(), 3);
    assert!(headquarters.get("/v1/export.geojson")["features"].is_array());
    assert_eq!(headquarters.ask("/openapi.json").body["openapi"].as_str().map(|version| &version[..2]), Some("3."));
    eventually("metrics count the sync", || headquarters.ask("/metrics").text.contains("sync"));
}
