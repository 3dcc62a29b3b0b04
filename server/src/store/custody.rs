//! Headquarters' own edits: entries of a replica whose key the server holds, said openly in the directory.

use aralau_sync_core::{
    change::Value,
    digest::replica_named,
    directory::Control,
    document::{AuthorError, Document},
    frame::{Frame, MAX_FRAME_BYTES, MAX_FRAME_ENTRIES, chain},
    id::{Actor, ChangeHash, DocumentId, Kind, ReplicaId, ScopeId},
    stream::{Entry, Header, Link, Seen, SignDevice as _, StreamId},
    sync::FrameFate,
    time::Millis,
    visit::VisitEdit,
};
use rusqlite::{OptionalExtension as _, params};

use super::{
    Identity, StoreError, Transaction,
    directory::{self, CUSTODY_DEVICE, HEADQUARTERS},
    ingest::{self, Upload},
    log::{self, ScopeLog},
    projection,
};

/// Why headquarters' edit was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// No such document.
    Unknown,
    /// The edit breaks a rule of documents; a stable code says which.
    Refused(String),
}

impl From<AuthorError> for EditError {
    fn from(error: AuthorError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The replica that the server writes as, made on first use in each epoch: a restored server takes a new one, as a
/// restored phone does. Under the old one it would fork what it wrote after the backup, which phones bring back.
pub(super) fn replica(tx: &Transaction<'_>, identity: &Identity, now: Millis) -> Result<ReplicaId, StoreError> {
    let name = format!("custody_replica_{}", log::current_epoch(tx)?);
    let mut find = tx.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
    if let Some(known) = find.query_row([&name], |row| row.get(0)).optional()? {
        return Ok(ReplicaId(known));
    }
    if directory::device(tx, CUSTODY_DEVICE)?.is_none() {
        introduce(tx, identity, now)?;
    }
    let replica = replica_named(&identity.custody_key.public_key(), tx.random()?);
    directory::record(tx, &Control::Replica { replica, device: CUSTODY_DEVICE }, now)?;
    tx.execute("INSERT INTO meta (name, value) VALUES (?, ?)", params![name, replica.as_bytes()])?;
    Ok(replica)
}

/// What headquarters' own hand is called in the directory.
pub const HEADQUARTERS_NAME: &str = "Headquarters";

/// Says in the directory that the server has a hand of its own.
fn introduce(tx: &Transaction<'_>, identity: &Identity, now: Millis) -> Result<(), StoreError> {
    directory::record(tx, &Control::Person { person: HEADQUARTERS, name: HEADQUARTERS_NAME.to_owned() }, now)?;
    let key = identity.custody_key.public_key();
    let device = Control::Device { device: CUSTODY_DEVICE, key, person: HEADQUARTERS, server_custody: true };
    directory::record(tx, &device, now)
}

/// Takes up again a replica of the server's own hand that a restored directory does not know, or not in this scope. The
/// caller has seen that its frames are signed with the custody key.
pub fn ensure_custody(
    tx: &Transaction<'_>,
    identity: &Identity,
    stream: StreamId,
    now: Millis,
) -> Result<(), StoreError> {
    if log::scope_no(tx, stream.scope)?.is_none() {
        return Ok(());
    }
    if directory::device(tx, CUSTODY_DEVICE)?.is_none() {
        introduce(tx, identity, now)?;
    }
    if directory::device_of_replica(tx, stream.replica)?.is_none() {
        directory::record(tx, &Control::Replica { replica: stream.replica, device: CUSTODY_DEVICE }, now)?;
    }
    directory::grant(tx, HEADQUARTERS, stream.scope, now)
}

/// What headquarters puts to one document, as one change.
#[derive(Debug, Clone)]
pub struct Edit {
    /// What it is, should it not exist yet.
    pub kind: Kind,
    /// Which.
    pub id: DocumentId,
    /// Each key and its value.
    pub puts: Vec<(String, Value)>,
}

/// Writes headquarters' puts to one document, as one change, through the same door as everybody's. `by` stands in the
/// row's verdict: who asked for it.
pub fn author(
    tx: &Transaction<'_>,
    identity: &Identity,
    scope_no: i64,
    (kind, id): (Kind, DocumentId),
    puts: &[(String, Value)],
    by: Option<&str>,
    now: Millis,
) -> Result<Result<Option<ChangeHash>, EditError>, StoreError> {
    let hand = Hand::in_scope(tx, identity, scope_no, now)?;
    let edit = Edit { kind, id, puts: puts.to_vec() };
    let entry = match hand.entry(&edit)? {
        Ok(Some(entry)) => entry,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let hash = entry.change.hash();
    Ok(hand.send(vec![entry.to_link()], by)?.map(|()| Some(hash)))
}

/// As [`author`], for many documents of one scope, each once. Many changes share a frame and its signature. `progress` hears
/// how many edits are written. After a refusal some are written: the transaction must not be kept.
pub fn author_all(
    tx: &Transaction<'_>,
    identity: &Identity,
    scope_no: i64,
    edits: &[Edit],
    by: Option<&str>,
    now: Millis,
    progress: &dyn Fn(usize),
) -> Result<Result<(), EditError>, StoreError> {
    let mut written = 0;
    for edits in edits.chunks(MAX_FRAME_ENTRIES) {
        let hand = Hand::in_scope(tx, identity, scope_no, now)?;
        let (mut links, mut bytes) = (Vec::with_capacity(edits.len()), 0);
        for edit in edits {
            let entry = match hand.entry(edit)? {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => return Ok(Err(error)),
            };
            let link = entry.to_link();
            if let Link::Full { header, body } = &link {
                bytes += header.len() + body.len();
            }
            links.push(link);
            if bytes > FRAME_FULL_BYTES {
                bytes = 0;
                if let Err(error) = hand.send(std::mem::take(&mut links), by)? {
                    return Ok(Err(error));
                }
            }
        }
        if let Err(error) = hand.send(links, by)? {
            return Ok(Err(error));
        }
        written += edits.len();
        progress(written);
    }
    Ok(Ok(()))
}

/// A frame is sent off once it holds so many bytes: the largest entry still fits in.
const FRAME_FULL_BYTES: usize = MAX_FRAME_BYTES / 2;

/// Headquarters' own hand in one scope.
struct Hand<'a> {
    tx: &'a Transaction<'a>,
    identity: &'a Identity,
    scope_no: i64,
    stream: StreamId,
    seen: Seen,
    now: Millis,
}

impl<'a> Hand<'a> {
    fn in_scope(
        tx: &'a Transaction<'a>,
        identity: &'a Identity,
        scope_no: i64,
        now: Millis,
    ) -> Result<Self, StoreError> {
        let replica = replica(tx, identity, now)?;
        let log = ScopeLog::load(tx, scope_no)?;
        directory::grant(tx, HEADQUARTERS, log.scope, now)?;
        let seen = Seen { epoch: log::current_epoch(tx)?, sequence: log.frontier.size() };
        Ok(Self { tx, identity, scope_no, stream: StreamId { replica, scope: log.scope }, seen, now })
    }

    /// The entry that an edit becomes; `None` where it changes nothing.
    fn entry(&self, edit: &Edit) -> Result<Result<Option<Entry>, EditError>, StoreError> {
        let actor = Actor { replica: self.stream.replica, generation: 0 };
        let change = match projection::document_no(self.tx, self.scope_no, edit.id)? {
            None => Document::begin(actor, &edit.puts).map(Some),
            Some(_) => projection::load(self.tx, self.scope_no, edit.id)?.0.document.author(actor, &edit.puts),
        };
        let change = match change {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error.into())),
        };
        let header = Header {
            kind: edit.kind.0,
            document: edit.id,
            at: self.now,
            monotonic: None,
            seen: Some(self.seen),
            reauthored_from: None,
        };
        Ok(Ok(Some(Entry::new(header, change))))
    }

