//! Devices, their installs, and what is known of them.

use aralau_sync_core::{
    digest::is_named_by,
    id::{DeviceId, PersonId, PublicKey, ReplicaId},
    introduction::Introduction,
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _};

use super::{BeatRow, CUSTODY_DEVICE, Control, beats_of, end_grant, grant, is_person, record};
use crate::{
    authorize::Standing,
    store::{StoreError, Transaction},
};

/// Installs of one device, at most.
const MAX_REPLICAS: i64 = 64;

/// SQL that joins `person` as whoever has the `device` of a row goes as.
pub const PERSON_OF_DEVICE: &str = "LEFT JOIN joined_person j ON j.person = device.person
     JOIN person ON person.person = coalesce(j.goes_as, device.person)";

/// An enrolled device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Which.
    pub device: DeviceId,
    /// Its key.
    pub key: PublicKey,
    /// In whose hands.
    pub person: PersonId,
    /// When it was shut out.
    pub revoked_at: Option<Millis>,
    /// Whether this server, since it was restored, may have forgotten that it was shut out.
    pub is_unconfirmed: bool,
}

/// A device by id.
pub fn device(connection: &Connection, device: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    device_where(connection, "device = ?", device.as_bytes())
}

pub(super) fn device_where(
    connection: &Connection,
    condition: &str,
    value: &[u8],
) -> Result<Option<DeviceRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT device, public_key, person, revoked_at, unconfirmed FROM device WHERE {condition}"
    ))?;
    let found = statement.query_row([value], |row| {
        Ok(DeviceRow {
            device: DeviceId::from_bytes(row.get(0)?),
            key: PublicKey(row.get(1)?),
            person: PersonId::from_bytes(row.get(2)?),
            revoked_at: row.get::<_, Option<i64>>(3)?.map(Millis),
            is_unconfirmed: row.get(4)?,
        })
    });
    Ok(found.optional()?)
}

/// The device that a replica runs on.
pub fn device_of_replica(connection: &Connection, replica: ReplicaId) -> Result<Option<DeviceRow>, StoreError> {
    let condition = "device = (SELECT device FROM replica WHERE replica = ?)";
    device_where(connection, condition, replica.as_bytes())
}

/// Whether a replica is one of the server's own hand.
pub fn is_headquarters(connection: &Connection, replica: ReplicaId) -> Result<bool, StoreError> {
    Ok(device_of_replica(connection, replica)?.is_some_and(|device| device.device == CUSTODY_DEVICE))
}

/// The name of the person behind a replica.
pub fn name_of_replica(connection: &Connection, replica: ReplicaId) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT name FROM replica JOIN device USING (device) {PERSON_OF_DEVICE} WHERE replica = ?",
    ))?;
    Ok(statement.query_row([replica.as_bytes()], |row| row.get(0)).optional()?)
}

impl DeviceRow {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        match (self.revoked_at, self.is_unconfirmed) {
            (Some(_), _) => Standing::ShutOut,
            (None, true) => Standing::Unconfirmed,
            (None, false) => Standing::Enrolled,
        }
    }
}

/// Notes an install of a device, where new. `false`: its name is not of the device's key, or there are too many.
pub fn ensure_replica(
    tx: &Transaction<'_>,
    device: DeviceId,
    replica: ReplicaId,
    now: Millis,
) -> Result<bool, StoreError> {
    if let Some(known) = device_of_replica(tx, replica)? {
        return Ok(known.device == device);
    }
    if !self::device(tx, device)?.is_some_and(|device| is_named_by(&replica, &device.key)) {
        return Ok(false);
    }
    let count: i64 =
        tx.query_row("SELECT count(*) FROM replica WHERE device = ?", [device.as_bytes()], |row| row.get(0))?;
    if count >= MAX_REPLICAS {
        return Ok(false);
    }
    record(tx, &Control::Replica { replica, device }, now)?;
    Ok(true)
}

/// Takes back into the directory an author whom it has forgotten. A device that came in again has its key under another id;
/// nobody is granted anything.
pub fn meet(tx: &Transaction<'_>, author: &Introduction, now: Millis) -> Result<(), StoreError> {
    if device_of_replica(tx, author.replica)?.is_some() {
        return Ok(());
    }
    let device = match device_where(tx, "public_key = ?", author.key.as_bytes())? {
        Some(known) => known.device,
        None if device(tx, author.device)?.is_some() => return Ok(()),
        None => {
            let Introduction { device, key, person, ref name, .. } = *author;
            if !is_person(tx, person)? {
                record(tx, &Control::Person { person, name: name.clone() }, now)?;
            }
            record(tx, &Control::Device { device, key, person, server_custody: false }, now)?;
            // Its words are its own; whether it was shut out since they were written, nobody here remembers.
            record(tx, &Control::Unconfirmed { device: Some(device) }, now)?;
            device
        }
    };
    ensure_replica(tx, device, author.replica, now).map(drop)
}

/// A phone: the server's own hand can neither be shut out nor moved, or headquarters could settle nothing any more.
fn phone(connection: &Connection, id: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    if id == CUSTODY_DEVICE { Ok(None) } else { device(connection, id) }
}

/// Shuts a device out. `false`: there is no such device.
pub fn revoke_device(tx: &Transaction<'_>, id: DeviceId, now: Millis) -> Result<bool, StoreError> {
    match phone(tx, id)? {
        None => Ok(false),
        Some(known) if known.revoked_at.is_some() => Ok(true),
        Some(_) => record(tx, &Control::Revoked { device: id, at: now }, now).map(|()| true),
    }
}

/// Stands up for a device that a restored server does not know enough of. `false`: there is no such device.
pub fn confirm_device(tx: &Transaction<'_>, id: DeviceId, now: Millis) -> Result<bool, StoreError> {
    match phone(tx, id)? {
        None => Ok(false),
        Some(known) if !known.is_unconfirmed => Ok(true),
        Some(_) => record(tx, &Control::Confirmed { device: id }, now).map(|()| true),
    }
}

/// The devices that wait for somebody to stand up for them; those that were shut out wait for nothing.
pub fn unconfirmed_devices(connection: &Connection) -> Result<Vec<DeviceId>, StoreError> {
    let mut statement =
        connection.prepare("SELECT device FROM device WHERE unconfirmed AND revoked_at IS NULL ORDER BY device")?;
    let devices = statement.query_map([], |row| row.get(0).map(DeviceId::from_bytes))?;
    Ok(devices.collect::<Result<_, _>>()?)
}

/// Moves a device's person to a beat: other grants end now, what they wrote before still counts. `false`: no such device.
pub fn assign_device(tx: &Transaction<'_>, id: DeviceId, beat: &BeatRow, now: Millis) -> Result<bool, StoreError> {
    let Some(device) = phone(tx, id)? else { return Ok(false) };
    for other in beats_of(tx, device.person, now)? {
        if other.scope != beat.scope {
            end_grant(tx, device.person, other.scope, now)?;
        }
    }
    grant(tx, device.person, beat.scope, now)?;
    Ok(true)
}
