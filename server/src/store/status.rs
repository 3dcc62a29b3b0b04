//! What devices say of themselves with each sync.

use aralau_sync_core::{
    id::{DeviceId, ReplicaId},
    time::Millis,
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
    /// Entries it had not sent before.
    pub unsent: u64,
    /// When the oldest of them was written.
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
    Ok(Noted::Yes)
}

/// The issue time of the newest nonce that a device has used.
pub fn nonce_floor(connection: &Connection, device: DeviceId) -> Result<Millis, StoreError> {
    let mut statement = connection.prepare_cached("SELECT nonce_floor FROM device_status WHERE device = ?")?;
    let floor = statement.query_row(params![device.as_bytes()], |row| row.get(0)).optional()?;
    Ok(Millis(floor.unwrap_or(0)))
}
