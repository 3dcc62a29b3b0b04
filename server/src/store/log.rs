//! Appending to a scope's log, and looking back into it.

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    cbor,
    epoch::{Epoch, shared_rows},
    id::{EntryHash, ScopeId},
    log::{RowKind, row_leaf},
    merkle::Frontier,
    stream::Seen,
    sync::{Ask, LastRow},
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, Transaction, checkpoint};

/// A scope's number and a sequence in one key.
pub const fn row_id(scope_no: i64, sequence: u64) -> i64 {
    scope_no << 40 | sequence.cast_signed()
}

/// The number of a row's scope.
pub const fn scope_of(row_id: i64) -> i64 {
    row_id >> 40
}

/// The number of a row within its scope.
pub const fn sequence_of(row_id: i64) -> u64 {
    (row_id & ((1 << 40) - 1)).cast_unsigned()
}

/// A scope's log, loaded for appending. Rows go out as they are appended; [`Self::save`] writes the frontier.
pub struct ScopeLog {
    /// Its number in this store.
    pub scope_no: i64,
    /// Its name everywhere.
    pub scope: ScopeId,
    /// Size and root.
    pub frontier: Frontier,
}

/// A row to append.
pub struct NewRow<'a> {
    /// What it records.
    pub kind: RowKind,
    /// The server's clock.
    pub received_at: Millis,
    /// Stream number and index; `None` in a control row.
    pub entry: Option<(i64, u64)>,
    /// The entry's hash, or a control row's.
    pub hash: EntryHash,
    /// The header, where the row brings content.
    pub header: Option<&'a [u8]>,
    /// The change's body, or a control row's payload.
    pub body: Option<&'a [u8]>,
    /// The verdict.
    pub verdict: &'a [u8],
}

impl ScopeLog {
    /// Loads a scope by number.
    pub fn load(connection: &Connection, scope_no: i64) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("SELECT scope, frontier FROM scope WHERE scope_no = ?")?;
        let (scope, frontier): ([u8; 16], Vec<u8>) =
            statement.query_row([scope_no], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let frontier: Frontier = cbor::decode(&frontier).map_err(|_| StoreError::corrupt("a scope's frontier"))?;
        if !frontier.is_sound() {
            return Err(StoreError::corrupt("a scope's frontier does not fit its size"));
        }
        Ok(Self { scope_no, scope: ScopeId::from_bytes(scope), frontier })
    }

    /// Appends one row and returns its key.
    pub fn append(&mut self, tx: &Transaction<'_>, row: &NewRow<'_>) -> Result<i64, StoreError> {
        self.frontier.push(row_leaf(row.kind, row.received_at, &row.hash, row.verdict));
        let key = row_id(self.scope_no, self.frontier.size());
        let (stream_no, index) = row.entry.unzip();
        tx.prepare_cached(
            "INSERT INTO log (row_id, kind, received_at, stream_no, entry_index, header, body, verdict)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key,
            row.kind as u8,
            row.received_at.0,
            stream_no,
            index.map(u64::cast_signed),
            row.header,
            row.body,
            row.verdict
        ])?;
        checkpoint::follow(tx, self)?;
        Ok(key)
    }

    /// Writes size and frontier back.
    pub fn save(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        tx.prepare_cached("UPDATE scope SET size = ?, frontier = ? WHERE scope_no = ?")?.execute(params![
            self.frontier.size().cast_signed(),
            cbor::encode(&self.frontier),
            self.scope_no
        ])?;
        Ok(())
    }
}

/// A scope's number in this store.
pub fn scope_no(connection: &Connection, scope: ScopeId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope_no FROM scope WHERE scope = ?")?;
    Ok(statement.query_row([scope.as_bytes()], |row| row.get(0)).optional()?)
}

