//! One named case for each check that needs the past.

use proptest::prelude::*;

use super::*;
use crate::{
    change::{ChangeParts, NONCE},
    id::ReplicaId,
};

const NOTE: &str = "notes/0f8fad5b-d9cb-469f-a165-70867728950e/text";
const NOTE_STATUS: &str = "notes/0f8fad5b-d9cb-469f-a165-70867728950e/status";

fn actor(number: u8) -> Actor {
    Actor { replica: ReplicaId([number; 14]), generation: 0 }
}

fn put(key: &str, value: impl Into<Value>) -> (String, Value) {
    (key.to_owned(), value.into())
}

fn nonce() -> (String, Value) {
    put_bytes(NONCE, 16)
}

fn put_bytes(key: &str, length: usize) -> (String, Value) {
    (key.to_owned(), Value::Bytes(vec![7; length]))
}

fn edit(document: &mut Document, number: u8, puts: &[(String, Value)]) -> Change {
    let change = document.author(actor(number), puts).unwrap().unwrap();
    document.apply(change.clone());
    change
}

/// Two changes by one actor.
fn started() -> (Document, Change, Change) {
    let mut document = Document::new();
    let first = edit(&mut document, 1, &[nonce(), put("outcome", "contacted"), put("place", "yard")]);
    let second = edit(&mut document, 1, &[put("outcome", "refused")]);
    (document, first, second)
}

fn refusal(document: &Document, parts: ChangeParts) -> Option<Refusal> {
    document.check(&Change::build(parts).unwrap()).err()
}

fn next(document: &Document, number: u8, puts: &[(String, Value)]) -> ChangeParts {
    document.author(actor(number), puts).unwrap().unwrap().parts().clone()
}

#[test]
fn a_change_that_is_here_is_already_known() {
    let (mut document, first, _) = started();
    assert_eq!(document.check(&first), Err(Refusal::AlreadyKnown));
    document.apply(first);
    assert_eq!(document.changes().len(), 2);
}

#[test]
fn a_change_waits_for_its_dependencies() {
    let (_, first, second) = started();
    let document = Document::new();
    assert_eq!(document.check(&second), Err(Refusal::MissingDependencies(vec![first.hash()])));
}

#[test]
fn a_first_change_with_sequence_two_is_a_gap() {
    let parts = next(&Document::new(), 1, &[nonce()]);
    let refused = refusal(&Document::new(), ChangeParts { sequence: 2, ..parts });
    assert_eq!(refused, Some(Refusal::SequenceGap { expected: 1 }));
}

#[test]
fn a_sequence_number_used_twice_is_an_equivocation() {
    let (document, first, second) = started();
    let mut parts = second.parts().clone();
    parts.puts[0].value = "moved".into();
    assert_eq!(refusal(&document, parts), Some(Refusal::Equivocation));
    let mut parts = first.parts().clone();
    parts.puts.pop();
    assert_eq!(refusal(&document, parts), Some(Refusal::Equivocation));
}

#[test]
fn dependencies_that_leave_out_the_actors_own_past_are_refused() {
    let (mut document, first, _) = started();
    let other = edit(&mut document, 2, &[put("place", "gate")]);
    let parts = next(&document, 1, &[put("place", "door")]);
    assert_eq!(parts.dependencies, {
        let mut both = vec![other.hash(), document.last_of(actor(1)).unwrap().1];
        both.sort();
        both
    });
    let through_another = ChangeParts { dependencies: vec![other.hash()], ..parts.clone() };
    assert_eq!(refusal(&document, through_another), None);
    let omitted = ChangeParts { dependencies: vec![first.hash()], ..parts };
    assert_eq!(refusal(&document, omitted), Some(Refusal::OmitsOwnPast));
}

#[test]
fn a_start_op_that_does_not_follow_the_past_is_refused() {
    let (document, ..) = started();
    let parts = next(&document, 1, &[put("length", true)]);
    for start_op in [parts.start_op - 1, parts.start_op + 1, 40_000] {
        let refused = refusal(&document, ChangeParts { start_op, ..parts.clone() });
        assert_eq!(refused, Some(Refusal::WrongStartOp { expected: parts.start_op }));
    }
}

#[test]
fn a_predecessor_that_is_no_op_on_the_key_in_the_past_is_refused() {
    let (mut document, first, second) = started();
    let parts = next(&document, 2, &[put("outcome", "moved")]);
    let concurrent = {
        let mut elsewhere = Document::new();
        elsewhere.apply(first.clone());
        edit(&mut elsewhere, 3, &[put("outcome", "vacant")])
    };
    document.accept(concurrent.clone()).unwrap();
    let bad = [
        OpId { counter: 1, actor: actor(9) },
        OpId { counter: 4, actor: actor(2) },
        first.op_id(2),
        concurrent.op_id(0),
    ];
    for predecessor in bad {
        let mut parts = parts.clone();
        parts.puts[0].predecessors = vec![predecessor];
        assert_eq!(parts.dependencies, vec![second.hash()]);
        assert_eq!(refusal(&document, parts), Some(Refusal::BadPredecessor), "{predecessor:?}");
    }
}

#[test]
fn predecessors_other_than_the_live_ops_are_stale() {
    let (document, first, second) = started();
    let parts = next(&document, 2, &[put("outcome", "moved")]);
    for predecessors in [vec![], vec![first.op_id(1)], vec![first.op_id(1), second.op_id(0)]] {
        let mut parts = parts.clone();
        parts.puts[0].predecessors = predecessors;
        assert_eq!(refusal(&document, parts), Some(Refusal::StalePredecessors));
    }
}

