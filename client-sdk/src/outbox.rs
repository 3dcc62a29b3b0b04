//! Own words on their way: a change becomes an entry of the own stream, the stream leaves in signed frames.
//!
//! Only what is committed is ever put into a frame.

use std::collections::BTreeSet;

use aralau_sync_core::{
    change::Change,
    frame::{Frame, MAX_FRAME_BYTES, MAX_FRAME_ENTRIES, Unsigned},
    id::{DeploymentId, DocumentId, EntryHash, Kind, ScopeId, Signature},
    stream::{Entry, Header, Link, StreamId, Tip},
    time::{Millis, Monotonic},
};

use crate::{
    identity::Identity,
    local::hash_after,
    projection::project,
    store::{EntryId, EntryRecord, ScopeRecord, Store, StoreError},
};

/// Bytes of one link beyond its header and body, generously.
const LINK_OVERHEAD_BYTES: usize = 16;
/// Bytes of a frame beyond its links, generously.
const FRAME_OVERHEAD_BYTES: usize = 256;

/// When something is written, by the device's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Millis,
    pub(crate) monotonic: Monotonic,
}

/// Appends a change to the own stream, and projects its document, in the caller's transaction.
pub(crate) fn write(
    store: &mut impl Store,
    identity: &Identity,
    scope: ScopeId,
    document: DocumentId,
    kind: Kind,
    change: Change,
    moment: Moment,
) -> Result<(), StoreError> {
    let record = store.scope(scope)?.unwrap_or_else(|| ScopeRecord::new(scope));
    let header = Header {
        kind: kind.0,
        document,
        at: moment.now,
        monotonic: Some(moment.monotonic),
        seen: (record.cursor.epoch > 0).then_some(record.cursor),
        reauthored_from: None,
    };
    append(store, identity, record, Entry::new(header, change))?;
    project(store, identity, scope, document)?;
    Ok(())
}

/// Appends words of a closed install that were written anew.
pub(crate) fn write_again(
    store: &mut impl Store,
    identity: &Identity,
    scope: ScopeId,
    header: Header,
    change: Change,
    from: EntryHash,
) -> Result<(), StoreError> {
    let record = store.scope(scope)?.unwrap_or_else(|| ScopeRecord::new(scope));
    // When the words were first written, and what was seen then, stays true.
    append(store, identity, record, Entry::new(Header { reauthored_from: Some(from), ..header }, change))
}

fn append(
    store: &mut impl Store,
    identity: &Identity,
    mut record: ScopeRecord,
    entry: Entry,
) -> Result<(), StoreError> {
    let stream = StreamId { replica: identity.replica, scope: record.scope };
    let id = EntryId { stream, index: record.tip.index + 1 };
    let link = entry.to_link();
    let hash = hash_after(record.tip, id, &link);
    let document = Some(entry.header.document);
    store.put_entry(&EntryRecord { id, hash, link, document, decided: None })?;
    record.tip = Tip { index: id.index, hash };
    store.put_scope(&record)
}

/// How much one request may carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
    /// Entries in one frame.
    pub(crate) entries: usize,
}

impl Allowance {
    /// Whether another frame may follow.
    pub(crate) const fn is_open(&self) -> bool {
        self.frames > 0 && self.bytes > 0
    }

    /// Takes one frame off.
    pub(crate) fn spend(&mut self, links: &[Link]) {
        self.frames = self.frames.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(links.iter().map(link_bytes).sum());
    }
}

/// A frame on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) stream: StreamId,
    /// The stream's end after the frame's last entry with content.
    pub(crate) upto: Tip,
    /// Entries with content.
    pub(crate) entries: u64,
}

/// A frame that is about to leave.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) sent: Sent,
    pub(crate) run: Unsigned,
    /// Over the head at the run's end; `None` until this device has signed it.
    pub(crate) signature: Option<Signature>,
}

