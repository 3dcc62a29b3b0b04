//! One visit, whole: its value, who wrote which words, what contradicts what, and where the log holds it.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::{
    cbor,
    change::Value,
    id::{DocumentId, Kind, ScopeId, TreeHash},
    merkle::Frontier,
    visit::{self, Visit},
};

use super::{
    author::{Authors, Person},
    document::{Loaded, Located, load, locate},
    instant::Instant,
    place_names::PlaceNames,
    visits::{self, PlaceName, VisitHead},
};
use crate::{reach::Reach, store::StoreError};

/// A visit with everything known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitDetail {
    /// What it is.
    #[serde(flatten)]
    pub head: VisitHead,
    /// Whether anything about it is open.
    pub state: State,
    /// Every field by its key, unknown ones included; of a conflict, the value that every replica shows.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub value: BTreeMap<String, Value>,
    /// In order of writing.
    pub notes: Vec<Note>,
    /// Fields with two or more different values.
    pub conflicts: Vec<Conflict>,
    /// The places that the conflicts name, as far as they are known.
    pub places: Vec<PlaceName>,
    /// What residents raised.
    pub concerns: Vec<Item>,
    /// What was sent to an agency.
    pub referrals: Vec<Item>,
    /// What was promised.
    pub commitments: Vec<Item>,
    /// Where the log holds it.
    pub receipts: Proof,
}

/// Whether anything about a visit is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything received is merged, without contradiction.
    Settled,
    /// Someone has to choose between values.
    Conflict,
    /// Some entries are held, and not part of the value.
    PartlyHeld,
}

/// A note: written once, by one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// The note.
    pub id: Uuid,
    /// The words.
    pub text: String,
    /// The name of whoever wrote it; empty where the directory does not know.
    pub by: String,
    /// Who that is.
    pub author: Option<Person>,
    /// By the writing device's clock.
    pub at: Instant,
    /// `active` or `withdrawn`.
    pub status: String,
}

/// A field with two or more different concurrent values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Conflict {
    /// Its key.
    pub field: String,
    /// The values; the first is the one shown meanwhile.
    pub values: Vec<ConflictValue>,
}

/// One of a conflict's values.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConflictValue {
    /// The value.
    #[schema(value_type = serde_json::Value)]
    pub value: Value,
    /// The name of whoever wrote it last.
    pub author: String,
    /// When, by that device's clock.
    pub at: Instant,
    /// Names of others who wrote the same.
    pub also_by: Vec<String>,
    /// Whoever wrote it, the last first, as far as the directory knows.
    pub people: Vec<Person>,
}

/// An item of a collection: its id and its fields.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Item {
    /// The item.
    pub id: Uuid,
    /// Its fields.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub fields: BTreeMap<String, Value>,
}

/// Where the log holds a document, and the scope's present root, to compare with what a phone computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Proof {
    /// The scope whose log it is.
    #[schema(value_type = Uuid)]
    pub scope: ScopeId,
    /// Number of the epoch.
    pub epoch: u64,
    /// Rows in the scope's log.
    pub size: u64,
    /// Root over them, in hex.
    #[schema(value_type = String)]
    pub root: TreeHash,
    /// Sequence numbers of the rows that make up the document's value.
    pub rows: Vec<i64>,
}

/// Reads a visit; `None` where there is none of this name.
pub fn detail(
    connection: &Connection,
    reach: &Reach,
    id: DocumentId,
    beat: Option<&str>,
) -> Result<Option<VisitDetail>, StoreError> {
    let Some(located) = locate(connection, reach, id, Kind::VISIT, beat)? else { return Ok(None) };
    let Some(row) = visits::one(connection, located.document_no)? else { return Ok(None) };
    let loaded = load(connection, &located)?;
    let reading = loaded.reading();
    let mut visit = Visit::read(&reading);
    let mut authors = Authors::new(connection);
    let conflicts = visit.conflicts.drain(..).map(|conflict| named(conflict, &mut authors));
    let conflicts = conflicts.collect::<Result<Vec<_>, _>>()?;
    let notes = visit.notes.drain(..).map(|note| signed(note, &mut authors)).collect::<Result<_, _>>()?;
    let winner =
        |(key, field): (&String, &aralau_sync_core::reading::Field)| Some((key.clone(), field.winner()?.clone()));
    Ok(Some(VisitDetail {
        head: row.head,
        state: state(connection, &located, !conflicts.is_empty())?,
        value: reading.fields.iter().filter_map(winner).collect(),
        notes,
        places: places_in(connection, &located, &conflicts)?,
        conflicts,
        concerns: items(&mut visit, "concerns"),
        referrals: items(&mut visit, "referrals"),
        commitments: items(&mut visit, "commitments"),
        receipts: proof(connection, &located, loaded)?,
    }))
}

