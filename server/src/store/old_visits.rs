//! Visits that an organisation made before it used Aralau, written down by headquarters' own hand.
//!
//! Each becomes a document through the door that everybody's entries take ([`custody::author_all`]). Its name follows from
//! the deployment, the register that the visit stood in and what it is called there, so that an import which is repeated,
//! broken off or lost with a restore goes on where it was, and two copies of it merge.

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::{Change, KeyPath, NONCE, Value},
    id::{DeploymentId, DocumentId, Kind, PersonId, ReplicaId},
    time::Millis,
    visit::{Coordinates, VisitDraft, VisitEdit, field},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{
    Identity, StoreError, Transaction,
    custody::{self, Edit},
    directory::{self, CUSTODY_DEVICE},
    joined, projection,
};

/// Namespace of what follows from a deployment and a register.
const REGISTER_NAMESPACE: Uuid = Uuid::from_u128(0x1b6e_0f52_7c3d_5a48_b0d9_42f1_9e67_c805);

/// A visit of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct OldVisit {
    /// See [`Register::visit`].
    pub id: DocumentId,
    /// Whose log it goes into, by its number: that of the place's beat.
    pub scope_no: i64,
    /// Where.
    pub place: Option<DocumentId>,
    /// Whose visit it was; `None`: nobody says.
    pub inspector: Option<PersonId>,
    /// A code of `visit_type`.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// When it began.
    pub started_at: Millis,
    /// The same as the table has it: it tells whether a time of day was written.
    pub started_at_text: String,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Where it was made.
    pub position: Option<Coordinates>,
    /// The words, each within the limit of a text.
    pub notes: Vec<String>,
    /// The file that it stood in.
    pub source_file: String,
    /// In which row.
    pub source_row: u32,
    /// The register and its name there.
    pub source_id: String,
}

/// A register of visits: everything that is named in one way, perhaps in many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(Uuid);

impl Register {
    /// The register of this name.
    pub fn of(deployment: DeploymentId, name: &str) -> Self {
        let name = format!("{deployment}|{name}");
        Self(Uuid::new_v5(&REGISTER_NAMESPACE, name.as_bytes()))
    }

