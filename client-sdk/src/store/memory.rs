//! A store in memory, for tests.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    ops::{Deref, RangeBounds},
};

use aralau_sync_core::{
    id::{DocumentId, Kind, ReplicaId, ScopeId},
    stream::StreamId,
};
use uuid::Uuid;

use super::{
    Cursor, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord, Result,
    RowRecord, ScopeRecord, Store, StreamRecord, Summary,
};
use crate::alarm::AlarmRecord;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    meta: Table<Key, Vec<u8>>,
    scopes: Table<ScopeId, ScopeRecord>,
    streams: Table<(ScopeId, ReplicaId), StreamRecord>,
    entries: Table<EntryId, EntryRecord>,
    documents: Table<(ScopeId, DocumentId, EntryId), ()>,
    rows: Table<(ScopeId, u64), RowRecord>,
    rows_of: Table<(EntryId, u64), ()>,
    orphans: Table<(EntryId, Vec<u8>), OrphanRecord>,
    projections: Table<(DocumentId, ScopeId), ProjectionRecord>,
    receipts: Table<(ScopeId, u64, u64), ReceiptRecord>,
    /// By the code's text, as every store lists them.
    alarms: Table<(&'static str, Option<ScopeId>, String), AlarmRecord>,
    drafts: Table<Uuid, DraftRecord>,
    in_transaction: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn each_table(&mut self, work: impl FnMut(&mut dyn Journaled)) {
        let Self {
            meta,
            scopes,
            streams,
            entries,
            documents,
            rows,
            rows_of,
            orphans,
            projections,
            receipts,
            alarms,
            drafts,
            in_transaction: _,
        } = self;
        let tables: [&mut dyn Journaled; 12] =
            [meta, scopes, streams, entries, documents, rows, rows_of, orphans, projections, receipts, alarms, drafts];
        tables.into_iter().for_each(work);
    }

    fn take_row(&mut self, scope: ScopeId, sequence: u64) {
        if let Some(RowRecord { entry: Some((replica, index)), .. }) = self.rows.take(&(scope, sequence)) {
            self.rows_of.take(&(entry_id(scope, replica, index), sequence));
        }
    }

    fn newest_first(&self, which: impl Fn(&ProjectionRecord) -> bool) -> Vec<ProjectionRecord> {
        let mut found: Vec<_> = self.projections.values().filter(|record| which(record)).cloned().collect();
        found.sort_by_key(|record| Reverse(cursor_of(record)));
        found
    }

    fn settle(&mut self) {
        if !self.in_transaction {
            self.each_table(|table| table.keep());
        }
    }
}

/// A map that can take back what was done since it was last kept.
#[derive(Clone, Debug)]
struct Table<K, V> {
    map: BTreeMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), undo: Vec::new() }
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;
    fn deref(&self) -> &BTreeMap<K, V> {
        &self.map
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    fn put(&mut self, key: K, value: V) {
        let before = self.map.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    fn take(&mut self, key: &K) -> Option<V> {
        let before = self.map.remove(key)?;
        self.undo.push((key.clone(), Some(before.clone())));
        Some(before)
    }

    fn values_in(&self, range: impl RangeBounds<K>) -> Vec<V> {
        self.map.range(range).map(|(_, value)| value.clone()).collect()
    }
}

trait Journaled {
    fn keep(&mut self);
    fn undo(&mut self);
    fn clear(&mut self);
}

impl<K: Ord + Clone, V: Clone> Journaled for Table<K, V> {
    fn keep(&mut self) {
        self.undo.clear();
    }

    fn undo(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => drop(self.map.insert(key, value)),
                None => drop(self.map.remove(&key)),
            }
        }
    }

    fn clear(&mut self) {
        self.undo.extend(std::mem::take(&mut self.map).into_iter().map(|(key, value)| (key, Some(value))));
    }
}

const FIRST_REPLICA: ReplicaId = ReplicaId([0; 14]);
const LAST_REPLICA: ReplicaId = ReplicaId([0xff; 14]);

const fn cursor_of(record: &ProjectionRecord) -> Cursor {
    (record.at, record.document, record.scope)
}