    /// Signs the entries as one frame and takes it in.
    fn send(&self, links: Vec<Link>, by: Option<&str>) -> Result<Result<(), EditError>, StoreError> {
        if links.is_empty() {
            return Ok(Ok(()));
        }
        let (stream, identity) = (self.stream, self.identity);
        let before = ingest::tip(self.tx, self.scope_no, stream.replica)?;
        let frame = Frame::sign(&identity.deployment, stream, before, links, &identity.custody_key);
        let tips = chain(&stream, before, &frame.links);
        let upload = Upload { frame, tips, by: by.map(str::to_owned), brought_by: None };
        let ingested = ingest::ingest(self.tx, &upload, self.now)?;
        Ok(match (ingested.fate, ingested.held.into_iter().next()) {
            (FrameFate::Decided { .. }, None) => Ok(()),
            (_, held) => {
                Err(EditError::Refused(held.map_or("refused".to_owned(), |(_, reason)| reason.code().to_owned())))
            }
        })
    }
}

/// Settles a field by headquarters' word: a change like any other, covering every concurrent value.
pub fn resolve_visit(
    tx: &Transaction<'_>,
    identity: &Identity,
    (scope, id): (ScopeId, DocumentId),
    field: &str,
    value: Value,
    by: &str,
    now: Millis,
) -> Result<Result<Option<ChangeHash>, EditError>, StoreError> {
    let Some(scope_no) = log::scope_no(tx, scope)? else { return Ok(Err(EditError::Unknown)) };
    if projection::document_no(tx, scope_no, id)?.is_none() {
        return Ok(Err(EditError::Unknown));
    }
    let put = VisitEdit::Set { field: field.to_owned(), value }.put();
    author(tx, identity, scope_no, (Kind::VISIT, id), &[put], Some(by), now)
}