fn places_in(connection: &Connection, located: &Located, conflicts: &[Conflict]) -> Result<Vec<PlaceName>, StoreError> {
    let mut places = PlaceNames::new(connection);
    for conflict in conflicts {
        for candidate in &conflict.values {
            places.meet(located.scope_no, &conflict.field, &candidate.value)?;
        }
    }
    Ok(places.met())
}

/// A conflict with the names of those who wrote.
pub(super) fn named(conflict: visit::Conflict, authors: &mut Authors<'_>) -> Result<Conflict, StoreError> {
    let mut values = Vec::with_capacity(conflict.values.len());
    for candidate in conflict.values {
        let mut names = Vec::with_capacity(candidate.authors.len());
        let mut people = Vec::with_capacity(candidate.authors.len());
        for author in &candidate.authors {
            let person = authors.of(author.actor.replica)?.map(|author| author.person);
            names.push(person.as_ref().map(|person| person.name.clone()).unwrap_or_default());
            people.extend(person);
        }
        let at = candidate.authors.first().map_or(Instant::from_ms(0), |author| Instant(author.at));
        let mut names = names.into_iter();
        let author = names.next().unwrap_or_default();
        values.push(ConflictValue { value: candidate.value, author, at, also_by: names.collect(), people });
    }
    Ok(Conflict { field: conflict.field, values })
}

/// A note with the name of whoever wrote it.
pub(super) fn signed(note: visit::Note, authors: &mut Authors<'_>) -> Result<Note, StoreError> {
    let author = note.by.map(|replica| authors.of(replica)).transpose()?.flatten().map(|author| author.person);
    let by = author.as_ref().map(|person| person.name.clone()).unwrap_or_default();
    Ok(Note { id: note.id, text: note.text, by, author, at: Instant(note.at), status: note.status })
}

/// The items of a collection.
pub(super) fn items(visit: &mut Visit, collection: &str) -> Vec<Item> {
    let items = visit.collections.remove(collection).unwrap_or_default();
    items.into_iter().map(|(id, fields)| Item { id, fields }).collect()
}

/// About how much memory a value takes.
pub(super) fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => 2 * bytes.len(),
        Value::Null | Value::Boolean(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Timestamp(_) => 8,
    }
}

fn state(connection: &Connection, located: &Located, in_conflict: bool) -> Result<State, StoreError> {
    let held: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM held WHERE document = ? AND scope_no = ? AND state = 'held')")?
        .query_row(params![located.document.as_bytes(), located.scope_no], |row| row.get(0))?;
    Ok(match (held, in_conflict) {
        (true, _) => State::PartlyHeld,
        (false, true) => State::Conflict,
        (false, false) => State::Settled,
    })
}

fn proof(connection: &Connection, located: &Located, loaded: Loaded) -> Result<Proof, StoreError> {
    let (frontier, epoch): (Vec<u8>, i64) = connection
        .prepare_cached("SELECT frontier, (SELECT coalesce(max(number), 0) FROM epoch) FROM scope WHERE scope_no = ?")?
        .query_row([located.scope_no], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let frontier: Frontier = cbor::decode(&frontier).map_err(|_| StoreError::corrupt("a scope's frontier"))?;
    Ok(Proof {
        scope: located.scope,
        epoch: epoch.cast_unsigned(),
        size: frontier.size(),
        root: frontier.root(),
        rows: loaded.rows,
    })
}
