//! Edits drawn from input: keys and values of every sort, changes sound and otherwise.

use aralau_sync_core::{
    change::{ChangeParts, MAX_CHANGE_OPS, MAX_TEXT_BYTES, NONCE, OpId, Put, Value},
    id::{Actor, ChangeHash, ReplicaId},
};
use arbitrary::{Result, Unstructured};

/// Installs that take part.
pub const REPLICAS: u8 = 3;

/// One of them; `number` may be anything.
pub fn replica(number: u8) -> ReplicaId {
    ReplicaId([number % REPLICAS + 1; 14])
}

/// One of few keys, so that edits meet; now and then a witness's.
pub fn key(input: &mut Unstructured<'_>, author: ReplicaId) -> Result<String> {
    const KEYS: [&str; 8] = [
        "outcome",
        "visit_type",
        "place",
        NONCE,
        "notes/0f8fad5b-d9cb-469f-a165-70867728950e/text",
        "notes/0f8fad5b-d9cb-469f-a165-70867728950e/status",
        "notes/7c9e6679-7425-40de-944b-e07fc1f90ae7/text",
        "concerns/7c9e6679-7425-40de-944b-e07fc1f90ae7/category",
    ];
    let of = if input.ratio(1, 16)? { replica(input.arbitrary()?) } else { author };
    Ok(match input.int_in_range(0..=9_u8)? {
        8 => format!("witness/{of}/started_at"),
        9 => format!("field_{}", input.int_in_range(0..=40_u8)?),
        known => KEYS[usize::from(known)].to_owned(),
    })
}

/// Any value that a change may hold, and some that it may not.
pub fn value(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=11_u8)? {
        0 => Value::Null,
        1 => Value::Boolean(input.arbitrary()?),
        2 => Value::Int(input.arbitrary::<i64>()? >> input.int_in_range(0..=63_u32)?),
        3 => Value::Uint(input.arbitrary::<u64>()? >> input.int_in_range(0..=63_u32)?),
        4 => Value::Float(input.arbitrary()?),
        5 => Value::Float(*input.choose(&[0.0, -0.0, 1.5, f64::MIN_POSITIVE, f64::MAX])?),
        6 => Value::Text(input.arbitrary::<&str>()?.to_owned()),
        7 => Value::Bytes(input.arbitrary::<&[u8]>()?.to_vec()),
        8 => Value::Timestamp(input.arbitrary::<i64>()? >> input.int_in_range(0..=63_u32)?),
        9 if input.ratio(1, 32)? => Value::Text("я".repeat(input.int_in_range(0..=MAX_TEXT_BYTES / 2 + 1)?)),
        _ => Value::from(*input.choose(&["contacted", "refused"])?),
    })
}

/// What somebody puts at once, no key twice.
pub fn puts(input: &mut Unstructured<'_>, author: ReplicaId) -> Result<Vec<(String, Value)>> {
    let mut puts: Vec<(String, Value)> = Vec::new();
    for _ in 0..input.int_in_range(1..=4_u8)? {
        let key = key(input, author)?;
        if !puts.iter().any(|(known, _)| *known == key) {
            puts.push((key, value(input)?));
        }
    }
    Ok(puts)
}

fn actor(input: &mut Unstructured<'_>) -> Result<Actor> {
    let generation = if input.ratio(1, 8)? { input.arbitrary()? } else { 0 };
    Ok(Actor { replica: replica(input.arbitrary()?), generation })
}

fn op(input: &mut Unstructured<'_>) -> Result<OpId> {
    Ok(OpId { counter: input.int_in_range(0..=60)?, actor: actor(input)? })
}

/// A change that fits no document in particular, and mostly passes every check of its own.
pub fn parts(input: &mut Unstructured<'_>) -> Result<ChangeParts> {
    let author = actor(input)?;
    let start_op = if input.ratio(1, 16)? { input.arbitrary()? } else { input.int_in_range(1..=100)? };
    let mut puts = Vec::new();
    for (key, value) in puts_of(input, author.replica)? {
        let mut predecessors = Vec::new();
        for _ in 0..input.int_in_range(0..=3_u8)? {
            predecessors.push(op(input)?);
        }
        if !input.ratio(1, 8)? {
            predecessors.retain(|op: &OpId| (1..start_op).contains(&op.counter));
            predecessors.sort_unstable();
            predecessors.dedup();
        }
        puts.push(Put { key, value, predecessors });
    }
    let mut dependencies = Vec::new();
    for _ in 0..input.int_in_range(0..=4_u8)? {
        dependencies.push(ChangeHash([input.arbitrary()?; 32]));
    }
    if !input.ratio(1, 8)? {
        dependencies.sort_unstable();
        dependencies.dedup();
    }
    Ok(ChangeParts { actor: author, sequence: input.int_in_range(1..=5)?, start_op, dependencies, puts })
}

/// Few puts that meet, or now and then as many as a change may hold and more.
fn puts_of(input: &mut Unstructured<'_>, author: ReplicaId) -> Result<Vec<(String, Value)>> {
    if !input.ratio(1, 64)? {
        return puts(input, author);
    }
    let many = input.int_in_range(1..=MAX_CHANGE_OPS as u64 + 1)?;
    Ok((0..many).map(|number| (format!("f{number}"), Value::Uint(number))).collect())
}

/// Changes a few bytes.
pub fn spoil(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    for _ in 0..input.int_in_range(1..=3_u8)? {
        if bytes.is_empty() {
            return Ok(());
        }
        let at = input.choose_index(bytes.len())?;
        match input.int_in_range(0..=4_u8)? {
            0 => bytes[at] ^= 1 << input.int_in_range(0..=7_u8)?,
            1 => bytes[at] = input.arbitrary()?,
            2 => bytes.insert(at, input.arbitrary()?),
            3 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    Ok(())
}
