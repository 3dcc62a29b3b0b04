//! One document, read from the log.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use aralau_sync_core::{
    change::Change,
    document::Document,
    id::{ChangeHash, DocumentId, Kind, ScopeId},
    reading::Reading,
    stream::Header,
    time::Millis,
};

use crate::store::StoreError;

/// Bits of a row's key that hold its sequence in its scope.
const SEQUENCE_BITS: u32 = 40;

/// A row's sequence number in its scope's log.
pub const fn sequence_of(row_id: i64) -> i64 {
    row_id & ((1 << SEQUENCE_BITS) - 1)
}

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

/// Finds a document. An id names it only within a scope: where several hold the same, `beat` tells which is meant, and
/// the first known is taken without it.
pub fn locate(
    connection: &Connection,
    document: DocumentId,
    kind: Kind,
    beat: Option<&str>,
) -> Result<Option<Located>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT d.document_no, d.scope_no, s.scope FROM document d JOIN scope s USING (scope_no)
         WHERE d.document = ?1 AND d.kind = ?2
           AND (?3 IS NULL OR d.scope_no = (SELECT scope_no FROM beat WHERE code = ?3))
         ORDER BY d.document_no LIMIT 1",
    )?;
    let found = statement.query_row(params![document.as_bytes(), kind.0, beat], |row| {
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
pub fn load(connection: &Connection, document_no: i64) -> Result<Loaded, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.row_id, coalesce(l.header, content.header), coalesce(l.body, content.body)
         FROM change c JOIN log l ON l.row_id = c.row_id
         LEFT JOIN held h ON h.stream_no = l.stream_no AND h.entry_index = l.entry_index
         LEFT JOIN log content ON content.row_id = h.held_row
         WHERE c.document_no = ? ORDER BY c.row_id",
    )?;
    let mut rows = statement.query([document_no])?;
    let mut loaded = Loaded { document: Document::new(), made_at: BTreeMap::new(), rows: Vec::new() };
    while let Some(row) = rows.next()? {
        let change = Change::from_body(row.get_ref(2)?.as_blob().map_err(|_| StoreError::corrupt("a change's body"))?);
        let change = change.map_err(|_| StoreError::corrupt("an accepted change"))?;
        let header = row.get_ref(1)?.as_blob().map_err(|_| StoreError::corrupt("an entry's header"))?;
        let header = Header::from_bytes(header).map_err(|_| StoreError::corrupt("an accepted entry's header"))?;
        loaded.rows.push(sequence_of(row.get(0)?));
        loaded.made_at.insert(change.hash(), header.at);
        loaded.document.apply(change);
    }
    Ok(loaded)
}
