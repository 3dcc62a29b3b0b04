//! The bounded decoder. It refuses early and allocates only in proportion to the bytes it was given; that the bytes
//! are canonical is decided by the comparison with the encoder.

use super::{
    ChangeError, ChangeParts, MAX_CHANGE_OPS, MAX_CHANGE_PREDECESSORS, MAX_DEPENDENCIES, MAX_OP_COUNTER, OpId, Put,
    Value,
    column::{Reader, read_runs, read_values, total},
    encode,
};
use crate::{
    digest::{CHUNK_CHANGE, CHUNK_MAGIC},
    id::{Actor, ChangeHash},
};

/// The checksum and the body of exactly one chunk of the right type.
pub(super) fn container(chunk: &[u8]) -> Result<([u8; 4], &[u8]), ChangeError> {
    let mut reader = Reader::new(chunk);
    if reader.array()? != CHUNK_MAGIC {
        return Err(ChangeError::NotAChunk);
    }
    let checksum = reader.array()?;
    let [kind] = reader.array()?;
    if kind != CHUNK_CHANGE {
        return Err(ChangeError::WrongChunk(kind));
    }
    let length = reader.unsigned()?;
    let body = reader.take(length)?;
    if !reader.is_empty() {
        return Err(ChangeError::TrailingBytes);
    }
    Ok((checksum, body))
}

pub(super) fn body(body: &[u8]) -> Result<ChangeParts, ChangeError> {
    let mut reader = Reader::new(body);
    let dependencies = read_dependencies(&mut reader)?;
    let actor = read_actor(&mut reader)?;
    let sequence = reader.unsigned()?;
    let start_op = reader.unsigned()?;
    if reader.signed()? != 0 || reader.unsigned()? != 0 {
        return Err(ChangeError::Smuggled);
    }
    let mut actors = vec![actor];
    for _ in 0..reader.unsigned()? {
        actors.push(read_actor(&mut reader)?);
    }
    let puts = Columns::read(&mut reader)?.puts(&actors)?;
    Ok(ChangeParts { actor, sequence, start_op, dependencies, puts })
}

