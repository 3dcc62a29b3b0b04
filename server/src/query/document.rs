//! One document, read from the log.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use aralau_sync_core::{
    document::Document,
    id::{ChangeHash, DocumentId, Kind, ScopeId},
    reading::Reading,
    stream::Entry,
    time::Millis,
};

use crate::{
    reach::Reach,
    store::{Contents, StoreError, row_id},
};

/// A document found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Its key in the projections.
    pub document_no: i64,
    /// Its name in its scope.
    pub document: DocumentId,
    /// Its scope's key.
    pub scope_no: i64,
    /// Its scope.
    pub scope: ScopeId,
}

impl Located {
    /// The sequence number, in this document's scope, of a row's key.
    pub const fn sequence_of(&self, row: i64) -> i64 {
        row - row_id(self.scope_no, 0)
    }
}

/// Finds a document. An id names it only within a scope: where several hold the same, `beat` tells which is meant, and
/// the first known within is taken without it.
pub fn locate(
    connection: &Connection,
    reach: &Reach,
    document: DocumentId,
    kind: Kind,
    beat: Option<&str>,
) -> Result<Option<Located>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.document_no, d.scope_no, s.scope FROM document d JOIN scope s USING (scope_no)
         WHERE d.document = ?1 AND d.kind = ?2
           AND (?3 IS NULL OR d.scope_no IN (SELECT value FROM json_each(?3)))
         ORDER BY d.document_no LIMIT 1",
    )?;
    let reach = reach.of_beat(connection, beat)?;
    let found = statement.query_row(params![document.as_bytes(), kind.0, reach], |row| {
        let scope = ScopeId::from_bytes(row.get(2)?);
        Ok(Located { document_no: row.get(0)?, document, scope_no: row.get(1)?, scope })
    });
    Ok(found.optional()?)
}

/// A document with everything accepted.
pub struct Loaded {
    /// The changes.
    pub document: Document,
    /// When each was made, by its device's clock.
    pub made_at: BTreeMap<ChangeHash, Millis>,
    /// Sequence numbers of the log rows that hold them, ascending.
    pub rows: Vec<i64>,
}

impl Loaded {
    /// The value, with every conflict.
    pub fn reading(&self) -> Reading {
        Reading::of_document(&self.document, |hash| self.made_at.get(hash).copied().unwrap_or_default())
    }
}

/// Loads a document's accepted changes.
pub fn load(connection: &Connection, located: &Located) -> Result<Loaded, StoreError> {
    let mut loaded = load_numbered(connection, located.document_no, &mut Contents::new(connection))?;
    loaded.rows.iter_mut().for_each(|row| *row = located.sequence_of(*row));
    Ok(loaded)
}

/// As [`load`], by the document's number; rows by their keys.
pub(super) fn load_numbered(
    connection: &Connection,
    document_no: i64,
    contents: &mut Contents<'_>,
) -> Result<Loaded, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT row_id, header, body FROM log
         WHERE row_id IN (SELECT ?1 UNION ALL SELECT row_id FROM later_change WHERE document_no = ?1) ORDER BY row_id",
    )?;
    let mut rows = statement.query([document_no])?;
    let mut loaded = Loaded { document: Document::new(), made_at: BTreeMap::new(), rows: Vec::new() };
    while let Some(row) = rows.next()? {
        let (header, body) = contents.accepted(row.get(0)?, (row.get(1)?, row.get(2)?))?;
        let entry =
            Entry::open(header, &body).map_err(|_| StoreError::corrupt("an accepted entry cannot be opened"))?;
        loaded.rows.push(row.get(0)?);
        loaded.made_at.insert(entry.change.hash(), entry.header.at);
        loaded.document.apply(entry.change);
    }
    Ok(loaded)
}
