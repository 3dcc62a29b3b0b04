//! What a document comes to, kept beside its entries so that lists are quick. Always made anew from the entries, within
//! the transaction that changes them.
//!
//! Names of people are looked up when a projection is shown, and the state is worked out then: neither changes the
//! document.

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Kind, ReplicaId, ScopeId},
    time::Millis,
    visit::{ACTIVE, Conflict, Note, Place, Visit},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    identity::Identity,
    local::{Apart, LocalDocument, Mark},
    store::{Key, ProjectionRecord, ScopeRecord, Store, StoreError, Summary, transaction},
};

/// By which rules a projection is made: another name with each change of the rows below.
const RULES: &[u8] = b"2";

/// Codes of `referral_status` upon which nothing more is expected.
const OVER: [&str; 3] = ["done", "declined", "not_responsible"];

/// Makes the projection of a document anew. Returns how many accepted changes did not fit.
pub(crate) fn project(
    store: &mut impl Store,
    identity: &Identity,
    scope: ScopeId,
    document: DocumentId,
) -> Result<usize, StoreError> {
    let local = LocalDocument::load(store, identity, scope, document)?;
    let kind = local.kind.or_else(|| local.apart.first().map(|apart| apart.entry.header.kind()));
    let Some(kind) = kind else {
        store.drop_projection(scope, document)?;
        return Ok(local.unsound);
    };
    let (at, summary, body) = match kind {
        Kind::VISIT => {
            let visit = Visit::read(&local.reading());
            let summary = summary(&visit, &local);
            let row = VisitRow::of(visit, &local);
            (row.started_at.unwrap_or(row.first_at), summary, encode(&row)?)
        }
        Kind::PLACE => {
            let row = PlaceRow::of(&local);
            (row.first_at, asks(!row.apart.is_empty()), encode(&row)?)
        }
        _ => {
            let row = OtherRow::of(&local);
            (row.first_at, asks(!row.apart.is_empty()), encode(&row)?)
        }
    };
    store.put_projection(&ProjectionRecord { scope, document, kind, at, summary, body })?;
    Ok(local.unsound)
}

/// Makes all projections anew where they were made by other rules than this build's.
pub(crate) fn bring_up_to_date(store: &mut impl Store, identity: &Identity) -> Result<(), StoreError> {
    if store.meta(Key::Projected)?.is_some_and(|rules| rules == RULES) {
        return Ok(());
    }
    transaction(store, |store| {
        for kind in [Kind::VISIT, Kind::PLACE] {
            for record in store.projections(kind)? {
                project(store, identity, record.scope, record.document)?;
            }
        }
        store.set_meta(Key::Projected, RULES)
    })
}

fn encode(row: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(row).map_err(|_| StoreError::corrupt("a projection cannot be written"))
}

fn asks(asks: bool) -> Summary {
    Summary { asks, ..Summary::default() }
}

/// Reads a projection's body.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(record: &ProjectionRecord) -> Result<T, StoreError> {
    serde_json::from_slice(&record.body).map_err(|_| StoreError::corrupt("a projection"))
}

/// A visit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VisitRow {
    pub(crate) place: Option<DocumentId>,
    pub(crate) visit_type: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) status: String,
    pub(crate) started_at: Option<Millis>,
    pub(crate) ended_at: Option<Millis>,
    pub(crate) first_at: Millis,
    pub(crate) position: Option<PositionRow>,
    pub(crate) notes: Vec<NoteRow>,
    pub(crate) collections: BTreeMap<String, BTreeMap<Uuid, BTreeMap<String, StoredValue>>>,
    pub(crate) conflicts: Vec<ConflictRow>,
    pub(crate) other: BTreeMap<String, StoredValue>,
    pub(crate) by: Vec<ReplicaId>,
    pub(crate) apart: Vec<ApartRow>,
    pub(crate) mark: MarkRow,
}

