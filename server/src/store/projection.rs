//! Documents as rows for queries. Everything here follows from log rows, so that a rebuild gives the same.

use std::collections::{BTreeMap, btree_map::Entry};

use aralau_sync_core::{
    change::{Change, KeyPath, NOTES, OpId, STATUS, Value},
    collation::SortKey,
    document::Document,
    fold::{fold, fold_into},
    id::{ChangeHash, DocumentId, Kind, PersonId, ReplicaId},
    log::{Labels, Verdict},
    reading::Reading,
    reconcile::{Decision, DocumentGround, HeldEntry, Outcome},
    stream::{self, Header},
    time::Millis,
    visit::{ACTIVE, Place, Visit, WITHDRAWN, field},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{
    StoreError, Transaction,
    coverage::{self, Tally},
    directory::{self, CUSTODY_DEVICE},
    follow_up::{self, FollowUp},
    hold, joined,
    log::ScopeLog,
    search::Learned,
    segment::Contents,
};

/// What the store knows of a document's accepted rows, beside the changes themselves; in the order of the log.
#[derive(Debug, Default)]
pub struct Loaded {
    document_no: Option<i64>,
    /// Whether nothing was projected of it before.
    is_new: bool,
    rows: Vec<RowFacts>,
    /// Key of the last row.
    last_row: i64,
    /// See [`Self::weight`].
    weight: usize,
}

/// What a change costs to load whatever its size, in the time that so many bytes take.
const CHANGE_BYTES: usize = 512;
/// What a segment costs that has to be opened for it.
const SEGMENT_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
struct RowFacts {
    change: ChangeHash,
    replica: ReplicaId,
    at: Millis,
    received_at: Millis,
    late: bool,
}

/// A document's number in this store.
pub fn document_no(connection: &Connection, scope_no: i64, id: DocumentId) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT document_no FROM document WHERE document = ? AND scope_no = ?")?;
    Ok(statement.query_row(params![id.as_bytes(), scope_no], |row| row.get(0)).optional()?)
}

/// Loads a document with what is held beside it; empty where it does not exist yet.
pub fn load(connection: &Connection, scope_no: i64, id: DocumentId) -> Result<(DocumentGround, Loaded), StoreError> {
    let (ground, loaded, _) = load_all(connection, scope_no, id)?;
    Ok((ground, loaded))
}

/// The same, with what those that are held weigh.
pub(super) fn load_all(
    connection: &Connection,
    scope_no: i64,
    id: DocumentId,
) -> Result<(DocumentGround, Loaded, usize), StoreError> {
    let mut ground = DocumentGround::default();
    let known = document_no(connection, scope_no, id)?;
    let mut loaded = Loaded { document_no: known, is_new: known.is_none(), ..Loaded::default() };
    if let Some(document_no) = loaded.document_no {
        load_accepted(connection, document_no, &mut ground, &mut loaded)?;
    }
    let held = load_held(connection, scope_no, id, &mut ground)?;
    Ok((ground, loaded, held))
}

fn load_accepted(
    connection: &Connection,
    document_no: i64,
    ground: &mut DocumentGround,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT header, body, received_at, verdict, replica, row_id FROM log JOIN stream USING (stream_no)
         WHERE row_id IN (SELECT ?1 UNION ALL SELECT row_id FROM later_change WHERE document_no = ?1) ORDER BY row_id",
    )?;
    let mut rows = statement.query([document_no])?;
    let mut contents = Contents::new(connection);
    while let Some(row) = rows.next()? {
        loaded.last_row = row.get(5)?;
        let (header, body) = contents.accepted(loaded.last_row, (row.get(0)?, row.get(1)?))?;
        let entry = stream::Entry::open(header, &body)
            .map_err(|_| StoreError::corrupt("an accepted entry cannot be opened"))?;
        loaded.weight += CHANGE_BYTES + entry.change.body().len();
        let verdict: Verdict = decode_verdict(row.get_ref(3)?.as_blob().unwrap_or_default())?;
        loaded.rows.push(RowFacts {
            change: entry.change.hash(),
            replica: ReplicaId(row.get(4)?),
            at: entry.header.at,
            received_at: Millis(row.get(2)?),
            late: verdict.labels.contains(Labels::LATE),
        });
        ground.kind.get_or_insert(entry.header.kind());
        ground.document.apply(entry.change);
    }
    loaded.weight += contents.opened() * SEGMENT_BYTES;
    Ok(())
}

