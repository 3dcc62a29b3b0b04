//! The device's own store: one trait, one contract, every implementation.
//!
//! What it holds, per scope: the **entries** (own and others', with or without content), the **rows** of the server's log,
//! the **streams**, the **cursor** with the Merkle frontier, **orphans** (words of a closed install that wait to be carried
//! over), and the **projections**, which follow from the entries and can always be made anew. Beside them **drafts**, which are
//! nobody's but this device's until they are logged.
//!
//! Callers write between [`Store::begin`] and [`Store::commit`]: an edit, its entry and its projection are there together
//! or not at all. [`transaction`] sees to it.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;
mod record;
mod sqlite;

use aralau_sync_core::{
    id::{DocumentId, Kind, ScopeId},
    stream::StreamId,
};

use uuid::Uuid;

pub use memory::MemoryStore;
pub use record::{
    Cursor, Decided, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord,
    RowRecord, ScopeRecord, StreamRecord, Summary,
};
#[cfg(target_arch = "wasm32")]
pub use sqlite::OpfsFolder;
pub use sqlite::SqliteStore;

use crate::{action::Action, alarm::AlarmRecord};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Busy, out of space, not permitted. Nothing was changed; try again.
    #[error("the device's store is unavailable: {0}")]
    Unavailable(String),
    /// Another process has it open.
    #[error("another process is using this device's store")]
    InUse,
    /// What it holds contradicts itself.
    #[error("the device's store is damaged: {0}")]
    Corrupt(String),
    /// Written by a newer version of the app.
    #[error("the device's store was written by a newer version of the app (schema {found}, this app knows {known})")]
    Newer {
        /// Schema of the file.
        found: i64,
        /// Newest schema of this build.
        known: i64,
    },
}

