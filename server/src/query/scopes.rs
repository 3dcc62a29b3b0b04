//! How far each scope's log has come, and what waits: small reads for events, probes and metrics.

use std::collections::BTreeMap;

use rusqlite::Connection;
use uuid::Uuid;

use crate::store::{DIRECTORY, StoreError};

/// Rows in logs, by the name of the scope.
pub type Sizes = BTreeMap<String, i64>;

/// Rows in each scope's log, by beat code where the scope is a beat's, `directory` for the directory.
pub fn sizes(connection: &Connection) -> Result<Sizes, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT s.scope_no, s.scope, s.size, b.code FROM scope s LEFT JOIN beat b USING (scope_no)")?;
    let rows = statement.query_map([], |row| {
        let name = match (row.get("scope_no")?, row.get("code")?) {
            (DIRECTORY, _) => "directory".to_owned(),
            (_, Some(code)) => code,
            (_, None) => Uuid::from_bytes(row.get("scope")?).to_string(),
        };
        Ok((name, row.get("size")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What an operator watches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Entries held now, by reason.
    pub held: BTreeMap<String, i64>,
    /// Rows in all logs.
    pub log_rows: i64,
    /// Size of the database, without its write-ahead log.
    pub database_bytes: i64,
    /// Of that, bytes that are free for use.
    pub free_bytes: i64,
    /// Devices that are not shut out.
    pub devices: i64,
}

/// Reads [`Gauges`].
pub fn gauges(connection: &Connection) -> Result<Gauges, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT reason, count(*) FROM held WHERE state = 'held' GROUP BY reason")?;
    let held = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let number = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
    let page_bytes = number("PRAGMA page_size")?;
    Ok(Gauges {
        held,
        log_rows: number("SELECT coalesce(sum(size), 0) FROM scope")?,
        database_bytes: number("PRAGMA page_count")? * page_bytes,
        free_bytes: number("PRAGMA freelist_count")? * page_bytes,
        devices: number("SELECT count(*) FROM device WHERE revoked_at IS NULL")?,
    })
}

/// Whether the store answers.
pub fn answers(connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached("SELECT count(*) FROM meta")?.query_row([], |row| row.get::<_, i64>(0))?;
    Ok(())
}
