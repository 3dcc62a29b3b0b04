//! Our codec, our table of live ops and Automerge 0.12 agree, whatever the devices do.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use aralau_sync_core::{
    change::{Change, OpId, Value},
    document::Document,
    id::{Actor, ChangeHash},
    reading::{self, Reading},
    time::Millis,
};
use automerge::{Automerge, ROOT, ReadDoc};
use proptest::prelude::*;
use support::{Step, World, actor, changes_of, reordered, scalar, steps};

fn at(hash: &ChangeHash) -> Millis {
    Millis(i64::from(hash.0[0]))
}

fn read(changes: &[Change]) -> Reading {
    Reading::of(changes.iter().map(|change| (change, at(&change.hash())))).unwrap()
}

fn accepted(changes: &[Change]) -> Document {
    let mut document = Document::new();
    for change in changes {
        document.accept(change.clone()).unwrap();
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_change_that_automerge_writes_is_canonical(steps in steps()) {
        let document = World::play(&steps);
        for change in document.get_changes(&[]) {
            let ours = Change::from_chunk(change.raw_bytes()).unwrap();
            prop_assert_eq!(ours.chunk(), change.raw_bytes());
            prop_assert_eq!(ours.hash().0, change.hash().0);
            prop_assert_eq!(ours.max_op(), change.max_op());
            prop_assert_eq!(&Change::build(ours.parts().clone()).unwrap(), &ours);
        }
    }

    #[test]
    fn an_edit_of_ours_has_automerges_bytes(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            if let Step::Edit { device, puts } = step {
                let before = world.documents[usize::from(*device)].clone();
                let mut puts = puts.clone();
                puts.retain(|(key, value)| !support::resolves_to_winner(&before, key, value));
                if before.get_heads().is_empty() {
                    puts.push(("nonce".to_owned(), Value::Bytes(vec![*device; 16])));
                }
                let ours = reading::author(&changes_of(&before), actor(*device), &puts).unwrap();
                let theirs = world.edit(*device, &puts);
                prop_assert_eq!(ours.map(|change| change.chunk().to_vec()), theirs);
            } else {
                world.step(step);
            }
        }
    }

    #[test]
    fn the_live_ops_are_automerges(steps in steps()) {
        let theirs = World::play(&steps);
        let ours = accepted(&changes_of(&theirs));
        let mut heads: Vec<_> = theirs.get_heads().iter().map(|hash| ChangeHash(hash.0)).collect();
        heads.sort();
        prop_assert_eq!(ours.heads(), heads);
        for (key, ops) in ours.live() {
            let expected = theirs.get_all(ROOT, key).unwrap();
            prop_assert_eq!(ops.len(), expected.len());
            for ((id, value), (expected, expected_id)) in ops.into_iter().zip(expected) {
                prop_assert_eq!(Some(&scalar(value)), expected.as_scalar());
                prop_assert_eq!(id, op_id(&expected_id));
            }
        }
        prop_assert_eq!(ours.live().count(), theirs.keys(ROOT).count());
    }

    #[test]
    fn any_causal_order_is_accepted_and_reads_alike(
        steps in steps(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
    ) {
        let changes = changes_of(&World::play(&steps));
        let reading = read(&changes);
        let other = reordered(&changes, &choices);
        let document = accepted(&other);
        prop_assert_eq!(&read(&other), &reading);
        prop_assert_eq!(&Reading::of_document(&document, at), &reading);
        if let [change] = &changes[..] {
            prop_assert!(change.is_first());
            prop_assert_eq!(&Reading::of_first(change, at(&change.hash())), &reading);
        }
    }

    #[test]
    fn an_export_loads_and_holds_the_same(
        steps in steps(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
    ) {
        let theirs = World::play(&steps);
        let changes = changes_of(&theirs);
        let saved = reading::export(&reordered(&changes, &choices)).unwrap();
        let loaded = Automerge::load(&saved).unwrap();
        prop_assert_eq!(loaded.get_heads(), theirs.get_heads());
        prop_assert_eq!(read(&changes_of(&loaded)), read(&changes));
    }

    #[test]
    fn a_conflict_is_resolved_to_any_of_its_values(steps in steps()) {
        let mut document = accepted(&changes_of(&World::play(&steps)));
        let reading = Reading::of_document(&document, at);
        let Some((key, field)) = reading.conflicts().next() else { return Ok(()) };
        for candidate in &field.values {
            let change = document.author(actor(3), &[(key.to_owned(), candidate.value.clone())]).unwrap().unwrap();
            let mut resolved = document.clone();
            resolved.accept(change).unwrap();
            let reading = read(resolved.changes());
            prop_assert_eq!(reading.value(key), Some(&candidate.value));
            prop_assert!(!reading.fields[key].is_conflict());
            Automerge::load(&reading::export(resolved.changes()).unwrap()).unwrap();
            document = resolved;
        }
    }
}

fn op_id(id: &automerge::ObjId) -> OpId {
    let automerge::ObjId::Id(counter, actor, _) = id else { panic!("a value is never the root") };
    OpId { counter: *counter, actor: Actor::from_slice(actor.to_bytes()).unwrap() }
}

#[test]
fn two_beginnings_differ_in_their_nonces_without_a_conflict() {
    let puts =
        |device: u8| vec![("nonce".to_owned(), Value::Bytes(vec![device; 16])), ("outcome".to_owned(), "moved".into())];
    let changes = [0, 1].map(|device| Document::new().author(actor(device), &puts(device)).unwrap().unwrap());
    let reading = read(&changes);
    assert_eq!(reading.conflicts().count(), 0);
    assert_eq!(reading.fields["outcome"].values[0].authors.len(), 2);
    assert!(reading.fields["nonce"].is_conflict());
}
