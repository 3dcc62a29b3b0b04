//! Exports: visits with the words of their notes and all that is known of when, in batches bounded in rows and in bytes.

use rusqlite::{Connection, params};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use aralau_sync_core::{
    cbor,
    change::{Change, Value},
    id::ReplicaId,
    log::Verdict,
    stream::Header,
    visit::{self, Visit, field},
};

use super::{
    author::{Authors, Person},
    document::load_numbered,
    history::corrected_time,
    instant::Instant,
    more::More,
    page::{Cursor, Limit, Page},
    period::{NoPeriod, Range},
    visits::{self, VisitFilter, VisitHead, VisitKey, VisitRow},
};
use crate::{
    reach::Reach,
    store::{CUSTODY_DEVICE, Contents, StoreError},
};

/// A batch ends with the note that exceeds this, so that one batch costs at most this and one visit more.
const BATCH_BYTES: usize = 1024 * 1024;

/// Which visits leave.
#[derive(Debug, Clone)]
pub struct Export {
    reach: Reach,
    filter: VisitFilter,
    range: Range,
    with_more: bool,
}

/// A visit as it leaves the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedVisit {
    /// What it is.
    #[serde(flatten)]
    pub head: VisitHead,
    /// Fields with two or more different values.
    pub conflicts: u32,
    /// The clocks of its first entry.
    #[serde(flatten)]
    pub clocks: Clocks,
    /// Its notes, withdrawn ones included, in order of writing.
    pub notes: Vec<ExportedNote>,
    /// Where it stood before it was imported.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What else it brought, where that was asked for.
    #[serde(skip)]
    pub more: More,
}

/// Where an imported visit stood before, as headquarters' hand wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The file.
    pub source_file: String,
    /// The row, as a spreadsheet counts.
    pub source_row: i64,
    /// The register, and what the visit was called there.
    pub source_id: String,
}

impl Source {
    /// Read from a document's first change. The caller has seen that headquarters' hand wrote it: anybody may use the names.
    fn of(change: &Change) -> Option<Self> {
        let value = |name: &str| change.puts().iter().find(|put| put.key == name).map(|put| &put.value);
        let text = |name| value(name).and_then(Value::as_text).map(str::to_owned);
        let Some(Value::Int(source_row)) = value(field::SOURCE_ROW) else { return None };
        Some(Self {
            source_file: text(field::SOURCE_FILE)?,
            source_row: *source_row,
            source_id: text(field::SOURCE_ID)?,
        })
    }
}

/// When a visit's first entry was written, beside when the server received it. As in the visit's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clocks {
    /// By the device's clock.
    pub device_time: Instant,
    /// The same moment by the server's clock, as far as the device's uptime tells it.
    pub corrected_time: Option<Instant>,
    /// What is odd about the device's clock: `clock_ahead`, `clock_behind`, `late`.
    pub labels: Vec<&'static str>,
}

/// A note as it leaves the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedNote {
    /// The note.
    pub id: Uuid,
    /// The words.
    pub text: String,
    /// Whoever wrote it; as JSON their name.
    #[serde(serialize_with = "as_name")]
    pub by: Option<Person>,
    /// By the writing device's clock.
    pub at: Instant,
    /// `active` or `withdrawn`.
    pub status: String,
}

/// Some visits, and where the rest begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Newest first.
    pub visits: Vec<ExportedVisit>,
    /// After which visit to go on; `None` at the end.
    pub next: Option<Cursor<VisitKey>>,
}

impl Export {
    /// Of the visits within that pass the filter.
    pub fn of(
        connection: &Connection,
        reach: Reach,
        filter: VisitFilter,
    ) -> Result<Result<Self, NoPeriod>, StoreError> {
        Ok(filter.range(connection)?.map(|range| Self { reach, filter, range, with_more: false }))
    }

    /// The same, and whether with [`More`], for which every visit's document is read.
    pub fn with_more(self, with_more: bool) -> Self {
        Self { with_more, ..self }
    }

    /// Whether it is with [`More`].
    pub const fn is_with_more(&self) -> bool {
        self.with_more
    }

