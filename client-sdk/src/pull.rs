//! What one scope gained, believed only after it adds up, and stored as one transaction with the cursor.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use aralau_sync_core::{
    epoch::{Epoch, follow, shared_point},
    id::{DeploymentId, DocumentId, EntryHash, PublicKey, ReplicaId, ScopeId, ServerKey},
    log::control_hash,
    reason::Reason,
    receipt::{Receipt, ReceiptError},
    stream::{Link, Seen, StreamId, Tip},
    sync::{Alarm, Content, Gained, Intake, MAX_SCOPES, StreamIntro, StreamState, Taken},
};

use crate::{
    alarm::AlarmCode,
    identity::Identity,
    keys::Verifier,
    local::document_of,
    projection::project,
    rewind::rewind,
    store::{Decided, EntryId, EntryRecord, ReceiptRecord, RowRecord, ScopeRecord, Store, StoreError, StreamRecord},
    succession::orphan,
};

/// What is needed to judge an answer.
pub(crate) struct Judge<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) deployment: DeploymentId,
    pub(crate) server_key: ServerKey,
    pub(crate) device_key: PublicKey,
    /// As the answer's welcome lists them.
    pub(crate) epochs: &'a [Epoch],
    /// The server has been shown the receipts that this device could hold against it.
    pub(crate) is_shown: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Pulled {
    /// Everything is in the store.
    Took(Took),
    /// The server has another history of this replica: nothing was taken.
    Forked,
}

/// What was taken.
#[derive(Debug, Default)]
pub(crate) struct Took {
    pub(crate) rows: u64,
    /// Rows about entries of other installs.
    pub(crate) entries: u64,
    pub(crate) rewound: bool,
    /// The server has fewer of the own entries than it once said, and no receipt bears witness to them.
    pub(crate) unwitnessed_loss: bool,
    /// An epoch carried over other rows than this device had.
    pub(crate) other_base: bool,
    /// Outcomes of this upload that were not "accepted": index and reason.
    pub(crate) held: Vec<(u64, Reason)>,
    pub(crate) touched: BTreeSet<DocumentId>,
    pub(crate) unsound: usize,
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Alarm(AlarmCode),
}

impl From<Alarm> for PullError {
    fn from(alarm: Alarm) -> Self {
        Self::Alarm(alarm.into())
    }
}

/// Takes in what a scope gained, in the caller's transaction.
pub(crate) fn pull(store: &mut impl Store, judge: &Judge<'_>, gained: &Gained) -> Result<Pulled, PullError> {
    let scope = gained.scope;
    let mut record = store.scope(scope)?.unwrap_or_else(|| ScopeRecord::new(scope));
    let receipt = judge.open_receipt(gained)?;
    let mut took = Took { held: receipt.held.clone(), ..Took::default() };
    let shared = judge.shared_with(&record, gained)?;
    let stream = StreamId { replica: judge.identity.replica, scope };
    // Before anything is changed: what a fork is answered with begins at what is here.
    if !is_own(store, stream, record.tip, gained.decided)? {
        return Ok(Pulled::Forked);
    }
    let shared = judge.go_back(store, &mut record, shared, &mut took)?;
    if !took.rewound && gained.epoch == record.cursor.epoch && gained.decided.index < record.decided.index {
        if !judge.is_shown && holds_receipts(store)? {
            return Err(PullError::Alarm(AlarmCode::ServerLost));
        }
        // The fate of a frame is not signed: after an older database was put back, only this phone knows of it. The
        // words are sent again, which is harmless if the server has them after all.
        took.unwitnessed_loss = true;
    }
    if shared.epoch != record.cursor.epoch {
        return go_back_to(store, judge, record, shared, gained, took).map(Pulled::Took);
    }
    let streams = store.streams(scope)?;
    let (intake, taken) = judge.take(store, &record, &streams, gained, &receipt)?;
    for row in &taken {
        took.touched.extend(keep(store, scope, row)?);
    }
    keep_streams(store, gained, streams, &intake)?;
    record.cursor = Seen { epoch: gained.epoch, sequence: intake.frontier.size() };
    if receipt.size == intake.frontier.size() {
        record.verified = receipt.size;
    }
    record.backed_up = receipt.backed_up_upto.min(receipt.size);
    record.frontier = intake.frontier;
    record.decided = gained.decided;
    follow(&mut record.followed, shared, scope, judge.epochs);
    store.put_scope(&record)?;
    let note = gained.receipt.clone();
    store.put_receipt(&ReceiptRecord { scope, epoch: receipt.epoch, size: receipt.size, note })?;
    for document in &took.touched {
        took.unsound += project(store, judge.identity, scope, *document)?;
    }
    took.rows = taken.len() as u64;
    let own = judge.identity.replica;
    took.entries = taken.iter().filter(|row| row.entry.is_some_and(|(replica, ..)| replica != own)).count() as u64;
    Ok(Pulled::Took(took))
}

