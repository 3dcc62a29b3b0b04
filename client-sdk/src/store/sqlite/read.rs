//! Rows of the tables, read back into records.

use aralau_sync_core::{
    cbor,
    id::{ContentHash, DocumentId, EntryHash, HeaderHash, Kind, PublicKey, ReplicaId, ScopeId},
    log::RowKind,
    stream::{Link, Seen, StreamId, Tip},
    time::Millis,
};
use rusqlite::{OptionalExtension as _, Params, Row};
use uuid::Uuid;

use super::{
    DraftRecord, EntryId, EntryRecord, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord, Result, RowRecord,
    ScopeRecord, SqliteStore, StoreError, StreamRecord, Summary,
};
use crate::{
    alarm::{AlarmCode, AlarmRecord},
    store::Decided,
};

pub(super) const SCOPE: &str = "SELECT scope, granted, epoch, sequence, frontier, verified, backed_up,
    tip, tip_hash, decided, decided_hash, followed FROM scope";
pub(super) const ENTRY: &str = "SELECT scope, replica, entry_index, hash, header, body, header_hash, content_hash,
    document, decided_kind, decided_row FROM entry";
pub(super) const ROW: &str = "SELECT sequence, kind, received_at, replica, entry_index, hash, verdict FROM row";
pub(super) const PROJECTION: &str = "SELECT scope, document, kind, at, place, outcome, due, asks, body FROM projection";
pub(super) const NEWEST_FIRST: &str = "ORDER BY at DESC, document DESC, scope DESC";

impl SqliteStore {
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(values, |row| Ok(read(row))).optional()?.transpose()
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

fn number(row: &Row<'_>, at: usize) -> Result<u64> {
    u64::try_from(row.get::<_, i64>(at)?).map_err(|_| StoreError::corrupt("a negative number"))
}

fn tip(row: &Row<'_>, at: usize) -> Result<Tip> {
    Ok(Tip { index: number(row, at)?, hash: EntryHash(row.get(at + 1)?) })
}

fn scope_id(row: &Row<'_>, at: usize) -> Result<ScopeId> {
    Ok(ScopeId::from_bytes(row.get(at)?))
}

fn entry_id(row: &Row<'_>) -> Result<EntryId> {
    let stream = StreamId { scope: scope_id(row, 0)?, replica: ReplicaId(row.get(1)?) };
    Ok(EntryId { stream, index: number(row, 2)? })
}

fn kind(number: u8) -> Result<RowKind> {
    RowKind::from_number(number).ok_or_else(|| StoreError::corrupt("a row's kind"))
}

fn item<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> Result<T> {
    cbor::decode(bytes).map_err(|_| StoreError::corrupt("an encoded item"))
}

pub(super) fn scope(row: &Row<'_>) -> Result<ScopeRecord> {
    Ok(ScopeRecord {
        scope: scope_id(row, 0)?,
        granted: row.get(1)?,
        cursor: Seen { epoch: number(row, 2)?, sequence: number(row, 3)? },
        frontier: item(&row.get::<_, Vec<u8>>(4)?)?,
        verified: number(row, 5)?,
        backed_up: number(row, 6)?,
        tip: tip(row, 7)?,
        decided: tip(row, 9)?,
        followed: item(&row.get::<_, Vec<u8>>(11)?)?,
    })
}

pub(super) fn stream(row: &Row<'_>) -> Result<StreamRecord> {
    let head = |at| row.get::<_, Option<Vec<u8>>>(at)?.map(|bytes| item(&bytes)).transpose();
    Ok(StreamRecord {
        replica: ReplicaId(row.get(0)?),
        key: PublicKey(row.get(1)?),
        person: row.get(2)?,
        tip: tip(row, 3)?,
        head: head(5)?,
        offer: head(6)?,
        introduction: row.get(7)?,
    })
}

pub(super) fn entry(row: &Row<'_>) -> Result<EntryRecord> {
    let link = match (row.get(4)?, row.get(5)?) {
        (Some(header), Some(body)) => Link::Full { header, body },
        _ => Link::Hollow { header: HeaderHash(row.get(6)?), content: ContentHash(row.get(7)?) },
    };
    let decided = match row.get::<_, Option<u8>>(9)? {
        Some(number_of_kind) => Some(Decided { kind: kind(number_of_kind)?, row: number(row, 10)? }),
        None => None,
    };
    Ok(EntryRecord {
        id: entry_id(row)?,
        hash: EntryHash(row.get(3)?),
        link,
        document: row.get::<_, Option<[u8; 16]>>(8)?.map(DocumentId::from_bytes),
        decided,
    })
}

pub(super) fn row(row: &Row<'_>) -> Result<RowRecord> {
    let entry = match row.get::<_, Option<[u8; 14]>>(3)? {
        Some(replica) => Some((ReplicaId(replica), number(row, 4)?)),
        None => None,
    };
    Ok(RowRecord {
        sequence: number(row, 0)?,
        kind: kind(row.get(1)?)?,
        received_at: Millis(row.get(2)?),
        entry,
        hash: EntryHash(row.get(5)?),
        verdict: row.get(6)?,
    })
}

pub(super) fn orphan(row: &Row<'_>) -> Result<OrphanRecord> {
    Ok(OrphanRecord {
        id: entry_id(row)?,
        hash: EntryHash(row.get(3)?),
        header: row.get(4)?,
        body: row.get(5)?,
        document: DocumentId::from_bytes(row.get(6)?),
    })
}

pub(super) fn projection(row: &Row<'_>) -> Result<ProjectionRecord> {
    Ok(ProjectionRecord {
        scope: scope_id(row, 0)?,
        document: DocumentId::from_bytes(row.get(1)?),
        kind: Kind(row.get(2)?),
        at: Millis(row.get(3)?),
        summary: Summary {
            place: row.get::<_, Option<[u8; 16]>>(4)?.map(DocumentId::from_bytes),
            outcome: row.get(5)?,
            due: row.get(6)?,
            asks: row.get(7)?,
        },
        body: row.get(8)?,
    })
}

pub(super) fn mark(row: &Row<'_>) -> Result<MarkRecord> {
    Ok(MarkRecord {
        place: DocumentId::from_bytes(row.get(0)?),
        at: Millis(row.get(1)?),
        document: DocumentId::from_bytes(row.get(2)?),
        outcome: row.get(3)?,
        due: row.get(4)?,
    })
}

pub(super) fn receipt(row: &Row<'_>) -> Result<ReceiptRecord> {
    Ok(ReceiptRecord { scope: scope_id(row, 0)?, epoch: number(row, 1)?, size: number(row, 2)?, note: row.get(3)? })
}

pub(super) fn alarm(row: &Row<'_>) -> Result<AlarmRecord> {
    let code: String = row.get(0)?;
    let scope: Vec<u8> = row.get(1)?;
    Ok(AlarmRecord {
        code: AlarmCode::from_code(&code).ok_or_else(|| StoreError::corrupt("an alarm's code"))?,
        scope: <[u8; 16]>::try_from(scope).ok().map(ScopeId::from_bytes),
        detail: row.get(2)?,
        at: Millis(row.get(3)?),
        count: number(row, 4)?,
    })
}

pub(super) fn draft(row: &Row<'_>) -> Result<DraftRecord> {
    Ok(DraftRecord { id: Uuid::from_bytes(row.get(0)?), at: Millis(row.get(1)?), body: row.get(2)? })
}
