//! One named case for each local check, most of them crafted column by column.

use proptest::prelude::*;

use super::{
    column::{write_signed, write_unsigned},
    encode::{self, Column},
    *,
};
use crate::{
    digest::{CHUNK_MAGIC, sha256},
    id::ReplicaId,
};

const KEYED: &str = "notes/0f8fad5b-d9cb-469f-a165-70867728950e/text";

fn actor(number: u8) -> Actor {
    Actor { replica: ReplicaId([number; 14]), generation: 0 }
}

fn op(counter: u64, number: u8) -> OpId {
    OpId { counter, actor: actor(number) }
}

fn put(key: &str, value: impl Into<Value>, predecessors: &[OpId]) -> Put {
    Put { key: key.into(), value: value.into(), predecessors: predecessors.into() }
}

/// A later change that uses every column.
fn parts() -> ChangeParts {
    ChangeParts {
        actor: actor(5),
        sequence: 3,
        start_op: 40,
        dependencies: vec![ChangeHash([1; 32]), ChangeHash([2; 32])],
        puts: vec![
            put("outcome", "contacted", &[op(7, 9), op(8, 2), op(8, 5)]),
            put("planned", true, &[op(9, 5)]),
            put(KEYED, "Қоңырау соқты", &[]),
            put("started_at", Value::Timestamp(-1), &[op(9, 9)]),
            put("length", Value::Float(2.5), &[]),
        ],
    }
}

fn crafted(edit: impl FnOnce(&mut Vec<Column>)) -> Result<Change, ChangeError> {
    let parts = parts();
    let others = encode::other_actors(&parts);
    let mut columns = encode::columns(&parts, &others);
    edit(&mut columns);
    Change::from_body(&encode::assemble(&parts, others.keys(), &columns))
}

fn column(columns: &mut [Column], number: u64) -> &mut Vec<u8> {
    &mut columns.iter_mut().find(|(column, _)| *column == number).unwrap().1
}

fn chunk_of(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    write_unsigned(&mut length, body.len() as u64);
    let hash = sha256(&[&[kind], &length, body]);
    [&CHUNK_MAGIC[..], &hash[..4], &[kind], &length, body].concat()
}

fn run(count: i64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    write_signed(&mut out, count);
    write_unsigned(&mut out, value);
    out
}

#[test]
fn a_change_reads_back_from_its_body_and_its_chunk() {
    let change = Change::build(parts()).unwrap();
    assert_eq!(Change::from_body(change.body()).as_ref(), Ok(&change));
    assert_eq!(Change::from_chunk(change.chunk()).as_ref(), Ok(&change));
    assert_eq!((change.max_op(), change.op_id(4)), (44, op(44, 5)));
    assert!(!change.is_first() && change.carries_nonce());
}

