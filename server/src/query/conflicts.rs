//! The queue of conflicts that wait for someone to choose.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    change::{KeyPath, OpId, Value},
    document::Document,
    id::{ChangeHash, DocumentId, PersonId, ScopeId},
    visit::{self, Visit},
};

use super::{
    Conditions,
    author::{Authors, Person},
    document::{Located, load},
    instant::Instant,
    page::{Cursor, Page},
    place_names::PlaceNames,
    visit::{Conflict, Note, bytes_of, named, signed},
    visits::PlaceName,
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
    /// A field by its key; of items of a collection `*` stands for any item, as in `commitments/*/due`.
    pub field: Option<String>,
}

/// A field of a visit with two or more different values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictRow {
    /// The visit.
    #[schema(value_type = Uuid)]
    pub visit: DocumentId,
    /// Its beat's code.
    pub beat: Option<String>,
    /// Where.
    pub place: Option<PlaceName>,
    /// Whose visit it is.
    pub inspector: Option<Person>,
    /// A code of `visit_type`.
    #[serde(rename = "type")]
    pub visit_type: Option<String>,
    /// When it began, by the observers' clocks.
    pub started_at: Instant,
    /// Its notes, in order of writing.
    pub notes: Vec<Note>,
    /// The field and its values.
    #[serde(flatten)]
    pub conflict: Conflict,
}

/// The order of the queue: the documents longest known first.
pub type ConflictKey = (i64, String);

/// In how many visits a field is in conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldCount {
    /// The field, as the filter takes it.
    pub field: String,
    /// Conflicts.
    pub conflicts: u64,
}

/// A page of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictPage {
    /// One element for each field.
    pub conflicts: Vec<ConflictRow>,
    /// The places that the values name, as far as they are known.
    pub places: Vec<PlaceName>,
    /// Conflicts that pass the filter, on all pages.
    pub total: u64,
    /// The fields of all that pass but for theirs, by key.
    pub fields: Vec<FieldCount>,
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
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let fields = fields(connection, &reach)?;
    let total = match &filter.field {
        None => fields.values().sum(),
        Some(field) => fields.get(field).copied().unwrap_or(0),
    };
    let found = find(connection, &reach, filter.field.as_deref(), page)?;
    let rows_found = found.len();
    let mut reader =
        Reader { connection, authors: Authors::new(connection), places: PlaceNames::new(connection), open: None };
    let (mut conflicts, mut last, mut bytes) = (Vec::with_capacity(rows_found), None, 0);
    for found in found.into_iter().take(page.limit.at_most(MAX_ROWS).rows()) {
        if bytes > MAX_BYTES {
            break;
        }
        let row = reader.row(&found)?;
        bytes += row.conflict.values.iter().map(|candidate| bytes_of(&candidate.value)).sum::<usize>();
        bytes += row.notes.iter().map(|note| note.text.len()).sum::<usize>();
        last = Some(Cursor((found.located.document_no, found.field)));
        conflicts.push(row);
    }
    let next = last.filter(|_| conflicts.len() < rows_found);
    let fields = fields.into_iter().take(MAX_FIELDS).map(|(field, conflicts)| FieldCount { field, conflicts });
    Ok(ConflictPage { conflicts, places: reader.places.met(), total, fields: fields.collect(), next })
}

/// Kinds of field that are told. Keys that no app knows may be any.
const MAX_FIELDS: usize = 100;

/// In how many visits within each field is in conflict. There are as many as wait for somebody: all are read through.
fn fields(connection: &Connection, reach: &Reach) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.within(SCOPE_OF_DOCUMENT, reach);
    let mut statement = connection.prepare_cached(&format!("SELECT c.field FROM conflict c{}", conditions.sql))?;
    let mut rows = statement.query(conditions.values())?;
    let mut fields = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *fields.entry(any_item(row.get_ref(0)?.as_str().unwrap_or_default())).or_default() += 1;
    }
    Ok(fields)
}

/// A document is numbered by a row of its scope's log.
const SCOPE_OF_DOCUMENT: &str = "(c.document_no >> 40)";

/// A field's key, whichever item it is of.
fn any_item(key: &str) -> String {
    match KeyPath::parse(key) {
        Some(KeyPath::Item { collection, field, .. }) => format!("{collection}/*/{field}"),
        Some(KeyPath::Witness { field, .. }) => format!("witness/*/{field}"),
        Some(KeyPath::Field(_)) | None => key.to_owned(),
    }
}