    /// The document of what the register calls so. All of one register begin alike, and so lie side by side in an index,
    /// however many others there are.
    pub fn visit(self, name: &str) -> DocumentId {
        const ALIKE_BYTES: usize = 5;
        let mut bytes = *Uuid::new_v5(&self.0, name.as_bytes()).as_bytes();
        bytes[..ALIKE_BYTES].copy_from_slice(&self.0.as_bytes()[..ALIKE_BYTES]);
        DocumentId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl OldVisit {
    fn draft(&self, replica: ReplicaId) -> VisitDraft {
        let witness = |field| KeyPath::Witness { replica, field }.to_key();
        let inspector = self.inspector.map(|person| (witness(field::INSPECTOR), person.to_string().into()));
        // Not as a phone says it, which would know how exact it is and that it was not made up.
        let position =
            [field::LAT_E7, field::LON_E7].into_iter().zip(self.position.into_iter().flat_map(Coordinates::puts));
        let position = position.map(|(name, (_, degrees))| (witness(name), degrees));
        let source = [
            (witness(field::STARTED_AT_TEXT), Value::Text(self.started_at_text.clone())),
            (field::SOURCE_FILE.to_owned(), Value::Text(self.source_file.clone())),
            (field::SOURCE_ROW.to_owned(), Value::Int(self.source_row.into())),
            (field::SOURCE_ID.to_owned(), Value::Text(self.source_id.clone())),
        ];
        VisitDraft {
            place: self.place,
            visit_type: self.visit_type.clone(),
            outcome: self.outcome.clone(),
            started_at: Some(self.started_at),
            ended_at: self.ended_at,
            position: None,
            note: self.notes.first().map(|text| (self.note_id(0), text.clone())),
            other: inspector.into_iter().chain(position).chain(source).collect(),
        }
    }

    /// The same again, when the visit is written again after a restore.
    fn note_id(&self, number: usize) -> Uuid {
        Uuid::new_v5(&self.id.0, number.to_string().as_bytes())
    }

    fn begin(&self, tx: &Transaction<'_>, replica: ReplicaId) -> Result<Edit, StoreError> {
        Ok(Edit { kind: Kind::VISIT, id: self.id, puts: self.draft(replica).puts(replica, tx.random()?) })
    }

    /// The note of this number, which is an edit of its own: many long ones do not fit into one change.
    fn further_note(&self, number: usize) -> Option<Edit> {
        let note = VisitEdit::AddNote { id: self.note_id(number), text: self.notes.get(number)?.clone() };
        Some(Edit { kind: Kind::VISIT, id: self.id, puts: vec![note.put()] })
    }

    /// Whether a first change says of this visit what its row says. Where it was, and in which row of which file, may have
    /// changed: places move, and rows do.
    fn is_said_by(&self, change: &Change) -> bool {
        let replica = change.actor().replica;
        let puts = self.draft(replica).puts(replica, [0; 16]);
        let ours = puts.iter().map(|(key, value)| (key.as_str(), value));
        let theirs = change.puts().iter().map(|put| (put.key.as_str(), &put.value));
        essence(ours) == essence(theirs)
    }

    /// Whoever its inspector goes as.
    fn inspector_as(&self, connection: &Connection) -> Result<Option<PersonId>, StoreError> {
        self.inspector.map(|person| joined::person(connection, person)).transpose()
    }
}

/// The inspector whom a change of headquarters' hand names, as whoever they go as.
fn inspector_in(connection: &Connection, change: &Change) -> Result<Option<PersonId>, StoreError> {
    let key = KeyPath::Witness { replica: change.actor().replica, field: field::INSPECTOR }.to_key();
    let named = change.puts().iter().find(|put| put.key == key).and_then(|put| put.value.as_text()?.parse().ok());
    named.map(|person| joined::person(connection, person)).transpose()
}

fn essence<'a>(puts: impl Iterator<Item = (&'a str, &'a Value)>) -> BTreeMap<&'a str, &'a Value> {
    let is_essential = |key: &str| match KeyPath::parse(key) {
        Some(KeyPath::Field(name)) => ![field::PLACE, field::SOURCE_FILE, field::SOURCE_ROW].contains(&name),
        Some(KeyPath::Witness { field, .. }) => ![NONCE, field::STARTED_AT_TEXT, field::INSPECTOR].contains(&field),
        Some(KeyPath::Item { .. }) => true,
        None => false,
    };
    puts.filter(|(key, _)| is_essential(key)).collect()
}

/// Whether a visit of a table is written down already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Not yet.
    NotYet,
    /// It is, and says the same.
    Same,
    /// It is, and was something else then.
    Otherwise {
        /// The file that it stood in then.
        file: String,
        /// In which row.
        row: i64,
    },
}

/// Looks for a visit, in whichever scope: its place may have gone to another.
pub fn written(connection: &Connection, visit: &OldVisit) -> Result<Written, StoreError> {
    let Some(scope_no) = scope_of(connection, visit.id)? else { return Ok(Written::NotYet) };
    let (ground, _) = projection::load(connection, scope_no, visit.id)?;
    let mut first = None;
    for change in ground.document.changes().iter().filter(|change| change.is_first()) {
        let device = directory::device_of_replica(connection, change.actor().replica)?;
        if device.is_some_and(|device| device.device == CUSTODY_DEVICE) {
            first = first.or(Some(change));
            let is_of = inspector_in(connection, change)? == visit.inspector_as(connection)?;
            if is_of && visit.is_said_by(change) {
                return Ok(Written::Same);
            }
        }
    }
    let value = |name: &str| Some(&first?.puts().iter().find(|put| put.key == name)?.value);
    let file = value(field::SOURCE_FILE).and_then(Value::as_text).unwrap_or_default().to_owned();
    let row = match value(field::SOURCE_ROW) {
        Some(Value::Int(row)) => *row,
        _ => 0,
    };
    Ok(Written::Otherwise { file, row })
}

/// Visits of a table that stand in another register already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubled {
    /// How many of those asked for.
    pub visits: usize,
    /// The other register.
    pub register: String,
    /// The file that it was imported from.
    pub file: String,
}

