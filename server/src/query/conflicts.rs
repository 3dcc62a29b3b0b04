//! The queue of conflicts that wait for someone to choose.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    change::Value,
    id::{DocumentId, ScopeId},
    visit::{self, Visit},
};

use super::{
    Conditions,
    author::Authors,
    document::{Located, load},
    page::{Cursor, Page},
    visit::{Conflict, named},
};
use crate::{reach::Reach, store::StoreError};

/// Each row costs reading a document, so that a page holds no more of them.
pub const MAX_ROWS: u32 = 200;
/// A page ends with the row that exceeds this.
const MAX_BYTES: usize = 1024 * 1024;

/// Which conflicts.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConflictFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
}

/// A field of a visit with two or more different values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictRow {
    /// The visit.
    #[schema(value_type = Uuid)]
    pub visit: DocumentId,
    /// Its beat's code.
    pub beat: Option<String>,
    /// The field and its values.
    #[serde(flatten)]
    pub conflict: Conflict,
}

/// The order of the queue: the documents longest known first.
pub type ConflictKey = (i64, String);

/// A page of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictPage {
    /// One element for each field.
    pub conflicts: Vec<ConflictRow>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<ConflictKey>>,
}

/// One page of the queue.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    filter: &ConflictFilter,
    page: &Page<ConflictKey>,
) -> Result<ConflictPage, StoreError> {
    let found = find(connection, &reach.of_beat(connection, filter.beat.as_deref())?, page)?;
    let rows_found = found.len();
    let mut reader = Reader { connection, authors: Authors::new(connection), open: None };
    let (mut conflicts, mut last, mut bytes) = (Vec::with_capacity(rows_found), None, 0);
    for found in found.into_iter().take(page.limit.at_most(MAX_ROWS).rows()) {
        if bytes > MAX_BYTES {
            break;
        }
        let conflict = reader.conflict(&found)?;
        bytes += conflict.values.iter().map(|candidate| bytes_of(&candidate.value)).sum::<usize>();
        last = Some(Cursor((found.located.document_no, found.field)));
        conflicts.push(ConflictRow { visit: found.located.document, beat: found.beat, conflict });
    }
    let next = last.filter(|_| conflicts.len() < rows_found);
    Ok(ConflictPage { conflicts, next })
}

/// A row of the queue, before its document is read.
struct Found {
    located: Located,
    field: String,
    beat: Option<String>,
}

fn find(connection: &Connection, reach: &Reach, page: &Page<ConflictKey>) -> Result<Vec<Found>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.within("d.scope_no", reach);
    if let Some((document_no, field)) = page.after() {
        conditions.and_pair("(c.document_no, c.field) > (?, ?)", *document_no, field.clone());
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.document_no, d.document, d.scope_no, s.scope, c.field, b.code
         FROM conflict c JOIN document d USING (document_no) JOIN scope s USING (scope_no)
         LEFT JOIN beat b ON b.scope_no = d.scope_no{}
         ORDER BY c.document_no, c.field LIMIT {}",
        conditions.sql,
        page.limit.at_most(MAX_ROWS).and_one()
    ))?;
    let rows = statement.query_map(conditions.values(), |row| {
        let located = Located {
            document_no: row.get(0)?,
            document: DocumentId::from_bytes(row.get(1)?),
            scope_no: row.get(2)?,
            scope: ScopeId::from_bytes(row.get(3)?),
        };
        Ok(Found { located, field: row.get(4)?, beat: row.get(5)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Reads the conflicts of one document after the other.
struct Reader<'a> {
    connection: &'a Connection,
    authors: Authors<'a>,
    open: Option<(i64, BTreeMap<String, visit::Conflict>)>,
}

impl Reader<'_> {
    fn conflict(&mut self, found: &Found) -> Result<Conflict, StoreError> {
        let document_no = found.located.document_no;
        if self.open.as_ref().is_none_or(|(open, _)| *open != document_no) {
            let conflicts = Visit::read(&load(self.connection, &found.located)?.reading()).conflicts;
            let by_field = conflicts.into_iter().map(|conflict| (conflict.field.clone(), conflict));
            self.open = Some((document_no, by_field.collect()));
        }
        let conflict = self.open.as_mut().and_then(|(_, conflicts)| conflicts.remove(&found.field));
        named(conflict.ok_or_else(|| StoreError::corrupt("a conflict that is none"))?, &mut self.authors)
    }
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => 2 * bytes.len(),
        Value::Null | Value::Boolean(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Timestamp(_) => 8,
    }
}

/// Why a conflict cannot be settled as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsettled {
    /// The field has no two values to choose from.
    NotInConflict,
    /// A list or an object is no value of a field.
    NotAScalar,
}

/// The value that a settlement in JSON means: the one of the conflict that looks the same, with its type (JSON does not
/// tell a time from a number), or else a new one.
pub fn value_for(
    connection: &Connection,
    located: &Located,
    field: &str,
    wanted: &serde_json::Value,
) -> Result<Result<Value, Unsettled>, StoreError> {
    let conflicts = Visit::read(&load(connection, located)?.reading()).conflicts;
    let Some(conflict) = conflicts.into_iter().find(|conflict| conflict.field == field) else {
        return Ok(Err(Unsettled::NotInConflict));
    };
    let mut candidates = conflict.values.into_iter().map(|candidate| candidate.value);
    let same = candidates.find(|value| serde_json::to_value(value).is_ok_and(|value| value == *wanted));
    Ok(same.or_else(|| scalar(wanted)).ok_or(Unsettled::NotAScalar))
}

fn scalar(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Boolean(*flag),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Uint(number),
            (None, None) => Value::Float(number.as_f64()?),
        },
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => return None,
    })
}