/// The answer does not begin where its history and this device's part: from there rows are asked for next.
fn go_back_to(
    store: &mut impl Store,
    judge: &Judge<'_>,
    mut record: ScopeRecord,
    shared: Seen,
    gained: &Gained,
    mut took: Took,
) -> Result<Took, PullError> {
    record.followed.retain(|followed| followed.epoch <= shared.epoch);
    record.cursor = shared;
    record.decided = gained.decided;
    store.put_scope(&record)?;
    for document in &took.touched {
        took.unsound += project(store, judge.identity, record.scope, *document)?;
    }
    Ok(took)
}

/// Whether this device could prove anything to the server.
pub(crate) fn holds_receipts(store: &impl Store) -> Result<bool, StoreError> {
    for record in store.scopes()?.iter().take(MAX_SCOPES) {
        if !store.receipts(record.scope)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the server's end of the own stream is a point of it.
pub(crate) fn is_own(store: &impl Store, stream: StreamId, own: Tip, server: Tip) -> Result<bool, StoreError> {
    if server.index == 0 || server == own {
        return Ok(true);
    }
    let entry = store.entry(EntryId { stream, index: server.index })?;
    Ok(entry.is_some_and(|entry| entry.hash == server.hash))
}

impl Judge<'_> {
    fn open_receipt(&self, gained: &Gained) -> Result<Receipt, PullError> {
        let opened = Receipt::open(&gained.receipt, &self.server_key, &Verifier);
        let receipt = opened.map_err(|error| match error {
            ReceiptError::Malformed => PullError::Alarm(AlarmCode::Receipt),
            ReceiptError::Signature => PullError::Alarm(AlarmCode::ReceiptSignature),
        })?;
        let decided = (gained.decided.index > 0).then_some((self.identity.replica, gained.decided.index));
        let same_stream = decided.is_none() || receipt.decided == decided;
        if receipt.epoch == gained.epoch && same_stream {
            Ok(receipt)
        } else {
            Err(PullError::Alarm(AlarmCode::Receipt))
        }
    }

    /// What both histories share, where the server's answer must start. It is in an earlier epoch than the cursor where the
    /// server's history knows nothing of the cursor's.
    fn shared_with(&self, record: &ScopeRecord, gained: &Gained) -> Result<Seen, PullError> {
        // Not the highest that this device knows of: the epochs of another branch of the history may count higher.
        let newest = self.epochs.last().map_or(record.cursor.epoch, |epoch| epoch.number);
        if gained.epoch != newest {
            return Err(PullError::Alarm(AlarmCode::Epoch));
        }
        let shared = shared_point(record.cursor, &record.followed, record.scope, self.epochs);
        if shared.epoch == record.cursor.epoch && gained.from < shared.sequence {
            return Err(PullError::Alarm(AlarmCode::ServerLost));
        }
        Ok(shared)
    }

    /// Rewinds to there, or to the beginning: an epoch says what the rows before it come to, and where these are others,
    /// somebody had put an older database back before that epoch's backup was restored. Nothing tells how far both go
    /// together.
    fn go_back(
        &self,
        store: &mut impl Store,
        record: &mut ScopeRecord,
        shared: Seen,
        took: &mut Took,
    ) -> Result<Seen, PullError> {
        if shared.sequence >= record.cursor.sequence {
            return Ok(shared);
        }
        took.touched = rewind(store, self.identity.replica, record, shared.sequence)?;
        took.rewound = true;
        if self.is_base(record, shared.epoch) {
            return Ok(shared);
        }
        if !self.is_shown && holds_receipts(store)? {
            return Err(PullError::Alarm(AlarmCode::Root));
        }
        took.other_base = true;
        took.touched.extend(rewind(store, self.identity.replica, record, 0)?);
        Ok(Seen::default())
    }

    /// Whether the epochs that made this device rewind carried over the rows that it has left.
    fn is_base(&self, record: &ScopeRecord, after: u64) -> bool {
        let bases = self.epochs.iter().filter(|epoch| epoch.number > after).flat_map(|epoch| &epoch.bases);
        let mut same = bases.filter(|base| base.scope == record.scope && base.size == record.frontier.size());
        same.all(|base| base.root == record.frontier.root())
    }

    fn take(
        &self,
        store: &impl Store,
        record: &ScopeRecord,
        streams: &[StreamRecord],
        gained: &Gained,
        receipt: &Receipt,
    ) -> Result<(Intake, Vec<Taken>), PullError> {
        let own = |intro: &&StreamIntro| intro.replica == self.identity.replica;
        if gained.streams.iter().filter(own).any(|intro| intro.key != self.device_key) {
            return Err(PullError::Alarm(AlarmCode::Key));
        }
        let state = |stream: &StreamRecord| StreamState { key: stream.key, tip: stream.tip, head: stream.head };
        let mut intake = Intake {
            deployment: self.deployment,
            scope: record.scope,
            frontier: record.frontier.clone(),
            streams: streams.iter().map(|stream| (stream.replica, state(stream))).collect(),
        };
        let failed = RefCell::new(None);
        let known = |replica, index| hash_of(store, record, replica, index, &failed);
        let taken = intake.take(gained, receipt, &Verifier, known);
        match failed.into_inner() {
            Some(error) => Err(PullError::Store(error)),
            None => Ok((intake, taken?)),
        }
    }
}

fn hash_of(
    store: &impl Store,
    record: &ScopeRecord,
    replica: ReplicaId,
    index: u64,
    failed: &RefCell<Option<StoreError>>,
) -> Option<EntryHash> {
    let id = EntryId { stream: StreamId { replica, scope: record.scope }, index };
    match store.entry(id) {
        Ok(entry) => entry.map(|entry| entry.hash),
        Err(error) => {
            failed.replace(Some(error));
            None
        }
    }
}

/// Stores a row and what it brings. Returns the documents it touches.
fn keep(store: &mut impl Store, scope: ScopeId, taken: &Taken) -> Result<Vec<DocumentId>, PullError> {
    let Taken { sequence, kind, received_at, entry, verdict_bytes, content, .. } = taken;
    let control = || match content {
        Content::Control(payload) => control_hash(&scope, payload),
        Content::Known | Content::Link(_) => EntryHash([0; 32]),
    };
    store.put_row(
        scope,
        &RowRecord {
            sequence: *sequence,
            kind: *kind,
            received_at: *received_at,
            entry: entry.map(|(replica, index, _)| (replica, index)),
            hash: entry.map_or_else(control, |(_, _, hash)| hash),
            verdict: verdict_bytes.clone(),
        },
    )?;
    let Some((replica, index, hash)) = *entry else { return Ok(Vec::new()) };
    let id = EntryId { stream: StreamId { replica, scope }, index };
    let mut touched = Vec::new();
    let before = match store.entry(id)? {
        Some(other) if other.hash != hash => {
            touched = displace(store, id)?;
            None
        }
        before => before,
    };
    let link = match (content, before) {
        (Content::Link(link @ Link::Full { .. }), _) | (Content::Link(link), None) => link.clone(),
        (Content::Link(Link::Hollow { .. }) | Content::Known, Some(before)) => before.link,
        (Content::Known | Content::Control(_), _) => return Err(PullError::Alarm(AlarmCode::UnknownEntry)),
    };
    let document = document_of(&link);
    touched.extend(document);
    let decided = Some(Decided { kind: *kind, row: *sequence });
    store.put_entry(&EntryRecord { id, hash, link, document, decided })?;
    Ok(touched)
}

/// The log has something else under this name: what was kept here from before the epoch, and all that follows it, leaves
/// the stream, and its words stay.
fn displace(store: &mut impl Store, id: EntryId) -> Result<Vec<DocumentId>, StoreError> {
    let stale = store.entries_after(id.stream, id.index - 1, usize::MAX)?;
    let mut touched = Vec::new();
    for entry in stale.iter().filter(|entry| entry.decided.is_none()) {
        touched.extend(entry.document);
        orphan(store, entry)?;
    }
    Ok(touched)
}

fn keep_streams(
    store: &mut impl Store,
    gained: &Gained,
    before: Vec<StreamRecord>,
    intake: &Intake,
) -> Result<(), StoreError> {
    let named: BTreeMap<_, _> = gained.streams.iter().map(|intro| (intro.replica, intro)).collect();
    let mut before: BTreeMap<_, _> = before.into_iter().map(|stream| (stream.replica, stream)).collect();
    for (replica, intro) in named {
        let Some(state) = intake.streams.get(&replica) else { continue };
        let known = before.remove(&replica);
        let (offer, introduction) = known.map_or((None, None), |known| (known.offer, known.introduction));
        let record = StreamRecord {
            replica,
            key: state.key,
            person: intro.person.clone(),
            tip: state.tip,
            head: state.head,
            offer: offer.filter(|offer| offer.tip.index > state.tip.index),
            introduction: intro.introduction.clone().or(introduction),
        };
        store.put_stream(gained.scope, &record)?;
    }
    Ok(())
}