/// A row of the queue, before its document is read.
struct Found {
    located: Located,
    field: String,
    beat: Option<String>,
    place: Option<DocumentId>,
    inspector: Option<Person>,
    visit_type: Option<String>,
    started_at: Instant,
}

fn conditions(reach: &Reach, field: Option<&str>, page: &Page<ConflictKey>) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.within(SCOPE_OF_DOCUMENT, reach);
    match field.map(|field| (field, field.split_once("/*/"))) {
        Some((_, Some((collection, name)))) => {
            // By length, not by a pattern: whatever is given is text.
            let (before, behind) = (format!("{collection}/"), format!("/{name}"));
            conditions.and("substr(c.field, 1, length(?)) = ?", before.clone());
            conditions.bind(before);
            conditions.and("substr(c.field, -length(?)) = ?", behind.clone());
            conditions.bind(behind);
        }
        Some((field, None)) => conditions.and("c.field = ?", field.to_owned()),
        None => {}
    }
    if let Some((document_no, field)) = page.after() {
        conditions.and_pair("(c.document_no, c.field) > (?, ?)", *document_no, field.clone());
    }
    conditions
}

fn listing(conditions: &Conditions, most: i64) -> String {
    format!(
        "SELECT c.document_no, d.document, d.scope_no, s.scope, c.field, b.code, v.place, v.author, a.name, v.visit_type,
             v.started_at
         FROM conflict c JOIN document d USING (document_no) JOIN scope s USING (scope_no)
         JOIN visit v USING (document_no)
         LEFT JOIN beat b ON b.scope_no = d.scope_no LEFT JOIN person a ON a.person = v.author{}
         ORDER BY c.document_no, c.field LIMIT {most}",
        conditions.sql
    )
}

