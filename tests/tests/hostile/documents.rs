//! Changes that are sound by themselves and do not fit their documents, or not yet.

use aralau_sync_core::{
    change::{Change, OpId, Put},
    id::{Actor, ReplicaId},
};
use aralau_tests::{rogue::Rogue, world::World};
use serde_json::Value;

use super::poison::{Poison, build, document, each_is_held_by_name, note, put};

#[test]
fn a_change_that_does_not_fit_its_document_is_held_by_name() {
    each_is_held_by_name(|rogue, _| {
        let mut all = misfits(rogue);
        all.extend(strangers_to_the_past(rogue));
        all
    });
}

/// Sound by themselves, but not in their documents.
fn misfits(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let actor = rogue.actor();
    let mut all = Vec::new();
    let mut add = |rogue: &mut Rogue, name: &str, reason, bad: &dyn Fn(&Change) -> Vec<u8>| {
        let document = document();
        let puts = rogue.visit_puts(name);
        let first = rogue.author(document, &puts);
        let before = vec![rogue.link(document, first.body())];
        let bad = rogue.link(document, &bad(&first));
        all.push((name.to_owned(), Poison { reason, before, bad, document }));
    };
    let next = |first: &Change| first.max_op() + 1;
    add(rogue, "the same number for two changes", "equivocation", &|_| build(actor, 1, 1, &[], vec![note("other")]));
    add(rogue, "a second change that leaves out the first", "omits_own_past", &|_| {
        build(actor, 2, 1, &[], vec![note("x")])
    });
    add(rogue, "a gap in one's own numbers", "sequence_gap", &|first| {
        build(actor, 3, next(first), &[first.hash()], vec![note("x")])
    });
    add(rogue, "an op number already used", "wrong_start_op", &|first| {
        build(actor, 2, 2, &[first.hash()], vec![note("x")])
    });
    add(rogue, "a predecessor that is no op", "bad_predecessor", &|first| {
        let ghost = OpId { counter: 1, actor: Actor { replica: ReplicaId([9; 14]), generation: 0 } };
        let put = Put { predecessors: vec![ghost], ..put("outcome", "refused") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "a predecessor on another key", "bad_predecessor", &|first| {
        let (other, _) = first.ops().find(|(_, put)| put.key == "visit_type").expect("a type");
        let put = Put { predecessors: vec![other], ..put("outcome", "refused") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "a conflict with oneself", "stale_predecessors", &|first| {
        build(actor, 2, next(first), &[first.hash()], vec![put("outcome", "refused")])
    });
    add(rogue, "a note rewritten", "immutable_note", &|first| {
        let (op, old) = first.ops().find(|(_, put)| put.key.ends_with("/text")).expect("a note");
        let put = Put { predecessors: vec![op], ..put(&old.key, "never said") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "the same change twice", "duplicate_change", &|first| first.body().to_vec());
    let (bare, id) = (build(actor, 1, 1, &[], vec![put("outcome", "refused")]), document());
    let bad = rogue.link(id, &bare);
    all.push((
        "a first change that can be guessed".to_owned(),
        Poison { reason: "no_nonce", before: vec![], bad, document: id },
    ));
    all
}

/// Predecessors that exist, but not where the change could know them. Automerge applies these in one order and panics in
/// another.
fn strangers_to_the_past(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let (actor, apart) = (rogue.actor(), Actor { generation: 1, ..rogue.actor() });
    let outcome = |predecessor| Put { predecessors: vec![predecessor], ..put("outcome", "refused") };
    let outcome_op = |change: &Change| change.ops().find(|(_, put)| put.key == "outcome").expect("an outcome").0;
    let mut add = |name: &str, reason, bad: &dyn Fn(&Change, &Change, &Change) -> Vec<u8>| {
        let document = document();
        let puts = rogue.visit_puts(name);
        let first = rogue.author(document, &puts);
        let next = first.max_op() + 1;
        let body = build(apart, 1, next, &[first.hash()], vec![outcome(outcome_op(&first))]);
        let beside = Change::from_body(&body).expect("sound");
        let body = build(actor, 2, next, &[first.hash()], vec![note("x"), note("y")]);
        let later = Change::from_body(&body).expect("sound");
        let before = [&first, &beside, &later].map(|change| rogue.link(document, change.body()));
        let bad = rogue.link(document, &bad(&first, &beside, &later));
        (name.to_owned(), Poison { reason, before: before.into(), bad, document })
    };
    vec![
        add("a predecessor outside of the past", "bad_predecessor", &|_, beside, later| {
            build(actor, 3, later.max_op() + 1, &[later.hash()], vec![outcome(outcome_op(beside))])
        }),
        add("a predecessor that was replaced in the past", "stale_predecessors", &|first, beside, later| {
            let mut both = [beside.hash(), later.hash()];
            both.sort();
            build(actor, 3, later.max_op() + 1, &both, vec![outcome(outcome_op(first))])
        }),
    ]
}

#[test]
fn an_entry_whose_past_comes_later_is_held_until_then_and_fills_by_itself() {
    let world = World::new();
    let (mut one, mut two) = (Rogue::enroll(&world, "Mallory", "beat-01"), Rogue::enroll(&world, "Boris", "beat-01"));
    let headquarters = world.role("administrator");
    let document = document();
    let puts = one.visit_puts("the beginning");
    let first = one.author(document, &puts);
    let first_link = one.link(document, first.body());
    let second = build(two.actor(), 1, first.max_op() + 1, &[first.hash()], vec![note("the end")]);
    let orphan = two.link(document, &second);
    let neighbour = two.visit("of another document").1;
    let frame = two.frame(vec![orphan, neighbour]);
    two.send(&[frame]);
    assert_eq!(headquarters.quarantine()[0]["reason"], "waiting");
    assert_eq!(headquarters.visits("").len(), 1);
    let frame = one.frame(vec![first_link]);
    one.send(&[frame]);
    assert_eq!(headquarters.quarantine(), [] as [Value; 0]);
    let notes = headquarters.get(&format!("/v1/visits/{document}"))["notes"].as_array().unwrap().len();
    assert_eq!(notes, 2);
    world.check();
}