    /// How many visits it is of.
    pub fn count(&self, connection: &Connection) -> Result<u64, StoreError> {
        Ok(visits::count_within(connection, &self.reach, &self.filter, self.range)?.visits)
    }

    /// Reads the next batch.
    pub fn batch(&self, connection: &Connection, after: Option<Cursor<VisitKey>>) -> Result<Batch, StoreError> {
        let page = Page { limit: Limit::BATCH, cursor: after };
        let rows = visits::keyed(connection, &self.reach, &self.filter, self.range, &page)?;
        let found = rows.len();
        let mut reader = Reader { connection, authors: Authors::new(connection), contents: Contents::new(connection) };
        let (mut visits, mut last, mut bytes) = (Vec::with_capacity(found), None, 0);
        for (key, row) in rows.into_iter().take(Limit::BATCH.rows()) {
            if bytes > BATCH_BYTES {
                break;
            }
            let visit = reader.visit(key.1, row, self.with_more)?;
            bytes += visit.notes.iter().map(|note| note.text.len()).sum::<usize>() + visit.more.bytes();
            visits.push(visit);
            last = Some(Cursor(key));
        }
        let next = last.filter(|_| visits.len() < found);
        Ok(Batch { visits, next })
    }
}

/// Reads what stands in the log only: words, and clocks.
struct Reader<'c> {
    connection: &'c Connection,
    authors: Authors<'c>,
    contents: Contents<'c>,
}

impl Reader<'_> {
    fn visit(&mut self, document_no: i64, row: VisitRow, with_more: bool) -> Result<ExportedVisit, StoreError> {
        let (clocks, source) = self.first_entry(document_no)?;
        let (mut notes, mut more) = (Vec::new(), More::default());
        if row.notes > 0 || with_more {
            let document = load_numbered(self.connection, document_no, &mut self.contents)?;
            let mut visit = Visit::read(&document.reading());
            notes = self.notes(std::mem::take(&mut visit.notes))?;
            if with_more {
                let was_changed = document.rows.len() > 1;
                let place = (document_no, row.head.id);
                more = More::read(self.connection, &mut self.authors, place, visit, was_changed)?;
            }
        }
        Ok(ExportedVisit { head: row.head, conflicts: row.conflicts, clocks, notes, source, more })
    }

    /// A document's number is the key of the row that its first entry stands in.
    fn first_entry(&mut self, document_no: i64) -> Result<(Clocks, Option<Source>), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT header, body, verdict, replica FROM log JOIN stream USING (stream_no) WHERE row_id = ?",
        )?;
        let row = statement.query_row(params![document_no], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, Vec<u8>>(2)?, row.get(3)?))
        });
        let (kept, verdict, replica) = row?;
        let (header, body) = self.contents.accepted(document_no, kept)?;
        let header = Header::from_bytes(&header).map_err(|_| StoreError::corrupt("an accepted entry's header"))?;
        let verdict: Verdict = cbor::decode(&verdict).map_err(|_| StoreError::corrupt("a verdict"))?;
        let author = self.authors.of(ReplicaId(replica))?;
        let is_headquarters = author.as_ref().is_some_and(|author| author.device == CUSTODY_DEVICE.0);
        let source =
            if is_headquarters { Change::from_body(&body).ok().and_then(|first| Source::of(&first)) } else { None };
        let clocks = Clocks {
            device_time: Instant(header.at),
            corrected_time: corrected_time(self.connection, author.as_ref(), Some(&header))?,
            labels: verdict.labels.names().collect(),
        };
        Ok((clocks, source))
    }

    fn notes(&mut self, notes: Vec<visit::Note>) -> Result<Vec<ExportedNote>, StoreError> {
        let exported = |note: visit::Note| {
            let by = note.by.map(|replica| self.authors.of(replica)).transpose()?.flatten();
            let by = by.map(|author| author.person);
            Ok(ExportedNote { id: note.id, text: note.text, by, at: Instant(note.at), status: note.status })
        };
        notes.into_iter().map(exported).collect()
    }
}

fn as_name<S: Serializer>(person: &Option<Person>, serializer: S) -> Result<S::Ok, S::Error> {
    person.as_ref().map(|person| &person.name).serialize(serializer)
}
