//! The store of a device: one SQLite file, one process at a time. What is SQL is the same everywhere, and here; where the
//! file is, how it is kept from others and what makes it durable is [`native`]'s and the browser's.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod opfs;
mod read;

use aralau_sync_core::{
    cbor,
    id::{DocumentId, Kind, ScopeId},
    stream::{Link, StreamId},
};
use rusqlite::{Connection, params};
use rusqlite_migration::{M, Migrations};
use uuid::Uuid;

use super::{
    Cursor, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord, Result,
    RowRecord, ScopeRecord, Store, StoreError, StreamRecord, Summary,
};
use crate::alarm::AlarmRecord;
#[cfg(target_arch = "wasm32")]
pub use opfs::OpfsFolder;

const SCHEMA_VERSION: i64 = STEPS.len() as i64;
const STEPS: &[M<'_>] = &[
    M::up(include_str!("sqlite/1-start.sql")),
    M::up(include_str!("sqlite/2-introductions.sql")),
    M::up(include_str!("sqlite/3-followed-epochs.sql")),
    M::up(include_str!("sqlite/4-drafts.sql")),
    M::up(include_str!("sqlite/5-summaries.sql")),
];

/// See the module.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    /// Held as long as the store is open.
    #[cfg(not(target_arch = "wasm32"))]
    _lock: Option<std::fs::File>,
}

impl SqliteStore {
    /// A database that vanishes with the value.
    pub fn open_in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self> {
        connection.set_prepared_statement_cache_capacity(64);
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > SCHEMA_VERSION {
            return Err(StoreError::Newer { found, known: SCHEMA_VERSION });
        }
        match Migrations::from_slice(STEPS).to_latest(&mut connection) {
            Ok(()) => {}
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(err.into()),
            Err(other) => return Err(StoreError::Unavailable(format!("migrating: {other}"))),
        }
        Ok(Self {
            connection,
            #[cfg(not(target_arch = "wasm32"))]
            _lock: None,
        })
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DatabaseCorrupt | Code::NotADatabase | Code::ConstraintViolation | Code::TypeMismatch)
            | None => Self::Corrupt(error.to_string()),
            Some(_) => Self::Unavailable(error.to_string()),
        }
    }
}

