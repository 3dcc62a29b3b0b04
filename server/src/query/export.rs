//! Exports: visits with the words of their notes, in batches bounded in rows and in bytes.

use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use aralau_sync_core::visit::{self, Visit};

use super::{
    author::Authors,
    document::load_numbered,
    instant::Instant,
    page::{Cursor, Limit, Page},
    period::{NoPeriod, Range},
    visits::{self, VisitFilter, VisitHead, VisitKey},
};
use crate::store::StoreError;

/// A batch ends with the note that exceeds this, so that one batch costs at most this and one visit more.
const BATCH_BYTES: usize = 1024 * 1024;

/// Which visits leave.
#[derive(Debug, Clone)]
pub struct Export {
    filter: VisitFilter,
    range: Range,
}

/// A visit as it leaves the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedVisit {
    /// What it is.
    #[serde(flatten)]
    pub head: VisitHead,
    /// Fields with two or more different values.
    pub conflicts: u32,
    /// Its notes, withdrawn ones included, in order of writing.
    pub notes: Vec<ExportedNote>,
}

/// A note as it leaves the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedNote {
    /// The note.
    pub id: Uuid,
    /// The words.
    pub text: String,
    /// The name of whoever wrote it.
    pub by: Option<String>,
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
    /// Of the visits that pass the filter.
    pub fn of(connection: &Connection, filter: VisitFilter) -> Result<Result<Self, NoPeriod>, StoreError> {
        Ok(filter.range(connection)?.map(|range| Self { filter, range }))
    }

    /// Reads the next batch.
    pub fn batch(&self, connection: &Connection, after: Option<Cursor<VisitKey>>) -> Result<Batch, StoreError> {
        let page = Page { limit: Limit::BATCH, cursor: after };
        let rows = visits::keyed(connection, &self.filter, self.range, &page)?;
        let found = rows.len();
        let mut authors = Authors::new(connection);
        let (mut visits, mut last, mut bytes) = (Vec::with_capacity(found), None, 0);
        for (key, row) in rows.into_iter().take(Limit::BATCH.rows()) {
            if bytes > BATCH_BYTES {
                break;
            }
            let notes = if row.notes == 0 { Vec::new() } else { notes(connection, key.1, &mut authors)? };
            bytes += notes.iter().map(|note| note.text.len()).sum::<usize>();
            visits.push(ExportedVisit { head: row.head, conflicts: row.conflicts, notes });
            last = Some(Cursor(key));
        }
        let next = last.filter(|_| visits.len() < found);
        Ok(Batch { visits, next })
    }
}

/// The words stand in the log only.
fn notes(
    connection: &Connection,
    document_no: i64,
    authors: &mut Authors<'_>,
) -> Result<Vec<ExportedNote>, StoreError> {
    let visit = Visit::read(&load_numbered(connection, document_no)?.reading());
    let exported = |note: visit::Note| {
        let by = note.by.map(|replica| authors.of(replica)).transpose()?.flatten().map(|author| author.person.name);
        Ok(ExportedNote { id: note.id, text: note.text, by, at: Instant(note.at), status: note.status })
    };
    visit.notes.into_iter().map(exported).collect()
}