/// Whether visits that nobody has imported under their own names were imported under others: of the same place, moment,
/// type and inspector. A register whose file got another name would come in twice. `None` where one is known as what it
/// is called here.
pub fn doubled(connection: &Connection, visits: &[OldVisit]) -> Result<Option<Doubled>, StoreError> {
    let mut like = connection.prepare_cached(
        "SELECT d.scope_no, d.document FROM visit v JOIN document d USING (document_no)
         WHERE v.place = ?1 AND v.scope_no = ?2 AND v.started_at = ?3 AND v.visit_type IS ?4 AND v.author = ?5 LIMIT 1",
    )?;
    let mut doubled = None;
    for visit in visits {
        if scope_of(connection, visit.id)?.is_some() {
            return Ok(None);
        }
        let Some(place) = visit.place else { continue };
        let author = visit.inspector_as(connection)?.unwrap_or(directory::HEADQUARTERS);
        let asked = params![place.as_bytes(), visit.scope_no, visit.started_at.0, visit.visit_type, author.as_bytes()];
        let found = like.query_row(asked, |row| Ok((row.get(0)?, DocumentId::from_bytes(row.get(1)?)))).optional()?;
        let Some((scope_no, id)) = found else { continue };
        match &mut doubled {
            None => doubled = imported_as(connection, scope_no, id)?,
            Some(Doubled { visits, .. }) => *visits += 1,
        }
    }
    Ok(doubled)
}

/// The register and the file that a visit came from, if it was imported.
fn imported_as(connection: &Connection, scope_no: i64, id: DocumentId) -> Result<Option<Doubled>, StoreError> {
    let (ground, _) = projection::load(connection, scope_no, id)?;
    let text = |name: &str| {
        let puts = ground.document.changes().iter().flat_map(|change| change.puts());
        puts.filter(|put| put.key == name).find_map(|put| put.value.as_text()).unwrap_or_default().to_owned()
    };
    let (source, file) = (text(field::SOURCE_ID), text(field::SOURCE_FILE));
    let register = source.rsplit_once('/').map(|(register, _)| register.to_owned());
    Ok(register.map(|register| Doubled { visits: 1, register, file }))
}

