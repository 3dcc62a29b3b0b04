//! Quarantine: entries kept apart, and what a person decides about them.

use std::collections::BTreeMap;

use aralau_sync_core::{
    digest::change_hash,
    id::{ChangeHash, DocumentId, EntryHash, PersonId, ReplicaId, ScopeId},
    log::{RowKind, Verdict},
    reconcile::{Decision, Facts, Ground, Kept, Outcome, Reason, RejectedPast, claims, release},
    stream::{Header, Tip},
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, Row, RowIndex, params};

use super::{
    StoreError, Transaction,
    apply::Applying,
    ingest,
    log::{self, NewRow, ScopeLog},
    projection,
};

/// Who released it, where an administrator's grant did.
const BY_GRANT: &str = "grant";

/// Names a held entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey {
    /// Whose stream.
    pub replica: ReplicaId,
    /// In which scope.
    pub scope: ScopeId,
    /// Index there.
    pub index: u64,
}

/// Whose word a row is, and what they said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said<'a> {
    by: Option<&'a str>,
    note: &'a str,
}

impl<'a> Said<'a> {
    /// Without a word more.
    pub const fn by(by: &'a str) -> Self {
        Self { by: Some(by), note: "" }
    }

    /// With a note for whoever reads the history; none where it is empty.
    pub const fn noting(self, note: &'a str) -> Self {
        Self { note, ..self }
    }

    /// Whose word it is, where it is somebody's.
    pub const fn of(by: Option<&'a str>) -> Self {
        Self { by, note: "" }
    }

    pub(super) fn who(self) -> Option<String> {
        self.by.map(str::to_owned)
    }

    pub(super) fn note(self) -> Option<String> {
        Some(self.note.to_owned()).filter(|note| !note.is_empty())
    }
}

/// Why a held entry stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldError {
    /// Nothing of that name is held.
    Unknown,
    /// It was released or rejected before.
    Decided,
    /// Its bytes can never become part of a document, for this reason.
    NotReleasable(Reason),
    /// It builds on an entry that was rejected, and goes in only together with that.
    OnRejected,
}

/// Notes a `held` row: an entry newly kept apart, or kept apart for another reason than before.
pub fn follow_held(
    tx: &Connection,
    held_row: i64,
    scope_no: i64,
    entry: (i64, u64),
    document: Option<DocumentId>,
    change: &ChangeHash,
    verdict: &Verdict,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO held (held_row, scope_no, stream_no, entry_index, document, change_hash, reason,
                           because_replica, because_index, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'held')
         ON CONFLICT (stream_no, entry_index) DO UPDATE SET held_row = excluded.held_row, reason = excluded.reason,
             because_replica = excluded.because_replica, because_index = excluded.because_index",
    )?
    .execute(params![
        held_row,
        scope_no,
        entry.0,
        entry.1.cast_signed(),
        document.map(|id| *id.as_bytes()),
        change.as_bytes(),
        verdict.reason.as_ref().map(Reason::code),
        verdict.because.map(|because| because.replica.0),
        verdict.because.map(|because| because.index.cast_signed()),
    ])?;
    Ok(())
}

/// As [`follow_held`], from the bytes of a log row.
pub fn follow_held_row(
    tx: &Connection,
    held_row: i64,
    scope_no: i64,
    entry: (i64, u64),
    (header, body): (&[u8], &[u8]),
    verdict: &Verdict,
) -> Result<(), StoreError> {
    let document = Header::from_bytes(header).ok().map(|header| header.document);
    follow_held(tx, held_row, scope_no, entry, document, &change_hash(body), verdict)
}

/// Notes that an entry is no longer held.
pub fn follow_judged(
    tx: &Connection,
    entry: (i64, u64),
    state: &str,
    verdict: &Verdict,
    at: Millis,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE held SET state = ?, decided_by = ?, decided_at = ?, note = ? WHERE stream_no = ? AND entry_index = ?",
    )?
    .execute(params![state, verdict.by, at.0, verdict.note, entry.0, entry.1.cast_signed()])?;
    Ok(())
}

/// Why an entry is held, from a column.
pub fn reason_in(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Reason> {
    Ok(Reason::from_code(row.get_ref(column)?.as_str()?))
}

/// A held entry's bytes and place.
pub(super) struct HeldRow {
    pub(super) stream_no: i64,
    scope_no: i64,
    tip: Tip,
    document: Option<DocumentId>,
    change: ChangeHash,
    reason: Reason,
    state: String,
    pub(super) header: Vec<u8>,
    pub(super) body: Vec<u8>,
}

pub(super) fn find(
    tx: &Transaction<'_>,
    replica: ReplicaId,
    scope: ScopeId,
    index: u64,
) -> Result<Option<HeldRow>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT held.stream_no, held.scope_no, tip_index, tip_hash, document, change_hash, reason, state, header, body
         FROM held JOIN stream USING (stream_no) JOIN scope ON scope.scope_no = held.scope_no JOIN log ON row_id = held_row
         WHERE replica = ? AND scope = ? AND held.entry_index = ?",
    )?;
    let found = statement.query_row(params![replica.as_bytes(), scope.as_bytes(), index.cast_signed()], |row| {
        Ok(HeldRow {
            stream_no: row.get(0)?,
            scope_no: row.get(1)?,
            tip: Tip { index: row.get::<_, i64>(2)?.cast_unsigned(), hash: EntryHash(row.get(3)?) },
            document: row.get::<_, Option<[u8; 16]>>(4)?.map(DocumentId::from_bytes),
            change: ChangeHash(row.get(5)?),
            reason: reason_in(row, 6)?,
            state: row.get(7)?,
            header: row.get(8)?,
            body: row.get(9)?,
        })
    });
    Ok(found.optional()?)
}

