//! What the fields of a visit and a place mean: a total, typed view of a [`Reading`], and the edits that write one.
//!
//! Each edit becomes puts of one change. Names and values that this build does not know are carried in `other`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    change::{KeyPath, NONCE, NOTES, STATUS, Value},
    id::{DocumentId, ReplicaId},
    reading::{Authorship, Field, Reading},
    time::Millis,
};

/// [`STATUS`] of what counts.
pub const ACTIVE: &str = "active";
/// [`STATUS`] of what was taken back; nothing is ever deleted.
pub const WITHDRAWN: &str = "withdrawn";

/// The code of `outcome` that says that somebody was met.
pub const CONTACTED: &str = "contacted";

/// Field names of a visit and a place.
pub mod field {
    /// The place visited, a document id as text.
    pub const PLACE: &str = "place";
    /// A code of the list `visit_type`.
    pub const VISIT_TYPE: &str = "visit_type";
    /// A code of the list `outcome`.
    pub const OUTCOME: &str = "outcome";
    /// Under `witness/<replica>/`: when the visit began, by that phone's clock.
    pub const STARTED_AT: &str = "started_at";
    /// Under `witness/<replica>/`: when it ended.
    pub const ENDED_AT: &str = "ended_at";
    /// In a place, and under `witness/<replica>/` of a visit: degrees north × 10⁷, whole. Half the bytes of a float, and
    /// nothing to round.
    pub const LAT_E7: &str = "lat_e7";
    /// Beside it: degrees east × 10⁷, whole.
    pub const LON_E7: &str = "lon_e7";
    /// Under `witness/<replica>/`: radius in centimetres, whole.
    pub const ACCURACY_CM: &str = "accuracy_cm";
    /// Under `witness/<replica>/`: whether the phone says that the position was made up.
    pub const MOCK: &str = "mock";
    /// In a place: as written on the door.
    pub const ADDRESS: &str = "address";
    /// In a place: its name in another register.
    pub const EXTERNAL_CODE: &str = "external_code";
    /// In a place: a code of the list `place_type`.
    pub const PLACE_TYPE: &str = "place_type";
    /// In a place that is withdrawn because it now is of another beat: its document there, a document id as text.
    pub const MOVED_TO: &str = "moved_to";
    /// In a place that is withdrawn because it is another one of its beat: that one's document, a document id as text.
    pub const JOINED_INTO: &str = "joined_into";
    /// The document of which this one is the successor, a document id as text.
    pub const CONTINUES: &str = "continues";
    /// In a note: the words.
    pub const TEXT: &str = "text";
    /// Under `witness/<replica>/`, of headquarters' hand only: whose visit it writes down, a person of the directory as text.
    pub const INSPECTOR: &str = "inspector";
    /// Beside it: when the visit began, as the table has it.
    pub const STARTED_AT_TEXT: &str = "started_at_text";
    /// Of an imported visit: the file that it stood in.
    pub const SOURCE_FILE: &str = "source_file";
    /// Of an imported visit: the row of that file, as a spreadsheet counts.
    pub const SOURCE_ROW: &str = "source_row";
    /// Of an imported visit: the register that it stood in, and what it was called there.
    pub const SOURCE_ID: &str = "source_id";
}

const PER_DEGREE: f64 = 1e7;
const PER_METRE: f64 = 100.0;

/// A visit, read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Visit {
    /// Where.
    pub place: Option<DocumentId>,
    /// A code of `visit_type`; unknown ones are carried.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// [`ACTIVE`] or [`WITHDRAWN`].
    pub status: String,
    /// The earliest beginning that an observer recorded.
    pub started_at: Option<Millis>,
    /// The latest end that an observer recorded.
    pub ended_at: Option<Millis>,
    /// The first observer's position.
    pub position: Option<Position>,
    /// In order of writing.
    pub notes: Vec<Note>,
    /// Items of every other collection (`concerns`, `referrals`, `commitments`, …): collection → item → field → value.
    pub collections: BTreeMap<String, BTreeMap<Uuid, BTreeMap<String, Value>>>,
    /// Every field with two or more distinct values.
    pub conflicts: Vec<Conflict>,
    /// Fields without a meaning here.
    pub other: BTreeMap<String, Value>,
}

/// Where an observer stood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres.
    pub accuracy_m: Option<f64>,
    /// The phone says that it was made up.
    pub mock: bool,
}

/// A note: written once, by one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its id.
    pub id: Uuid,
    /// The words.
    pub text: String,
    /// Whose device wrote it.
    pub by: Option<ReplicaId>,
    /// By that device's clock.
    pub at: Millis,
    /// [`ACTIVE`] or [`WITHDRAWN`].
    pub status: String,
}