/// A place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlaceRow {
    pub(crate) address: Option<String>,
    pub(crate) external_code: Option<String>,
    pub(crate) place_type: Option<String>,
    pub(crate) point: Option<PointRow>,
    pub(crate) status: String,
    pub(crate) first_at: Millis,
    pub(crate) apart: Vec<ApartRow>,
    pub(crate) mark: MarkRow,
}

/// A document whose kind this build does not show.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OtherRow {
    pub(crate) first_at: Millis,
    pub(crate) apart: Vec<ApartRow>,
    pub(crate) mark: MarkRow,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PositionRow {
    pub(crate) lat: u64,
    pub(crate) lon: u64,
    pub(crate) accuracy_m: Option<u64>,
    pub(crate) mock: bool,
}

/// Degrees, by their bits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PointRow {
    pub(crate) lat: u64,
    pub(crate) lon: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NoteRow {
    pub(crate) id: Uuid,
    pub(crate) text: String,
    pub(crate) by: Option<ReplicaId>,
    pub(crate) at: Millis,
    pub(crate) status: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConflictRow {
    pub(crate) field: String,
    pub(crate) values: Vec<(StoredValue, Vec<(ReplicaId, Millis)>)>,
}

/// Own words that stand apart.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ApartRow {
    pub(crate) at: Millis,
    pub(crate) reason: String,
    pub(crate) note: Option<String>,
    pub(crate) sent: bool,
    pub(crate) puts: Vec<(String, StoredValue)>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct MarkRow {
    pending: Option<u64>,
    row: Option<u64>,
}

/// Where a document is, as far as its scope's record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    Phone,
    Received,
    Headquarters,
}

impl MarkRow {
    pub(crate) fn whereabouts(self, scope: &ScopeRecord) -> Whereabouts {
        match self {
            Self { pending: Some(index), .. } if index > scope.decided.index => Whereabouts::Phone,
            Self { pending: Some(_), .. } => Whereabouts::Received,
            Self { row: Some(row), .. } if row > scope.verified => Whereabouts::Received,
            Self { .. } => Whereabouts::Headquarters,
        }
    }
}

impl From<Mark> for MarkRow {
    fn from(Mark { pending, row }: Mark) -> Self {
        Self { pending, row }
    }
}

impl VisitRow {
    fn of(visit: Visit, local: &LocalDocument) -> Self {
        let mut by: Vec<_> = local.document.changes().iter().map(|change| change.actor().replica).collect();
        by.sort_unstable();
        by.dedup();
        Self {
            place: visit.place,
            visit_type: visit.visit_type,
            outcome: visit.outcome,
            status: visit.status,
            started_at: visit.started_at,
            ended_at: visit.ended_at,
            first_at: first_at(local),
            position: visit.position.map(|position| PositionRow {
                lat: position.lat.to_bits(),
                lon: position.lon.to_bits(),
                accuracy_m: position.accuracy_m.map(f64::to_bits),
                mock: position.mock,
            }),
            notes: visit.notes.into_iter().map(NoteRow::of).collect(),
            collections: visit.collections.into_iter().map(|(name, items)| (name, stored_items(items))).collect(),
            conflicts: visit.conflicts.into_iter().map(ConflictRow::of).collect(),
            other: stored_fields(visit.other),
            by,
            apart: apart(&local.apart),
            mark: local.mark.into(),
        }
    }
}

fn summary(visit: &Visit, local: &LocalDocument) -> Summary {
    let asks = !visit.conflicts.is_empty() || !local.apart.is_empty();
    // One that was taken back counts nowhere and leaves nothing to do.
    let (place, due) = if visit.status == ACTIVE { (visit.place, due(visit)) } else { (None, None) };
    Summary { place, outcome: visit.outcome.clone(), due, asks }
}

