//! The merge laws: however changes are ordered, grouped or repeated, the same document comes of them. And what an upload
//! comes to does not depend on how it was cut up.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::{Change, Value},
    document::{Document, Refusal},
    id::{Actor, ChangeHash, DocumentId, Kind, ReplicaId},
    reading::Reading,
    reconcile::{Arrival, Facts, Grant, Ground, HeldEntry, Outcome, Remedy, Rights, plan},
    stream::Header,
    time::Millis,
};
use proptest::prelude::*;
use support::{World, actor, changes_of, reordered, steps};

const NOW: Millis = Millis(1_780_000_000_000);

fn at(hash: &ChangeHash) -> Millis {
    Millis(i64::from(hash.0[0]))
}

fn read(document: &Document) -> Reading {
    Reading::of_document(document, at)
}

/// Takes in what is not there yet.
fn merge(into: &mut Document, from: &Document) {
    for change in from.changes() {
        match into.accept(change.clone()) {
            Ok(()) | Err(Refusal::AlreadyKnown) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

fn merged(documents: &[&Document]) -> Document {
    let mut all = Document::new();
    documents.iter().for_each(|document| merge(&mut all, document));
    all
}

/// What each of the devices holds in the end.
fn views(steps: &[support::Step]) -> Vec<Document> {
    let mut world = World::new();
    steps.iter().for_each(|step| world.step(step));
    let view = |changes: Vec<Change>| {
        let mut document = Document::new();
        changes.into_iter().for_each(|change| document.accept(change).unwrap());
        document
    };
    world.documents.iter().map(|document| view(changes_of(document))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn merging_is_the_same_in_any_order_and_grouping_and_however_often(steps in steps()) {
        let views = views(&steps);
        let [a, b, c, d] = [&views[0], &views[1], &views[2], &views[3]];
        let all = merged(&[a, b, c, d]);
        let same = |other: Document| {
            prop_assert_eq!(other.heads(), all.heads());
            prop_assert_eq!(read(&other), read(&all));
            Ok(())
        };
        same(merged(&[d, c, b, a]))?;
        same(merged(&[&merged(&[a, b]), &merged(&[c, d])]))?;
        same(merged(&[&merged(&[a, &merged(&[b, c])]), d]))?;
        same(merged(&[a, b, a, c, b, d, d, a]))?;
        same(merged(&[&all, &all]))?;
        same(merged(&[&Document::new(), &all]))?;
    }

    #[test]
    fn a_document_begun_by_the_fast_path_goes_on_like_any_other(
        puts in prop::collection::btree_map("[a-z]{1,4}", support::values(), 1..6),
        steps in steps(),
    ) {
        let mut puts: Vec<_> = puts.into_iter().filter(|(key, _)| key != "nonce").collect();
        puts.push(("nonce".to_owned(), Value::Bytes(vec![7; 16])));
        let mut document = Document::new();
        let first = document.author(actor(0), &puts).unwrap().unwrap();
        document.accept(first.clone()).unwrap();
        let fast = Reading::of_first(&first, at(&first.hash()));
        prop_assert_eq!(&fast, &read(&document));
        prop_assert_eq!(&fast, &Reading::of([(&first, at(&first.hash()))]).unwrap());
        for step in steps {
            if let support::Step::Edit { device, puts } = step
                && let Some(change) = document.author(actor(device), &puts).unwrap()
            {
                document.accept(change).unwrap();
                let theirs = Reading::of(document.changes().iter().map(|change| (change, at(&change.hash())))).unwrap();
                prop_assert_eq!(read(&document), theirs);
            }
        }
    }

    #[test]
    fn what_an_upload_comes_to_does_not_depend_on_the_order_of_its_streams_or_on_repetitions(
        steps in steps(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
        repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let changes = changes_of(&World::play(&steps));
        let in_order = outcome(&changes);
        prop_assert_eq!(&outcome(&reordered(&changes, &choices)), &in_order);
        // Each stream whole, one after the other: whoever comes too early waits and is filled by itself.
        let mut by_stream = changes.clone();
        by_stream.sort_by_key(Change::actor);
        prop_assert_eq!(&outcome(&by_stream), &in_order);
        by_stream.reverse();
        by_stream.sort_by_key(|change| (std::cmp::Reverse(change.actor()), change.sequence()));
        prop_assert_eq!(&outcome(&by_stream), &in_order);
        // An entry that is already there is a duplicate, and changes nothing.
        let mut twice = changes.clone();
        twice.extend(repeated.iter().filter(|_| !changes.is_empty()).map(|at| changes[at.index(changes.len())].clone()));
        prop_assert_eq!(&outcome(&twice), &in_order);
    }
}

/// The heads and the value of the document, and how many entries still wait or follow.
fn outcome(changes: &[Change]) -> (Vec<ChangeHash>, Reading, usize) {
    let id = DocumentId::from_bytes([0xdc; 16]);
    let rights = Rights { grants: vec![Grant { from: Millis(0), until: None }], revoked_at: None };
    let facts = Facts { now: NOW, ..Facts::default() };
    let mut ground = Ground::default();
    let mut indexes = BTreeMap::<ReplicaId, u64>::new();
    for change in changes {
        let Actor { replica, .. } = change.actor();
        let index = indexes.entry(replica).or_default();
        *index += 1;
        let header =
            Header { kind: Kind::VISIT.0, document: id, at: NOW, monotonic: None, seen: None, reauthored_from: None };
        let header = header.to_bytes();
        let arrival = Arrival::open(*index, &header, change.body());
        ground.entry(id).or_default();
        let planned = plan(ground, replica, vec![arrival], &rights, &facts);
        let decisions = planned.rows;
        ground = planned.documents;
        let own = decisions.first().expect("every entry is decided");
        assert_eq!((own.replica, own.index), (replica, *index));
        assert!(
            decisions[1..].iter().all(|other| matches!(other.outcome, Outcome::Filled { .. } | Outcome::Held { .. }))
        );
    }
    let place = ground.remove(&id).unwrap_or_default();
    let unsettled = |held: &&HeldEntry| matches!(held.reason.remedy(), Remedy::Wait | Remedy::Follow);
    (place.document.heads(), read(&place.document), place.held.values().filter(unsettled).count())
}
