//! Who may write where. What a grant covers says [`Grant`] alone, also to SQL.

use aralau_sync_core::{
    id::{PersonId, ScopeId},
    rights::{Grant, Rights},
    time::Millis,
};
use rusqlite::{
    Connection, Error,
    functions::{Context, FunctionFlags},
    params,
};

use super::{BeatRow, Control, DeviceRow, beats_where, record};
use crate::{
    authorize::{Action, Who, authorize},
    store::{StoreError, Transaction, hold, joined},
};

/// Teaches a connection `in_force(from_ms, until_ms, at_ms)`: whether a grant counts at a moment.
pub fn teach(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("in_force", 3, flags, |context: &Context<'_>| {
        let grant = Grant { from: Millis(context.get(0)?), until: context.get::<Option<i64>>(1)?.map(Millis) };
        Ok(grant.is_in_force(Millis(context.get(2)?)))
    })
}

/// The beats a person may read and write now.
pub fn beats_of(connection: &Connection, person: PersonId, now: Millis) -> Result<Vec<BeatRow>, StoreError> {
    let granted = "scope_no IN (SELECT scope_no FROM granted WHERE person = ?1 AND in_force(from_ms, until_ms, ?2))";
    beats_where(connection, granted, params![person.as_bytes(), now.0])
}

/// The beats whose rows a device may receive now.
pub fn beats_for(connection: &Connection, device: &DeviceRow, now: Millis) -> Result<Vec<BeatRow>, StoreError> {
    match authorize(Who::Device(device.standing()), Action::ReceiveRows) {
        Ok(()) => beats_of(connection, device.person, now),
        Err(_) => Ok(Vec::new()),
    }
}

/// Grants a person a scope from now on, unless they hold it, and lets in what was held for want of it.
///
/// Whatever else they are called in the directory: their phones may have enrolled under any of their names.
pub fn grant(tx: &Transaction<'_>, person: PersonId, scope: ScopeId, now: Millis) -> Result<(), StoreError> {
    for name in joined::everybody_who_is(tx, joined::person(tx, person)?)? {
        if !is_granted(tx, name, scope, now)? {
            record(tx, &Control::Grant { person: name, scope, from: now }, now)?;
            hold::release_granted(tx, name, scope, now)?;
        }
    }
    Ok(())
}

/// Ends a right that a person holds, under all of their names.
pub fn end_grant(tx: &Transaction<'_>, person: PersonId, scope: ScopeId, now: Millis) -> Result<(), StoreError> {
    for name in joined::everybody_who_is(tx, joined::person(tx, person)?)? {
        if is_granted(tx, name, scope, now)? {
            record(tx, &Control::GrantEnds { person: name, scope, until: now }, now)?;
        }
    }
    Ok(())
}

/// Whether a person may write in a scope at this moment.
pub fn is_granted(connection: &Connection, person: PersonId, scope: ScopeId, now: Millis) -> Result<bool, StoreError> {
    let grants = rights(connection, person, scope)?;
    Ok(grants.iter().any(|grant| grant.is_in_force(now)))
}

/// Whether a person ever held a scope.
pub fn was_granted(connection: &Connection, person: PersonId, scope: ScopeId) -> Result<bool, StoreError> {
    Ok(!rights(connection, person, scope)?.is_empty())
}

fn rights(connection: &Connection, person: PersonId, scope: ScopeId) -> Result<Vec<Grant>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT from_ms, until_ms FROM granted JOIN scope USING (scope_no) WHERE person = ? AND scope = ?",
    )?;
    let grants = statement.query_map(params![person.as_bytes(), scope.as_bytes()], |row| {
        Ok(Grant { from: Millis(row.get(0)?), until: row.get::<_, Option<i64>>(1)?.map(Millis) })
    })?;
    Ok(grants.collect::<Result<_, _>>()?)
}

/// When a device's person might write in a scope.
pub fn rights_of(connection: &Connection, device: &DeviceRow, scope: ScopeId) -> Result<Rights, StoreError> {
    Ok(Rights { grants: rights(connection, device.person, scope)?, revoked_at: device.revoked_at })
}