const fn entry_id(scope: ScopeId, replica: ReplicaId, index: u64) -> EntryId {
    EntryId { stream: StreamId { replica, scope }, index }
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<()> {
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.in_transaction = false;
        self.settle();
        Ok(())
    }

    fn rollback(&mut self) {
        self.in_transaction = false;
        self.each_table(|table| table.undo());
    }

    fn meta(&self, key: Key) -> Result<Option<Vec<u8>>> {
        Ok(self.meta.get(&key).cloned())
    }

    fn set_meta(&mut self, key: Key, value: &[u8]) -> Result<()> {
        self.meta.put(key, value.to_vec());
        self.settle();
        Ok(())
    }

    fn scope(&self, scope: ScopeId) -> Result<Option<ScopeRecord>> {
        Ok(self.scopes.get(&scope).cloned())
    }

    fn scopes(&self) -> Result<Vec<ScopeRecord>> {
        Ok(self.scopes.values().cloned().collect())
    }

    fn put_scope(&mut self, record: &ScopeRecord) -> Result<()> {
        self.scopes.put(record.scope, record.clone());
        self.settle();
        Ok(())
    }

    fn streams(&self, scope: ScopeId) -> Result<Vec<StreamRecord>> {
        Ok(self.streams.values_in((scope, FIRST_REPLICA)..=(scope, LAST_REPLICA)))
    }

    fn put_stream(&mut self, scope: ScopeId, record: &StreamRecord) -> Result<()> {
        self.streams.put((scope, record.replica), record.clone());
        self.settle();
        Ok(())
    }

    fn entry(&self, id: EntryId) -> Result<Option<EntryRecord>> {
        Ok(self.entries.get(&id).cloned())
    }

    fn entries_after(&self, stream: StreamId, index: u64, limit: usize) -> Result<Vec<EntryRecord>> {
        let from = EntryId { stream, index: index.saturating_add(1) };
        let range = self.entries.range(from..=EntryId { stream, index: u64::MAX });
        Ok(range.take(limit).map(|(_, entry)| entry.clone()).collect())
    }

    fn entries_of(&self, scope: ScopeId, document: DocumentId) -> Result<Vec<EntryRecord>> {
        let from = (scope, document, entry_id(scope, FIRST_REPLICA, 0));
        let to = (scope, document, entry_id(scope, LAST_REPLICA, u64::MAX));
        let ids = self.documents.range(from..=to).map(|((_, _, id), ())| id);
        Ok(ids.filter_map(|id| self.entries.get(id).cloned()).collect())
    }

    fn put_entry(&mut self, record: &EntryRecord) -> Result<()> {
        self.drop_entry(record.id)?;
        if let Some(document) = record.document {
            self.documents.put((record.id.stream.scope, document, record.id), ());
        }
        self.entries.put(record.id, record.clone());
        self.settle();
        Ok(())
    }

    fn drop_entry(&mut self, id: EntryId) -> Result<()> {
        if let Some(EntryRecord { document: Some(document), .. }) = self.entries.take(&id) {
            self.documents.take(&(id.stream.scope, document, id));
        }
        self.settle();
        Ok(())
    }

    fn row(&self, scope: ScopeId, sequence: u64) -> Result<Option<RowRecord>> {
        Ok(self.rows.get(&(scope, sequence)).cloned())
    }

    fn rows_after(&self, scope: ScopeId, sequence: u64, limit: usize) -> Result<Vec<RowRecord>> {
        let range = self.rows.range((scope, sequence.saturating_add(1))..=(scope, u64::MAX));
        Ok(range.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn rows_of(&self, id: EntryId) -> Result<Vec<RowRecord>> {
        let sequences = self.rows_of.range((id, 0)..=(id, u64::MAX));
        let rows = sequences.filter_map(|((_, sequence), ())| self.rows.get(&(id.stream.scope, *sequence)));
        Ok(rows.cloned().collect())
    }

    fn put_row(&mut self, scope: ScopeId, record: &RowRecord) -> Result<()> {
        self.take_row(scope, record.sequence);
        if let Some((replica, index)) = record.entry {
            self.rows_of.put((entry_id(scope, replica, index), record.sequence), ());
        }
        self.rows.put((scope, record.sequence), record.clone());
        self.settle();
        Ok(())
    }

    fn drop_rows_after(&mut self, scope: ScopeId, sequence: u64) -> Result<()> {
        for row in self.rows_after(scope, sequence, usize::MAX)? {
            self.take_row(scope, row.sequence);
        }
        self.settle();
        Ok(())
    }

    fn orphans(&self, scope: ScopeId) -> Result<Vec<OrphanRecord>> {
        let from = (entry_id(scope, FIRST_REPLICA, 0), Vec::new());
        let range = self.orphans.range(from..).map(|(_, orphan)| orphan);
        let mut orphans: Vec<_> = range.filter(|orphan| orphan.id.stream.scope == scope).cloned().collect();
        orphans.sort_by_key(|orphan| (orphan.id, orphan.hash));
        Ok(orphans)
    }

    fn put_orphan(&mut self, record: &OrphanRecord) -> Result<()> {
        self.orphans.put((record.id, record.hash.0.to_vec()), record.clone());
        self.settle();
        Ok(())
    }

    fn drop_orphan(&mut self, record: &OrphanRecord) -> Result<()> {
        self.orphans.take(&(record.id, record.hash.0.to_vec()));
        self.settle();
        Ok(())
    }

    fn projections_of(&self, document: DocumentId) -> Result<Vec<ProjectionRecord>> {
        let range = self.projections.range((document, ScopeId::from_bytes([0; 16]))..);
        Ok(range.take_while(|((id, _), _)| *id == document).map(|(_, record)| record.clone()).collect())
    }

    fn projections(&self, kind: Kind) -> Result<Vec<ProjectionRecord>> {
        Ok(self.newest_first(|record| record.kind == kind))
    }

    fn projections_behind(&self, kind: Kind, behind: Option<Cursor>, limit: usize) -> Result<Vec<ProjectionRecord>> {
        let is_behind = |record: &ProjectionRecord| behind.is_none_or(|behind| cursor_of(record) < behind);
        let mut found = self.newest_first(|record| record.kind == kind && is_behind(record));
        found.truncate(limit);
        Ok(found)
    }

    fn projections_at(&self, place: DocumentId) -> Result<Vec<ProjectionRecord>> {
        Ok(self.newest_first(|record| record.summary.place == Some(place)))
    }

    fn projections_asking(&self) -> Result<Vec<ProjectionRecord>> {
        Ok(self.newest_first(|record| record.summary.asks))
    }

    fn marks(&self) -> Result<Vec<MarkRecord>> {
        let mark = |ProjectionRecord { at, document, summary, .. }| {
            let Summary { place, outcome, due, asks: _ } = summary;
            Some(MarkRecord { place: place?, at, document, outcome, due })
        };
        let mut marks: Vec<_> = self.newest_first(|_| true).into_iter().filter_map(mark).collect();
        marks.sort_by_key(|mark| mark.place);
        Ok(marks)
    }

    fn put_projection(&mut self, record: &ProjectionRecord) -> Result<()> {
        self.projections.put((record.document, record.scope), record.clone());
        self.settle();
        Ok(())
    }

    fn drop_projection(&mut self, scope: ScopeId, document: DocumentId) -> Result<()> {
        self.projections.take(&(document, scope));
        self.settle();
        Ok(())
    }

    fn receipts(&self, scope: ScopeId) -> Result<Vec<ReceiptRecord>> {
        Ok(self.receipts.values_in((scope, 0, 0)..=(scope, u64::MAX, u64::MAX)))
    }

    fn put_receipt(&mut self, record: &ReceiptRecord) -> Result<()> {
        self.receipts.put((record.scope, record.epoch, record.size), record.clone());
        self.settle();
        Ok(())
    }

    fn alarms(&self) -> Result<Vec<AlarmRecord>> {
        Ok(self.alarms.values().cloned().collect())
    }

    fn put_alarm(&mut self, record: &AlarmRecord) -> Result<()> {
        let key = (record.code.code(), record.scope, record.detail.clone());
        let count = self.alarms.get(&key).map_or(0, |known| known.count) + record.count;
        self.alarms.put(key, AlarmRecord { count, ..record.clone() });
        self.settle();
        Ok(())
    }

    fn drafts(&self) -> Result<Vec<DraftRecord>> {
        let mut drafts: Vec<_> = self.drafts.values().cloned().collect();
        drafts.sort_by_key(|draft| (Reverse(draft.at), draft.id));
        Ok(drafts)
    }

    fn put_draft(&mut self, record: &DraftRecord) -> Result<()> {
        self.drafts.put(record.id, record.clone());
        self.settle();
        Ok(())
    }

    fn drop_draft(&mut self, id: Uuid) -> Result<()> {
        self.drafts.take(&id);
        self.settle();
        Ok(())
    }

    fn erase(&mut self) -> Result<()> {
        self.each_table(|table| table.clear());
        self.settle();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::store::{Store as _, contract};

    #[test]
    fn it_keeps_every_promise() {
        contract::keeps_every_promise(MemoryStore::new);
    }

    #[test]
    fn whatever_is_done_agrees_with_the_model() {
        contract::agrees_with_the_model(MemoryStore::new, |mut store| {
            // What a process that ends leaves of a transaction that it had not ended.
            store.rollback();
            store
        });
    }
}