fn scope_of(connection: &Connection, id: DocumentId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope_no FROM document WHERE document = ? LIMIT 1")?;
    Ok(statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}

/// Writes visits down that are not there yet, whoever wrote them meanwhile, and says how many. Those of one beat should stand
/// side by side.
pub fn write_old_visits(
    tx: &Transaction<'_>,
    identity: &Identity,
    visits: &[OldVisit],
    now: Millis,
) -> Result<usize, StoreError> {
    let replica = custody::replica(tx, identity, now)?;
    let mut written = 0;
    for of_beat in visits.chunk_by(|one, next| one.scope_no == next.scope_no) {
        let (scope_no, mut new) = (of_beat[0].scope_no, Vec::with_capacity(of_beat.len()));
        for visit in of_beat {
            if scope_of(tx, visit.id)?.is_none() {
                new.push(visit);
            }
        }
        written += new.len();
        let begun = new.iter().map(|visit| visit.begin(tx, replica)).collect::<Result<Vec<_>, _>>()?;
        write(tx, identity, scope_no, &begun, now)?;
        for number in 1.. {
            let notes: Vec<_> = new.iter().filter_map(|visit| visit.further_note(number)).collect();
            if notes.is_empty() {
                break;
            }
            write(tx, identity, scope_no, &notes, now)?;
        }
    }
    Ok(written)
}

fn write(
    tx: &Transaction<'_>,
    identity: &Identity,
    scope_no: i64,
    edits: &[Edit],
    now: Millis,
) -> Result<(), StoreError> {
    let authored = custody::author_all(tx, identity, scope_no, edits, tx.by(), now, &|_| {})?;
    authored.map_err(|error| StoreError::Internal(format!("an old visit was refused: {error:?}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        query,
        store::{self, Organisation, PlaceLine, StaffLine, Store},
    };

    const NOW: Millis = Millis(1_700_000_000_000);

    /// A store with one beat, one place and one inspector, and a visit there.
    fn world() -> (Store, OldVisit, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        let place = PlaceLine {
            beat: "b1".into(),
            address: "Абая 1".into(),
            external_code: None,
            place_type: None,
            coordinates: None,
        };
        let staff = StaffLine { name: "Серик".into(), beat: "b1".into() };
        let organisation = Organisation {
            beats: vec![("b1".into(), String::new())],
            places: vec![place],
            staff: vec![staff],
            areas: Vec::new(),
        };
        let handle = store.clone();
        store.write(move |tx| store::load(tx, handle.identity(), &organisation, NOW)).unwrap();
        let (beat, place, inspector) = store
            .read(|connection| {
                let beat = store::beat(connection, "b1")?.unwrap();
                let place = store::places_of(connection, &beat)?[0];
                Ok((beat, place, store::person_named(connection, "серик")?))
            })
            .unwrap();
        let visit = OldVisit {
            id: Register::of(store.deployment(), "журнал").visit("7"),
            scope_no: beat.scope_no,
            place: Some(place),
            inspector,
            visit_type: Some("door_to_door".into()),
            outcome: Some("contacted".into()),
            started_at: Millis(1_600_000_000_000),
            started_at_text: "13.09.2020".into(),
            ended_at: None,
            position: None,
            notes: vec!["а".repeat(16_000), "б".repeat(16_000), "в".to_owned()],
            source_file: "журнал.xlsx".into(),
            source_row: 5,
            source_id: "журнал/7".into(),
        };
        (store, visit, folder)
    }

    fn write(store: &Store, visits: Vec<OldVisit>) -> usize {
        let handle = store.clone();
        store.write(move |tx| write_old_visits(tx, handle.identity(), &visits, NOW)).unwrap()
    }

    fn author(store: &Store, visit: &OldVisit) -> (Option<Vec<u8>>, i64) {
        let row = "SELECT author, notes FROM visit JOIN document USING (document_no) WHERE document = ?";
        let read = |connection: &Connection| {
            Ok(connection.query_row(row, [visit.id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        store.read(read).unwrap()
    }

    #[test]
    fn an_old_visit_is_its_inspectors_is_written_once_and_all_its_words_are_there() {
        let (store, visit, _folder) = world();
        assert_eq!(write(&store, vec![visit.clone()]), 1);
        assert_eq!(write(&store, vec![visit.clone()]), 0, "it is there");
        let inspector = visit.inspector.map(|person| person.as_bytes().to_vec());
        assert_eq!(author(&store, &visit), (inspector.clone(), 3));
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
        assert_eq!(store.rebuild().unwrap().changed, 0);
        assert_eq!(author(&store, &visit), (inspector, 3));

        let export = |connection: &Connection| {
            let export = query::export::Export::of(
                connection,
                crate::reach::Reach::EVERYWHERE,
                query::visits::VisitFilter::default(),
            )?
            .unwrap();
            export.batch(connection, None)
        };
        let exported = store.read(export).unwrap().visits.remove(0);
        let source = exported.source.unwrap();
        assert_eq!((&*source.source_file, source.source_row, &*source.source_id), ("журнал.xlsx", 5, "журнал/7"));
        assert_eq!(
            exported.notes[0].by.as_ref().map(|by| &*by.name),
            Some(store::HEADQUARTERS_NAME),
            "who wrote is not hidden"
        );
    }

    #[test]
    fn a_visit_is_known_wherever_its_place_has_gone_and_differs_where_its_row_does() {
        let (store, visit, _folder) = world();
        let stands = |visit: &OldVisit| store.read(|connection| written(connection, visit)).unwrap();
        assert_eq!(stands(&visit), Written::NotYet);
        write(&store, vec![visit.clone()]);
        let moved = OldVisit { place: None, scope_no: visit.scope_no + 1, source_row: 9, ..visit.clone() };
        assert_eq!((stands(&visit), stands(&moved)), (Written::Same, Written::Same));
        let other = OldVisit { started_at: Millis(1), ..visit.clone() };
        assert_eq!(stands(&other), Written::Otherwise { file: "журнал.xlsx".to_owned(), row: 5 });
    }

    #[test]
    fn visits_of_one_register_begin_alike_and_those_of_another_deployment_are_others() {
        let deployment = |n: u128| DeploymentId(Uuid::from_u128(n));
        let one = Register::of(deployment(1), "a");
        assert_eq!(one.visit("7").0.as_bytes()[..5], one.visit("8").0.as_bytes()[..5]);
        assert_ne!(one.visit("7"), one.visit("8"));
        assert_ne!(one.visit("7"), Register::of(deployment(1), "b").visit("7"));
        assert_ne!(one.visit("7"), Register::of(deployment(2), "a").visit("7"));
    }
}
