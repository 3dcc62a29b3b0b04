//! What an app shows. Every view serializes to JSON as it stands.

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    change::Value,
    id::{ChangeHash, DocumentId, PersonId, ReplicaId, ScopeId},
    time::Millis,
    visit::{CONTACTED, Conflict, Coordinates, Note, Place, Position, Visit},
    vocabulary::Language,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    alarm::AlarmRecord,
    enrollment::{Beat, Person},
    local::{Apart, LocalDocument, Whereabouts},
    projection::PlaceRow,
    store::{MarkRecord, ProjectionRecord, ScopeRecord},
    words,
};

/// How far a document has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum VisitState {
    /// Some own words have not been acknowledged by the server.
    OnThisPhone,
    /// The server has acknowledged all own words; no signed receipt over rows seen here covers them yet.
    Received,
    /// A signed receipt, whose root this device recomputed, covers everything.
    AtHeadquarters,
    /// Own words are kept apart.
    Held {
        /// Stable code.
        reason: String,
        /// In English; see [`words::reason`] for other languages.
        words: String,
    },
}

impl VisitState {
    /// Stable name, as serialized.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OnThisPhone => "on_this_phone",
            Self::Received => "received",
            Self::AtHeadquarters => "at_headquarters",
            Self::Held { .. } => "held",
        }
    }
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VisitView {
    /// Which.
    pub id: DocumentId,
    /// The beat's scope.
    pub scope: ScopeId,
    /// The beat's code, while it is one of this person's.
    pub beat: Option<String>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: VisitState,
    /// Where.
    pub place: Option<DocumentId>,
    /// The place's address, if the place is known here.
    pub address: Option<String>,
    /// A code of `visit_type`.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// The earliest beginning that an observer recorded.
    pub started_at: Option<Millis>,
    /// The latest end.
    pub ended_at: Option<Millis>,
    /// The first observer's position.
    pub position: Option<Position>,
    /// In order of writing.
    pub notes: Vec<NoteView>,
    /// Items of other collections: collection → item → field → value.
    pub collections: BTreeMap<String, BTreeMap<Uuid, BTreeMap<String, Value>>>,
    /// Fields with two or more distinct concurrent values.
    pub conflicts: Vec<ConflictView>,
    /// Fields that this build does not know.
    pub other: BTreeMap<String, Value>,
    /// Names of everybody who wrote.
    pub authors: Vec<String>,
    /// The same people, in the same order.
    pub people: Vec<Writer>,
    /// Own words that are kept apart.
    pub held: Vec<HeldView>,
}

/// The outline of a beat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutlineView {
    /// Which beat.
    pub beat: Beat,
    /// Closed lines, whose last corner goes on to their first. What lies inside of an odd number of them lies inside of the
    /// beat.
    pub rings: Vec<Vec<Coordinates>>,
}

/// Somebody who wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Writer {
    /// Their name.
    pub name: String,
    /// In the directory; `None` where the server has not introduced them.
    #[serde(rename = "id")]
    pub person: Option<PersonId>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoteView {
    /// Its id.
    pub id: Uuid,
    /// The words.
    pub text: String,
    /// Whose.
    pub by: String,
    /// Whose, in the directory.
    pub person: Option<PersonId>,
    /// By that person's device.
    pub at: Millis,
    /// `active` or `withdrawn`.
    pub status: String,
}

/// A conflict: every value, the one shown first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictView {
    /// The field's key.
    pub field: String,
    /// The values.
    pub values: Vec<ConflictValueView>,
}

/// One of a conflict's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictValueView {
    /// The value; hand it to [`Client::resolve`](crate::Client::resolve) to choose it.
    pub value: Value,
    /// Everybody who wrote it.
    pub authors: Vec<AuthorView>,
}

/// Who wrote, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorView {
    /// Whose device.
    pub name: String,
    /// Whose, in the directory.
    pub person: Option<PersonId>,
    /// By that device's clock.
    pub at: Millis,
}

/// Own words that are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldView {
    /// When they were written.
    pub at: Millis,
    /// Stable code.
    pub reason: String,
    /// In English; see [`words::reason`] for other languages.
    pub words: String,
    /// What a person said about it.
    pub note: Option<String>,
    /// Whether the server has them.
    pub sent: bool,
    /// What they set, by key.
    pub puts: BTreeMap<String, Value>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceView {
    /// Which.
    pub id: DocumentId,
    /// The beat's scope.
    pub scope: ScopeId,
    /// The beat's code, while it is one of this person's.
    pub beat: Option<String>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: VisitState,
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// Own words that are kept apart.
    pub held: Vec<HeldView>,
}

