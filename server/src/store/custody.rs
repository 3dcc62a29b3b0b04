//! Headquarters' own edits: entries of a replica whose key the server holds, said openly in the directory.

use aralau_sync_core::{
    change::Value,
    digest::replica_named,
    directory::Control,
    document::AuthorError,
    frame::Frame,
    id::{Actor, ChangeHash, DocumentId, Kind, ReplicaId, ScopeId},
    stream::{Entry, Header, Seen, SignDevice as _, StreamId},
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
fn replica(tx: &Transaction<'_>, identity: &Identity, now: Millis) -> Result<ReplicaId, StoreError> {
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

/// Says in the directory that the server has a hand of its own.
fn introduce(tx: &Transaction<'_>, identity: &Identity, now: Millis) -> Result<(), StoreError> {
    directory::record(tx, &Control::Person { person: HEADQUARTERS, name: "Headquarters".to_owned() }, now)?;
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
    let replica = replica(tx, identity, now)?;
    let log = ScopeLog::load(tx, scope_no)?;
    directory::grant(tx, HEADQUARTERS, log.scope, now)?;
    let (ground, _) = projection::load(tx, scope_no, id)?;
    let change = match ground.document.author(Actor { replica, generation: 0 }, puts) {
        Ok(Some(change)) => change,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error.into())),
    };
    let hash = change.hash();
    let seen = Seen { epoch: log::current_epoch(tx)?, sequence: log.frontier.size() };
    let header =
        Header { kind: kind.0, document: id, at: now, monotonic: None, seen: Some(seen), reauthored_from: None };
    let stream = StreamId { replica, scope: log.scope };
    let before = ingest::tip(tx, scope_no, replica)?;
    let links = vec![Entry::new(header, change).to_link()];
    let frame = Frame::sign(&identity.deployment, stream, before, links, &identity.custody_key);
    let tips = aralau_sync_core::frame::chain(&stream, before, &frame.links);
    let ingested = ingest::ingest(tx, &Upload { frame, tips, by: by.map(str::to_owned), brought_by: None }, now)?;
    match (ingested.fate, ingested.held.into_iter().next()) {
        (FrameFate::Decided { .. }, None) => Ok(Ok(Some(hash))),
        (_, held) => Ok(Err(EditError::Refused(held.map_or("refused".to_owned(), |(_, reason)| reason)))),
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
