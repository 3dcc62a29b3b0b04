//! The only place where changes meet Automerge. It is handed nothing but checked changes, and still not trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, ObjId, ROOT, ReadDoc, ScalarValue};

use super::ReadingError;
use crate::{
    change::{Change, OpId, Value},
    id::Actor,
};

/// The document as a file that any Automerge library opens. `changes` must have passed the checks.
pub fn export<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Result<Vec<u8>, ReadingError> {
    let changes: Vec<_> = changes.into_iter().collect();
    guarded(|| Ok(load(&changes)?.save()))
}

/// A key with its live ops and their values, the winner last.
type LiveKey = (String, Vec<(OpId, Value)>);

/// Every key that holds something.
pub(super) fn live_ops(changes: &[&Change]) -> Result<Vec<LiveKey>, ReadingError> {
    guarded(|| {
        let document = load(changes)?;
        document
            .keys(ROOT)
            .map(|key| {
                let values = document.get_all(ROOT, key.as_str()).map_err(|_| ReadingError::Refused)?;
                let ops = values.into_iter().map(|(value, id)| Some((op_id(&id)?, scalar(value.as_scalar()?)?)));
                Ok((key, ops.collect::<Option<_>>().ok_or(ReadingError::Refused)?))
            })
            .collect()
    })
}

fn guarded<T>(work: impl FnOnce() -> Result<T, ReadingError>) -> Result<T, ReadingError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(ReadingError::Panicked))
}

fn load(changes: &[&Change]) -> Result<Automerge, ReadingError> {
    let parsed: Vec<automerge::Change> = changes
        .iter()
        .map(|change| automerge::Change::from_bytes(change.chunk().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| ReadingError::Refused)?;
    let mut document = Automerge::new();
    document.apply_changes(parsed).map_err(|_| ReadingError::Refused)?;
    if document.get_missing_deps(&[]).is_empty() { Ok(document) } else { Err(ReadingError::MissingDependencies) }
}

fn op_id(id: &ObjId) -> Option<OpId> {
    match id {
        ObjId::Id(counter, actor, _) => Some(OpId { counter: *counter, actor: Actor::from_slice(actor.to_bytes())? }),
        ObjId::Root => None,
    }
}

fn scalar(value: &ScalarValue) -> Option<Value> {
    match value {
        ScalarValue::Null => Some(Value::Null),
        ScalarValue::Boolean(flag) => Some(Value::Boolean(*flag)),
        ScalarValue::Int(number) => Some(Value::Int(*number)),
        ScalarValue::Uint(number) => Some(Value::Uint(*number)),
        ScalarValue::F64(number) => Some(Value::Float(*number)),
        ScalarValue::Str(text) => Some(Value::Text(text.to_string())),
        ScalarValue::Bytes(bytes) => Some(Value::Bytes(bytes.clone())),
        ScalarValue::Timestamp(number) => Some(Value::Timestamp(*number)),
        ScalarValue::Counter(_) | ScalarValue::Unknown { .. } => None,
    }
}