/// A place of the round, with what was seen of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stop {
    /// Which place.
    pub id: DocumentId,
    /// The beat's code.
    pub beat: String,
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
    /// Visits that count.
    pub visits: u64,
    /// When the newest of them began.
    pub visited_at: Option<Millis>,
    /// How it ended.
    pub outcome: Option<String>,
    /// When somebody was last met.
    pub contacted_at: Option<Millis>,
    /// The first day on which something that was promised there, or asked of another agency, is due: `2026-12-31`.
    pub due: Option<String>,
}

impl Stop {
    /// `marks`: its visits, the newest first.
    pub(crate) fn of(record: &ProjectionRecord, row: PlaceRow, beat: &Beat, marks: &[MarkRecord]) -> Self {
        let newest = marks.first();
        let met = marks.iter().find(|mark| mark.outcome.as_deref() == Some(CONTACTED));
        Self {
            id: record.document,
            beat: beat.code.clone(),
            coordinates: row.coordinates(),
            address: row.address,
            external_code: row.external_code,
            place_type: row.place_type,
            visits: marks.len() as u64,
            visited_at: newest.map(|mark| mark.at),
            outcome: newest.and_then(|mark| mark.outcome.clone()),
            contacted_at: met.map(|mark| mark.at),
            due: marks.iter().filter_map(|mark| mark.due.as_ref()).min().cloned(),
        }
    }
}

/// One change of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    /// Names it within the document.
    pub change: ChangeHash,
    /// Whose.
    pub by: String,
    /// Whose, in the directory.
    pub person: Option<PersonId>,
    /// By that person's device.
    pub at: Millis,
    /// By the server; `None` while it has not been decided.
    pub received_at: Option<Millis>,
    /// Facts about the device's clock: `clock_ahead`, `clock_behind`, `late`.
    pub labels: Vec<&'static str>,
    /// Why it stands apart, if it does.
    pub held: Option<String>,
    /// What it set.
    pub puts: BTreeMap<String, Value>,
}

/// How the device stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// In whose hands it is; `None` before enrollment.
    pub person: Option<Person>,
    /// The server's address.
    pub url: Option<String>,
    /// The install.
    pub replica: ReplicaId,
    /// Own entries that the server has not acknowledged.
    pub unsent: u64,
    /// Visits and places that they are about.
    pub unsent_documents: u64,
    /// When the oldest of them was written.
    pub oldest_unsent_at: Option<Millis>,
    /// Visits and places that somebody has to look at: in conflict, or with own words kept apart.
    pub asking: u64,
    /// When a sync last went through, by this device's clock.
    pub synced_at: Option<Millis>,
    /// Own words in no stream at the moment, after a restore or copy was noticed.
    pub orphans: u64,
    /// Server's clock minus the device's, as last measured.
    pub skew_ms: Option<i64>,
    /// Headquarters has shut this device out: what it sends is held until somebody there releases it, and it is to be erased.
    pub shut_out: bool,
    /// Each scope.
    pub scopes: Vec<ScopeStatus>,
    /// What was noticed and must not be kept quiet.
    pub alarms: Vec<AlarmRecord>,
}

/// How the device stands in one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeStatus {
    /// Which.
    pub scope: ScopeId,
    /// Its beat, while it is one of this person's.
    pub beat: Option<Beat>,
    /// Number of the server's epoch.
    pub epoch: u64,
    /// Rows of the server's log that are here.
    pub sequence: u64,
    /// Rows that a signed receipt covers.
    pub verified: u64,
    /// Rows that survive the loss of the server's machine.
    pub backed_up: u64,
    /// Own entries written.
    pub written: u64,
    /// Own entries that the server has decided.
    pub decided: u64,
    /// The newest signed receipt.
    pub receipt: Option<String>,
}

/// Something that changed; see [`Client::watch`](crate::Client::watch).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These documents may read differently now.
    Changed(Vec<DocumentId>),
    /// The set of beats changed, or their outlines.
    Beats,
    /// A sync went through; states may have changed.
    Synced,
    /// Something was noticed; see [`Status::alarms`].
    Alarm(crate::alarm::AlarmCode),
}