/// SQLite's integers are signed; ours stay far below.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<()> {
        self.execute("BEGIN IMMEDIATE", [])
    }

    fn commit(&mut self) -> Result<()> {
        self.execute("COMMIT", [])
    }

    fn rollback(&mut self) {
        // Fails only where SQLite has rolled back by itself.
        drop(self.execute("ROLLBACK", []));
    }

    fn meta(&self, key: Key) -> Result<Option<Vec<u8>>> {
        self.one("SELECT value FROM meta WHERE key = ?", [key.name()], |row| Ok(row.get(0)?))
    }

    fn set_meta(&mut self, key: Key, value: &[u8]) -> Result<()> {
        self.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", params![key.name(), value])
    }

    fn scope(&self, scope: ScopeId) -> Result<Option<ScopeRecord>> {
        self.one(&format!("{} WHERE scope = ?", read::SCOPE), [scope.as_bytes()], read::scope)
    }

    fn scopes(&self) -> Result<Vec<ScopeRecord>> {
        self.all(&format!("{} ORDER BY scope", read::SCOPE), [], read::scope)
    }

    fn put_scope(&mut self, record: &ScopeRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO scope (scope, granted, epoch, sequence, frontier, verified, backed_up,
                                           tip, tip_hash, decided, decided_hash, followed)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                record.scope.as_bytes(),
                record.granted,
                int(record.cursor.epoch),
                int(record.cursor.sequence),
                cbor::encode(&record.frontier),
                int(record.verified),
                int(record.backed_up),
                int(record.tip.index),
                record.tip.hash.as_bytes(),
                int(record.decided.index),
                record.decided.hash.as_bytes(),
                cbor::encode(&record.followed),
            ],
        )
    }

    fn streams(&self, scope: ScopeId) -> Result<Vec<StreamRecord>> {
        let sql = "SELECT replica, key, person, tip, tip_hash, head, offer, introduction FROM stream WHERE scope = ? ORDER BY replica";
        self.all(sql, [scope.as_bytes()], read::stream)
    }

    fn put_stream(&mut self, scope: ScopeId, record: &StreamRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO stream (scope, replica, key, person, tip, tip_hash, head, offer, introduction)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                scope.as_bytes(),
                record.replica.as_bytes(),
                record.key.as_bytes(),
                record.person,
                int(record.tip.index),
                record.tip.hash.as_bytes(),
                record.head.as_ref().map(cbor::encode),
                record.offer.as_ref().map(cbor::encode),
                record.introduction,
            ],
        )
    }

    fn entry(&self, id: EntryId) -> Result<Option<EntryRecord>> {
        let sql = format!("{} WHERE scope = ? AND replica = ? AND entry_index = ?", read::ENTRY);
        self.one(&sql, params![id.stream.scope.as_bytes(), id.stream.replica.as_bytes(), int(id.index)], read::entry)
    }

    fn entries_after(&self, stream: StreamId, index: u64, limit: usize) -> Result<Vec<EntryRecord>> {
        let sql =
            format!("{} WHERE scope = ? AND replica = ? AND entry_index > ? ORDER BY entry_index LIMIT ?", read::ENTRY);
        let limit = int(limit as u64);
        let values = params![stream.scope.as_bytes(), stream.replica.as_bytes(), int(index), limit];
        self.all(&sql, values, read::entry)
    }

    fn entries_of(&self, scope: ScopeId, document: DocumentId) -> Result<Vec<EntryRecord>> {
        let sql = format!("{} WHERE scope = ? AND document = ? ORDER BY replica, entry_index", read::ENTRY);
        self.all(&sql, [scope.as_bytes(), document.as_bytes()], read::entry)
    }

    fn put_entry(&mut self, record: &EntryRecord) -> Result<()> {
        let (full, hollow) = match &record.link {
            Link::Full { header, body } => (Some((header, body)), None),
            Link::Hollow { header, content } => (None, Some((header, content))),
        };
        self.execute(
            "INSERT OR REPLACE INTO entry (scope, replica, entry_index, hash, header, body, header_hash, content_hash,
                                           document, decided_kind, decided_row)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                record.id.stream.scope.as_bytes(),
                record.id.stream.replica.as_bytes(),
                int(record.id.index),
                record.hash.as_bytes(),
                full.map(|(header, _)| header),
                full.map(|(_, body)| body),
                hollow.map(|(header, _)| header.as_bytes()),
                hollow.map(|(_, content)| content.as_bytes()),
                record.document.as_ref().map(DocumentId::as_bytes),
                record.decided.map(|decided| decided.kind as u8),
                record.decided.map(|decided| int(decided.row)),
            ],
        )
    }

    fn drop_entry(&mut self, id: EntryId) -> Result<()> {
        self.execute(
            "DELETE FROM entry WHERE scope = ? AND replica = ? AND entry_index = ?",
            params![id.stream.scope.as_bytes(), id.stream.replica.as_bytes(), int(id.index)],
        )
    }

    fn row(&self, scope: ScopeId, sequence: u64) -> Result<Option<RowRecord>> {
        let sql = format!("{} WHERE scope = ? AND sequence = ?", read::ROW);
        self.one(&sql, params![scope.as_bytes(), int(sequence)], read::row)
    }

    fn rows_after(&self, scope: ScopeId, sequence: u64, limit: usize) -> Result<Vec<RowRecord>> {
        let sql = format!("{} WHERE scope = ? AND sequence > ? ORDER BY sequence LIMIT ?", read::ROW);
        self.all(&sql, params![scope.as_bytes(), int(sequence), int(limit as u64)], read::row)
    }

    fn rows_of(&self, id: EntryId) -> Result<Vec<RowRecord>> {
        let sql = format!("{} WHERE scope = ? AND replica = ? AND entry_index = ? ORDER BY sequence", read::ROW);
        self.all(&sql, params![id.stream.scope.as_bytes(), id.stream.replica.as_bytes(), int(id.index)], read::row)
    }

    fn put_row(&mut self, scope: ScopeId, record: &RowRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO row (scope, sequence, kind, received_at, replica, entry_index, hash, verdict)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                scope.as_bytes(),
                int(record.sequence),
                record.kind as u8,
                record.received_at.0,
                record.entry.as_ref().map(|(replica, _)| replica.as_bytes()),
                record.entry.map(|(_, index)| int(index)),
                record.hash.as_bytes(),
                record.verdict,
            ],
        )
    }

    fn drop_rows_after(&mut self, scope: ScopeId, sequence: u64) -> Result<()> {
        self.execute("DELETE FROM row WHERE scope = ? AND sequence > ?", params![scope.as_bytes(), int(sequence)])
    }

    fn orphans(&self, scope: ScopeId) -> Result<Vec<OrphanRecord>> {
        let sql = "SELECT scope, replica, entry_index, hash, header, body, document FROM orphan
                   WHERE scope = ? ORDER BY replica, entry_index, hash";
        self.all(sql, [scope.as_bytes()], read::orphan)
    }

    fn put_orphan(&mut self, record: &OrphanRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO orphan (scope, replica, entry_index, hash, header, body, document)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                record.id.stream.scope.as_bytes(),
                record.id.stream.replica.as_bytes(),
                int(record.id.index),
                record.hash.as_bytes(),
                record.header,
                record.body,
                record.document.as_bytes(),
            ],
        )
    }

    fn drop_orphan(&mut self, record: &OrphanRecord) -> Result<()> {
        let EntryId { stream, index } = record.id;
        self.execute(
            "DELETE FROM orphan WHERE scope = ? AND replica = ? AND entry_index = ? AND hash = ?",
            params![stream.scope.as_bytes(), stream.replica.as_bytes(), int(index), record.hash.as_bytes()],
        )
    }

    fn projections_of(&self, document: DocumentId) -> Result<Vec<ProjectionRecord>> {
        let sql = format!("{} WHERE document = ? ORDER BY scope", read::PROJECTION);
        self.all(&sql, [document.as_bytes()], read::projection)
    }

    fn projections(&self, kind: Kind) -> Result<Vec<ProjectionRecord>> {
        let sql = format!("{} WHERE kind = ? {}", read::PROJECTION, read::NEWEST_FIRST);
        self.all(&sql, [kind.0], read::projection)
    }

    fn projections_behind(&self, kind: Kind, behind: Option<Cursor>, limit: usize) -> Result<Vec<ProjectionRecord>> {
        let limit = int(limit as u64);
        let Some((at, document, scope)) = behind else {
            let sql = format!("{} WHERE kind = ? {} LIMIT ?", read::PROJECTION, read::NEWEST_FIRST);
            return self.all(&sql, params![kind.0, limit], read::projection);
        };
        let behind = "WHERE kind = ? AND (at, document, scope) < (?, ?, ?)";
        let sql = format!("{} {behind} {} LIMIT ?", read::PROJECTION, read::NEWEST_FIRST);
        let values = params![kind.0, at.0, document.as_bytes(), scope.as_bytes(), limit];
        self.all(&sql, values, read::projection)
    }

    fn projections_at(&self, place: DocumentId) -> Result<Vec<ProjectionRecord>> {
        let sql = format!("{} WHERE place = ? {}", read::PROJECTION, read::NEWEST_FIRST);
        self.all(&sql, [place.as_bytes()], read::projection)
    }

    fn projections_asking(&self) -> Result<Vec<ProjectionRecord>> {
        let sql = format!("{} WHERE asks {}", read::PROJECTION, read::NEWEST_FIRST);
        self.all(&sql, [], read::projection)
    }

    fn marks(&self) -> Result<Vec<MarkRecord>> {
        let sql = "SELECT place, at, document, outcome, due FROM projection WHERE place IS NOT NULL
                   ORDER BY place, at DESC, document DESC, scope DESC";
        self.all(sql, [], read::mark)
    }

    fn put_projection(&mut self, record: &ProjectionRecord) -> Result<()> {
        let Summary { place, outcome, due, asks } = &record.summary;
        self.execute(
            "INSERT OR REPLACE INTO projection (document, scope, kind, at, place, outcome, due, asks, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                record.document.as_bytes(),
                record.scope.as_bytes(),
                record.kind.0,
                record.at.0,
                place.as_ref().map(DocumentId::as_bytes),
                outcome,
                due,
                asks,
                record.body
            ],
        )
    }

    fn drop_projection(&mut self, scope: ScopeId, document: DocumentId) -> Result<()> {
        self.execute(
            "DELETE FROM projection WHERE document = ? AND scope = ?",
            params![document.as_bytes(), scope.as_bytes()],
        )
    }

    fn receipts(&self, scope: ScopeId) -> Result<Vec<ReceiptRecord>> {
        let sql = "SELECT scope, epoch, size, note FROM receipt WHERE scope = ? ORDER BY epoch, size";
        self.all(sql, [scope.as_bytes()], read::receipt)
    }

    fn put_receipt(&mut self, record: &ReceiptRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO receipt (scope, epoch, size, note) VALUES (?, ?, ?, ?)",
            params![record.scope.as_bytes(), int(record.epoch), int(record.size), record.note],
        )
    }

    fn alarms(&self) -> Result<Vec<AlarmRecord>> {
        self.all("SELECT code, scope, detail, at, count FROM alarm ORDER BY code, scope, detail", [], read::alarm)
    }

    fn put_alarm(&mut self, record: &AlarmRecord) -> Result<()> {
        let scope = record.scope.as_ref().map_or(&[][..], |scope| scope.as_bytes());
        self.execute(
            "INSERT INTO alarm (code, scope, detail, at, count) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET at = excluded.at, count = count + excluded.count",
            params![record.code.code(), scope, record.detail, record.at.0, int(record.count)],
        )
    }

    fn drafts(&self) -> Result<Vec<DraftRecord>> {
        self.all("SELECT id, at, body FROM draft ORDER BY at DESC, id", [], read::draft)
    }

    fn put_draft(&mut self, record: &DraftRecord) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO draft (id, at, body) VALUES (?, ?, ?)",
            params![record.id.as_bytes(), record.at.0, record.body],
        )
    }

    fn drop_draft(&mut self, id: Uuid) -> Result<()> {
        self.execute("DELETE FROM draft WHERE id = ?", [id.as_bytes()])
    }

    fn erase(&mut self) -> Result<()> {
        let tables = ["meta", "scope", "stream", "entry", "row", "orphan", "projection", "receipt", "alarm", "draft"];
        tables.into_iter().try_for_each(|table| self.execute(&format!("DELETE FROM {table}"), []))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    #[test]
    fn it_keeps_every_promise() {
        contract::keeps_every_promise(|| SqliteStore::open_in_memory().expect("opens"));
    }

    #[test]
    fn what_belongs_to_a_document_or_an_entry_is_found_by_index_however_long_the_log() {
        let store = SqliteStore::open_in_memory().expect("opens");
        let plan = |sql: &str| -> String {
            let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("sound");
            statement.query_row([1; 2], |row| row.get(3)).expect("a plan")
        };
        let document = format!("{} WHERE scope = ? AND document = ? ORDER BY replica, entry_index", read::ENTRY);
        assert!(plan(&document).contains("entry_document (scope=? AND document=?)"), "{}", plan(&document));
        let entry = format!("{} WHERE scope = ? AND replica = ? AND entry_index = 1 ORDER BY sequence", read::ROW);
        assert!(plan(&entry).contains("row_entry (scope=? AND replica=? AND entry_index=?)"), "{}", plan(&entry));
    }
}
