//! The demonstration as an operator runs it: real input, real dirt, and the equality at the end.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::Command,
};

use aralau_tests::process::{aralau, command};
use serde_json::Value;

fn relive(table: &str) -> Value {
    aralau(["demo", "--once", "--json", "--from", table]).ok().lines().pop().expect("a summary")
}

#[track_caller]
fn counts(summary: &Value, expected: &[(&str, u64)]) {
    for (name, count) in expected {
        assert_eq!(summary[name], *count, "{name} in {summary}");
    }
}

#[test]
fn made_up_visits_all_come_home() {
    let summary = aralau(["demo", "--once", "--json", "--devices", "4", "--visits", "40"]).ok().lines().pop();
    let expected = [("distinct_visits", 40), ("devices", 4), ("visits_at_headquarters", 40), ("lost", 0)];
    counts(&summary.expect("a summary"), &expected);
}

#[test]
fn a_demonstration_that_is_told_to_stop_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    // While it works, and while it serves.
    for (visits, line) in [("20000", "A server on"), ("20", "Ctrl-C ends it")] {
        let mut demo = command(["demo", "--devices", "2", "--visits", visits]);
        let mut demo = demo.env("TMPDIR", temporary.path()).spawn().unwrap();
        let mut said = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.any(|said| said.contains(line)), "{line}");
        assert!(temporary.path().read_dir().unwrap().next().is_some());
        Command::new("kill").arg(demo.id().to_string()).status().unwrap();
        demo.wait().unwrap();
        assert!(temporary.path().read_dir().unwrap().next().is_none(), "{line}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_another() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = holder.local_addr().unwrap().to_string();
    let demo = aralau(["demo", "--once", "--json", "--visits", "1", "--listen", &listen]);
    assert_eq!(demo.failed(), "listen");
    assert!(demo.stderr.contains(&listen) && demo.stderr.contains("--listen 127.0.0.1:"), "{}", demo.stderr);
}

#[test]
fn a_small_table_with_every_kind_of_dirt_comes_home_whole() {
    let summary = relive(concat!(env!("CARGO_MANIFEST_DIR"), "/data/inspections-small.csv"));
    let expected = [
        ("rows", 41),
        ("distinct_visits", 34),
        ("duplicate_rows", 4),
        ("devices", 8),
        ("visits_at_headquarters", 34),
        ("quarantined", 0),
        ("rejected_rows", 0),
        ("lost", 0),
    ];
    counts(&summary, &expected);
    assert_eq!(summary["notes_at_headquarters"], summary["notes_logged"]);
}

#[test]
fn the_real_inspections_come_home_whole() {
    let Ok(table) = std::env::var("ARALAU_INSPECTIONS_CSV") else {
        eprintln!("skipped: ARALAU_INSPECTIONS_CSV names no file");
        return;
    };
    let summary = relive(&table);
    let expected = [
        ("rows", 2_684),
        ("distinct_visits", 2_262),
        ("duplicate_rows", 405),
        ("devices", 16),
        ("visits_at_headquarters", 2_262),
        ("quarantined", 0),
        ("rejected_rows", 0),
        ("lost", 0),
    ];
    counts(&summary, &expected);
    assert_eq!(summary["notes_at_headquarters"], summary["notes_logged"]);
}
