//! What the places are called that values name.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use aralau_sync_core::{change::Value, id::DocumentId, visit::field};

use super::visits::PlaceName;
use crate::store::StoreError;

/// The places met during one read, each looked up once.
pub(super) struct PlaceNames<'a> {
    connection: &'a Connection,
    known: BTreeMap<(i64, DocumentId), PlaceName>,
}

impl<'a> PlaceNames<'a> {
    /// None met yet.
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: BTreeMap::new() }
    }

    /// What a place of this scope is called.
    pub(super) fn of(&mut self, scope_no: i64, id: DocumentId) -> Result<PlaceName, StoreError> {
        if let Some(known) = self.known.get(&(scope_no, id)) {
            return Ok(known.clone());
        }
        let found = self
            .connection
            .prepare_cached(
                "SELECT address, external_code FROM document JOIN place USING (document_no)
                 WHERE document = ? AND document.scope_no = ?",
            )?
            .query_row(params![id.as_bytes(), scope_no], |row| Ok((row.get(0)?, row.get(1)?)));
        let (address, external_code) = found.optional()?.unwrap_or_default();
        let name = PlaceName { id, address, external_code };
        self.known.insert((scope_no, id), name.clone());
        Ok(name)
    }

    /// Meets the place that a field's value names, if it is one.
    pub(super) fn meet(&mut self, scope_no: i64, key: &str, value: &Value) -> Result<Option<PlaceName>, StoreError> {
        let Value::Text(text) = value else { return Ok(None) };
        let id: Option<DocumentId> = text.parse().ok().filter(|_| key == field::PLACE);
        id.map(|id| self.of(scope_no, id)).transpose()
    }

    /// All that were met and have a name.
    pub(super) fn met(self) -> Vec<PlaceName> {
        let named = |place: &PlaceName| place.address.is_some() || place.external_code.is_some();
        self.known.into_values().filter(named).collect()
    }
}