/// A field with two or more distinct concurrent values, the one shown first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Its key.
    pub field: String,
    /// The values, each with everybody who wrote it.
    pub values: Vec<ConflictValue>,
}

/// One of a conflict's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictValue {
    /// The value.
    pub value: Value,
    /// Who wrote it, and when.
    pub authors: Vec<Authorship>,
}

impl Visit {
    /// Reads a visit; never fails, whatever the fields hold.
    pub fn read(reading: &Reading) -> Self {
        let mut visit = Self {
            place: reading.text(field::PLACE).and_then(|text| text.parse().ok()),
            visit_type: reading.text(field::VISIT_TYPE).map(str::to_owned),
            outcome: reading.text(field::OUTCOME).map(str::to_owned),
            status: reading.text(STATUS).unwrap_or(ACTIVE).to_owned(),
            notes: notes(reading),
            conflicts: conflicts(reading),
            ..Self::default()
        };
        visit.read_witnesses(reading);
        for (key, value) in &reading.fields {
            let Some(value) = value.winner() else { continue };
            match KeyPath::parse(key) {
                Some(KeyPath::Item { collection, id, field }) if collection != NOTES => {
                    let items = visit.collections.entry(collection.to_owned()).or_default();
                    items.entry(id).or_default().insert(field.to_owned(), value.clone());
                }
                Some(KeyPath::Field(field::PLACE | field::VISIT_TYPE | field::OUTCOME | STATUS | NONCE)) => {}
                Some(KeyPath::Field(name)) => drop(visit.other.insert(name.to_owned(), value.clone())),
                Some(KeyPath::Item { .. } | KeyPath::Witness { .. }) | None => {}
            }
        }
        visit
    }

    /// Items of a collection that were not taken back.
    pub fn active(&self, collection: &str) -> impl Iterator<Item = &BTreeMap<String, Value>> {
        let items = self.collections.get(collection).into_iter().flatten().map(|(_, fields)| fields);
        items.filter(|fields| fields.get(STATUS).and_then(Value::as_text).unwrap_or(ACTIVE) == ACTIVE)
    }

    /// Promises that nobody has fulfilled yet.
    pub fn open_promises(&self) -> impl Iterator<Item = &BTreeMap<String, Value>> {
        self.active("commitments").filter(|promise| promise.get("fulfilled_at").and_then(millis).is_none())
    }

    fn read_witnesses(&mut self, reading: &Reading) {
        for fields in reading.witnesses().values() {
            let instant = |name| fields.get(name).and_then(|field| millis(field.winner()?));
            let scaled = |name, scale| fields.get(name).and_then(|field| Some(number(field.winner()?)? / scale));
            if let Some(started) = instant(field::STARTED_AT) {
                self.started_at = Some(self.started_at.map_or(started, |known| known.min(started)));
            }
            if let Some(ended) = instant(field::ENDED_AT) {
                self.ended_at = Some(self.ended_at.map_or(ended, |known| known.max(ended)));
            }
            let (lat, lon) = (scaled(field::LAT_E7, PER_DEGREE), scaled(field::LON_E7, PER_DEGREE));
            if let (None, Some(lat), Some(lon)) = (self.position, lat, lon) {
                let mock = fields.get(field::MOCK).and_then(|field| field.winner());
                let mock = mock == Some(&Value::Boolean(true));
                let accuracy_m = scaled(field::ACCURACY_CM, PER_METRE);
                self.position = Some(Position { lat, lon, accuracy_m, mock });
            }
        }
    }
}

fn notes(reading: &Reading) -> Vec<Note> {
    let text = |fields: &BTreeMap<&str, &Field>, name| -> Option<String> {
        fields.get(name)?.winner()?.as_text().map(str::to_owned)
    };
    let mut notes: Vec<_> = reading
        .items(NOTES)
        .into_iter()
        .filter_map(|(id, fields)| {
            let author = fields.get(field::TEXT)?.values.first()?.authors.last().copied();
            Some(Note {
                id,
                text: text(&fields, field::TEXT)?,
                by: author.map(|author| author.actor.replica),
                at: author.map_or(Millis::default(), |author| author.at),
                status: text(&fields, STATUS).unwrap_or_else(|| ACTIVE.to_owned()),
            })
        })
        .collect();
    notes.sort_by_key(|note| (note.at, note.id));
    notes
}

