//! What devices say of themselves with each sync.

use aralau_sync_core::{
    id::{DeviceId, ReplicaId},
    time::{Millis, Monotonic},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, Transaction, directory};

/// A device's words about itself.
#[derive(Debug, Clone)]
pub struct DeviceStatus {
    /// Which device.
    pub device: DeviceId,
    /// The install that asks.
    pub replica: ReplicaId,
    /// When, by the server's clock.
    pub last_sync_at: Millis,
    /// Its clock minus the server's.
    pub clock_skew_ms: i64,
    /// Its monotonic clock at the same moment.
    pub monotonic: Option<Monotonic>,
    /// Entries of its own that have not come yet.
    pub unsent: u64,
    /// When the oldest of those was written that had not come before this sync.
    pub oldest_unsent_at: Option<Millis>,
    /// The app's version.
    pub app: Option<String>,
    /// When the nonce of this request was issued: none issued before it counts from now on.
    pub nonce_issued_at: Millis,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is noted, and the nonce used up.
    Yes,
    /// The same request came a second time at the same moment, and the other was first.
    NonceUsed,
    /// The replica belongs to another device, or there are too many.
    ReplicaForeign,
}

/// Notes it. Of two requests with one nonce, only one gets past this, however close together they come.
pub fn note_status(tx: &Transaction<'_>, status: &DeviceStatus) -> Result<Noted, StoreError> {
    if status.nonce_issued_at <= nonce_floor(tx, status.device)? {
        return Ok(Noted::NonceUsed);
    }
    if !directory::ensure_replica(tx, status.device, status.replica, status.last_sync_at)? {
        return Ok(Noted::ReplicaForeign);
    }
    tx.prepare_cached(
        "INSERT INTO device_status (device, last_sync_at, clock_skew_ms, unsent, oldest_unsent_at, app, nonce_floor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET last_sync_at = ?2, clock_skew_ms = ?3, unsent = ?4, oldest_unsent_at = ?5,
             app = ?6, nonce_floor = ?7",
    )?
    .execute(params![
        status.device.as_bytes(),
        status.last_sync_at.0,
        status.clock_skew_ms,
        status.unsent.cast_signed(),
        status.oldest_unsent_at.map(|at| at.0),
        status.app,
        status.nonce_issued_at.0
    ])?;
    if let Some(monotonic) = status.monotonic.filter(|monotonic| monotonic.counts_sleep) {
        note_session(tx, status.device, monotonic, status.last_sync_at)?;
    }
    Ok(Noted::Yes)
}

/// Sessions of one device that are kept, the newest: who begins one with every request pushes out none but his own.
const MAX_SESSIONS: u32 = 64;

/// What is told late makes a session seem to have begun later: the earliest is the nearest.
fn note_session(tx: &Transaction<'_>, device: DeviceId, monotonic: Monotonic, now: Millis) -> Result<(), StoreError> {
    let began_at = now.plus(-i64::try_from(monotonic.ms).unwrap_or(i64::MAX));
    tx.prepare_cached(
        "INSERT INTO clock_session (device, session, began_at, told_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET began_at = min(began_at, ?3), told_at = ?4",
    )?
    .execute(params![device.as_bytes(), monotonic.session.cast_signed(), began_at.0, now.0])?;
    tx.prepare_cached(
        "DELETE FROM clock_session WHERE device = ?1 AND session NOT IN
             (SELECT session FROM clock_session WHERE device = ?1 ORDER BY told_at DESC LIMIT ?2)",
    )?
    .execute(params![device.as_bytes(), MAX_SESSIONS])?;
    Ok(())
}

/// What the server's clock would have said at a reading of a device's monotonic clock; `None` where nothing was told of its
/// session, or where the clock stands still while the device sleeps.
pub fn corrected(connection: &Connection, device: DeviceId, reading: &Monotonic) -> Result<Option<Millis>, StoreError> {
    if !reading.counts_sleep {
        return Ok(None);
    }
    let mut statement =
        connection.prepare_cached("SELECT began_at FROM clock_session WHERE device = ? AND session = ?")?;
    let began_at = statement
        .query_row(params![device.as_bytes(), reading.session.cast_signed()], |row| row.get(0).map(Millis))
        .optional()?;
    Ok(began_at.map(|began_at| began_at.plus(i64::try_from(reading.ms).unwrap_or(i64::MAX))))
}

/// The issue time of the newest nonce that a device has used.
pub fn nonce_floor(connection: &Connection, device: DeviceId) -> Result<Millis, StoreError> {
    let mut statement = connection.prepare_cached("SELECT nonce_floor FROM device_status WHERE device = ?")?;
    let floor = statement.query_row(params![device.as_bytes()], |row| row.get(0)).optional()?;
    Ok(Millis(floor.unwrap_or(0)))
}