/// What is held beside a document. Returns what it weighs.
pub(super) fn load_held(
    connection: &Connection,
    scope_no: i64,
    id: DocumentId,
    ground: &mut DocumentGround,
) -> Result<usize, StoreError> {
    load_apart(connection, scope_no, id, "held", &mut ground.held)
}

/// What was rejected beside a document: for whoever lets in what builds on it.
pub(super) fn load_rejected(
    connection: &Connection,
    scope_no: i64,
    id: DocumentId,
    ground: &mut DocumentGround,
) -> Result<(), StoreError> {
    load_apart(connection, scope_no, id, "rejected", &mut ground.rejected).map(|_| ())
}

fn load_apart(
    connection: &Connection,
    scope_no: i64,
    id: DocumentId,
    state: &str,
    apart: &mut BTreeMap<ChangeHash, HeldEntry>,
) -> Result<usize, StoreError> {
    let mut weight = 0;
    let mut statement = connection.prepare_cached(
        "SELECT change_hash, replica, held.entry_index, reason, header, body FROM held
         JOIN stream USING (stream_no) JOIN log ON row_id = held_row
         WHERE document = ? AND held.scope_no = ? AND state = ? ORDER BY held_row",
    )?;
    let mut rows = statement.query(params![id.as_bytes(), scope_no, state])?;
    while let Some(row) = rows.next()? {
        let (header, body): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(5)?);
        weight += CHANGE_BYTES + body.len();
        let held = HeldEntry {
            replica: ReplicaId(row.get(1)?),
            index: row.get::<_, i64>(2)?.cast_unsigned(),
            entry: stream::Entry::open(header, &body).ok(),
            reason: hold::reason_in(row, 3)?,
        };
        apart.entry(ChangeHash(row.get(0)?)).or_insert(held);
    }
    Ok(weight)
}

/// A verdict from the store.
pub fn decode_verdict(bytes: &[u8]) -> Result<Verdict, StoreError> {
    aralau_sync_core::cbor::decode(bytes).map_err(|_| StoreError::corrupt("a verdict"))
}

impl Loaded {
    /// What loading it costs, in the time that so many bytes take.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether no row has come to it since.
    pub fn is_as_left(&self, connection: &Connection) -> Result<bool, StoreError> {
        let Some(document_no) = self.document_no else { return Ok(false) };
        let mut statement = connection.prepare_cached("SELECT max(row_id) FROM later_change WHERE document_no = ?")?;
        let last: Option<i64> = statement.query_row([document_no], |row| row.get(0))?;
        Ok(last.unwrap_or(document_no) == self.last_row)
    }

    /// The same, once all of it is projected.
    pub fn projected(self) -> Self {
        Self { is_new: false, ..self }
    }

    /// Follows the row just appended, which made an entry part of the document.
    pub fn note(
        &mut self,
        tx: &Transaction<'_>,
        scope_no: i64,
        id: DocumentId,
        decision: &Decision,
        log: &ScopeLog,
        now: Millis,
    ) -> Result<(), StoreError> {
        let (Outcome::Accepted { entry, labels } | Outcome::Filled { entry, labels }) = &decision.outcome else {
            return Ok(());
        };
        let row_id = super::row_id(scope_no, log.frontier.size());
        self.follow(tx, scope_no, id, row_id, &entry.header, &entry.change, *labels, now)
    }