fn conflicts(reading: &Reading) -> Vec<Conflict> {
    let of = |(key, field): (&str, &Field)| Conflict {
        field: key.to_owned(),
        values: field
            .values
            .iter()
            .map(|candidate| ConflictValue { value: candidate.value.clone(), authors: candidate.authors.clone() })
            .collect(),
    };
    // Two people who make the same document each bring a nonce; nobody has to choose between them.
    reading.conflicts().filter(|(key, _)| *key != NONCE).map(of).collect()
}

fn millis(value: &Value) -> Option<Millis> {
    match value {
        Value::Timestamp(ms) | Value::Int(ms) => Some(Millis(*ms)),
        Value::Uint(ms) => i64::try_from(*ms).ok().map(Millis),
        Value::Null | Value::Boolean(_) | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Null | Value::Boolean(_) | Value::Timestamp(_) | Value::Text(_) | Value::Bytes(_) => None,
    }
}

/// A place, read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Place {
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
    /// [`ACTIVE`] or [`WITHDRAWN`].
    pub status: String,
    /// The place of its beat that it turned out to be. What is said of either is said of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_into: Option<DocumentId>,
}

/// A point on the globe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coordinates {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

impl Coordinates {
    /// Whether there is such a point.
    pub fn is_on_globe(self) -> bool {
        (-90.0..=90.0).contains(&self.lat) && (-180.0..=180.0).contains(&self.lon)
    }

    /// The puts that say it.
    pub fn puts(self) -> Vec<(String, Value)> {
        let degrees = |name: &str, degrees: f64| (name.to_owned(), whole(degrees * PER_DEGREE));
        vec![degrees(field::LAT_E7, self.lat), degrees(field::LON_E7, self.lon)]
    }
}

impl Place {
    /// Reads a place; never fails.
    pub fn read(reading: &Reading) -> Self {
        let text = |name| reading.text(name).map(str::to_owned);
        let degrees = |name| Some(number(reading.fields.get(name)?.winner()?)? / PER_DEGREE);
        Self {
            address: text(field::ADDRESS),
            external_code: text(field::EXTERNAL_CODE),
            place_type: text(field::PLACE_TYPE),
            coordinates: degrees(field::LAT_E7).zip(degrees(field::LON_E7)).map(|(lat, lon)| Coordinates { lat, lon }),
            status: text(STATUS).unwrap_or_else(|| ACTIVE.to_owned()),
            joined_into: reading.text(field::JOINED_INTO).and_then(|id| id.parse().ok()),
        }
    }

    /// The puts of the change that creates it. `nonce`: 16 random bytes.
    pub fn puts(&self, nonce: [u8; 16]) -> Vec<(String, Value)> {
        let text = |name: &str, value: &Option<String>| Some((name.to_owned(), Value::Text(value.clone()?)));
        let fields = [
            text(field::ADDRESS, &self.address),
            text(field::EXTERNAL_CODE, &self.external_code),
            text(field::PLACE_TYPE, &self.place_type),
        ];
        let mut puts: Vec<_> = fields.into_iter().flatten().collect();
        puts.extend(self.coordinates.into_iter().flat_map(Coordinates::puts));
        puts.push((NONCE.to_owned(), Value::Bytes(nonce.to_vec())));
        puts
    }
}

/// What an inspector logs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VisitDraft {
    /// Where.
    pub place: Option<DocumentId>,
    /// A code of `visit_type`.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// When it began.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Where the phone stood.
    pub position: Option<Position>,
    /// A note: fresh id and words.
    pub note: Option<(Uuid, String)>,
    /// Anything else, by key.
    pub other: Vec<(String, Value)>,
}

impl VisitDraft {
    /// The puts of the change that logs the visit. `nonce`: 16 random bytes.
    pub fn puts(&self, replica: ReplicaId, nonce: [u8; 16]) -> Vec<(String, Value)> {
        let witness = |name: &str, value: Value| (format!("witness/{replica}/{name}"), value);
        let text = |name: &str, value: &Option<String>| Some((name.to_owned(), Value::Text(value.clone()?)));
        let mut puts: Vec<_> = [
            self.place.map(|place| (field::PLACE.to_owned(), Value::Text(place.to_string()))),
            text(field::VISIT_TYPE, &self.visit_type),
            text(field::OUTCOME, &self.outcome),
            self.started_at.map(|at| witness(field::STARTED_AT, Value::Timestamp(at.0))),
            self.ended_at.map(|at| witness(field::ENDED_AT, Value::Timestamp(at.0))),
        ]
        .into_iter()
        .flatten()
        .collect();
        // A phone that answers "no number" does not know where it is: nowhere is better than a place at 0°, 0°.
        if let Some(position) = self.position.filter(|position| position.lat.is_finite() && position.lon.is_finite()) {
            let accuracy_m = position.accuracy_m.filter(|metres| metres.is_finite());
            puts.push(witness(field::LAT_E7, whole(position.lat * PER_DEGREE)));
            puts.push(witness(field::LON_E7, whole(position.lon * PER_DEGREE)));
            puts.extend(accuracy_m.map(|metres| witness(field::ACCURACY_CM, whole(metres * PER_METRE))));
            puts.push(witness(field::MOCK, Value::Boolean(position.mock)));
        }
        if let Some((id, text)) = &self.note {
            puts.push((format!("{NOTES}/{id}/{}", field::TEXT), Value::Text(text.clone())));
        }
        puts.extend(self.other.iter().cloned());
        // A fresh item's id is as random, and costs the line nothing more.
        if !puts.iter().any(|(key, _)| KeyPath::parse(key).is_some_and(|path| path.is_random())) {
            puts.push(witness(NONCE, Value::Bytes(nonce.to_vec())));
        }
        puts
    }
}

