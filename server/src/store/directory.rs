//! The directory: control rows and the tables projected from them.

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    collation::SortKey,
    digest::is_named_by,
    directory::Control,
    id::{DeviceId, PersonId, PublicKey, ReplicaId, ScopeId},
    introduction::Introduction,
    log::{RowKind, Verdict, control_hash},
    merkle::Frontier,
    reconcile::{Grant, Rights},
    sync::Beat,
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    StoreError, Transaction, hold, joined,
    log::{NewRow, ScopeLog},
    notices, organisation,
};
use crate::area::Area;

/// The directory's number among the scopes.
pub const DIRECTORY: i64 = 1;
/// Installs of one device, at most.
const MAX_REPLICAS: i64 = 64;
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

/// A device that asks to be let in.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// The one-time code.
    pub code: String,
    /// The device's new key, already proven to be held.
    pub key: PublicKey,
    /// The install.
    pub replica: ReplicaId,
}

/// What a device is told on enrolling.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Its id from now on.
    pub device: DeviceId,
    /// Its person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// The person's beats.
    pub beats: Vec<Beat>,
}

/// Why a device is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrollError {
    /// No such code.
    Unknown,
    /// Its time has passed.
    Expired,
    /// Another device has used it.
    Used,
    /// This device is enrolled already, for another person; this code is still good.
    Known,
    /// The replica belongs to another device, or this one has too many.
    Replica,
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

/// The beats a person may read and write now.
pub fn beats_of(connection: &Connection, person: PersonId, now: Millis) -> Result<Vec<BeatRow>, StoreError> {
    let granted = "scope_no IN (SELECT scope_no FROM granted WHERE person = ?1 AND from_ms <= ?2
                   AND (until_ms IS NULL OR until_ms > ?2))";
    beats_where(connection, granted, params![person.as_bytes(), now.0])
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
    Ok(grants.iter().any(|grant| grant.from <= now && grant.until.is_none_or(|until| now < until)))
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

/// A device by id.
pub fn device(connection: &Connection, device: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    device_where(connection, "device = ?", device.as_bytes())
}

fn device_where(connection: &Connection, condition: &str, value: &[u8]) -> Result<Option<DeviceRow>, StoreError> {
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

/// The name that the directory has for a person themselves.
pub fn name_of(connection: &Connection, person: PersonId) -> Result<String, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM person WHERE person = ?")?;
    Ok(statement.query_row([person.as_bytes()], |row| row.get(0))?)
}

/// SQL that joins `person` as whoever has the `device` of a row goes as.
pub const PERSON_OF_DEVICE: &str = "LEFT JOIN joined_person j ON j.person = device.person
     JOIN person ON person.person = coalesce(j.goes_as, device.person)";

/// The name of the person behind a replica.
pub fn name_of_replica(connection: &Connection, replica: ReplicaId) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT name FROM replica JOIN device USING (device) {PERSON_OF_DEVICE} WHERE replica = ?",
    ))?;
    Ok(statement.query_row([replica.as_bytes()], |row| row.get(0)).optional()?)
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

fn is_person(connection: &Connection, person: PersonId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM person WHERE person = ?")?;
    Ok(statement.exists([person.as_bytes()])?)
}

fn code_hash(code: &str) -> [u8; 32] {
    // Read aloud and typed by hand: case, spaces and dashes do not count.
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Sha256::digest(plain.as_bytes()).into()
}

/// Makes a one-time enrollment code for a person: 12 letters and digits that cannot be confused, 58 random bits.
pub fn make_code(tx: &Transaction<'_>, person: PersonId, valid_ms: i64, now: Millis) -> Result<String, StoreError> {
    const ALPHABET: &[u8; 29] = b"23456789ABCDEFGHJKLMNPQRTVWXY";
    let bytes: [u8; 12] = tx.random()?;
    let letters: Vec<char> =
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    let code = letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-");
    tx.execute(
        "INSERT INTO enrollment_code (code_hash, person, created_at, expires_at) VALUES (?, ?, ?, ?)",
        params![code_hash(&code), person.as_bytes(), now.0, now.plus(valid_ms).0],
    )?;
    record(tx, &Control::Code { person, until: now.plus(valid_ms) }, now)?;
    Ok(code)
}