/// What names are looked up in.
pub(crate) struct Surroundings {
    pub(crate) writers: BTreeMap<ReplicaId, Writer>,
    pub(crate) beats: Vec<Beat>,
    pub(crate) scopes: BTreeMap<ScopeId, ScopeRecord>,
    /// Of the places met so far.
    pub(crate) addresses: BTreeMap<DocumentId, Option<String>>,
}

impl Surroundings {
    pub(crate) fn writer(&self, replica: ReplicaId) -> Writer {
        // Someone whose stream was never introduced: the start of the id is all there is.
        let unknown = || Writer { name: replica.to_string().chars().take(8).collect(), person: None };
        self.writers.get(&replica).cloned().unwrap_or_else(unknown)
    }

    fn beat(&self, scope: ScopeId) -> Option<String> {
        self.beats.iter().find(|beat| beat.scope == scope).map(|beat| beat.code.clone())
    }

    fn state(&self, scope: ScopeId, local: &LocalDocument) -> VisitState {
        let whereabouts = self.scopes.get(&scope).map_or(Whereabouts::Phone, |record| local.mark.whereabouts(record));
        // What is held for its own sake says more than what only follows it.
        let held = local.apart.iter().find(|apart| apart.reason != "because").or(local.apart.first());
        match (whereabouts, held) {
            (Whereabouts::Phone, _) => VisitState::OnThisPhone,
            (_, Some(apart)) => {
                let words = words::reason(&apart.reason, Language::English).to_owned();
                VisitState::Held { reason: apart.reason.clone(), words }
            }
            (Whereabouts::Received, None) => VisitState::Received,
            (Whereabouts::Headquarters, None) => VisitState::AtHeadquarters,
        }
    }

    pub(crate) fn visit(&self, record: &ProjectionRecord, visit: Visit, local: LocalDocument) -> VisitView {
        let by: BTreeSet<_> = local.document.changes().iter().map(|change| change.actor().replica).collect();
        // Of one name each once, as it is read.
        let mut people: Vec<_> = by.into_iter().map(|replica| self.writer(replica)).collect();
        people.sort();
        people.dedup_by(|one, other| one.name == other.name);
        VisitView {
            id: record.document,
            scope: record.scope,
            beat: self.beat(record.scope),
            state: self.state(record.scope, &local),
            place: visit.place,
            address: visit.place.and_then(|place| self.addresses.get(&place).cloned().flatten()),
            visit_type: visit.visit_type,
            outcome: visit.outcome,
            status: visit.status,
            started_at: visit.started_at,
            ended_at: visit.ended_at,
            position: visit.position,
            notes: visit.notes.into_iter().map(|note| self.note(note)).collect(),
            collections: visit.collections,
            conflicts: visit.conflicts.into_iter().map(|conflict| self.conflict(conflict)).collect(),
            other: visit.other,
            authors: people.iter().map(|writer| writer.name.clone()).collect(),
            people,
            held: local.apart.into_iter().map(held).collect(),
        }
    }

    pub(crate) fn place(&self, record: &ProjectionRecord, local: LocalDocument) -> PlaceView {
        let Place { address, external_code, place_type, coordinates, status, joined_into: _ } =
            Place::read(&local.reading());
        PlaceView {
            id: record.document,
            scope: record.scope,
            beat: self.beat(record.scope),
            state: self.state(record.scope, &local),
            address,
            external_code,
            place_type,
            coordinates,
            status,
            held: local.apart.into_iter().map(held).collect(),
        }
    }

    fn note(&self, note: Note) -> NoteView {
        let Note { id, text, by, at, status } = note;
        let writer = by.map(|replica| self.writer(replica));
        let (by, person) = writer.map(|Writer { name, person }| (name, person)).unwrap_or_default();
        NoteView { id, text, by, person, at, status }
    }

    fn conflict(&self, conflict: Conflict) -> ConflictView {
        let values = conflict.values.into_iter().map(|candidate| {
            let authors = candidate.authors.iter().map(|author| {
                let Writer { name, person } = self.writer(author.actor.replica);
                AuthorView { name, person, at: author.at }
            });
            ConflictValueView { value: candidate.value, authors: authors.collect() }
        });
        ConflictView { field: conflict.field, values: values.collect() }
    }
}

fn held(apart: Apart) -> HeldView {
    HeldView {
        at: apart.entry.header.at,
        words: words::reason(&apart.reason, Language::English).to_owned(),
        reason: apart.reason,
        note: apart.note,
        sent: apart.row.is_some(),
        puts: apart.entry.change.puts().iter().map(|put| (put.key.clone(), put.value.clone())).collect(),
    }
}