impl HeldRow {
    pub(super) fn entry_hash(&self, tx: &Transaction<'_>, index: u64) -> Result<EntryHash, StoreError> {
        ingest::entry_hash(tx, self.stream_no, self.tip, index)?
            .ok_or_else(|| StoreError::corrupt("a stream has a gap"))
    }
}

/// Lets a held entry in by a person's word, with whatever was held only because of it; `past` says whether also with what it
/// builds on and was rejected.
pub fn release_held(
    tx: &Transaction<'_>,
    key: HeldKey,
    past: RejectedPast,
    said: Said<'_>,
    now: Millis,
) -> Result<Result<usize, HoldError>, StoreError> {
    let Some(held) = find(tx, key.replica, key.scope, key.index)? else { return Ok(Err(HoldError::Unknown)) };
    if held.state != "held" {
        return Ok(Err(HoldError::Decided));
    }
    let Some(id) = held.document else { return Ok(Err(HoldError::NotReleasable(held.reason))) };
    let (mut document, loaded) = projection::load(tx, held.scope_no, id)?;
    projection::load_rejected(tx, held.scope_no, id, &mut document)?;
    let (log, ground) = (ScopeLog::load(tx, held.scope_no)?, Ground::from([(id, document)]));
    let facts = Facts { now, grace_ms: 0, seen: log::seen_times(tx, &log, claims(&ground, &[]))? };
    let plan = match release(ground, id, &held.change, past, &facts) {
        Ok(plan) => plan,
        Err(Kept::Unfit(reason)) => return Ok(Err(HoldError::NotReleasable(reason))),
        Err(Kept::OnRejected(_)) => return Ok(Err(HoldError::OnRejected)),
    };
    let is_filled = |decision: &&Decision| matches!(decision.outcome, Outcome::Filled { .. });
    let filled = plan.rows.iter().filter(is_filled).count();
    Applying { tx, log, loaded: BTreeMap::from([(id, loaded)]), arriving: None, said, now }.apply(plan)?;
    Ok(Ok(filled))
}

/// Lets in what was held only for want of a right that its author has now, as if it came after the grant.
pub fn release_granted(tx: &Transaction<'_>, person: PersonId, scope: ScopeId, now: Millis) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT replica, entry_index FROM held JOIN stream USING (stream_no) JOIN replica USING (replica)
         JOIN device USING (device) JOIN scope ON scope.scope_no = held.scope_no
         WHERE state = 'held' AND reason IN (?, ?) AND person = ? AND scope = ? AND revoked_at IS NULL ORDER BY held_row",
    )?;
    let (never, after) = (Reason::NotGranted, Reason::AfterGrant);
    let found = statement
        .query_map(params![never.code(), after.code(), person.as_bytes(), scope.as_bytes()], |row| {
            Ok(HeldKey { replica: ReplicaId(row.get(0)?), scope, index: row.get::<_, i64>(1)?.cast_unsigned() })
        })?;
    for key in found.collect::<Result<Vec<_>, _>>()? {
        // What another release has let in already, or what can never be let in, stays as it is.
        if let Err(kept) = release_held(tx, key, RejectedPast::Stays, Said::by(BY_GRANT), now)? {
            tracing::debug!(?kept, "not released by a grant");
        }
    }
    Ok(())
}

/// Refuses a held entry for good; what builds on it stays held until somebody decides about that.
pub fn reject_held(
    tx: &Transaction<'_>,
    key: HeldKey,
    said: Said<'_>,
    now: Millis,
) -> Result<Result<(), HoldError>, StoreError> {
    let Some(held) = find(tx, key.replica, key.scope, key.index)? else { return Ok(Err(HoldError::Unknown)) };
    if held.state != "held" {
        return Ok(Err(HoldError::Decided));
    }
    let mut log = ScopeLog::load(tx, held.scope_no)?;
    let verdict =
        Verdict { reason: Some(held.reason.clone()), by: said.who(), note: said.note(), ..Verdict::default() };
    let hash = held.entry_hash(tx, key.index)?;
    let entry = (held.stream_no, key.index);
    let verdict_bytes = verdict.to_bytes();
    let row = NewRow {
        kind: RowKind::Rejected,
        received_at: now,
        entry: Some(entry),
        hash,
        header: None,
        body: None,
        verdict: &verdict_bytes,
    };
    log.append(tx, &row)?;
    log.save(tx)?;
    follow_judged(tx, entry, "rejected", &verdict, now).map(Ok)
}