/// A device that a code lets in.
#[derive(Debug, Clone)]
pub struct Admission {
    person: PersonId,
    /// The device, where its key has been here before.
    known: Option<DeviceRow>,
    /// It has used this very code before.
    is_repeated: bool,
}

/// Whether a code lets a device in. Reads only, so that guesses cost the writer nothing.
pub fn admit(
    connection: &Connection,
    ask: &Enrollment,
    now: Millis,
) -> Result<Result<Admission, EnrollError>, StoreError> {
    type CodeRow = ([u8; 16], i64, Option<[u8; 16]>);
    let found: Option<CodeRow> = connection
        .prepare_cached("SELECT person, expires_at, device FROM enrollment_code WHERE code_hash = ?")?
        .query_row([code_hash(&ask.code)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((person, expires_at, used_by)) = found else { return Ok(Err(EnrollError::Unknown)) };
    let person = PersonId::from_bytes(person);
    let known = device_where(connection, "public_key = ?", ask.key.as_bytes())?;
    // A code for one of their names lets in again a phone that enrolled under another.
    let person = match &known {
        Some(known) if joined::person(connection, known.person)? == joined::person(connection, person)? => known.person,
        _ => person,
    };
    let is_repeated = match (used_by.map(DeviceId::from_bytes), &known) {
        (Some(used_by), Some(known)) if known.device == used_by => true,
        (Some(_), _) => return Ok(Err(EnrollError::Used)),
        (None, _) if expires_at <= now.0 => return Ok(Err(EnrollError::Expired)),
        (None, Some(known)) if known.person != person => return Ok(Err(EnrollError::Known)),
        (None, _) => false,
    };
    Ok(Ok(Admission { person, known, is_repeated }))
}

/// Lets a device in. Repeating it with the same key gives the same answer, in case the first one was lost; so does another
/// code of the same person. A device that was shut out stays so: it is told its id and no beats.
pub fn enroll(
    tx: &Transaction<'_>,
    ask: &Enrollment,
    now: Millis,
) -> Result<Result<Enrolled, EnrollError>, StoreError> {
    let Admission { person, known, is_repeated } = match admit(tx, ask, now)? {
        Ok(admission) => admission,
        Err(error) => return Ok(Err(error)),
    };
    let shut_out = known.as_ref().is_some_and(|known| known.revoked_at.is_some());
    let was_unconfirmed = known.as_ref().is_some_and(|known| known.is_unconfirmed);
    let device = match known {
        // Shut out, and it stays so. It is told which device it is, for it may know itself by an id that a restored server
        // forgot, and then could not even send what it holds into quarantine. The code is still good for another phone.
        Some(known) if is_repeated || shut_out => known.device,
        // The app was installed again, or a copy of this phone was let in before it: the same device.
        Some(known) => use_code(tx, ask, known.device, now)?,
        None => {
            let device = DeviceId(fresh_uuid(tx)?);
            record(tx, &Control::Device { device, key: ask.key, person, server_custody: false }, now)?;
            use_code(tx, ask, device, now)?
        }
    };
    if !ensure_replica(tx, device, ask.replica, now)? {
        return Ok(Err(EnrollError::Replica));
    }
    let name = name_of(tx, person)?;
    let beats = if shut_out || was_unconfirmed && is_repeated { Vec::new() } else { beats_of(tx, person, now)? };
    let beats = beats.into_iter().map(Beat::from).collect();
    Ok(Ok(Enrolled { device, person, name, beats }))
}

/// Whoever was given a code has been vouched for.
fn use_code(tx: &Transaction<'_>, ask: &Enrollment, device: DeviceId, now: Millis) -> Result<DeviceId, StoreError> {
    confirm_device(tx, device, now)?;
    tx.execute(
        "UPDATE enrollment_code SET used_at = ?, device = ? WHERE code_hash = ?",
        params![now.0, device.as_bytes(), code_hash(&ask.code)],
    )?;
    Ok(device)
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
