//! How far each scope's log has come, and what waits: small reads for events, probes and metrics.

use std::collections::BTreeMap;

use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    reach::Reach,
    store::{self, BackedUp, DIRECTORY, StoreError},
};

/// Rows in the logs of all scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes(BTreeMap<i64, (String, i64)>);

impl Sizes {
    /// The logs within that have grown since `told`, by the name of the scope.
    pub fn grown(&self, told: &Self, reach: &Reach) -> BTreeMap<String, i64> {
        let grown =
            self.0.iter().filter(|(scope_no, size)| reach.holds(**scope_no) && told.0.get(scope_no) != Some(size));
        grown.map(|(_, (name, rows))| (name.clone(), *rows)).collect()
    }

    /// Whether nothing was told yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows in each scope's log, by beat code where the scope is a beat's, `directory` for the directory.
pub fn sizes(connection: &Connection) -> Result<Sizes, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT s.scope_no, s.scope, s.size, b.code FROM scope s LEFT JOIN beat b USING (scope_no)")?;
    let rows = statement.query_map([], |row| {
        let scope_no = row.get("scope_no")?;
        let name = match (scope_no, row.get("code")?) {
            (DIRECTORY, _) => "directory".to_owned(),
            (_, Some(code)) => code,
            (_, None) => Uuid::from_bytes(row.get("scope")?).to_string(),
        };
        Ok((scope_no, (name, row.get("size")?)))
    })?;
    Ok(Sizes(rows.collect::<Result<_, _>>()?))
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
    /// The last copy of the store.
    pub backed_up: BackedUp,
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
        backed_up: store::backed_up(connection)?,
    })
}

/// Whether the store answers.
pub fn answers(connection: &Connection) -> Result<(), StoreError> {
    connection.prepare_cached("SELECT count(*) FROM meta")?.query_row([], |row| row.get::<_, i64>(0))?;
    Ok(())
}