fn find(
    connection: &Connection,
    reach: &Reach,
    field: Option<&str>,
    page: &Page<ConflictKey>,
) -> Result<Vec<Found>, StoreError> {
    let conditions = conditions(reach, field, page);
    let mut statement = connection.prepare_cached(&listing(&conditions, page.limit.at_most(MAX_ROWS).and_one()))?;
    let rows = statement.query_map(conditions.values(), |row| {
        let located = Located {
            document_no: row.get(0)?,
            document: DocumentId::from_bytes(row.get(1)?),
            scope_no: row.get(2)?,
            scope: ScopeId::from_bytes(row.get(3)?),
        };
        let author = row.get::<_, Option<[u8; 16]>>(7)?.map(PersonId::from_bytes);
        let name: Option<String> = row.get(8)?;
        Ok(Found {
            located,
            field: row.get(4)?,
            beat: row.get(5)?,
            place: row.get::<_, Option<[u8; 16]>>(6)?.map(DocumentId::from_bytes),
            inspector: author.map(|id| Person { id, name: name.unwrap_or_default() }),
            visit_type: row.get(9)?,
            started_at: Instant::from_ms(row.get(10)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Reads the conflicts of one document after the other.
struct Reader<'a> {
    connection: &'a Connection,
    authors: Authors<'a>,
    places: PlaceNames<'a>,
    open: Option<Open>,
}

/// A document that is being read.
struct Open {
    document_no: i64,
    conflicts: BTreeMap<String, visit::Conflict>,
    notes: Vec<Note>,
}

impl Reader<'_> {
    fn row(&mut self, found: &Found) -> Result<ConflictRow, StoreError> {
        let scope_no = found.located.scope_no;
        let (conflict, notes) = self.read(found)?;
        let place = found.place.map(|place| self.places.of(scope_no, place)).transpose()?;
        for candidate in &conflict.values {
            self.places.meet(scope_no, &found.field, &candidate.value)?;
        }
        Ok(ConflictRow {
            visit: found.located.document,
            beat: found.beat.clone(),
            place,
            inspector: found.inspector.clone(),
            visit_type: found.visit_type.clone(),
            started_at: found.started_at,
            notes,
            conflict,
        })
    }

    fn read(&mut self, found: &Found) -> Result<(Conflict, Vec<Note>), StoreError> {
        let document_no = found.located.document_no;
        if self.open.as_ref().is_none_or(|open| open.document_no != document_no) {
            let visit = Visit::read(&load(self.connection, &found.located)?.reading());
            let by_field = visit.conflicts.into_iter().map(|conflict| (conflict.field.clone(), conflict));
            let notes =
                visit.notes.into_iter().map(|note| signed(note, &mut self.authors)).collect::<Result<_, _>>()?;
            self.open = Some(Open { document_no, conflicts: by_field.collect(), notes });
        }
        let open = self.open.as_mut();
        let read = open.and_then(|open| Some((open.conflicts.remove(&found.field)?, open.notes.clone())));
        let (conflict, notes) = read.ok_or_else(|| StoreError::corrupt("a conflict that is none"))?;
        Ok((named(conflict, &mut self.authors)?, notes))
    }
}

/// Why a conflict cannot be settled as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsettled {
    /// The field has no two values to choose from.
    NotInConflict,
    /// Somebody has written to the field since that settlement, or it was none.
    SettledSince,
    /// A list or an object is no value of a field.
    NotAScalar,
}

/// The value that a settlement in JSON means: the one of the conflict that looks the same, with its type (JSON does not
/// tell a time from a number), or else a new one. `instead_of` names an earlier settlement, which may be taken back as long as
/// its value is the field's only one.
pub fn value_for(
    connection: &Connection,
    located: &Located,
    field: &str,
    wanted: &serde_json::Value,
    instead_of: Option<ChangeHash>,
) -> Result<Result<Value, Unsettled>, StoreError> {
    let loaded = load(connection, located)?;
    let candidates = match instead_of {
        None => {
            let conflicts = Visit::read(&loaded.reading()).conflicts;
            let Some(conflict) = conflicts.into_iter().find(|conflict| conflict.field == field) else {
                return Ok(Err(Unsettled::NotInConflict));
            };
            conflict.values.into_iter().map(|candidate| candidate.value).collect()
        }
        Some(settlement) => match chosen_between(&loaded.document, field, settlement) {
            Some(values) => values,
            None => return Ok(Err(Unsettled::SettledSince)),
        },
    };
    let mut candidates = candidates.into_iter();
    let same = candidates.find(|value| serde_json::to_value(value).is_ok_and(|value| value == *wanted));
    Ok(same.or_else(|| scalar(wanted)).ok_or(Unsettled::NotAScalar))
}

/// The values between which a change has chosen, where the field holds nothing but what it put. It may itself have been made
/// instead of another choice by the same hand.
fn chosen_between(document: &Document, field: &str, settlement: ChangeHash) -> Option<Vec<Value>> {
    let put_of = |op: &OpId| {
        let mut changes = document.changes().iter().filter(|change| change.actor() == op.actor);
        changes.find_map(|change| change.ops().find(|(id, _)| id == op).map(|(_, put)| put))
    };
    let change = document.get(&settlement)?;
    let (mut id, mut put) = change.ops().find(|(_, put)| put.key == field)?;
    if document.live_of(field).iter().any(|(live, _)| *live != id) {
        return None;
    }
    while let [before] = put.predecessors[..] {
        (id, put) = (before, put_of(&before).filter(|_| before.actor == id.actor)?);
    }
    let chosen: Vec<_> = put.predecessors.iter().filter_map(put_of).map(|put| put.value.clone()).collect();
    (!chosen.is_empty()).then_some(chosen)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aralau_sync_core::time::Millis;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        query::{page::Limit, plan},
        store::Store,
    };

    #[test]
    fn the_queue_is_walked_in_its_order_and_never_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Millis(0), Arc::new(SystemEntropy)).unwrap();
        let next = Page { limit: Limit::default(), cursor: Some(Cursor((7, "outcome".to_owned()))) };
        for reach in [Reach::EVERYWHERE, Reach::within([7]), Reach::within([7, 9])] {
            for field in [None, Some("outcome"), Some("commitments/*/due")] {
                for page in [&Page::first(Limit::default()), &next] {
                    let conditions = conditions(&reach, field, page);
                    let plan =
                        store.read(|connection| plan(connection, &listing(&conditions, 101), &conditions)).unwrap();
                    let walked = plan.lines().next().is_some_and(|first| first.contains(" c"));
                    assert!(walked && !plan.contains("TEMP B-TREE"), "{reach:?} {field:?}: {plan}");
                }
            }
        }
    }

    #[test]
    fn a_field_is_counted_whichever_item_it_is_of() {
        let item = "commitments/0190a7e0-0000-7000-8000-000000000001/due";
        assert_eq!([any_item("outcome"), any_item(item)], ["outcome", "commitments/*/due"]);
        assert_eq!(any_item("no/field of ours"), "no/field of ours");
    }
}
