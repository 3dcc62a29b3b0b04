//! What happens when this install turns out to be a restored or copied one: it goes on under a new name, with every word.
//!
//! First the current replica is closed ([`close`]): whatever of it no row has named becomes an orphan. Then the log is
//! pulled under the new name, and tells which orphans the server had after all. What is left is written anew
//! ([`settle`]): before the next edit in that scope at the latest, so that no edit builds on words that will never be sent.

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::{Change, reauthor},
    id::{Actor, DocumentId, ReplicaId, ScopeId},
    stream::{Entry, Link, StreamId, Tip},
};

use crate::{
    identity::Identity,
    local::LocalDocument,
    outbox,
    projection::project,
    store::{EntryRecord, OrphanRecord, Store, StoreError},
};

/// Closes the current replica in favour of `next`, in the caller's transaction.
pub(crate) fn close(store: &mut impl Store, identity: &Identity, next: ReplicaId) -> Result<Identity, StoreError> {
    let successor = identity.succeeded_by(next);
    successor.save(store)?;
    for mut record in store.scopes()? {
        let stream = StreamId { replica: identity.replica, scope: record.scope };
        let mut touched = Vec::new();
        for entry in store.entries_after(stream, 0, usize::MAX)? {
            if entry.decided.is_none() {
                touched.extend(entry.document);
                orphan(store, &entry)?;
            }
        }
        record.tip = Tip::default();
        record.decided = Tip::default();
        store.put_scope(&record)?;
        touched.sort_unstable();
        touched.dedup();
        for document in touched {
            project(store, &successor, record.scope, document)?;
        }
    }
    Ok(successor)
}

/// What no row has named of a stream becomes orphans: the log has gone another way.
pub(crate) fn give_up(store: &mut impl Store, stream: StreamId) -> Result<(), StoreError> {
    let entries = store.entries_after(stream, 0, usize::MAX)?;
    entries.iter().filter(|entry| entry.decided.is_none()).try_for_each(|entry| orphan(store, entry))
}

/// Takes an entry out of its stream and keeps its words.
pub(crate) fn orphan(store: &mut impl Store, entry: &EntryRecord) -> Result<(), StoreError> {
    if let (Link::Full { header, body }, Some(document)) = (&entry.link, entry.document) {
        let (header, body) = (header.clone(), body.clone());
        store.put_orphan(&OrphanRecord { id: entry.id, hash: entry.hash, header, body, document })?;
    }
    store.drop_entry(entry.id)
}

/// Whether own words of this scope wait to be carried over.
pub(crate) fn is_unsettled(store: &impl Store, identity: &Identity, scope: ScopeId) -> Result<bool, StoreError> {
    Ok(store.orphans(scope)?.iter().any(|orphan| identity.owns(orphan.id.stream.replica)))
}

/// Writes anew what of the closed replicas the log does not have. Returns how many entries could not be.
pub(crate) fn settle(store: &mut impl Store, identity: &Identity, scope: ScopeId) -> Result<usize, StoreError> {
    let mut documents = BTreeMap::<DocumentId, Vec<(OrphanRecord, Entry)>>::new();
    let mut stranded = 0;
    for orphan in store.orphans(scope)? {
        if !identity.owns(orphan.id.stream.replica) {
            continue;
        }
        let document = orphan.document;
        if store.entry(orphan.id)?.is_some_and(|entry| entry.hash == orphan.hash) {
            store.drop_orphan(&orphan)?;
            documents.entry(document).or_default();
        } else if let Ok(entry) = Entry::open(orphan.header.clone(), &orphan.body) {
            documents.entry(document).or_default().push((orphan, entry));
        } else {
            stranded += 1;
        }
    }
    for (document, orphans) in documents {
        stranded += carry_over(store, identity, scope, document, orphans)?;
        project(store, identity, scope, document)?;
    }
    Ok(stranded)
}

fn carry_over(
    store: &mut impl Store,
    identity: &Identity,
    scope: ScopeId,
    document: DocumentId,
    orphans: Vec<(OrphanRecord, Entry)>,
) -> Result<usize, StoreError> {
    let local = LocalDocument::load(store, identity, scope, document)?;
    let taken = u16::from(local.written_by(identity.replica));
    let mut generation = local.actor(identity.replica).generation.saturating_add(taken);
    let mut by_actor = BTreeMap::<Actor, Vec<(OrphanRecord, Entry)>>::new();
    for (orphan, entry) in orphans {
        by_actor.entry(entry.change.actor()).or_default().push((orphan, entry));
    }
    let (mut renamed, mut stranded) = (BTreeMap::new(), 0);
    for (from, orphans) in by_actor {
        let changes: Vec<Change> = orphans.iter().map(|(_, entry)| entry.change.clone()).collect();
        let first_op = changes.first().map_or(1, Change::start_op);
        let to = Actor { replica: identity.replica, generation };
        let Ok(written) = reauthor(&changes, from, to, first_op, &renamed) else {
            stranded += orphans.len();
            continue;
        };
        generation = generation.saturating_add(1);
        for ((orphan, entry), change) in orphans.into_iter().zip(written) {
            renamed.insert(entry.change.hash(), change.hash());
            outbox::write_again(store, identity, scope, entry.header, change, orphan.hash)?;
            store.drop_orphan(&orphan)?;
        }
    }
    Ok(stranded)
}
