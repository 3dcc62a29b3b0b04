//! Bringing back to a restored server what it has lost of others, under the heads their authors signed.
//!
//! A frame must end exactly at a signed head, of which the device keeps one per stream. So each frame carries content for
//! what comes next and bare hashes for the rest of the way to the head; the server takes in as far as there is content.

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    frame::{MAX_FRAME_BYTES, MAX_FRAME_ENTRIES, MAX_FRAME_LINKS, Unsigned},
    id::{ReplicaId, ScopeId},
    stream::{Head, Link, StreamId, Tip},
    sync::MAX_INTRODUCTIONS,
};
use minicbor::bytes::ByteVec;

use crate::{
    identity::Identity,
    outbox::{self, Allowance, Outgoing, Sent, link_bytes},
    store::{EntryId, EntryRecord, Key, Store, StoreError},
};

/// Bytes of a frame beyond its links, generously.
const FRAME_OVERHEAD_BYTES: usize = 256;

/// How far this session has brought each stream; `u64::MAX` where the server does not want it.
pub(crate) type Offered = BTreeMap<StreamId, u64>;

/// Scope, replica and index in [`Key::Returned`].
const RETURNED_BYTES: usize = 16 + ReplicaId::LEN + 8;

/// What has been brought back to scopes that are not asked about: their rows do not come, and nothing else would tell that
/// it need not be offered again.
pub(crate) fn returned(store: &impl Store) -> Result<Offered, StoreError> {
    let bytes = store.meta(Key::Returned)?.unwrap_or_default();
    let corrupt = || StoreError::corrupt("what was brought back");
    let parse = |bytes: &[u8]| {
        let (scope, rest) = bytes.split_first_chunk::<16>()?;
        let (replica, index) = rest.split_first_chunk::<{ ReplicaId::LEN }>()?;
        let stream = StreamId { replica: ReplicaId(*replica), scope: ScopeId::from_bytes(*scope) };
        Some((stream, u64::from_be_bytes(index.try_into().ok()?)))
    };
    bytes.chunks(RETURNED_BYTES).map(|bytes| parse(bytes).ok_or_else(corrupt)).collect()
}

/// Keeps it.
pub(crate) fn keep_returned(store: &mut impl Store, returned: &Offered) -> Result<(), StoreError> {
    let encode = |(stream, index): (&StreamId, &u64)| {
        [&stream.scope.as_bytes()[..], stream.replica.as_bytes(), &index.to_be_bytes()].concat()
    };
    store.set_meta(Key::Returned, &returned.iter().flat_map(encode).collect::<Vec<_>>())
}

/// What the server once said of the authors of these streams; some may never have been introduced.
pub(crate) fn introductions(
    store: &impl Store,
    unknown: &BTreeSet<StreamId>,
) -> Result<Option<Vec<ByteVec>>, StoreError> {
    let mut introductions = Vec::new();
    for scope in unknown.iter().map(|stream| stream.scope).collect::<BTreeSet<_>>() {
        let streams = store.streams(scope)?.into_iter();
        let asked = streams.filter(|stream| unknown.contains(&StreamId { replica: stream.replica, scope }));
        introductions.extend(asked.filter_map(|stream| stream.introduction).map(ByteVec::from));
    }
    introductions.truncate(MAX_INTRODUCTIONS);
    Ok(Some(introductions).filter(|introductions| !introductions.is_empty()))
}

/// What can be offered in a scope, as far as the allowance goes. Under names that are closed this device wrote itself: what a
/// restored server has lost of them it signs anew.
pub(crate) fn frames(
    store: &impl Store,
    identity: &Identity,
    scope: ScopeId,
    offered: &Offered,
    allowance: &mut Allowance,
) -> Result<Vec<Outgoing>, StoreError> {
    let mut frames = Vec::new();
    for stream in store.streams(scope)?.into_iter().filter(|stream| stream.replica != identity.replica) {
        let named = StreamId { replica: stream.replica, scope };
        let mut from = offered.get(&named).copied().unwrap_or(0).max(stream.tip.index);
        if identity.owns(stream.replica) {
            if let Some(before) = point(store, named, from)? {
                frames.extend(outbox::frames(store, named, before, allowance)?);
            }
            continue;
        }
        let Some(head) = stream.offer else { continue };
        while allowance.is_open()
            && let Some(frame) = next_frame(store, named, head, from, allowance.entries)?
        {
            allowance.spend(&frame.run.links);
            from = frame.sent.upto.index;
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn next_frame(
    store: &impl Store,
    stream: StreamId,
    head: Head,
    from: u64,
    max_full: usize,
) -> Result<Option<Outgoing>, StoreError> {
    if from >= head.tip.index {
        return Ok(None);
    }
    let way = usize::try_from(head.tip.index - from).unwrap_or(usize::MAX);
    let entries = store.entries_after(stream, from, way.min(MAX_FRAME_LINKS))?;
    let reaches = entries.last().is_some_and(|last| last.tip() == head.tip);
    let (true, Some(before)) = (reaches, point(store, stream, from)?) else { return Ok(None) };
    let Some((links, full)) = links(&entries, max_full.clamp(1, MAX_FRAME_ENTRIES)) else { return Ok(None) };
    let Some(upto) = full.checked_sub(1).and_then(|last| entries.get(last)).map(EntryRecord::tip) else {
        return Ok(None);
    };
    let run = Unsigned { stream, before, links };
    let sent = Sent { stream, upto, entries: full as u64 };
    Ok(Some(Outgoing { sent, run, signature: Some(head.signature) }))
}

/// A stream's end were it to end there.
fn point(store: &impl Store, stream: StreamId, index: u64) -> Result<Option<Tip>, StoreError> {
    match index {
        0 => Ok(Some(Tip::default())),
        _ => Ok(store.entry(EntryId { stream, index })?.map(|entry| entry.tip())),
    }
}

/// The links to the head, the first ones with content, and how many those are; `None` if even hashes are too many.
fn links(entries: &[EntryRecord], max_full: usize) -> Option<(Vec<Link>, usize)> {
    let hollow: Vec<Link> = entries.iter().map(|entry| hollow(&entry.link)).collect();
    let mut bytes = FRAME_OVERHEAD_BYTES + hollow.iter().map(link_bytes).sum::<usize>();
    if bytes > MAX_FRAME_BYTES {
        return None;
    }
    let fits = |(entry, hollow): &(&EntryRecord, &Link)| {
        bytes = bytes + link_bytes(&entry.link) - link_bytes(hollow);
        matches!(entry.link, Link::Full { .. }) && bytes <= MAX_FRAME_BYTES
    };
    let full = entries.iter().zip(&hollow).take(max_full).take_while(fits).count();
    let rest = hollow.into_iter().skip(full);
    Some((entries.iter().take(full).map(|entry| entry.link.clone()).chain(rest).collect(), full))
}

fn hollow(link: &Link) -> Link {
    let (header, content) = link.hashes();
    Link::Hollow { header, content }
}