impl Outgoing {
    /// What this device has to sign before the frame can leave.
    pub(crate) fn preimage(&self, deployment: &DeploymentId) -> Option<Vec<u8>> {
        self.signature.is_none().then(|| self.run.preimage(deployment))
    }

    /// As it leaves, once it is signed.
    pub(crate) fn into_frame(self) -> Option<Frame> {
        Some(self.run.signed(self.signature?))
    }
}

/// Frames of an own stream from a point of it on, which the server has, as far as the allowance goes.
pub(crate) fn frames(
    store: &impl Store,
    stream: StreamId,
    mut before: Tip,
    allowance: &mut Allowance,
) -> Result<Vec<Outgoing>, StoreError> {
    let mut frames = Vec::new();
    while allowance.is_open() {
        let limit = allowance.entries.clamp(1, MAX_FRAME_ENTRIES);
        let entries = store.entries_after(stream, before.index, limit)?;
        let follows = |(at, entry): &(u64, &EntryRecord)| {
            entry.id.index == before.index + 1 + at && matches!(entry.link, Link::Full { .. })
        };
        let links = fitting((0..).zip(&entries).take_while(follows).map(|(_, entry)| &entry.link));
        let Some(last) = links.len().checked_sub(1).and_then(|last| entries.get(last)) else { break };
        let count = links.len() as u64;
        allowance.spend(&links);
        let run = Unsigned { stream, before, links };
        before = last.tip();
        frames.push(Outgoing { sent: Sent { stream, upto: before, entries: count }, run, signature: None });
    }
    Ok(frames)
}

/// When the oldest own entry that the server has not acknowledged was written.
pub(crate) fn oldest_unsent_at(
    store: &impl Store,
    identity: &Identity,
    scopes: &[ScopeRecord],
) -> Result<Option<Millis>, StoreError> {
    let mut oldest = None;
    for record in scopes.iter().filter(|record| record.unsent() > 0) {
        let stream = StreamId { replica: identity.replica, scope: record.scope };
        let entry = store.entry(EntryId { stream, index: record.decided.index + 1 })?;
        if let Some(Ok(entry)) = entry.and_then(|entry| entry.link.open()) {
            let at = entry.header.at;
            oldest = Some(oldest.map_or(at, |known: Millis| known.min(at)));
        }
    }
    Ok(oldest)
}

/// Documents with own entries that the server has not acknowledged, those of closed installs among them.
pub(crate) fn unsent_documents(
    store: &impl Store,
    identity: &Identity,
    scopes: &[ScopeRecord],
) -> Result<BTreeSet<(ScopeId, DocumentId)>, StoreError> {
    let mut documents = BTreeSet::new();
    for record in scopes {
        if record.unsent() > 0 {
            let stream = StreamId { replica: identity.replica, scope: record.scope };
            let entries = store.entries_after(stream, record.decided.index, usize::MAX)?;
            documents.extend(entries.into_iter().filter_map(|entry| Some((record.scope, entry.document?))));
        }
        let orphans = store.orphans(record.scope)?;
        let own = orphans.iter().filter(|orphan| identity.owns(orphan.id.stream.replica));
        documents.extend(own.map(|orphan| (record.scope, orphan.document)));
    }
    Ok(documents)
}

/// As many links as one frame may hold.
pub(crate) fn fitting<'a>(links: impl Iterator<Item = &'a Link>) -> Vec<Link> {
    let mut bytes = FRAME_OVERHEAD_BYTES;
    let fits = |link: &&Link| {
        bytes += link_bytes(link);
        bytes <= MAX_FRAME_BYTES
    };
    links.take_while(fits).cloned().collect()
}

pub(crate) fn link_bytes(link: &Link) -> usize {
    match link {
        Link::Full { header, body } => header.len() + body.len() + LINK_OVERHEAD_BYTES,
        Link::Hollow { .. } => 64 + LINK_OVERHEAD_BYTES,
    }
}
