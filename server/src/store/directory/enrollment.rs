//! How a device comes in: by a code that works once.

use aralau_sync_core::{
    id::{DeviceId, PersonId, PublicKey, ReplicaId},
    sync::Beat,
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::{
    Control, DeviceRow, beats_for, confirm_device, device, device_where, ensure_replica, fresh_uuid, name_of, record,
};
use crate::{
    authorize::Standing,
    store::{StoreError, Transaction, joined},
};

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
    let shut_out = known.as_ref().is_some_and(|known| known.standing() == Standing::ShutOut);
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
    let let_in = self::device(tx, device)?.ok_or_else(|| StoreError::corrupt("a device just let in"))?;
    let beats = beats_for(tx, &let_in, now)?.into_iter().map(Beat::from).collect();
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
