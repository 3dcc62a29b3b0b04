//! A phone's store that dies at a given call: nothing after it works until the store is opened again from its files.

use std::{cell::Cell, rc::Rc};

use aralau_client_sdk::{
    DocumentId, ScopeId,
    alarm::AlarmRecord,
    store::{
        Cursor, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord,
        RowRecord, ScopeRecord, SqliteStore, Store, StoreError, StreamRecord,
    },
};
use aralau_sync_core::{id::Kind, stream::StreamId};
use uuid::Uuid;

type Result<T> = std::result::Result<T, StoreError>;

/// Calls left until the store dies; none: it lives.
#[derive(Debug, Clone, Default)]
pub struct Fuse(Rc<Cell<Option<u32>>>);

impl Fuse {
    /// The store dies at the call after so many.
    pub fn light(&self, calls: u32) {
        self.0.set(Some(calls));
    }

    /// It will not die after all. Whether it is dead already.
    pub fn put_out(&self) -> bool {
        self.0.replace(None) == Some(0)
    }

    fn burn(&self) -> Result<()> {
        match self.0.get() {
            None => Ok(()),
            Some(0) => Err(StoreError::Unavailable("the battery is empty".to_owned())),
            Some(left) => {
                self.0.set(Some(left - 1));
                Ok(())
            }
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Fragile {
    store: SqliteStore,
    fuse: Fuse,
}

impl Fragile {
    /// Around the real store.
    pub fn new(store: SqliteStore, fuse: Fuse) -> Self {
        Self { store, fuse }
    }
}

macro_rules! pass_on {
    (
        reads { $($read:ident($($name:ident: $kind:ty),*) -> $out:ty;)* }
        writes { $($write:ident($($of:ident: $like:ty),*);)* }
    ) => {
        $(fn $read(&self, $($name: $kind),*) -> Result<$out> {
            self.fuse.burn()?;
            self.store.$read($($name),*)
        })*
        $(fn $write(&mut self, $($of: $like),*) -> Result<()> {
            self.fuse.burn()?;
            self.store.$write($($of),*)
        })*
    };
}

impl Store for Fragile {
    fn rollback(&mut self) {
        // Where the phone is dead, closing the file does it.
        if self.fuse.0.get() != Some(0) {
            self.store.rollback();
        }
    }

    pass_on! {
        reads {
        meta(key: Key) -> Option<Vec<u8>>;
        scope(scope: ScopeId) -> Option<ScopeRecord>;
        scopes() -> Vec<ScopeRecord>;
        streams(scope: ScopeId) -> Vec<StreamRecord>;
        entry(id: EntryId) -> Option<EntryRecord>;
        entries_after(stream: StreamId, index: u64, limit: usize) -> Vec<EntryRecord>;
        entries_of(scope: ScopeId, document: DocumentId) -> Vec<EntryRecord>;
        row(scope: ScopeId, sequence: u64) -> Option<RowRecord>;
        rows_after(scope: ScopeId, sequence: u64, limit: usize) -> Vec<RowRecord>;
        rows_of(id: EntryId) -> Vec<RowRecord>;
        orphans(scope: ScopeId) -> Vec<OrphanRecord>;
        projections_of(document: DocumentId) -> Vec<ProjectionRecord>;
        projections(kind: Kind) -> Vec<ProjectionRecord>;
        projections_behind(kind: Kind, behind: Option<Cursor>, limit: usize) -> Vec<ProjectionRecord>;
        projections_at(place: DocumentId) -> Vec<ProjectionRecord>;
        projections_asking() -> Vec<ProjectionRecord>;
        marks() -> Vec<MarkRecord>;
        receipts(scope: ScopeId) -> Vec<ReceiptRecord>;
        alarms() -> Vec<AlarmRecord>;
        drafts() -> Vec<DraftRecord>;
        }
        writes {
        begin();
        commit();
        set_meta(key: Key, value: &[u8]);
        put_scope(record: &ScopeRecord);
        put_stream(scope: ScopeId, record: &StreamRecord);
        put_entry(record: &EntryRecord);
        drop_entry(id: EntryId);
        put_row(scope: ScopeId, record: &RowRecord);
        drop_rows_after(scope: ScopeId, sequence: u64);
        put_orphan(record: &OrphanRecord);
        drop_orphan(record: &OrphanRecord);
        put_projection(record: &ProjectionRecord);
        drop_projection(scope: ScopeId, document: DocumentId);
        put_receipt(record: &ReceiptRecord);
        put_alarm(record: &AlarmRecord);
        put_draft(record: &DraftRecord);
        drop_draft(id: Uuid);
        erase();
        }
    }
}
