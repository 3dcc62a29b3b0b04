//! Writing an actor's changes anew keeps every word, converges and reloads.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::{Change, Value, reauthor},
    document::Document,
    id::{Actor, ReplicaId},
    reading::{self, Reading},
    time::Millis,
};
use automerge::Automerge;
use proptest::prelude::*;
use support::{Step, World, actor, changes_of, steps};

const NEW: Actor = Actor { replica: ReplicaId([0xee; 14]), generation: 0 };

fn put(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), value.into())
}

/// All values of each key, sorted: which of them wins may change with the actor.
fn words(document: &Document) -> BTreeMap<String, Vec<Value>> {
    let words = document.live().map(|(key, ops)| {
        let mut values: Vec<Value> = ops.into_iter().map(|(_, value)| value.clone()).collect();
        values.sort();
        (key.to_owned(), values)
    });
    words.collect()
}

fn accept_all(document: &mut Document, changes: &[Change]) {
    for change in changes {
        document.accept(change.clone()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_word_is_kept(steps in steps(), kept in 0_usize..6, same_replica: bool) {
        // Nobody has seen what device 0 wrote.
        let hidden = |step: &Step| !matches!(step, Step::Merge { from: 0, .. });
        let steps: Vec<Step> = steps.into_iter().filter(hidden).collect();
        let all = changes_of(&World::play(&steps));
        let from = actor(0);
        let to = if same_replica { Actor { generation: 1, ..from } } else { NEW };

        let mut before = Document::new();
        accept_all(&mut before, &all);
        let own: Vec<Change> = all.iter().filter(|change| change.actor() == from).cloned().collect();
        let unsent = own[kept.min(own.len())..].to_vec();
        let first_op = unsent.first().map_or(0, Change::start_op);
        let mut after = Document::new();
        let sent = all.iter().filter(|change| !unsent.iter().any(|other| other.hash() == change.hash()));
        accept_all(&mut after, &sent.cloned().collect::<Vec<_>>());
        let written = reauthor(&unsent, from, to, first_op, &BTreeMap::new()).unwrap();
        accept_all(&mut after, &written);

        prop_assert_eq!(words(&after), words(&before));
        let through_automerge = Reading::of(after.changes().iter().map(|change| (change, Millis(0)))).unwrap();
        prop_assert_eq!(through_automerge, Reading::of_document(&after, |_| Millis(0)));
        let loaded = Automerge::load(&reading::export(after.changes()).unwrap()).unwrap();
        prop_assert_eq!(changes_of(&loaded).len(), after.changes().len());
    }
}

#[test]
fn what_the_replica_witnessed_moves_to_the_new_replica() {
    let old = actor(0);
    let key = |replica: ReplicaId| format!("witness/{replica}/started_at");
    let mut device = Document::new();
    let mut write = |puts: &[(String, Value)]| {
        let change = device.author(old, puts).unwrap().unwrap();
        device.apply(change.clone());
        change
    };
    let nonce = ("nonce".to_owned(), Value::Bytes(vec![7; 16]));
    let accepted = write(&[nonce, put(&key(old.replica), "1")]);
    let unsent =
        [write(&[put(&key(old.replica), "2")]), write(&[put(&key(old.replica), "3"), put("outcome", "moved")])];

    let written = reauthor(&unsent, old, NEW, unsent[0].start_op(), &BTreeMap::new()).unwrap();
    assert_eq!(written.iter().map(Change::sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(written[1].dependencies(), [written[0].hash()]);
    let mut document = Document::new();
    accept_all(&mut document, &[&[accepted], &written[..]].concat());
    let reading = Reading::of(document.changes().iter().map(|change| (change, Millis(0)))).unwrap();
    assert_eq!(reading.text(&key(old.replica)), Some("1"));
    assert_eq!(reading.text(&key(NEW.replica)), Some("3"));
    assert_eq!(reading.text("outcome"), Some("moved"));
    assert_eq!(reading.conflicts().count(), 0);
    assert_eq!(reading.witnesses().len(), 2);
}