fn read_dependencies(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, ChangeError> {
    let count = reader.unsigned()?;
    if count > MAX_DEPENDENCIES as u64 {
        return Err(ChangeError::TooManyDependencies);
    }
    (0..count).map(|_| reader.array().map(ChangeHash)).collect()
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor, ChangeError> {
    let length = reader.unsigned()?;
    Actor::from_slice(reader.take(length)?).ok_or(ChangeError::BadActor)
}

/// The columns of the profile, still encoded; one that is left out is empty.
#[derive(Default)]
struct Columns<'a> {
    key: &'a [u8],
    insert: &'a [u8],
    action: &'a [u8],
    value_meta: &'a [u8],
    value: &'a [u8],
    predecessor_count: &'a [u8],
    predecessor_actor: &'a [u8],
    predecessor_counter: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Takes the rest of the body: what lies behind the last column is an extra byte.
    fn read(reader: &mut Reader<'a>) -> Result<Self, ChangeError> {
        let mut declared = Vec::new();
        let mut previous = None;
        for _ in 0..reader.unsigned()? {
            let column = reader.unsigned()?;
            if previous >= Some(column) {
                return Err(ChangeError::Malformed);
            }
            previous = Some(column);
            declared.push((column, reader.unsigned()?));
        }
        let mut columns = Self::default();
        for (column, length) in declared {
            *columns.slot(column)? = reader.take(length)?;
        }
        if !reader.is_empty() {
            return Err(ChangeError::Smuggled);
        }
        Ok(columns)
    }

    fn slot(&mut self, column: u64) -> Result<&mut &'a [u8], ChangeError> {
        /// Object and list element: any use means an op elsewhere than on a key of the root map.
        const ELSEWHERE: [u64; 4] = [1, 2, 17, 19];
        match column {
            encode::KEY => Ok(&mut self.key),
            encode::INSERT => Ok(&mut self.insert),
            encode::ACTION => Ok(&mut self.action),
            encode::VALUE_META => Ok(&mut self.value_meta),
            encode::VALUE => Ok(&mut self.value),
            encode::PREDECESSOR_COUNT => Ok(&mut self.predecessor_count),
            encode::PREDECESSOR_ACTOR => Ok(&mut self.predecessor_actor),
            encode::PREDECESSOR_COUNTER => Ok(&mut self.predecessor_counter),
            other if ELSEWHERE.contains(&other) => Err(ChangeError::NotRoot),
            _ => Err(ChangeError::UnknownColumn),
        }
    }

    fn puts(&self, actors: &[Actor]) -> Result<Vec<Put>, ChangeError> {
        let ops = self.count_ops()?;
        let keys = read_values(self.key, ops, Reader::text)?;
        let mut values = Values {
            metas: read_values(self.value_meta, ops, Reader::unsigned)?.into_iter(),
            bytes: Reader::new(self.value),
        };
        let mut predecessors = self.predecessors(ops, actors)?.into_iter();
        let puts = keys
            .into_iter()
            .map(|key| {
                let value = values.next()?;
                let predecessors = predecessors.next().ok_or(ChangeError::Malformed)?;
                Ok(Put { key: key.to_owned(), value, predecessors })
            })
            .collect::<Result<_, _>>()?;
        if !values.bytes.is_empty() {
            return Err(ChangeError::Smuggled);
        }
        Ok(puts)
    }

    /// How many ops are declared, each of them a put, none an insertion. Bounded before any column is expanded.
    fn count_ops(&self) -> Result<u64, ChangeError> {
        let actions = read_runs(self.action, MAX_CHANGE_OPS as u64, ChangeError::TooManyOps, Reader::unsigned)?;
        if actions.iter().any(|run| run.value != encode::PUT) {
            return Err(ChangeError::NotAPut);
        }
        let ops = total(&actions);
        if ops == 0 {
            return Err(ChangeError::Empty);
        }
        let mut insert = Reader::new(self.insert);
        if insert.unsigned()? != ops || !insert.is_empty() {
            return Err(ChangeError::NotAPut);
        }
        Ok(ops)
    }

    fn predecessors(&self, ops: u64, actors: &[Actor]) -> Result<Vec<Vec<OpId>>, ChangeError> {
        let counts = read_values(self.predecessor_count, ops, Reader::unsigned)?;
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        if sum > MAX_CHANGE_PREDECESSORS as u64 {
            return Err(ChangeError::TooManyPredecessors);
        }
        let indexes = read_values(self.predecessor_actor, sum, Reader::unsigned)?;
        let deltas = read_values(self.predecessor_counter, sum, Reader::signed)?;
        let mut previous = 0_u64;
        let mut ids = indexes.iter().zip(deltas).map(|(index, delta)| {
            previous = previous
                .checked_add_signed(delta)
                .filter(|counter| *counter <= MAX_OP_COUNTER)
                .ok_or(ChangeError::BadPredecessor)?;
            let actor =
                usize::try_from(*index).ok().and_then(|index| actors.get(index)).ok_or(ChangeError::BadActor)?;
            Ok(OpId { counter: previous, actor: *actor })
        });
        counts.iter().map(|count| (0..*count).map(|_| ids.next().ok_or(ChangeError::Malformed)?).collect()).collect()
    }
}

struct Values<'a> {
    metas: std::vec::IntoIter<u64>,
    bytes: Reader<'a>,
}

impl Values<'_> {
    fn next(&mut self) -> Result<Value, ChangeError> {
        let meta = self.metas.next().ok_or(ChangeError::Malformed)?;
        let bytes = self.bytes.take(meta >> 4)?;
        let mut reader = Reader::new(bytes);
        let value = match meta & 0xf {
            0 => Value::Null,
            1 => Value::Boolean(false),
            2 => Value::Boolean(true),
            3 => Value::Uint(reader.unsigned()?),
            4 => Value::Int(reader.signed()?),
            5 => Value::Float(f64::from_le_bytes(reader.array()?)),
            6 => Value::Text(std::str::from_utf8(bytes).map_err(|_| ChangeError::BadValue)?.to_owned()),
            7 => Value::Bytes(bytes.to_vec()),
            9 => Value::Timestamp(reader.signed()?),
            _ => return Err(ChangeError::BadValue),
        };
        Ok(value)
    }
}