fn whole(number: f64) -> Value {
    Value::Int(number.round() as i64)
}

/// One thing that a person changes about a visit.
#[derive(Clone, Debug, PartialEq)]
pub enum VisitEdit {
    /// Sets a field, or resolves its conflict: the put covers every concurrent value known.
    Set {
        /// Its key.
        field: String,
        /// The new value.
        value: Value,
    },
    /// Adds a note.
    AddNote {
        /// Fresh.
        id: Uuid,
        /// The words.
        text: String,
    },
    /// Takes the visit back.
    Withdraw,
    /// Takes a note back.
    WithdrawNote {
        /// Which.
        id: Uuid,
    },
}

impl VisitEdit {
    /// The put that it becomes.
    pub fn put(&self) -> (String, Value) {
        match self {
            Self::Set { field, value } => (field.clone(), value.clone()),
            Self::AddNote { id, text } => (format!("{NOTES}/{id}/{}", field::TEXT), Value::Text(text.clone())),
            Self::Withdraw => (STATUS.to_owned(), WITHDRAWN.into()),
            Self::WithdrawNote { id } => (format!("{NOTES}/{id}/{STATUS}"), WITHDRAWN.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document::Document, id::Actor};

    #[test]
    fn what_two_inspectors_wrote_about_one_visit_is_all_there() {
        let replicas = [ReplicaId([1; 14]), ReplicaId([2; 14])];
        let mut document = Document::new();
        for (n, outcome) in ["contacted", "refused"].into_iter().enumerate() {
            let draft = VisitDraft {
                visit_type: Some("door_to_door".into()),
                outcome: Some(outcome.into()),
                started_at: Some(Millis(1000 * (2 - n as i64))),
                note: Some((Uuid::from_u128(n as u128), format!("note {n}"))),
                ..VisitDraft::default()
            };
            let actor = Actor { replica: replicas[n], generation: 0 };
            let change = Document::new().author(actor, &draft.puts(replicas[n], [n as u8; 16]));
            let change = change.expect("sound").expect("something");
            assert_eq!(document.check(&change), Ok(()));
            document.apply(change);
        }
        let visit = Visit::read(&Reading::of_document(&document, |_| Millis(5)));
        assert_eq!(visit.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["note 0", "note 1"]);
        assert_eq!(visit.started_at, Some(Millis(1000)));
        assert_eq!(visit.visit_type.as_deref(), Some("door_to_door"));
        let [conflict] = &visit.conflicts[..] else { panic!("one conflict: {:?}", visit.conflicts) };
        assert_eq!((conflict.field.as_str(), conflict.values.len()), ("outcome", 2));
    }

    #[test]
    fn a_position_reads_back_and_one_that_is_no_number_is_none() {
        let read = |lat, accuracy_m| {
            let position = Position { lat, lon: -76.012_345_6, accuracy_m, mock: false };
            let draft = VisitDraft { position: Some(position), ..VisitDraft::default() };
            let replica = ReplicaId([1; 14]);
            let change = Document::begin(Actor { replica, generation: 0 }, &draft.puts(replica, [7; 16]));
            Visit::read(&Reading::of_first(&change.expect("sound"), Millis(5))).position
        };
        let sound = Position { lat: 43.25, lon: -76.012_345_6, accuracy_m: Some(12.34), mock: false };
        assert_eq!(read(43.25, Some(12.34)), Some(sound));
        assert_eq!(read(43.25, Some(f64::NAN)), Some(Position { accuracy_m: None, ..sound }));
        assert_eq!((read(f64::NAN, None), read(f64::INFINITY, None)), (None, None));
    }
}
