//! The directory: control rows and the tables projected from them.

mod devices;
mod enrollment;
mod grants;

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    collation::SortKey,
    directory::Control,
    id::{DeviceId, PersonId, ScopeId},
    log::{RowKind, Verdict, control_hash},
    merkle::Frontier,
    sync::Beat,
    time::Millis,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    StoreError, Transaction, joined,
    log::{NewRow, ScopeLog},
    notices, organisation,
};
use crate::area::Area;

use devices::device_where;
pub use devices::{
    DeviceRow, PERSON_OF_DEVICE, assign_device, confirm_device, device, device_of_replica, ensure_replica,
    is_headquarters, meet, name_of_replica, revoke_device, unconfirmed_devices,
};
pub use enrollment::{Admission, EnrollError, Enrolled, Enrollment, admit, enroll, make_code};
pub use grants::{beats_for, beats_of, end_grant, grant, is_granted, rights_of, teach, was_granted};

/// The directory's number among the scopes.
pub const DIRECTORY: i64 = 1;
/// Whose words headquarters' own edits are.
pub const HEADQUARTERS: PersonId = PersonId(Uuid::from_u128(0x6865_6164_7175_4172_8000_0000_0000_0001));
/// The device whose key the server itself holds.
pub const CUSTODY_DEVICE: DeviceId = DeviceId(Uuid::from_u128(0x6865_6164_7175_4172_8000_0000_0000_0002));

/// A beat in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BeatRow {
    /// `beat-01`.
    pub code: String,
    /// Its scope.
    pub scope: ScopeId,
    /// As shown to people.
    pub name: String,
    /// The scope's number in this store.
    #[serde(skip)]
    pub scope_no: i64,
}

impl From<BeatRow> for Beat {
    fn from(row: BeatRow) -> Self {
        Self { code: row.code, scope: row.scope, name: row.name }
    }
}

/// Writes a control row, which says who had it written, and follows it.
pub fn record(tx: &Transaction<'_>, control: &Control, now: Millis) -> Result<(), StoreError> {
    let payload = control.to_bytes();
    let verdict = Verdict { by: tx.by().map(str::to_owned), ..Verdict::default() }.to_bytes();
    let mut log = ScopeLog::load(tx, DIRECTORY)?;
    let hash = control_hash(&log.scope, &payload);
    let row = NewRow {
        kind: RowKind::Control,
        received_at: now,
        entry: None,
        hash,
        header: None,
        body: Some(&payload),
        verdict: &verdict,
    };
    log.append(tx, &row)?;
    log.save(tx)?;
    if control.ends_a_right() {
        tx.notice();
    }
    follow(tx, control, log.frontier.size(), now)
}

/// A control row's payload, read.
pub fn decode(payload: &[u8]) -> Result<Control, StoreError> {
    cbor::decode(payload).map_err(|_| StoreError::corrupt("a control row"))
}

/// Brings the directory's tables up to a control row; nothing else writes them.
pub fn follow(tx: &Connection, control: &Control, sequence: u64, at: Millis) -> Result<(), StoreError> {
    notices::follow(tx, sequence, control)?;
    match control {
        Control::Epoch(epoch) => tx.execute(
            "INSERT INTO epoch (number, epoch) VALUES (?, ?)",
            params![epoch.number.cast_signed(), cbor::encode(epoch)],
        )?,
        Control::Person { person, name } => tx.execute(
            "INSERT INTO person (person, name, name_key) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET name = ?2, name_key = ?3",
            params![person.as_bytes(), name, SortKey::of(name).as_bytes()],
        )?,
        Control::Beat { code, scope, name } => tx.execute(
            "INSERT INTO beat (code, scope_no, name) SELECT ?1, scope_no, ?3 FROM scope WHERE scope = ?2
             ON CONFLICT (code) DO UPDATE SET scope_no = excluded.scope_no, name = excluded.name",
            params![code, scope.as_bytes(), name],
        )?,
        Control::Device { device, key, person, server_custody } => tx.execute(
            "INSERT INTO device (device, public_key, person, server_custody, enrolled_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, (SELECT revoked_at FROM revocation WHERE device = ?1))",
            params![device.as_bytes(), key.as_bytes(), person.as_bytes(), server_custody, at.0],
        )?,
        Control::Replica { replica, device } => tx.execute(
            "INSERT INTO replica (replica, device) VALUES (?, ?)",
            params![replica.as_bytes(), device.as_bytes()],
        )?,
        Control::Grant { person, scope, from } => tx.execute(
            "INSERT OR IGNORE INTO granted (person, scope_no, from_ms) SELECT ?1, scope_no, ?3 FROM scope WHERE scope = ?2",
            params![person.as_bytes(), scope.as_bytes(), from.0],
        )?,
        Control::GrantEnds { person, scope, until } => tx.execute(
            "UPDATE granted SET until_ms = ?3 WHERE person = ?1 AND until_ms IS NULL
             AND scope_no = (SELECT scope_no FROM scope WHERE scope = ?2)",
            params![person.as_bytes(), scope.as_bytes(), until.0],
        )?,
        Control::Revoked { device, at } => tx.execute(
            "UPDATE device SET revoked_at = coalesce(revoked_at, ?2) WHERE device = ?1",
            params![device.as_bytes(), at.0],
        )?,
        Control::TokenEnded { token, at } => tx.execute(
            "UPDATE token SET revoked_at = coalesce(revoked_at, ?2) WHERE token_id = ?1",
            params![token.as_bytes(), at.0],
        )?,
        Control::Unconfirmed { device } => tx.execute(
            "UPDATE device SET unconfirmed = 1 WHERE NOT server_custody AND device = coalesce(?1, device)",
            [device.map(|device| *device.as_bytes())],
        )?,
        Control::Confirmed { device } => {
            tx.execute("UPDATE device SET unconfirmed = 0 WHERE device = ?", [device.as_bytes()])?
        }
        Control::Token { token, within, .. } => {
            let mut limit = tx.prepare_cached(
                "INSERT OR IGNORE INTO token_scope (token_id, scope_no) SELECT ?1, scope_no FROM scope WHERE scope = ?2",
            )?;
            let scopes = within.iter().flatten();
            scopes.map(|scope| limit.execute(params![token.as_bytes(), scope.as_bytes()])).sum::<Result<_, _>>()?
        }
        Control::PersonJoined { person, into } => {
            joined::follow_person(tx, *person, *into)?;
            0
        }
        Control::CodeLists { .. } | Control::Code { .. } => 0,
    };
    Ok(())
}