/// The first day on which something that was promised, or asked of another agency, is due and not done.
fn due(visit: &Visit) -> Option<String> {
    let is_over = |referral: &&BTreeMap<String, Value>| {
        referral.get("referral_status").and_then(Value::as_text).is_some_and(|status| OVER.contains(&status))
    };
    let asked = visit.active("referrals").filter(|referral| !is_over(referral));
    let days = visit.open_promises().chain(asked).filter_map(|item| item.get("due")?.as_text().filter(is_day));
    days.min().map(str::to_owned)
}

/// `2026-12-31`: days that can be compared as they are written.
fn is_day(text: &&str) -> bool {
    let fits = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == "2026-12-31".len() && text.bytes().enumerate().all(fits)
}

impl PlaceRow {
    fn of(local: &LocalDocument) -> Self {
        let Place { address, external_code, place_type, coordinates, status, joined_into: _ } =
            Place::read(&local.reading());
        let point = coordinates.map(|point| PointRow { lat: point.lat.to_bits(), lon: point.lon.to_bits() });
        let (apart, mark) = (apart(&local.apart), local.mark.into());
        Self { address, external_code, place_type, point, status, first_at: first_at(local), apart, mark }
    }
}

impl OtherRow {
    fn of(local: &LocalDocument) -> Self {
        Self { first_at: first_at(local), apart: apart(&local.apart), mark: local.mark.into() }
    }
}

impl NoteRow {
    fn of(note: Note) -> Self {
        let Note { id, text, by, at, status } = note;
        Self { id, text, by, at, status }
    }
}

impl ConflictRow {
    fn of(conflict: Conflict) -> Self {
        let values = conflict.values.into_iter().map(|candidate| {
            let authors = candidate.authors.iter().map(|author| (author.actor.replica, author.at)).collect();
            (StoredValue::from(candidate.value), authors)
        });
        Self { field: conflict.field, values: values.collect() }
    }
}

fn first_at(local: &LocalDocument) -> Millis {
    let held = local.apart.iter().map(|apart| apart.entry.header.at);
    local.times.values().copied().chain(held).min().unwrap_or_default()
}

fn apart(apart: &[Apart]) -> Vec<ApartRow> {
    let row = |apart: &Apart| ApartRow {
        at: apart.entry.header.at,
        reason: apart.reason.clone(),
        note: apart.note.clone(),
        sent: apart.row.is_some(),
        puts: apart.entry.change.puts().iter().map(|put| (put.key.clone(), put.value.clone().into())).collect(),
    };
    apart.iter().map(row).collect()
}

fn stored_fields(fields: BTreeMap<String, Value>) -> BTreeMap<String, StoredValue> {
    fields.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn stored_items(items: BTreeMap<Uuid, BTreeMap<String, Value>>) -> BTreeMap<Uuid, BTreeMap<String, StoredValue>> {
    items.into_iter().map(|(id, fields)| (id, stored_fields(fields))).collect()
}

/// A value with its type; floats by their bits, so that none changes on the way through JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredValue {
    Null,
    Boolean(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Text(String),
    Bytes(Vec<u8>),
    Timestamp(i64),
}

impl From<Value> for StoredValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(flag) => Self::Boolean(flag),
            Value::Int(number) => Self::Int(number),
            Value::Uint(number) => Self::Uint(number),
            Value::Float(number) => Self::Float(number.to_bits()),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Timestamp(ms) => Self::Timestamp(ms),
        }
    }
}

impl From<StoredValue> for Value {
    fn from(value: StoredValue) -> Self {
        match value {
            StoredValue::Null => Self::Null,
            StoredValue::Boolean(flag) => Self::Boolean(flag),
            StoredValue::Int(number) => Self::Int(number),
            StoredValue::Uint(number) => Self::Uint(number),
            StoredValue::Float(bits) => Self::Float(f64::from_bits(bits)),
            StoredValue::Text(text) => Self::Text(text),
            StoredValue::Bytes(bytes) => Self::Bytes(bytes),
            StoredValue::Timestamp(ms) => Self::Timestamp(ms),
        }
    }
}