/// The epochs after a number, ascending; all of them for `None`.
pub fn epochs_after(connection: &Connection, number: Option<u64>) -> Result<Vec<Epoch>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT epoch FROM epoch WHERE number > ? ORDER BY number")?;
    let encoded = statement.query_map([number.map_or(-1, u64::cast_signed)], |row| row.get::<_, Vec<u8>>(0))?;
    encoded.map(|bytes| cbor::decode(&bytes?).map_err(|_| StoreError::corrupt("an epoch"))).collect()
}

/// What devices that stand here need to know of the epochs: those after the oldest cursor. All of them where a cursor's epoch
/// is none of this server's: the device followed a restore that this history knows nothing of.
pub fn epochs_for(connection: &Connection, asks: &[Ask]) -> Result<Vec<Epoch>, StoreError> {
    let mut oldest = asks.iter().map(|ask| ask.cursor.epoch).min();
    for number in asks.iter().map(|ask| ask.cursor.epoch).filter(|number| *number > 0) {
        let mut statement = connection.prepare_cached("SELECT 1 FROM epoch WHERE number = ?")?;
        if !statement.exists([number.cast_signed()])? {
            oldest = None;
        }
    }
    epochs_after(connection, oldest)
}

/// The newest epoch's number.
pub fn current_epoch(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(number), 0) FROM epoch")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Whether the log has a row where a device has seen it. A row put in its place after the log was turned back was received at
/// another time. Where the epochs say that the row is gone, or of no history of this server's, they are to be heard.
pub fn has_row(connection: &Connection, row: &LastRow) -> Result<bool, StoreError> {
    if row.cursor.sequence == 0 || row.cursor.epoch != current_epoch(connection)? {
        return Ok(true);
    }
    let Some(scope_no) = scope_no(connection, row.scope)? else { return Ok(false) };
    let mut statement = connection.prepare_cached("SELECT 1 FROM log WHERE row_id = ? AND received_at = ?")?;
    Ok(statement.exists(params![row_id(scope_no, row.cursor.sequence), row.received_at.0])?)
}

/// When the rows were received that headers claim to have seen; without the claims that this log does not bear out.
pub fn seen_times(
    connection: &Connection,
    log: &ScopeLog,
    claims: BTreeSet<Seen>,
) -> Result<BTreeMap<Seen, Millis>, StoreError> {
    let Some(oldest) = claims.first() else { return Ok(BTreeMap::new()) };
    let epochs = epochs_after(connection, Some(oldest.epoch))?;
    let mut statement = connection.prepare_cached("SELECT received_at FROM log WHERE row_id = ?")?;
    let mut times = BTreeMap::new();
    for seen in claims {
        let sequence = shared_rows(seen, log.scope, &epochs);
        // Beyond the log's end lie the keys of other scopes.
        if sequence > log.frontier.size() {
            continue;
        }
        let at = statement.query_row([row_id(log.scope_no, sequence)], |row| row.get(0)).optional()?;
        times.extend(at.map(|at| (seen, Millis(at))));
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        store::{Store, sample},
    };

    #[test]
    fn a_claim_to_have_seen_more_than_the_log_has_is_not_borne_out_by_another_scopes_rows() {
        const NOW: Millis = Millis(1_780_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        let handle = store.clone();
        store.write(move |tx| sample(tx, handle.identity(), NOW)).unwrap();
        let found = store.read(|connection| {
            let log = ScopeLog::load(connection, 2)?;
            let claim = |sequence| Seen { epoch: 1, sequence };
            let alien = claim((1 << 40) | 1);
            let mut row = connection.prepare("SELECT 1 FROM log WHERE row_id = ?")?;
            assert!(row.exists([row_id(2, alien.sequence)])?, "the key of a row of scope 3");
            let claims = [claim(0), claim(1), claim(log.frontier.size() + 1), claim(u64::MAX), alien];
            seen_times(connection, &log, claims.into())
        });
        assert_eq!(found.unwrap(), BTreeMap::from([(Seen { epoch: 1, sequence: 1 }, NOW)]));
    }
}
