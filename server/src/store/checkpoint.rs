//! Where a scope's tree stood after every so many rows, so that the root of an earlier size is made anew from few rows. Written
//! as the log grows; for a log of before there were any, [step by step](next) beside other work.

use aralau_sync_core::{cbor, merkle::Frontier};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    StoreError, Transaction,
    log::{ScopeLog, row_id, sequence_of},
    walk,
};

/// Rows between two.
const ROWS: u64 = 1024;

/// A tree, and the row after which it stood so.
pub struct Checkpoint {
    row_id: i64,
    frontier: Frontier,
}

impl Checkpoint {
    /// Writes it.
    pub fn store(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        tx.prepare_cached("INSERT OR REPLACE INTO checkpoint (row_id, frontier) VALUES (?, ?)")?
            .execute(params![self.row_id, cbor::encode(&self.frontier)])?;
        Ok(())
    }
}

/// Follows a row just appended.
pub fn follow(tx: &Transaction<'_>, log: &ScopeLog) -> Result<(), StoreError> {
    if !log.frontier.size().is_multiple_of(ROWS) {
        return Ok(());
    }
    Checkpoint { row_id: row_id(log.scope_no, log.frontier.size()), frontier: log.frontier.clone() }.store(tx)
}

/// The last tree of a scope that has no more rows than so many; an empty one where there is none.
pub fn before(connection: &Connection, scope_no: i64, upto: u64) -> Result<Frontier, StoreError> {
    let upto = upto.min(sequence_of(-1));
    let mut statement = connection.prepare_cached(
        "SELECT row_id, frontier FROM checkpoint WHERE row_id > ? AND row_id <= ? ORDER BY row_id DESC LIMIT 1",
    )?;
    let found = statement.query_row([row_id(scope_no, 0), row_id(scope_no, upto)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    let Some((row_id, frontier)) = found.optional()? else { return Ok(Frontier::default()) };
    let frontier: Frontier = cbor::decode(&frontier).map_err(|_| StoreError::corrupt("a checkpoint"))?;
    if !frontier.is_sound() || frontier.size() != sequence_of(row_id) {
        return Err(StoreError::corrupt("a checkpoint does not fit its row"));
    }
    Ok(frontier)
}

/// The first one that some scope lacks, made from its rows.
pub fn next(connection: &Connection) -> Result<Option<Checkpoint>, StoreError> {
    let mut scopes = connection.prepare_cached(
        "SELECT scope_no FROM scope WHERE size / ?1 >
         (SELECT count(*) FROM checkpoint WHERE row_id >= scope_no << 40 AND row_id < (scope_no + 1) << 40) LIMIT 1",
    )?;
    let Some(scope_no) = scopes.query_row([ROWS.cast_signed()], |row| row.get(0)).optional()? else { return Ok(None) };
    let log = ScopeLog::load(connection, scope_no)?;
    let mut statement = connection.prepare_cached("SELECT 1 FROM checkpoint WHERE row_id = ?")?;
    for size in (1..=log.frontier.size() / ROWS).map(|number| number * ROWS) {
        let row_id = row_id(scope_no, size);
        if !statement.exists([row_id])? {
            let frontier = walk::tree(connection, &log, size)?.map_err(|_| StoreError::corrupt("a scope's rows"))?;
            return Ok(Some(Checkpoint { row_id, frontier }));
        }
    }
    Ok(None)
}

/// What is wrong with those of a scope, given its tree after each row in order.
pub struct Compared<'c> {
    connection: &'c Connection,
    scope_no: i64,
    frontier: Frontier,
    wrong: Option<u64>,
}

impl<'c> Compared<'c> {
    /// With those of a scope.
    pub fn new(connection: &'c Connection, scope_no: i64) -> Self {
        Self { connection, scope_no, frontier: Frontier::default(), wrong: None }
    }

    /// The next row's leaf.
    pub fn push(&mut self, leaf: aralau_sync_core::id::TreeHash) {
        self.frontier.push(leaf);
        let size = self.frontier.size();
        if size.is_multiple_of(ROWS)
            && self.wrong.is_none()
            && before(self.connection, self.scope_no, size)
                .is_ok_and(|kept| kept.size() == size && kept != self.frontier)
        {
            self.wrong = Some(size);
        }
    }

    /// The whole tree, and the first size at which a checkpoint is another.
    pub fn finish(self) -> (Frontier, Option<u64>) {
        (self.frontier, self.wrong)
    }
}