    /// As [`Self::note`], from a row of the log.
    #[expect(clippy::too_many_arguments, reason = "a row has this many parts, and a rebuild has them apart")]
    pub fn follow(
        &mut self,
        tx: &Connection,
        scope_no: i64,
        id: DocumentId,
        row_id: i64,
        header: &Header,
        change: &Change,
        labels: Labels,
        received_at: Millis,
    ) -> Result<(), StoreError> {
        let document_no = match self.document_no {
            Some(document_no) => document_no,
            None => {
                tx.prepare_cached("INSERT INTO document (document_no, scope_no, document, kind) VALUES (?, ?, ?, ?)")?
                    .execute(params![row_id, scope_no, id.as_bytes(), header.kind])?;
                *self.document_no.insert(row_id)
            }
        };
        if document_no != row_id {
            tx.prepare_cached("INSERT INTO later_change (document_no, row_id) VALUES (?, ?)")?
                .execute([document_no, row_id])?;
        }
        self.last_row = row_id;
        self.weight += CHANGE_BYTES + change.body().len();
        self.rows.push(RowFacts {
            change: change.hash(),
            replica: change.actor().replica,
            at: header.at,
            received_at,
            late: labels.contains(Labels::LATE),
        });
        Ok(())
    }
}

/// Brings a document's rows up to its accepted changes; its words are left to be written later.
pub fn project(
    tx: &Connection,
    words: &mut Learned,
    scope_no: i64,
    ground: &DocumentGround,
    loaded: &Loaded,
) -> Result<(), StoreError> {
    let Some(document_no) = loaded.document_no else { return Ok(()) };
    let reading = match (ground.document.changes(), &loaded.rows[..]) {
        ([only], [row]) if only.is_first() => Reading::of_first(only, row.at),
        _ => {
            let times: BTreeMap<_, _> = loaded.rows.iter().map(|row| (row.change, row.at)).collect();
            Reading::of_document(&ground.document, |hash| times.get(hash).copied().unwrap_or_default())
        }
    };
    match ground.kind {
        Some(Kind::VISIT) => {
            let mut visit = Visit::read(&reading);
            let said = (
                visit.place,
                loaded.rows.first().map(|first| author(tx, first.replica, &reading)).transpose()?.flatten(),
            );
            visit.place = said.0.map(|place| joined::place(tx, scope_no, place)).transpose()?;
            let author = said.1.map(|person| joined::person(tx, person)).transpose()?;
            let (place, by) = (said.0.filter(|_| said.0 != visit.place), said.1.filter(|_| said.1 != author));
            joined::note_said(tx, document_no, loaded.is_new, place, by)?;
            Projected { tx, scope_no, document_no, loaded, words, author }.visit(&visit)
        }
        Some(Kind::PLACE) => {
            let joined_into = joined_into(tx, &ground.document)?;
            let read = Place { joined_into, ..Place::read(&reading) };
            place(tx, words, scope_no, document_no, &read, loaded.is_new)
        }
        // Carried and synchronised, though nothing asks for it yet.
        _ => Ok(()),
    }
}

/// Whose visit it is: theirs who has the device that logged it. What headquarters' hand wrote down is the visit of the
/// inspector whom that hand names, where nobody else can write.
fn author(tx: &Connection, first: ReplicaId, reading: &Reading) -> Result<Option<PersonId>, StoreError> {
    let Some(device) = directory::device_of_replica(tx, first)? else { return Ok(None) };
    if device.device != CUSTODY_DEVICE {
        return Ok(Some(device.person));
    }
    let key = KeyPath::Witness { replica: first, field: field::INSPECTOR }.to_key();
    let named = reading.text(&key).and_then(|text| text.parse().ok());
    Ok(Some(named.unwrap_or(device.person)))
}

