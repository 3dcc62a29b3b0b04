//! The queue of conflicts that wait for someone to choose.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{change::Value, id::DocumentId, visit::Visit};

use super::{
    Conditions,
    author::Authors,
    document::{Located, load},
    page::{Cursor, Page},
    visit::{Conflict, named},
};
use crate::store::StoreError;

/// Each row costs reading a document, so that a page holds no more of them.
pub const MAX_ROWS: u32 = 200;

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
    filter: &ConflictFilter,
    page: &Page<ConflictKey>,
) -> Result<ConflictPage, StoreError> {
    let page = &Page { limit: page.limit.at_most(MAX_ROWS), cursor: page.cursor.clone() };
    let mut conditions = Conditions::default();
    conditions.and_some("d.scope_no = (SELECT scope_no FROM beat WHERE code = ?)", filter.beat.clone());
    if let Some((document_no, field)) = page.after() {
        conditions.and_pair("(c.document_no, c.field) > (?, ?)", *document_no, field.clone());
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.document_no, c.field, d.document, b.code
         FROM conflict c JOIN visit v USING (document_no) JOIN document d USING (document_no)
         LEFT JOIN beat b ON b.scope_no = d.scope_no{}
         ORDER BY c.document_no, c.field LIMIT {}",
        conditions.sql,
        page.and_one()
    ))?;
    let rows = statement.query_map(conditions.values(), |row| {
        let key: ConflictKey = (row.get(0)?, row.get(1)?);
        let found = (key.clone(), DocumentId::from_bytes(row.get(2)?), row.get(3)?);
        Ok((key, found))
    })?;
    let (found, next) = page.cut(rows.collect::<Result<Vec<_>, _>>()?);
    Ok(ConflictPage { conflicts: with_values(connection, found)?, next })
}

fn with_values(
    connection: &Connection,
    found: Vec<(ConflictKey, DocumentId, Option<String>)>,
) -> Result<Vec<ConflictRow>, StoreError> {
    let mut authors = Authors::new(connection);
    let mut open: (i64, BTreeMap<String, Conflict>) = (0, BTreeMap::new());
    let mut rows = Vec::with_capacity(found.len());
    for ((document_no, field), visit, beat) in found {
        if open.0 != document_no {
            let conflicts = Visit::read(&load(connection, document_no)?.reading()).conflicts.into_iter();
            let conflicts = conflicts.map(|conflict| Ok((conflict.field.clone(), named(conflict, &mut authors)?)));
            open = (document_no, conflicts.collect::<Result<_, StoreError>>()?);
        }
        let conflict = open.1.remove(&field).ok_or_else(|| StoreError::corrupt("a conflict that is none"))?;
        rows.push(ConflictRow { visit, beat, conflict });
    }
    Ok(rows)
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
    let conflicts = Visit::read(&load(connection, located.document_no)?.reading()).conflicts;
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
