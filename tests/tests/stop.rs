//! What ends, and what happens once only.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use aralau_tests::{
    phone,
    process::{command, finish},
    rogue::{PATH, Rogue},
    world::World,
};
use serde_json::{Value, json};

#[test]
fn a_stop_ends_listeners_at_once_and_folds_the_log_into_the_database() {
    let mut world = World::to_return();
    let mut client = world.sdk("Aigul", "beat-01");
    phone::log(&mut client, "a word");
    phone::sync(&mut client, 8).unwrap();
    let token = world.admin(&["token", "--role", "headquarters"]).ok().object()["token"].as_str().unwrap().to_owned();
    let listeners: Vec<_> = (0..20)
        .map(|_| {
            let mut line = TcpStream::connect(world.server.address).unwrap();
            write!(line, "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
            line.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut lines = BufReader::new(line);
            let mut first = String::new();
            lines.read_line(&mut first).unwrap();
            assert!(first.contains("200"), "{first}");
            lines
        })
        .collect();
    // One that idles between two requests is not waited for either.
    let idle = TcpStream::connect(world.server.address).unwrap();
    let began = Instant::now();
    assert!(world.server.stop().success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for mut listener in listeners {
        let mut rest = String::new();
        listener.read_to_string(&mut rest).expect("it ends in an orderly way");
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    }
    drop(idle);
    let log = world.server.data.join("aralau.db-wal");
    assert!(!log.exists(), "{} bytes are left in it", log.metadata().unwrap().len());
    world.server.start_again();
    assert_eq!(world.headquarters().visits("").len(), 1);
    world.check();
}

#[test]
fn a_server_s_health_is_asked_by_the_binary_alone() {
    let mut world = World::to_return();
    let (data, listen) = (world.server.data.clone(), world.server.address.to_string());
    let health = |more: &[&str]| {
        let mut asked = command(["health", "--json", "--data"]);
        // A proxy in the environment of whoever asks is not asked.
        asked.arg(&data).args(more).env("http_proxy", "http://127.0.0.1:9");
        finish(asked)
    };
    assert_eq!(health(&["--listen", &listen]).ok().object()["ready"], true);
    std::fs::write(data.join("aralau.toml"), format!("listen = {listen:?}")).unwrap();
    assert_eq!(health(&[]).ok().object()["listen"], listen);
    assert!(world.server.stop().success());
    assert_eq!(health(&[]).failed(), "not_ready");
}

#[test]
fn one_request_sent_many_times_at_the_same_moment_is_answered_once() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    for round in 0..20 {
        let (_, visit) = rogue.visit("once");
        let frame = rogue.frame(vec![visit]);
        let body = rogue.message(&[frame]);
        let authorization = rogue.authorize(&body);
        let mut answers = BTreeMap::new();
        let all = thread::scope(|scope| {
            let posts: Vec<_> = (0..3).map(|_| scope.spawn(|| rogue.post(&body, &authorization, None))).collect();
            posts.into_iter().map(|post| post.join().unwrap()).collect::<Vec<_>>()
        });
        for answer in all {
            if let Some(welcome) = &answer.welcome {
                rogue.nonce.clone_from(&welcome.nonce);
            }
            *answers.entry((answer.status, answer.code)).or_insert(0) += 1;
        }
        let wanted = [((200, String::new()), 1), ((401, "nonce_stale".to_owned()), 2)];
        assert_eq!(answers, wanted.into_iter().collect(), "round {round}");
    }
    assert_eq!(world.headquarters().visits("").len(), 20);
    world.check();
}

#[test]
fn a_phone_that_is_enrolled_is_told_so_and_does_not_use_up_the_code_of_another_person() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let own = world.code("Aigul", "beat-01");
    phone.run(&["enroll", "--server", &world.server.url(), "--code", &own]).ok();
    let code = world.code("Bolat", "beat-01");
    let again = phone.run(&["enroll", "--server", &world.server.url(), "--code", &code]);
    assert_eq!(again.failed(), "device_enrolled");
    // Its own person's code let it in again; this one is still good for another phone.
    let other = phone::Phone::at(&world.path("other"));
    other.run(&["enroll", "--server", &world.server.url(), "--code", &code]).ok();
}

#[test]
fn a_phone_that_was_shut_out_is_told_who_it_is_and_brings_its_words_into_quarantine() {
    let world = World::new();
    let phone = world.phone("Aigul", "beat-01");
    let visit = phone.log(&phone.places()[0], &["--note", "only here"]);
    world.admin(&["revoke", &world.device("Aigul")]).ok();
    // The server may have been restored and know it by another id than it knows itself: enrolling again is its way back.
    let code = world.code("Aigul", "beat-01");
    for _ in 0..2 {
        let enrolled = phone.run(&["enroll", "--server", &world.server.url(), "--code", &code]).ok().object();
        assert_eq!(enrolled["beats"], json!([]));
    }
    assert_eq!(phone.sync()["wipe"], true);
    assert_eq!(world.headquarters().visits(""), [] as [Value; 0]);
    let held = world.role("administrator").quarantine();
    assert_eq!((&held[0]["reason"], &held[0]["document"]), (&json!("revoked"), &json!(visit)));
    // It has not used up the code: that is for the phone that takes its place.
    let next = phone::Phone::at(&world.path("next"));
    next.run(&["enroll", "--server", &world.server.url(), "--code", &code]).ok();
}

#[test]
fn whoever_never_finishes_the_head_of_a_request_is_cut_off() {
    let world = World::new();
    let mut lines: Vec<_> = (0..50).map(|_| TcpStream::connect(world.server.address).unwrap()).collect();
    let began = Instant::now();
    for line in &mut lines {
        write!(line, "POST {PATH} HTTP/1.1\r\nhost:").unwrap();
        line.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    }
    // A byte a second keeps nothing alive.
    while lines.iter_mut().filter_map(|line| line.write_all(b"x").ok()).count() > 0 {
        assert!(began.elapsed() < Duration::from_secs(45), "they are still listened to");
        thread::sleep(Duration::from_secs(1));
    }
    assert!(began.elapsed() > Duration::from_secs(20), "that was too early: {:?}", began.elapsed());
    assert_eq!(world.headquarters().ask("/livez").status, 200);
}