/// Finds a beat by code.
pub fn beat(connection: &Connection, code: &str) -> Result<Option<BeatRow>, StoreError> {
    Ok(beats_where(connection, "code = ?1", [code])?.pop())
}

/// All beats, by name.
pub fn beats(connection: &Connection) -> Result<Vec<BeatRow>, StoreError> {
    beats_where(connection, "1", [])
}

fn beats_where(
    connection: &Connection,
    condition: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<BeatRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT code, scope, name, scope_no FROM beat JOIN scope USING (scope_no) WHERE {condition}"
    ))?;
    let rows = statement.query_map(values, |row| {
        Ok(BeatRow {
            code: row.get(0)?,
            scope: ScopeId::from_bytes(row.get(1)?),
            name: row.get(2)?,
            scope_no: row.get(3)?,
        })
    })?;
    let mut beats: Vec<BeatRow> = rows.collect::<Result<_, _>>()?;
    beats.sort_by_cached_key(|beat| (SortKey::of(&beat.name), SortKey::of(&beat.code)));
    Ok(beats)
}

/// Makes a beat with a scope of its own, where absent.
pub fn ensure_beat(tx: &Transaction<'_>, code: &str, name: &str, now: Millis) -> Result<(BeatRow, bool), StoreError> {
    if let Some(found) = beat(tx, code)? {
        return Ok((found, false));
    }
    let scope = ScopeId::from_bytes(*Uuid::from_bytes(tx.random()?).as_bytes());
    tx.execute(
        "INSERT INTO scope (scope, size, frontier) VALUES (?, 0, ?)",
        params![scope.as_bytes(), cbor::encode(&Frontier::default())],
    )?;
    record(tx, &Control::Beat { code: code.to_owned(), scope, name: name.to_owned() }, now)?;
    let made = beat(tx, code)?.ok_or_else(|| StoreError::corrupt("a beat just made"))?;
    Ok((made, true))
}

/// Gives a beat its outline, in place of any it had.
pub fn outline_beat(tx: &Transaction<'_>, scope_no: i64, area: &Area) -> Result<(), StoreError> {
    let json =
        serde_json::to_string(area).map_err(|_| StoreError::Internal("an outline without a JSON form".into()))?;
    tx.execute("INSERT OR REPLACE INTO beat_area (scope_no, area) VALUES (?, ?)", params![scope_no, json])?;
    Ok(())
}

/// The outlines that are known, by the number of the beat's scope.
pub fn beat_areas(connection: &Connection) -> Result<BTreeMap<i64, Area>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope_no, area FROM beat_area")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (scope_no, json) = row?;
        Ok((scope_no, serde_json::from_str(&json).map_err(|_| StoreError::corrupt("the outline of a beat"))?))
    })
    .collect()
}

fn fresh_uuid(tx: &Transaction<'_>) -> Result<Uuid, StoreError> {
    Ok(uuid::Builder::from_random_bytes(tx.random()?).into_uuid())
}

/// Finds a person by name, however it is spaced and in whichever case, or lets one join.
pub fn ensure_person(tx: &Transaction<'_>, name: &str, now: Millis) -> Result<(PersonId, bool), StoreError> {
    match organisation::person_named(tx, name)? {
        Some(person) => Ok((person, false)),
        None => Ok((join(tx, name, now)?, true)),
    }
}

/// Lets a new person join.
pub fn join(tx: &Transaction<'_>, name: &str, now: Millis) -> Result<PersonId, StoreError> {
    let person = PersonId(fresh_uuid(tx)?);
    record(tx, &Control::Person { person, name: organisation::clean(name) }, now)?;
    Ok(person)
}

/// Whether phones enroll as this person: the directory knows them, and they are not headquarters' own hand.
pub fn has_phones(connection: &Connection, person: PersonId) -> Result<bool, StoreError> {
    Ok(person != HEADQUARTERS && is_person(connection, person)?)
}

/// The name that the directory has for a person themselves.
pub fn name_of(connection: &Connection, person: PersonId) -> Result<String, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM person WHERE person = ?")?;
    Ok(statement.query_row([person.as_bytes()], |row| row.get(0))?)
}

fn is_person(connection: &Connection, person: PersonId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM person WHERE person = ?")?;
    Ok(statement.exists([person.as_bytes()])?)
}
