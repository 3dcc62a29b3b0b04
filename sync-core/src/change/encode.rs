//! The canonical encoder: the bytes that Automerge 0.12 writes for the same edit.

use std::collections::BTreeMap;

use super::{
    ChangeParts, Value,
    column::{write_signed, write_text, write_unsigned, write_values},
};
use crate::id::Actor;

pub(super) const KEY: u64 = 21;
pub(super) const INSERT: u64 = 52;
pub(super) const ACTION: u64 = 66;
pub(super) const VALUE_META: u64 = 86;
pub(super) const VALUE: u64 = 87;
pub(super) const PREDECESSOR_COUNT: u64 = 112;
pub(super) const PREDECESSOR_ACTOR: u64 = 113;
pub(super) const PREDECESSOR_COUNTER: u64 = 115;
pub(super) const PUT: u64 = 1;

/// A column's number and its bytes.
pub(super) type Column = (u64, Vec<u8>);

pub(super) fn body(parts: &ChangeParts) -> Vec<u8> {
    let others = other_actors(parts);
    assemble(parts, others.keys(), &columns(parts, &others))
}

pub(super) fn assemble<'a>(
    parts: &ChangeParts,
    others: impl ExactSizeIterator<Item = &'a Actor>,
    columns: &[Column],
) -> Vec<u8> {
    let mut out = Vec::new();
    write_unsigned(&mut out, parts.dependencies.len() as u64);
    for dependency in &parts.dependencies {
        out.extend_from_slice(dependency.as_bytes());
    }
    write_actor(&mut out, parts.actor);
    write_unsigned(&mut out, parts.sequence);
    write_unsigned(&mut out, parts.start_op);
    write_signed(&mut out, 0);
    write_unsigned(&mut out, 0);
    write_unsigned(&mut out, others.len() as u64);
    for actor in others {
        write_actor(&mut out, *actor);
    }
    write_unsigned(&mut out, columns.len() as u64);
    for (column, bytes) in columns {
        write_unsigned(&mut out, *column);
        write_unsigned(&mut out, bytes.len() as u64);
    }
    for (_, bytes) in columns {
        out.extend_from_slice(bytes);
    }
    out
}

fn write_actor(out: &mut Vec<u8>, actor: Actor) {
    let bytes = actor.to_bytes();
    write_unsigned(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

/// Every actor named but the author, ascending, with its index; the author is number 0.
pub(super) fn other_actors(parts: &ChangeParts) -> BTreeMap<Actor, u64> {
    let named = parts.puts.iter().flat_map(|put| &put.predecessors).map(|op| op.actor);
    let mut others: BTreeMap<Actor, u64> =
        named.filter(|actor| *actor != parts.actor).map(|actor| (actor, 0)).collect();
    for (index, (_, number)) in (1..).zip(&mut others) {
        *number = index;
    }
    others
}

pub(super) fn columns(parts: &ChangeParts, others: &BTreeMap<Actor, u64>) -> Vec<Column> {
    let puts = &parts.puts;
    let keys: Vec<&str> = puts.iter().map(|put| put.key.as_str()).collect();
    let mut values = Vec::new();
    let metas: Vec<u64> = puts.iter().map(|put| write_value(&mut values, &put.value)).collect();
    let counts: Vec<u64> = puts.iter().map(|put| put.predecessors.len() as u64).collect();
    let predecessors = puts.iter().flat_map(|put| &put.predecessors);
    let actors: Vec<u64> = predecessors.clone().map(|op| others.get(&op.actor).copied().unwrap_or(0)).collect();
    let mut insert = Vec::new();
    write_unsigned(&mut insert, puts.len() as u64);

    let mut columns = vec![
        (KEY, column(&keys, |out, key| write_text(out, key))),
        (INSERT, insert),
        (ACTION, column(&vec![PUT; puts.len()], |out, action| write_unsigned(out, *action))),
        (VALUE_META, column(&metas, |out, meta| write_unsigned(out, *meta))),
        (VALUE, values),
        (PREDECESSOR_COUNT, column(&counts, |out, count| write_unsigned(out, *count))),
        (PREDECESSOR_ACTOR, column(&actors, |out, actor| write_unsigned(out, *actor))),
        (
            PREDECESSOR_COUNTER,
            column(&deltas(predecessors.map(|op| op.counter)), |out, delta| write_signed(out, *delta)),
        ),
    ];
    columns.retain(|(_, bytes)| !bytes.is_empty());
    columns
}

fn column<T: PartialEq>(values: &[T], write: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut out = Vec::new();
    write_values(&mut out, values, write);
    out
}

fn deltas(counters: impl Iterator<Item = u64>) -> Vec<i64> {
    let mut previous = 0_u64;
    counters
        .map(|counter| {
            let delta = counter.wrapping_sub(previous).cast_signed();
            previous = counter;
            delta
        })
        .collect()
}

/// Appends the value's bytes and answers its type and length as `length << 4 | type`.
fn write_value(out: &mut Vec<u8>, value: &Value) -> u64 {
    let before = out.len();
    let kind = match value {
        Value::Null => 0,
        Value::Boolean(false) => 1,
        Value::Boolean(true) => 2,
        Value::Uint(number) => {
            write_unsigned(out, *number);
            3
        }
        Value::Int(number) => {
            write_signed(out, *number);
            4
        }
        Value::Float(number) => {
            out.extend_from_slice(&number.to_le_bytes());
            5
        }
        Value::Text(text) => {
            out.extend_from_slice(text.as_bytes());
            6
        }
        Value::Bytes(bytes) => {
            out.extend_from_slice(bytes);
            7
        }
        Value::Timestamp(number) => {
            write_signed(out, *number);
            9
        }
    };
    ((out.len() - before) as u64) << 4 | kind
}
