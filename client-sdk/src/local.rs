//! A document as this device sees it: what the log accepted, then whatever waits to be sent and does not build on
//! something held. Held words stand apart.

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    document::Document,
    id::{Actor, ChangeHash, DocumentId, EntryHash, Kind, ReplicaId, ScopeId},
    log::{RowKind, Verdict},
    reading::Reading,
    stream::{Entry, Header, Link, Tip},
    time::Millis,
};

use crate::{
    identity::Identity,
    store::{EntryId, EntryRecord, OrphanRecord, ScopeRecord, Store, StoreError},
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct LocalDocument {
    /// From the first entry that counts.
    pub(crate) kind: Option<Kind>,
    /// The visible changes.
    pub(crate) document: Document,
    /// By each author's clock.
    pub(crate) times: BTreeMap<ChangeHash, Millis>,
    /// The visible changes' entries, in the order applied.
    pub(crate) placed: Vec<Placed>,
    /// Own words that are not part of the document.
    pub(crate) apart: Vec<Apart>,
    /// How far headquarters has it.
    pub(crate) mark: Mark,
    /// Changes that the server accepted and that do not fit: never with an honest server.
    pub(crate) unsound: usize,
    generation: u16,
}

/// A visible change's entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) change: ChangeHash,
    /// The row that accepted it.
    pub(crate) row: Option<u64>,
}

/// Own words that are not part of the document.
#[derive(Debug)]
pub(crate) struct Apart {
    pub(crate) entry: Entry,
    /// Stable code: the server's, or `because` for what builds on something held and is still here.
    pub(crate) reason: String,
    /// What a person said about it.
    pub(crate) note: Option<String>,
    /// The row that holds it; `None` while it has not been sent.
    pub(crate) row: Option<u64>,
}

/// What the state of a document follows from, together with where its scope stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Highest index of the current replica's entries that no row names yet; `u64::MAX` for words that are in no stream
    /// of the server's.
    pub(crate) pending: Option<u64>,
    /// The last row about an own entry.
    pub(crate) row: Option<u64>,
}

/// Where a document is, as far as its scope's record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    Phone,
    Received,
    Headquarters,
}

impl Mark {
    pub(crate) fn whereabouts(self, scope: &ScopeRecord) -> Whereabouts {
        match self {
            Self { pending: Some(index), .. } if index > scope.decided.index => Whereabouts::Phone,
            Self { pending: Some(_), .. } => Whereabouts::Received,
            Self { row: Some(row), .. } if row > scope.verified => Whereabouts::Received,
            Self { .. } => Whereabouts::Headquarters,
        }
    }
}

impl LocalDocument {
    pub(crate) fn load(
        store: &impl Store,
        identity: &Identity,
        scope: ScopeId,
        document: DocumentId,
    ) -> Result<Self, StoreError> {
        let mut local = Self::default();
        let (mut accepted, mut pending) = (Vec::new(), Vec::new());
        for record in store.entries_of(scope, document)? {
            local.note(identity, &record);
            match record.decided {
                Some(decided) if matches!(decided.kind, RowKind::Accepted | RowKind::Filled) => {
                    accepted.push((decided.row, record));
                }
                Some(decided) => local.set_apart(store, identity, &record, decided.row)?,
                None => pending.push(Pending::of_entry(&record)),
            }
        }
        accepted.sort_by_key(|(row, _)| *row);
        for (row, record) in accepted {
            local.accept(row, &record);
        }
        let orphans = store.orphans(scope)?.into_iter().filter(|orphan| orphan.document == document);
        let orphans = orphans.filter(|orphan| identity.owns(orphan.id.stream.replica));
        pending.extend(orphans.map(|orphan| {
            local.mark.pending = Some(u64::MAX);
            Pending::of_orphan(&orphan)
        }));
        local.place_pending(identity, pending.into_iter().flatten().collect());
        local.find_generation(identity.replica);
        Ok(local)
    }

    /// What the visible changes come to.
    pub(crate) fn reading(&self) -> Reading {
        Reading::of_document(&self.document, |change| self.times.get(change).copied().unwrap_or_default())
    }

    /// Under which this device writes next: never one whose numbers a held branch has used.
    pub(crate) fn actor(&self, replica: ReplicaId) -> Actor {
        Actor { replica, generation: self.generation }
    }

    /// Whether this device has written about this document under its current name.
    pub(crate) fn written_by(&self, replica: ReplicaId) -> bool {
        let mut actors = self.document.changes().iter().map(|change| change.actor());
        actors.any(|actor| actor.replica == replica)
            || self.apart.iter().any(|apart| apart.entry.change.actor().replica == replica)
    }

