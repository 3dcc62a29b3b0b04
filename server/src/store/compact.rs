//! Compacting: the rows of months past become sealed segments. Nothing is lost by it, and nobody waits for it.

use aralau_sync_core::time::Millis;
use rusqlite::Connection;

use super::{
    DIRECTORY, Store, StoreError,
    segment::{Sealed, seal},
};

/// Every scope with rows of devices.
fn scopes(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT scope_no FROM scope WHERE scope_no <> ? ORDER BY scope_no")?;
    let scopes = statement.query_map([DIRECTORY], |row| row.get(0))?;
    Ok(scopes.collect::<Result<_, _>>()?)
}

/// The next segment of so many rows that can be sealed, of the first scope from `scope_no` on that has one, and that scope.
pub fn next_sealed(
    connection: &Connection,
    scope_no: i64,
    before: Millis,
    most_rows: usize,
) -> Result<Option<(i64, Sealed)>, StoreError> {
    for scope_no in scopes(connection)?.into_iter().filter(|known| *known >= scope_no) {
        if let Some(sealed) = seal(connection, scope_no, before, most_rows)? {
            return Ok(Some((scope_no, sealed)));
        }
    }
    Ok(None)
}

impl Store {
    /// Seals whatever was received before, in segments of so many rows, each in a transaction of its own. `tell` hears of
    /// the rows sealed so far; returned are all.
    pub fn compact(&self, before: Millis, most_rows: usize, mut tell: impl FnMut(u64)) -> Result<u64, StoreError> {
        let (mut from, mut rows) = (0, 0);
        while let Some((scope_no, sealed)) = self.read(|connection| next_sealed(connection, from, before, most_rows))? {
            rows += sealed.rows() as u64;
            self.write(move |tx| sealed.store(tx))?;
            tell(rows);
            from = scope_no;
        }
        Ok(rows)
    }
}