#[test]
fn a_note_is_written_once_and_withdrawn_by_its_status() {
    let mut document = Document::new();
    edit(&mut document, 1, &[put(NOTE, "knocked")]);
    let edited = document.author(actor(1), &[put(NOTE, "nobody knocked")]);
    assert_eq!(edited, Err(AuthorError::Document(Refusal::ImmutableNote)));
    let added = document.author(actor(2), &[put(&NOTE.replace("text", "language"), "kk")]);
    assert_eq!(added, Err(AuthorError::Document(Refusal::ImmutableNote)));
    edit(&mut document, 1, &[put(NOTE_STATUS, "withdrawn")]);
    edit(&mut document, 2, &[put(NOTE_STATUS, "restored")]);
}

#[test]
fn a_first_change_needs_fresh_random_bits() {
    let document = Document::new();
    let guessable = [
        put("outcome", "contacted"),
        put_bytes(NONCE, 15),
        put("notes/0f8fad5b-d9cb-169f-a165-70867728950e/text", "a UUIDv1"),
    ];
    for puts in guessable {
        assert_eq!(document.author(actor(1), &[puts]), Err(AuthorError::Document(Refusal::NoNonce)));
    }
    for puts in [nonce(), put(NOTE, "a UUIDv4")] {
        assert!(document.author(actor(1), &[puts]).is_ok());
    }
}

#[test]
fn a_full_document_refuses_and_keeps_headroom_before_that() {
    let filled = |puts: &[(String, Value)]| {
        let mut document = Document::new();
        let mut without_room = 0;
        for number in 0..=u16::MAX {
            let actor = Actor { replica: ReplicaId([1; 14]), generation: number };
            let change = Document::new().author(actor, puts).unwrap().unwrap();
            without_room += usize::from(!document.room().fits(&change));
            match document.accept(change) {
                Ok(()) => {}
                Err(Refusal::DocumentFull(limit)) => return (limit, document.changes().len(), without_room),
                Err(other) => panic!("{other}"),
            }
        }
        panic!("never full")
    };
    let many: Vec<_> = (0..4_999).map(|at| put(&format!("f{at}"), true)).chain([nonce()]).collect();
    assert_eq!(filled(&many), (Limit::Ops, 10, 2));
    let large = [nonce(), put("a", "x".repeat(32_000)), put("b", "x".repeat(32_000))];
    assert_eq!(filled(&large), (Limit::Bytes, 65, 8));
    assert_eq!(filled(&[nonce()]), (Limit::Changes, 4_096, 416));
}

#[test]
fn an_edit_that_changes_nothing_is_none() {
    let (mut document, first, _) = started();
    assert_eq!(document.author(actor(2), &[put("outcome", "refused"), put("place", "yard")]), Ok(None));
    assert_eq!(document.author(actor(2), &[]), Ok(None));
    let mut elsewhere = Document::new();
    elsewhere.apply(first);
    document.accept(edit(&mut elsewhere, 3, &[put("outcome", "refused")])).unwrap();
    assert_eq!(document.live_of("outcome").len(), 2);
    assert_eq!(document.author(actor(2), &[put("outcome", "refused")]), Ok(None), "equal values are one");
}

#[test]
fn more_heads_than_a_change_may_depend_on_are_merged_in_steps() {
    let mut document = Document::new();
    for number in 1..=100 {
        let change = Document::new().author(actor(number), &[nonce(), put("outcome", u64::from(number))]).unwrap();
        document.accept(change.unwrap()).unwrap();
    }
    assert_eq!(document.heads().len(), 100);
    for heads in [37, 1] {
        let resolution = document.author(actor(1), &[put("outcome", "contacted")]).unwrap().unwrap();
        document.accept(resolution).unwrap();
        assert_eq!(document.heads().len(), heads);
    }
    assert_eq!(document.live_of("outcome").len(), 1);
    assert_eq!(document.author(actor(1), &[put("outcome", "contacted")]), Ok(None));
}

#[test]
fn applying_without_checking_never_panics() {
    let (_, first, second) = started();
    let mut document = Document::new();
    document.apply(second.clone());
    document.apply(first);
    document.apply(second);
    assert_eq!(document.changes().len(), 2);
    assert!(document.author(actor(1), &[put("place", "door")]).is_err() || !document.is_empty());
}

/// Some write alone, some after they have heard another.
fn histories() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
    prop::collection::vec((0..4_usize, 0..4_usize, 0..3_u8), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_live_in_a_past_is_what_nothing_there_supersedes(history in histories()) {
        let mut documents = vec![Document::new(); 4];
        let mut whole = Document::new();
        for (step, (writer, heard, key)) in history.into_iter().enumerate() {
            for change in documents[heard].changes().to_vec() {
                match documents[writer].accept(change) {
                    Ok(()) | Err(Refusal::AlreadyKnown) => {}
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
            let puts = [put(&format!("key{key}"), step as u64), nonce()];
            let change = edit(&mut documents[writer], [1, 2, 3, 4][writer], &puts);
            whole.accept(change).unwrap();
        }
        let index = whole.index();
        for change in whole.changes() {
            let past = index.past_of(&[change.hash()]);
            for (key, ops) in &index.keys {
                let live = |op: &&Placed| {
                    past.holds(op.change) && !op.superseded_by.iter().any(|place| past.holds(*place))
                };
                let mut expected: Vec<_> = ops.iter().filter(live).map(|op| op.id).collect();
                expected.sort_unstable();
                let found: Vec<_> = index.live_in(key, &past).map(|op| op.id).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