    fn note(&mut self, identity: &Identity, record: &EntryRecord) {
        let replica = record.id.stream.replica;
        match record.decided {
            Some(decided) if identity.owns(replica) => self.mark.row = self.mark.row.max(Some(decided.row)),
            Some(_) => {}
            None => {
                // Another's words that the restored server has lost are, for all this device knows, only here.
                let index = if replica == identity.replica { record.id.index } else { u64::MAX };
                self.mark.pending = self.mark.pending.max(Some(index));
            }
        }
    }

    fn accept(&mut self, row: u64, record: &EntryRecord) {
        let Some(Ok(entry)) = record.link.open() else {
            // Hollow: erased. What builds on it cannot be shown either.
            return;
        };
        let honest = entry.change.actor().replica == record.id.stream.replica;
        if !honest || self.document.check(&entry.change).is_err() {
            self.unsound += 1;
            return;
        }
        self.place(Some(row), &entry);
    }

    fn place(&mut self, row: Option<u64>, entry: &Entry) {
        self.kind.get_or_insert(entry.header.kind());
        self.times.insert(entry.change.hash(), entry.header.at);
        self.placed.push(Placed { change: entry.change.hash(), row });
        self.document.apply(entry.change.clone());
    }

    fn set_apart(
        &mut self,
        store: &impl Store,
        identity: &Identity,
        record: &EntryRecord,
        row: u64,
    ) -> Result<(), StoreError> {
        let (true, Some(Ok(entry))) = (identity.owns(record.id.stream.replica), record.link.open()) else {
            return Ok(());
        };
        let rows = store.row(record.id.stream.scope, row)?;
        let verdict = rows.and_then(|row| Some((row.kind, cbor::decode::<Verdict>(&row.verdict).ok()?)));
        let (kind, verdict) = verdict.ok_or_else(|| StoreError::corrupt("a held entry without its row"))?;
        let reason = match kind {
            RowKind::Rejected => "rejected".to_owned(),
            RowKind::Accepted | RowKind::Held | RowKind::Filled | RowKind::Control => {
                verdict.reason.map_or_else(String::new, |reason| reason.code().to_owned())
            }
        };
        self.apart.push(Apart { entry, reason, note: verdict.note, row: Some(row) });
        Ok(())
    }

    /// Each goes in once its past is there; what never gets there builds on something held.
    fn place_pending(&mut self, identity: &Identity, mut pending: Vec<Pending>) {
        loop {
            let before = pending.len();
            pending.retain(|waiting| {
                let fits = self.document.check(&waiting.entry.change).is_ok();
                if fits {
                    self.place(None, &waiting.entry);
                }
                !fits && !self.document.has(&waiting.entry.change.hash())
            });
            if pending.len() == before {
                break;
            }
        }
        let own = pending.into_iter().filter(|waiting| identity.owns(waiting.id.stream.replica));
        self.apart.extend(own.map(|Pending { entry, .. }| Apart {
            entry,
            reason: "because".to_owned(),
            note: None,
            row: None,
        }));
        self.apart
            .sort_by_key(|apart| (apart.entry.header.at, apart.entry.change.actor(), apart.entry.change.sequence()));
    }

    fn find_generation(&mut self, replica: ReplicaId) {
        let own = |actor: Actor| (actor.replica == replica).then_some(actor.generation);
        let visible = self.document.changes().iter().filter_map(|change| own(change.actor())).max();
        let apart = self.apart.iter().filter_map(|apart| own(apart.entry.change.actor())).max();
        // Beyond 65,535 held branches the last generation is reused and the server holds the edit: lossless still.
        self.generation = visible.unwrap_or(0).max(apart.map_or(0, |generation| generation.saturating_add(1)));
    }
}

struct Pending {
    id: EntryId,
    entry: Entry,
}

impl Pending {
    fn of_entry(record: &EntryRecord) -> Option<Self> {
        Some(Self { id: record.id, entry: record.link.open()?.ok()? })
    }

    fn of_orphan(orphan: &OrphanRecord) -> Option<Self> {
        Some(Self { id: orphan.id, entry: Entry::open(orphan.header.clone(), &orphan.body).ok()? })
    }
}

/// The document that a link's header names, as far as it can be read.
pub(crate) fn document_of(link: &Link) -> Option<DocumentId> {
    match link {
        Link::Full { header, .. } => Some(Header::from_bytes(header).ok()?.document),
        Link::Hollow { .. } => None,
    }
}

/// The entry's hash, if it follows `before`.
pub(crate) fn hash_after(before: Tip, id: EntryId, link: &Link) -> EntryHash {
    let (header, content) = link.hashes();
    before.extend(&id.stream, &header, &content).hash
}