impl StoreError {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::InUse => "store_in_use",
            Self::Corrupt(_) => "store_corrupt",
            Self::Newer { .. } => "store_newer",
        }
    }

    /// What helps.
    pub const fn action(&self) -> Action {
        match self {
            Self::Unavailable(_) | Self::InUse => Action::Retry,
            Self::Corrupt(_) => Action::Report,
            Self::Newer { .. } => Action::Update,
        }
    }

    pub(crate) fn corrupt(what: &str) -> Self {
        Self::Corrupt(what.to_owned())
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// See the module. Reads within a transaction see its writes.
pub trait Store {
    /// Begins a transaction. They do not nest.
    fn begin(&mut self) -> Result<()>;
    /// Makes everything since [`begin`](Self::begin) durable, as one.
    fn commit(&mut self) -> Result<()>;
    /// Forgets everything since [`begin`](Self::begin).
    fn rollback(&mut self);

    /// One of the few things that there is one of.
    fn meta(&self, key: Key) -> Result<Option<Vec<u8>>>;
    /// Sets it.
    fn set_meta(&mut self, key: Key, value: &[u8]) -> Result<()>;

    /// Where the device stands in a scope.
    fn scope(&self, scope: ScopeId) -> Result<Option<ScopeRecord>>;
    /// All scopes, by id.
    fn scopes(&self) -> Result<Vec<ScopeRecord>>;
    /// Inserts or replaces.
    fn put_scope(&mut self, record: &ScopeRecord) -> Result<()>;

    /// The streams of a scope, by replica.
    fn streams(&self, scope: ScopeId) -> Result<Vec<StreamRecord>>;
    /// Inserts or replaces.
    fn put_stream(&mut self, scope: ScopeId, record: &StreamRecord) -> Result<()>;

    /// One entry.
    fn entry(&self, id: EntryId) -> Result<Option<EntryRecord>>;
    /// A stream's entries behind an index, ascending, at most `limit`.
    fn entries_after(&self, stream: StreamId, index: u64, limit: usize) -> Result<Vec<EntryRecord>>;
    /// Every entry known to belong to a document, by replica and index.
    fn entries_of(&self, scope: ScopeId, document: DocumentId) -> Result<Vec<EntryRecord>>;
    /// Inserts or replaces.
    fn put_entry(&mut self, record: &EntryRecord) -> Result<()>;
    /// Removes one entry.
    fn drop_entry(&mut self, id: EntryId) -> Result<()>;

    /// One row.
    fn row(&self, scope: ScopeId, sequence: u64) -> Result<Option<RowRecord>>;
    /// The rows of a scope behind a sequence, ascending, at most `limit`.
    fn rows_after(&self, scope: ScopeId, sequence: u64, limit: usize) -> Result<Vec<RowRecord>>;
    /// The rows about one entry, ascending.
    fn rows_of(&self, id: EntryId) -> Result<Vec<RowRecord>>;
    /// Inserts or replaces.
    fn put_row(&mut self, scope: ScopeId, record: &RowRecord) -> Result<()>;
    /// Removes the rows behind a sequence.
    fn drop_rows_after(&mut self, scope: ScopeId, sequence: u64) -> Result<()>;

    /// The orphans of a scope, by replica and index.
    fn orphans(&self, scope: ScopeId) -> Result<Vec<OrphanRecord>>;
    /// Inserts or replaces.
    fn put_orphan(&mut self, record: &OrphanRecord) -> Result<()>;
    /// Removes one.
    fn drop_orphan(&mut self, record: &OrphanRecord) -> Result<()>;

    /// What a document comes to, in every scope that has one of this id.
    fn projections_of(&self, document: DocumentId) -> Result<Vec<ProjectionRecord>>;
    /// All documents of one kind, the newest first.
    fn projections(&self, kind: Kind) -> Result<Vec<ProjectionRecord>>;
    /// At most `limit` of them, behind a point of that order.
    fn projections_behind(&self, kind: Kind, behind: Option<Cursor>, limit: usize) -> Result<Vec<ProjectionRecord>>;
    /// Visits that count at a place, the newest first.
    fn projections_at(&self, place: DocumentId) -> Result<Vec<ProjectionRecord>>;
    /// Documents that somebody has to look at, the newest first.
    fn projections_asking(&self) -> Result<Vec<ProjectionRecord>>;
    /// Every visit that counts, by place, the newest of each first.
    fn marks(&self) -> Result<Vec<MarkRecord>>;
    /// Inserts or replaces.
    fn put_projection(&mut self, record: &ProjectionRecord) -> Result<()>;
    /// Removes what there is about a document that no longer has content.
    fn drop_projection(&mut self, scope: ScopeId, document: DocumentId) -> Result<()>;

    /// The receipts kept for a scope, oldest first.
    fn receipts(&self, scope: ScopeId) -> Result<Vec<ReceiptRecord>>;
    /// Inserts or replaces the receipt of that epoch and size.
    fn put_receipt(&mut self, record: &ReceiptRecord) -> Result<()>;

    /// The alarms kept, by code.
    fn alarms(&self) -> Result<Vec<AlarmRecord>>;
    /// Inserts, or counts up one of the same code, scope and detail.
    fn put_alarm(&mut self, record: &AlarmRecord) -> Result<()>;

    /// Visits that are being written down, the last one written to first.
    fn drafts(&self) -> Result<Vec<DraftRecord>>;
    /// Inserts or replaces.
    fn put_draft(&mut self, record: &DraftRecord) -> Result<()>;
    /// Removes one.
    fn drop_draft(&mut self, id: Uuid) -> Result<()>;

    /// Forgets everything.
    fn erase(&mut self) -> Result<()>;
}

/// Runs `work` as one transaction: committed if it succeeds, forgotten if it fails.
pub fn transaction<S: Store + ?Sized, T, E: From<StoreError>>(
    store: &mut S,
    work: impl FnOnce(&mut S) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    store.begin()?;
    match work(store) {
        Ok(value) => match store.commit() {
            Ok(()) => Ok(value),
            Err(error) => {
                store.rollback();
                Err(error.into())
            }
        },
        Err(error) => {
            store.rollback();
            Err(error)
        }
    }
}