/// What headquarters' hand says that a place is. Nobody else joins places, nor parts them: each time the visits there are written
/// anew, whoever made them. So only that hand's puts are looked at, the last by the order that all replicas have; what others put
/// over or beside them alters nothing.
fn joined_into(tx: &Connection, document: &Document) -> Result<Option<DocumentId>, StoreError> {
    // Hardly any place is joined.
    if !document.changes().iter().any(|change| change.puts().iter().any(|put| put.key == field::JOINED_INTO)) {
        return Ok(None);
    }
    let mut hands = BTreeMap::new();
    let (mut joined, mut stands) = (None::<(OpId, &Value)>, None::<(OpId, &Value)>);
    for change in document.changes() {
        let is_by_hand = match hands.entry(change.actor().replica) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(directory::is_headquarters(tx, change.actor().replica)?),
        };
        for (op, put) in change.ops().filter(|_| is_by_hand) {
            let last = match put.key.as_str() {
                field::JOINED_INTO => &mut joined,
                STATUS => &mut stands,
                _ => continue,
            };
            if last.is_none_or(|(known, _)| known < op) {
                *last = Some((op, &put.value));
            }
        }
    }
    let Some((op, into)) = joined else { return Ok(None) };
    // Made active again since, it is a place of its own.
    let is_itself = stands.is_some_and(|(later, status)| later > op && status.as_text() == Some(ACTIVE));
    Ok(into.as_text().filter(|_| !is_itself).and_then(|id| id.parse().ok()))
}

fn place(
    tx: &Connection,
    words: &mut Learned,
    scope_no: i64,
    document_no: i64,
    place: &Place,
    is_new: bool,
) -> Result<(), StoreError> {
    // A phone may say that it is active, and is not asked.
    let status = if place.joined_into.is_some() { WITHDRAWN } else { place.status.as_str() };
    tx.prepare_cached(&format!(
        "{} INTO place
         (document_no, scope_no, address, address_key, external_code, place_type, status, lat, lon)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        insert(is_new),
    ))?
    .execute(params![
        document_no,
        scope_no,
        place.address,
        SortKey::of(place.address.as_deref().unwrap_or_default()).as_bytes(),
        place.external_code,
        place.place_type,
        status,
        place.coordinates.map(|coordinates| coordinates.lat),
        place.coordinates.map(|coordinates| coordinates.lon),
    ])?;
    words.address(document_no, fold(place.address.as_deref().unwrap_or_default()));
    let mut id = tx.prepare_cached("SELECT document FROM document WHERE document_no = ?")?;
    let id = id.query_row([document_no], |row| Ok(DocumentId::from_bytes(row.get(0)?)))?;
    joined::follow_place(tx, scope_no, id, place.joined_into, is_new)
}

/// How a row is written. Replacing takes two steps, before which SQLite copies every page that they change.
const fn insert(is_new: bool) -> &'static str {
    if is_new { "INSERT" } else { "INSERT OR REPLACE" }
}

struct Projected<'a> {
    tx: &'a Connection,
    scope_no: i64,
    document_no: i64,
    loaded: &'a Loaded,
    words: &'a mut Learned,
    author: Option<PersonId>,
}