#[test]
fn a_truncated_change_is_refused() {
    let change = Change::build(parts()).unwrap();
    for length in 0..change.chunk().len() {
        assert!(Change::from_chunk(&change.chunk()[..length]).is_err(), "{length}");
    }
    for length in 0..change.body().len() {
        assert!(Change::from_body(&change.body()[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_flipped_bit_is_never_the_same_change() {
    let change = Change::build(parts()).unwrap();
    for bit in 0..change.chunk().len() * 8 {
        let mut chunk = change.chunk().to_vec();
        chunk[bit / 8] ^= 1 << (bit % 8);
        assert!(Change::from_chunk(&chunk).is_err(), "bit {bit} of the chunk");
    }
    for bit in 0..change.body().len() * 8 {
        let mut body = change.body().to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Change::from_body(&body) {
            assert_ne!(other.hash(), change.hash());
            assert_eq!(Change::build(other.parts().clone()).unwrap().body(), body);
        }
    }
}

#[test]
fn an_oversized_change_is_refused() {
    assert_eq!(Change::from_chunk(&[0; MAX_CHANGE_BYTES + 1]), Err(ChangeError::TooLarge));
    assert_eq!(Change::from_body(&[0; MAX_CHANGE_BYTES + 1]), Err(ChangeError::TooLarge));
    let puts = ["a", "b", "c"].map(|key| put(key, "x".repeat(30_000), &[]));
    assert_eq!(Change::build(ChangeParts { puts: puts.into(), ..parts() }), Err(ChangeError::TooLarge));
}

#[test]
fn a_chunk_of_another_type_is_refused() {
    let change = Change::build(parts()).unwrap();
    for kind in [0, 2, 3, 4, 255] {
        assert_eq!(Change::from_chunk(&chunk_of(kind, change.body())), Err(ChangeError::WrongChunk(kind)));
    }
    assert_eq!(Change::from_chunk(&chunk_of(1, change.body())), Ok(change));
}

#[test]
fn a_wrong_checksum_or_magic_is_refused() {
    let mut chunk = Change::build(parts()).unwrap().chunk().to_vec();
    chunk[4] ^= 1;
    assert_eq!(Change::from_chunk(&chunk), Err(ChangeError::BadChecksum));
    chunk[0] ^= 1;
    assert_eq!(Change::from_chunk(&chunk), Err(ChangeError::NotAChunk));
}

#[test]
fn two_chunks_in_a_row_are_refused() {
    let change = Change::build(parts()).unwrap();
    assert_eq!(Change::from_chunk(&change.chunk().repeat(2)), Err(ChangeError::TrailingBytes));
}

#[test]
fn a_length_that_is_not_the_shortest_is_refused() {
    let change = Change::build(ChangeParts { puts: vec![put("a", true, &[])], ..parts() }).unwrap();
    let mut chunk = change.chunk().to_vec();
    let at = change.body_at - 1;
    chunk[at] |= 0x80;
    chunk.insert(at + 1, 0);
    assert!(matches!(Change::from_chunk(&chunk), Err(ChangeError::NotCanonical | ChangeError::Truncated)));
}

#[test]
fn a_few_bytes_that_declare_a_billion_values_are_refused_at_once() {
    let billion = 1_000_000_000;
    assert_eq!(crafted(|all| *column(all, encode::ACTION) = run(billion, 1)), Err(ChangeError::TooManyOps));
    assert_eq!(crafted(|all| *column(all, encode::ACTION) = run(i64::MAX, 1)), Err(ChangeError::TooManyOps));
    assert_eq!(crafted(|all| *column(all, encode::ACTION) = run(i64::MIN, 1)), Err(ChangeError::TooManyOps));
    assert_eq!(crafted(|all| *column(all, encode::VALUE_META) = run(billion, 0)), Err(ChangeError::Malformed));
    assert_eq!(
        crafted(|all| *column(all, encode::PREDECESSOR_COUNT) = run(5, 1 << 40)),
        Err(ChangeError::TooManyPredecessors)
    );
    assert_eq!(crafted(|all| *column(all, encode::PREDECESSOR_COUNTER) = run(billion, 0)), Err(ChangeError::Malformed));
    assert_eq!(crafted(|all| *column(all, encode::PREDECESSOR_ACTOR) = run(billion, 0)), Err(ChangeError::Malformed));
    assert!(crafted(|all| *column(all, encode::INSERT) = vec![0xff, 0xff, 0xff, 0x7f]).is_err());
    let mut body = encode::body(&parts());
    body.truncate(2 * 32 + 1 + 17 + 4);
    for count in [0xff_ffff_ffff_u64, u64::MAX] {
        let mut actors = body.clone();
        write_unsigned(&mut actors, count);
        assert_eq!(Change::from_body(&actors), Err(ChangeError::Truncated));
        let mut columns = body.clone();
        columns.push(0);
        write_unsigned(&mut columns, count);
        assert_eq!(Change::from_body(&columns), Err(ChangeError::Truncated));
    }
}

#[test]
fn more_than_the_allowed_ops_are_refused() {
    let puts = |count| (0..count).map(|at| put(&format!("f{at}"), Value::Null, &[])).collect::<Vec<_>>();
    let built = |count| Change::build(ChangeParts { puts: puts(count), ..parts() }).map(|change| change.puts().len());
    assert_eq!(built(MAX_CHANGE_OPS), Ok(MAX_CHANGE_OPS));
    assert_eq!(built(MAX_CHANGE_OPS + 1), Err(ChangeError::TooManyOps));
    assert_eq!(built(0), Err(ChangeError::Empty));
    assert_eq!(crafted(|all| all.retain(|(number, _)| *number != encode::ACTION)), Err(ChangeError::Empty));
}

#[test]
fn more_than_the_allowed_dependencies_are_refused() {
    let dependencies = (0..65).map(|at| ChangeHash([at; 32])).collect();
    assert_eq!(Change::build(ChangeParts { dependencies, ..parts() }), Err(ChangeError::TooManyDependencies));
    assert_eq!(Change::from_body(&[65]), Err(ChangeError::TooManyDependencies));
}

#[test]
fn more_than_the_allowed_predecessors_are_refused() {
    let many: Vec<OpId> = (1..=20_001).map(|counter| op(counter, 9)).collect();
    let parts = ChangeParts { start_op: 30_000, puts: vec![put("a", true, &many)], ..parts() };
    assert_eq!(Change::build(parts), Err(ChangeError::TooManyPredecessors));
}

#[test]
fn dependencies_twice_or_out_of_order_are_not_canonical() {
    for dependencies in [vec![ChangeHash([2; 32]), ChangeHash([1; 32])], vec![ChangeHash([1; 32]); 2]] {
        let body = encode::body(&ChangeParts { dependencies, ..parts() });
        assert_eq!(Change::from_body(&body), Err(ChangeError::NotCanonical));
    }
}

#[test]
fn counters_beyond_a_documents_limits_are_refused() {
    for start_op in [MAX_OP_COUNTER - 3, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
        let body = encode::body(&ChangeParts { start_op, ..parts() });
        assert_eq!(Change::from_body(&body), Err(ChangeError::CounterTooLarge), "{start_op}");
    }
    let body = encode::body(&ChangeParts { sequence: MAX_SEQUENCE + 1, ..parts() });
    assert_eq!(Change::from_body(&body), Err(ChangeError::CounterTooLarge));
    for parts in [ChangeParts { sequence: 0, ..parts() }, ChangeParts { start_op: 0, ..parts() }] {
        assert_eq!(Change::from_body(&encode::body(&parts)), Err(ChangeError::Malformed));
    }
}

#[test]
fn an_actor_that_is_zero_or_not_sixteen_bytes_is_refused() {
    let zero = ChangeParts { actor: actor(0), puts: vec![put("a", true, &[])], ..parts() };
    assert_eq!(Change::build(zero), Err(ChangeError::BadActor));
    let mut body = vec![0, 15];
    body.extend([7; 15]);
    assert_eq!(Change::from_body(&body), Err(ChangeError::BadActor));
}

#[test]
fn an_actor_index_out_of_range_is_refused() {
    assert_eq!(crafted(|all| *column(all, encode::PREDECESSOR_ACTOR) = run(5, 3)), Err(ChangeError::BadActor));
    assert_eq!(crafted(|all| *column(all, encode::PREDECESSOR_ACTOR) = run(5, u64::MAX)), Err(ChangeError::BadActor));
}

#[test]
fn an_actor_table_that_is_unsorted_or_names_the_idle_is_not_canonical() {
    let parts = parts();
    let columns = encode::columns(&parts, &encode::other_actors(&parts));
    for others in [vec![actor(9), actor(2)], vec![actor(2), actor(9), actor(10)], vec![actor(5), actor(9)]] {
        let body = encode::assemble(&parts, others.iter(), &columns);
        assert!(matches!(Change::from_body(&body), Err(ChangeError::NotCanonical)), "{others:?}");
    }
}

#[test]
fn an_op_elsewhere_than_on_the_root_map_is_refused() {
    for number in [1, 2, 17, 19] {
        let elsewhere = crafted(|all| {
            all.push((number, run(5, 1)));
            all.sort();
        });
        assert_eq!(elsewhere, Err(ChangeError::NotRoot), "column {number}");
    }
    assert_eq!(crafted(|all| *column(all, encode::KEY) = vec![0, 5]), Err(ChangeError::Malformed));
}

#[test]
fn an_op_that_is_no_put_is_refused() {
    for action in [0, 2, 3, 4, 5, 6, 7, 99] {
        assert_eq!(crafted(|all| *column(all, encode::ACTION) = run(5, action)), Err(ChangeError::NotAPut));
    }
    assert_eq!(crafted(|all| *column(all, encode::INSERT) = vec![0, 5]), Err(ChangeError::NotAPut));
    assert_eq!(crafted(|all| *column(all, encode::INSERT) = vec![4, 1]), Err(ChangeError::NotAPut));
}

#[test]
fn a_column_outside_of_the_profile_is_refused() {
    for number in [53, 67, 68, 74, 86 | 8, 116, 148, 165, 208, u64::MAX] {
        let unknown = crafted(|all| {
            all.push((number, vec![5]));
            all.sort();
        });
        assert_eq!(unknown, Err(ChangeError::UnknownColumn), "column {number}");
    }
}

#[test]
fn columns_twice_out_of_order_or_empty_are_refused() {
    assert_eq!(crafted(|all| all.swap(0, 1)), Err(ChangeError::Malformed));
    assert_eq!(crafted(|all| all.insert(0, all[0].clone())), Err(ChangeError::Malformed));
    let parts = ChangeParts { puts: vec![put("a", true, &[])], ..parts() };
    let mut columns = encode::columns(&parts, &encode::other_actors(&parts));
    columns.push((encode::PREDECESSOR_ACTOR, Vec::new()));
    let body = encode::assemble(&parts, [].iter(), &columns);
    assert_eq!(Change::from_body(&body), Err(ChangeError::NotCanonical));
}

#[test]
fn a_time_a_message_or_extra_bytes_are_smuggling() {
    let body = encode::body(&parts());
    let at = 1 + 2 * 32 + 17 + 2;
    assert_eq!(body[at..at + 2], [0, 0]);
    for (position, inserted) in [(at, vec![1]), (at + 1, vec![2, b'h', b'i'])] {
        let mut smuggling = body.clone();
        smuggling.splice(position..=position, inserted);
        assert_eq!(Change::from_body(&smuggling), Err(ChangeError::Smuggled));
    }
    assert_eq!(Change::from_body(&[&body[..], &[1, 1, 7]].concat()), Err(ChangeError::Smuggled));
    assert_eq!(crafted(|all| column(all, encode::VALUE).push(7)), Err(ChangeError::Smuggled));
}

#[test]
fn a_key_outside_of_the_grammar_is_refused() {
    let bad = ["", "Outcome", "notes/1/text", "a/b", &"k".repeat(70_000)];
    for key in &bad[..4] {
        let parts = ChangeParts { puts: vec![put(key, true, &[])], ..parts() };
        assert_eq!(Change::from_body(&encode::body(&parts)), Err(ChangeError::BadKey), "{key}");
    }
    assert!(KeyPath::parse(bad[4]).is_none());
    assert_eq!(crafted(|all| *column(all, encode::KEY) = vec![5, 1, 0xff]), Err(ChangeError::Malformed));
}

#[test]
fn one_key_put_twice_is_refused() {
    let puts = vec![put("a", true, &[]), put("b", true, &[]), put("a", false, &[])];
    assert_eq!(Change::from_body(&encode::body(&ChangeParts { puts, ..parts() })), Err(ChangeError::DuplicateKey));
    let puts = vec![put("a", true, &[]), put("a", false, &[])];
    assert_eq!(Change::build(ChangeParts { puts, ..parts() }), Err(ChangeError::DuplicateKey));
}

#[test]
fn a_witness_is_written_by_its_own_replica_only() {
    let written = |replica: u8| {
        let key = format!("witness/{}/started_at", ReplicaId([replica; 14]));
        Change::build(ChangeParts { puts: vec![put(&key, true, &[])], ..parts() }).map(|_| ())
    };
    assert_eq!(written(5), Ok(()));
    assert_eq!(written(6), Err(ChangeError::ForeignWitness));
}

#[test]
fn a_value_outside_of_the_profile_is_refused() {
    let bad = [
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Text("x".repeat(MAX_TEXT_BYTES + 1)),
        Value::Bytes(vec![0; MAX_BYTES + 1]),
    ];
    for value in bad {
        let body = encode::body(&ChangeParts { puts: vec![put("a", value, &[])], ..parts() });
        assert_eq!(Change::from_body(&body), Err(ChangeError::BadValue));
    }
    let one = |meta: u64, bytes: &[u8]| {
        let parts = ChangeParts { puts: vec![put("a", Value::Null, &[])], ..parts() };
        let mut columns = encode::columns(&parts, &encode::other_actors(&parts));
        *column(&mut columns, encode::VALUE_META) = run(-1, meta);
        columns.push((encode::VALUE, bytes.to_vec()));
        columns.retain(|(_, bytes)| !bytes.is_empty());
        columns.sort();
        Change::from_body(&encode::assemble(&parts, [].iter(), &columns)).map(|_| ())
    };
    assert_eq!(one(1 << 4 | 3, &[7]), Ok(()));
    assert_eq!(one(1 << 4 | 8, &[7]), Err(ChangeError::BadValue), "a counter");
    assert_eq!(one(1 << 4 | 12, &[7]), Err(ChangeError::BadValue), "an unknown type");
    assert_eq!(one(1 << 4 | 6, &[0xff]), Err(ChangeError::BadValue), "not UTF-8");
    assert_eq!(one(2 << 4 | 3, &[0x87, 0]), Err(ChangeError::NotCanonical), "not the shortest number");
    assert_eq!(one(1 << 4, &[7]), Err(ChangeError::NotCanonical), "a null with content");
    assert_eq!(one(4 << 4 | 5, &[0; 4]), Err(ChangeError::Truncated), "a short float");
    assert_eq!(one(u64::MAX << 4 | 7, &[0; 4]), Err(ChangeError::Truncated), "longer than the column");
}

#[test]
fn a_predecessor_that_is_not_older_is_refused() {
    for counter in [0, 40, 41, MAX_OP_COUNTER, MAX_OP_COUNTER + 1, u64::MAX] {
        let parts = ChangeParts { puts: vec![put("a", true, &[op(counter, 9)])], ..parts() };
        assert_eq!(Change::from_body(&encode::body(&parts)), Err(ChangeError::BadPredecessor), "{counter}");
    }
}

#[test]
fn predecessors_twice_or_out_of_order_are_not_canonical() {
    for predecessors in [[op(8, 9), op(7, 9)], [op(7, 9), op(7, 9)], [op(7, 9), op(7, 2)]] {
        let parts = ChangeParts { puts: vec![put("a", true, &predecessors)], ..parts() };
        assert_eq!(Change::from_body(&encode::body(&parts)), Err(ChangeError::NotCanonical));
    }
}

#[test]
fn runs_that_our_encoder_would_not_write_are_not_canonical() {
    let literal = [vec![0x7b], vec![1; 5]].concat();
    let split = [run(2, 1), run(3, 1)].concat();
    let wide = vec![0x85, 0, 1];
    for action in [literal, split, wide] {
        assert_eq!(crafted(|all| *column(all, encode::ACTION) = action), Err(ChangeError::NotCanonical));
    }
    assert_eq!(crafted(|all| *column(all, encode::INSERT) = vec![0x85, 0]), Err(ChangeError::NotCanonical));
    assert_eq!(crafted(|all| *column(all, encode::ACTION) = run(4, 1)), Err(ChangeError::NotAPut));
    assert_eq!(crafted(|all| *column(all, encode::ACTION) = vec![0, 5]), Err(ChangeError::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_refused_or_canonical(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Change::from_chunk(&body).is_err());
        let _ = Change::from_chunk(&chunk_of(1, &body));
        if let Ok(change) = Change::from_body(&body) {
            prop_assert_eq!(change.body(), body);
        }
    }

    #[test]
    fn mutated_changes_are_refused_or_canonical(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let mut body = encode::body(&parts());
        for (at, byte, how) in edits {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        if let Ok(change) = Change::from_body(&body) {
            prop_assert_eq!(change.body(), &body);
            prop_assert_eq!(Change::from_chunk(&chunk_of(1, &body)), Ok(change));
        }
    }
}
