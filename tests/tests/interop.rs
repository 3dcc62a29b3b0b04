//! Automerge's own JavaScript library opens what a phone exports, and reads the same.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use aralau_sync_core::{
    change::{Change, Value as Field},
    id::Actor,
    visit::VisitEdit,
};
use aralau_tests::world::World;
use serde_json::{Value, json};

/// The folder with the scripts, its packages installed; `None` where there is no npm and nobody insists.
fn scripts() -> Option<&'static Path> {
    static SCRIPTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let install = || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
        // The same line as in `./dev test`, for which nothing is left to do then.
        let arguments = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
        match Command::new("npm").args(arguments).current_dir(&folder).output() {
            Ok(installed) => {
                assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
                Some(folder)
            }
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "npm is missing: {error}");
                eprintln!("skipped: npm is missing ({error})");
                None
            }
        }
    };
    SCRIPTS.get_or_init(install).as_deref()
}

fn node(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new("node").args(arguments).current_dir(folder).output().expect("node");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn automerge_in_javascript_opens_an_exported_visit_and_reads_the_same_values() {
    let Some(scripts) = scripts() else { return };
    let world = World::new();
    let (one, other) = (world.phone("Айгүл", "beat-01"), world.phone("Boris", "beat-01"));
    let place = one.places()[0].clone();
    let visit = one.log(&place, &["--note", "Протекает крыша 🌧", "--at", "2026-03-01T09:30:00Z"]);
    one.sync();
    other.sync();
    one.edit(&visit, &["--outcome", "refused"]);
    other.edit(&visit, &["--outcome", "nobody_home", "--note", "second note"]);
    for phone in [&one, &other, &one] {
        phone.sync();
    }
    let file = world.path("visit.automerge");
    one.run(&["export", &visit, file.to_str().unwrap()]).ok();
    let read: Value = serde_json::from_str(&node(scripts, &["read.mjs", file.to_str().unwrap()])).unwrap();
    let shown = one.visit(&visit);
    let values = &read["values"];
    assert_eq!((&values["place"], &values["visit_type"]), (&json!(place), &json!("door_to_door")));
    assert_eq!(values["outcome"], shown["outcome"], "the same of two concurrent values is shown");
    assert_eq!(read["conflicts"], json!({ "outcome": ["nobody_home", "refused"] }));
    for note in shown["notes"].as_array().unwrap() {
        assert_eq!(values[format!("notes/{}/text", note["id"].as_str().unwrap())], note["text"]);
    }
    let begun = values.as_object().unwrap().iter().find(|(key, _)| key.ends_with("/started_at")).unwrap().1;
    assert_eq!(*begun, json!(1_772_357_400_000_i64));
    assert_eq!(read["changes"], 3);

    // The other way round: an edit by Automerge is, byte for byte, one that we would have written.
    let actor = Actor { replica: one.sdk().replica(), generation: 3 };
    let hex: String = actor.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let made = node(scripts, &["edit.mjs", file.to_str().unwrap(), &hex, "outcome", "moved"]);
    let bytes: Vec<u8> =
        (0..made.len()).step_by(2).map(|at| u8::from_str_radix(&made[at..at + 2], 16).unwrap()).collect();
    let change = Change::from_chunk(&bytes).expect("within the profile");
    assert_eq!((change.actor(), change.sequence(), change.dependencies().len()), (actor, 1, 2));
    assert_eq!(change.puts()[0].predecessors.len(), 2, "it settles the conflict");
}

/// An export holds nothing that its reader cannot decode, and what JSON cannot hold exactly is shown by its digits.
#[test]
fn numbers_that_browsers_do_not_hold_exactly_are_neither_lost_nor_rounded() {
    let Some(scripts) = scripts() else { return };
    let world = World::new();
    let phone = world.phone("Айгүл", "beat-01");
    let visit = phone.log(&phone.places()[0].clone(), &[]);
    let numbers = [
        ("greatest", Field::Uint(u64::MAX), json!(u64::MAX.to_string())),
        ("least", Field::Int(i64::MIN), json!(i64::MIN.to_string())),
        ("exact", Field::Int(9_007_199_254_740_991), json!(9_007_199_254_740_991_i64)),
    ];
    let edits =
        numbers.each_ref().map(|(field, value, _)| VisitEdit::Set { field: (*field).into(), value: value.clone() });
    phone.sdk().edit_visit(visit.parse().unwrap(), &edits).unwrap();
    phone.sync();
    let file = world.path("numbers.automerge");
    phone.run(&["export", &visit, file.to_str().unwrap()]).ok();
    let read: Value = serde_json::from_str(&node(scripts, &["read.mjs", file.to_str().unwrap()])).unwrap();
    let shown = phone.visit(&visit);
    for (field, _, wanted) in &numbers {
        let digits = |value: &Value| value.to_string().trim_matches('"').to_owned();
        assert_eq!(digits(&read["values"][*field]), digits(wanted), "{field}, as Automerge reads it");
        assert_eq!(&shown["other"][*field], wanted, "{field}, in JSON: {shown}");
    }
}