impl Projected<'_> {
    fn visit(&mut self, visit: &Visit) -> Result<(), StoreError> {
        let rows = &self.loaded.rows;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let position = visit.position;
        let started_at = visit.started_at.unwrap_or(first.at);
        let before = if self.loaded.is_new { None } else { Tally::written(self.tx, self.document_no)? };
        let began = if self.loaded.is_new { None } else { self.began()? };
        let left_before =
            if self.loaded.is_new { FollowUp::default() } else { FollowUp::written(self.tx, self.document_no)? };
        let left = FollowUp::of(visit, started_at);
        let now = Tally::of(self.scope_no, visit, started_at, first.received_at, first.late);
        self.tx
            .prepare_cached(&format!(
                "{} INTO visit (document_no, scope_no, place, author, visit_type, outcome, status,
                 started_at, ended_at, received_at, changed_at, late, conflicts, notes, lat, lon, accuracy_m, mock,
                 promises, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                insert(self.loaded.is_new),
            ))?
            .execute(params![
                self.document_no,
                self.scope_no,
                visit.place.map(|place| *place.as_bytes()),
                self.author.map(|person| *person.as_bytes()),
                visit.visit_type,
                visit.outcome,
                visit.status,
                started_at.0,
                visit.ended_at.map(|at| at.0),
                first.received_at.0,
                last.received_at.0,
                first.late,
                visit.conflicts.len() as i64,
                visit.notes.len() as i64,
                position.map(|position| position.lat),
                position.map(|position| position.lon),
                position.and_then(|position| position.accuracy_m),
                position.map(|position| position.mock),
                left.open(),
                left.due(),
            ])?;
        coverage::follow(self.tx, before.as_ref(), now.as_ref())?;
        self.notes(visit, started_at, began);
        self.conflicts(visit)?;
        for (collection, items) in &visit.collections {
            for (item, fields) in items {
                self.item(collection, *item, fields)?;
            }
        }
        follow_up::follow(self.tx, self.scope_no, &left_before, &left)
    }

    /// When the visit began, by what was projected before.
    fn began(&self) -> Result<Option<i64>, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT started_at FROM visit WHERE document_no = ?")?;
        Ok(statement.query_row([self.document_no], |row| row.get(0)).optional()?)
    }

    fn notes(&mut self, visit: &Visit, started_at: Millis, began: Option<i64>) {
        if visit.notes.is_empty() {
            return;
        }
        let mut folded = String::new();
        for note in visit.notes.iter().filter(|note| note.status == ACTIVE) {
            fold_into(&mut folded, &note.text);
        }
        self.words.note(self.document_no, started_at.0, began, folded);
    }

    fn conflicts(&self, visit: &Visit) -> Result<(), StoreError> {
        // A document with one change has none, and most have one.
        if self.loaded.rows.len() > 1 {
            self.tx.prepare_cached("DELETE FROM conflict WHERE document_no = ?")?.execute([self.document_no])?;
        }
        let mut statement = self.tx.prepare_cached("INSERT INTO conflict (document_no, field) VALUES (?, ?)")?;
        for conflict in &visit.conflicts {
            statement.execute(params![self.document_no, conflict.field])?;
        }
        Ok(())
    }

    fn item(&self, collection: &str, item: Uuid, fields: &BTreeMap<String, Value>) -> Result<(), StoreError> {
        let text = |name: &str| fields.get(name).and_then(Value::as_text);
        let instant = |name: &str| fields.get(name).and_then(instant);
        let status = text(STATUS).unwrap_or(ACTIVE);
        let id = item.as_bytes();
        match collection {
            "concerns" => self.tx.execute(
                "INSERT OR REPLACE INTO concern (document_no, concern, category, status) VALUES (?, ?, ?, ?)",
                params![self.document_no, id, text("category"), status],
            )?,
            "referrals" => self.tx.execute(
                "INSERT OR REPLACE INTO referral (document_no, referral, agency, referral_status, due, status)
                 VALUES (?, ?, ?, ?, ?, ?)",
                params![self.document_no, id, text("agency"), text("referral_status"), text("due"), status],
            )?,
            "commitments" => self.tx.execute(
                "INSERT OR REPLACE INTO commitment (document_no, commitment, promised_to, what, due, fulfilled_at, status)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    self.document_no,
                    id,
                    text("to"),
                    text("text"),
                    text("due"),
                    instant("fulfilled_at"),
                    status
                ],
            )?,
            // Collections without a table of their own are read from the document; notes have theirs already.
            _ => {
                debug_assert_ne!(collection, NOTES);
                0
            }
        };
        Ok(())
    }
}

/// The instant that a value names.
pub(super) fn instant(value: &Value) -> Option<i64> {
    match value {
        Value::Timestamp(ms) | Value::Int(ms) => Some(*ms),
        Value::Uint(ms) => i64::try_from(*ms).ok(),
        Value::Null | Value::Boolean(_) | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => None,
    }
}
