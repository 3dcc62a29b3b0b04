//! The server began a new epoch from an older backup: go back to what both still share, and keep everything else.
//!
//! Rows above the shared ones are forgotten, for they will be numbered anew. The entries stay: own ones are unsent again,
//! others' are offered up to the head their author signed.

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    id::{DocumentId, ReplicaId, ScopeId},
    log::row_leaf,
    merkle::Frontier,
    stream::{StreamId, Tip},
};

use crate::store::{Decided, EntryId, ScopeRecord, Store, StoreError};

/// Rows read at a time.
const BATCH_ROWS: usize = 4096;

/// Goes back to the first `to` rows, in the caller's transaction. Returns the documents whose entries this touches.
pub(crate) fn rewind(
    store: &mut impl Store,
    replica: ReplicaId,
    record: &mut ScopeRecord,
    to: u64,
) -> Result<BTreeSet<DocumentId>, StoreError> {
    let scope = record.scope;
    let dropped = store.rows_after(scope, to, usize::MAX)?;
    store.drop_rows_after(scope, to)?;
    let entries: BTreeSet<_> = dropped.into_iter().filter_map(|row| row.entry).collect();
    let (mut touched, mut first_lost) = (BTreeSet::new(), BTreeMap::new());
    for (replica, index) in entries {
        let id = EntryId { stream: StreamId { replica, scope }, index };
        let Some(mut entry) = store.entry(id)? else { continue };
        let last = store.rows_of(id)?.pop();
        entry.decided = last.map(|row| Decided { kind: row.kind, row: row.sequence });
        if entry.decided.is_none() {
            first_lost.entry(replica).or_insert(index);
        }
        store.put_entry(&entry)?;
        touched.extend(entry.document);
    }
    for (author, index) in first_lost {
        shorten(store, scope, author, index - 1, author != replica)?;
    }
    record.frontier = frontier(store, scope, to)?;
    record.cursor.sequence = to;
    record.verified = record.verified.min(to);
    record.backed_up = record.backed_up.min(to);
    Ok(touched)
}

/// The stream now ends at `index`. What its author signed beyond that can be offered.
fn shorten(
    store: &mut impl Store,
    scope: ScopeId,
    replica: ReplicaId,
    index: u64,
    offered: bool,
) -> Result<(), StoreError> {
    let Some(mut stream) = store.streams(scope)?.into_iter().find(|stream| stream.replica == replica) else {
        return Ok(());
    };
    let last = store.entry(EntryId { stream: StreamId { replica, scope }, index })?;
    stream.tip = last.map_or(Tip::default(), |entry| entry.tip());
    if let Some(head) = stream.head.take_if(|head| head.tip.index > index) {
        let newest = stream.offer.is_none_or(|offer| offer.tip.index < head.tip.index);
        stream.offer = if newest && offered { Some(head) } else { stream.offer };
    }
    store.put_stream(scope, &stream)
}

/// The tree over the first `size` rows, made anew from them.
pub(crate) fn frontier(store: &impl Store, scope: ScopeId, size: u64) -> Result<Frontier, StoreError> {
    let mut frontier = Frontier::default();
    while frontier.size() < size {
        let rows = store.rows_after(scope, frontier.size(), BATCH_ROWS)?;
        if rows.first().is_none_or(|row| row.sequence != frontier.size() + 1) {
            return Err(StoreError::corrupt("a row of the log is missing"));
        }
        for row in rows.iter().take_while(|row| row.sequence <= size) {
            frontier.push(row_leaf(row.kind, row.received_at, &row.hash, &row.verdict));
        }
    }
    Ok(frontier)
}
