//! Notices: which rights have ended, in the server's signed words, told to phones and kept beside the database, so that no
//! older backup brings a right back.

use std::{collections::BTreeSet, fmt::Write as _};

use aralau_sync_core::{
    cbor,
    directory::Control,
    epoch::{is_known, shared_rows},
    id::ScopeId,
    log::RowKind,
    notice::Notice,
    receipt::SignServer as _,
    stream::Seen,
    sync::{MAX_NOTICES, Noticed},
    time::Millis,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    DeviceRow, Folder, Identity, OpenError, StoreError, Transaction,
    directory::{self, CUSTODY_DEVICE, DIRECTORY},
    log,
};
use crate::keys::ReceiptVerifier;

/// The file beside the database: a line for each notice, written to its end alone.
pub(super) const NOTICES: &str = "notices";

const HEADER: &str =
    "# What has ended, in the words of this deployment's server. Keep this file: `aralau restore` reads it.\n";

/// The line that says whose file it is: one in which nothing has ended yet says nothing else.
fn of_deployment(identity: &Identity) -> String {
    format!("# deployment {}", identity.deployment)
}

/// Follows a row of the directory's log, if it ends a right.
pub(super) fn follow(tx: &Connection, sequence: u64, ended: &Control) -> Result<(), StoreError> {
    if !ended.ends_a_right() {
        return Ok(());
    }
    let scope = if let Control::GrantEnds { scope, .. } = ended { Some(scope) } else { None };
    if let Control::Revoked { device, at } = ended {
        tx.execute(
            "INSERT OR IGNORE INTO revocation (device, revoked_at) VALUES (?, ?)",
            params![device.as_bytes(), at.0],
        )?;
    }
    tx.execute(
        "INSERT OR IGNORE INTO notice (sequence, ended, scope_no)
         VALUES (?, ?, (SELECT scope_no FROM scope WHERE scope = ?))",
        params![sequence.cast_signed(), ended.to_bytes(), scope.map(ScopeId::as_bytes)],
    )?;
    Ok(())
}

/// Follows every such row of a log that was written before there were notices.
pub(super) fn follow_all(tx: &Connection) -> Result<(), StoreError> {
    let mut statement = tx.prepare("SELECT row_id, body FROM log WHERE kind = ? AND row_id < ? ORDER BY row_id")?;
    let mut rows = statement.query(params![RowKind::Control as u8, log::row_id(DIRECTORY + 1, 0)])?;
    while let Some(row) = rows.next()? {
        follow(tx, log::sequence_of(row.get(0)?), &directory::decode(row.get_ref(1)?.as_blob().unwrap_or_default())?)?;
    }
    Ok(())
}

/// What has ended since a device last heard: devices and tokens, and grants in scopes that its person ever held. `None`: nothing,
/// and it has heard so. A device that is shut out hears no more of that, but of another epoch: it may know of ends that this
/// server was restored from before.
pub fn noticed(
    connection: &Connection,
    identity: &Identity,
    device: &DeviceRow,
    seen: Seen,
) -> Result<Option<Noticed>, StoreError> {
    let epoch = log::current_epoch(connection)?;
    if device.revoked_at.is_some() {
        let upto = Seen { epoch, sequence: shared(connection, seen)? };
        return Ok((seen.epoch != epoch).then(|| Noticed { upto, notices: Vec::new() }));
    }
    let mut newest = connection.prepare_cached("SELECT coalesce(max(sequence), 0) FROM notice")?;
    let newest = newest.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned();
    if seen.epoch == epoch && seen.sequence >= newest {
        return Ok(None);
    }
    let shared = shared(connection, seen)?;
    let mut statement = connection.prepare_cached(
        "SELECT sequence, ended FROM notice WHERE sequence > ?1
         AND (scope_no IS NULL OR scope_no IN (SELECT scope_no FROM granted WHERE person = ?2))
         ORDER BY sequence LIMIT ?3",
    )?;
    let rows = statement
        .query_map(params![shared.cast_signed(), device.person.as_bytes(), MAX_NOTICES as i64], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?))
        })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let told = rows.last().filter(|_| rows.len() == MAX_NOTICES).map_or(newest, |(sequence, _)| *sequence);
    let notices = rows.iter().map(|(sequence, ended)| {
        let notice = Notice { at: Seen { epoch, sequence: *sequence }, ended: decode(ended)? };
        Ok(notice.sign(&identity.deployment, &identity.receipt_key).into())
    });
    Ok(Some(Noticed { upto: Seen { epoch, sequence: told }, notices: notices.collect::<Result<_, StoreError>>()? }))
}

fn decode(ended: &[u8]) -> Result<Control, StoreError> {
    cbor::decode(ended).map_err(|_| StoreError::corrupt("a notice"))
}

/// How much of the directory's log a device that stands there shares with this server.
fn shared(connection: &Connection, seen: Seen) -> Result<u64, StoreError> {
    let epochs = log::epochs_after(connection, None)?;
    if seen.epoch > 0 && !is_known(seen.epoch, &epochs) {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached("SELECT scope FROM scope WHERE scope_no = ?")?;
    let directory = statement.query_row([DIRECTORY], |row| row.get(0).map(ScopeId::from_bytes))?;
    Ok(shared_rows(seen, directory, &epochs))
}

/// Reads notices that somebody has brought; what is none of this server's is passed over.
pub fn open_notices<'n>(identity: &Identity, notices: impl IntoIterator<Item = &'n [u8]>) -> Vec<Notice> {
    let key = identity.receipt_key.public_key();
    let open = |bytes| Notice::open(bytes, &identity.deployment, &key, &ReceiptVerifier).ok();
    notices.into_iter().filter_map(open).collect()
}

/// Ends again what had ended before this server was restored. Returns how much of it was still in force here.
pub fn bring_back(tx: &Transaction<'_>, notices: &[Notice], now: Millis) -> Result<usize, StoreError> {
    let mut ended = 0;
    for notice in notices {
        if let Some(control) = still_in_force(tx, &notice.ended, now)? {
            directory::record(tx, &control, now)?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// What is to be recorded of an end, if anything: no clock of before shall put it off.
fn still_in_force(tx: &Connection, ended: &Control, now: Millis) -> Result<Option<Control>, StoreError> {
    let exists = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<bool, StoreError> {
        Ok(tx.prepare_cached(sql)?.exists(values)?)
    };
    if let Control::Revoked { device, at } = *ended {
        let is_out = exists("SELECT 1 FROM revocation WHERE device = ?", &[device.as_bytes()])?;
        return Ok((!is_out && device != CUSTODY_DEVICE).then_some(Control::Revoked { device, at: at.min(now) }));
    }
    if let Control::GrantEnds { person, scope, until } = *ended {
        let is_known = exists("SELECT 1 FROM notice WHERE ended = ?", &[&ended.to_bytes()])?;
        // A grant of a later day is another one.
        let is_open = exists(
            "SELECT 1 FROM granted JOIN scope USING (scope_no)
             WHERE person = ? AND scope = ? AND until_ms IS NULL AND from_ms <= ?",
            &[person.as_bytes(), scope.as_bytes(), &until.0],
        )?;
        return Ok((!is_known && is_open).then_some(Control::GrantEnds { person, scope, until: until.min(now) }));
    }
    if let Control::TokenEnded { token, at } = *ended {
        let counts = exists("SELECT 1 FROM token WHERE token_id = ? AND revoked_at IS NULL", &[token.as_bytes()])?;
        return Ok(counts.then_some(Control::TokenEnded { token, at: at.min(now) }));
    }
    Ok(None)
}

/// Whether a file of notices goes on to where this store is, so that what it does not say has not happened.
pub fn reaches(connection: &Connection, notices: &[Notice]) -> Result<bool, StoreError> {
    let newest: Option<Vec<u8>> = connection
        .query_row("SELECT ended FROM notice ORDER BY sequence DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    Ok(newest.is_none_or(|newest| notices.iter().any(|notice| notice.ended.to_bytes() == newest)))
}

/// What a file of notices says.
#[derive(Debug, Default)]
pub struct Beside {
    /// What has ended by it. Lines that are not this server's word are passed over.
    pub notices: Vec<Notice>,
    /// Why it vouches for nobody: it is another deployment's, or somebody has changed it.
    pub fault: Option<String>,
    /// It names its deployment.
    is_named: bool,
}

/// Reads a file of notices.
pub(super) fn read(identity: &Identity, file: &[u8]) -> Beside {
    let text = String::from_utf8_lossy(file);
    let named = of_deployment(identity);
    let mut beside = Beside { is_named: text.lines().any(|line| line == named), ..Beside::default() };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in (1_usize..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let signed = line.split(' ').next_back().and_then(|signed| BASE64.decode(signed).ok());
        match open_notices(identity, signed.iter().map(Vec::as_slice)).pop() {
            Some(notice) => {
                good.push(line);
                beside.notices.push(notice);
            }
            None => bad.push((number, line)),
        }
    }
    // What a power cut tore is the beginning of a line that was written again, or the end of the file.
    let is_torn =
        |line: &str| !text.ends_with('\n') && text.ends_with(line) || good.iter().any(|whole| whole.starts_with(line));
    beside.fault = match bad.iter().find(|(_, line)| !is_torn(line)) {
        Some((number, _)) => Some(format!("its line {number} is not this server's word")),
        None if beside.is_named || !beside.notices.is_empty() => None,
        None => Some("it does not say that it is this deployment's".to_owned()),
    };
    beside
}

/// Brings the file beside the database up to it.
pub(super) fn keep_beside(folder: &Folder, connection: &Connection, identity: &Identity) -> Result<(), OpenError> {
    let file = folder.disk().read(&folder.file(NOTICES))?;
    let is_torn = file.as_ref().is_some_and(|file| file.last().is_some_and(|last| *last != b'\n'));
    let mut lines = match &file {
        None => HEADER.to_owned(),
        Some(_) if is_torn => "\n".to_owned(),
        Some(_) => String::new(),
    };
    let beside = read(identity, &file.unwrap_or_default());
    if !beside.is_named {
        lines += &of_deployment(identity);
        lines.push('\n');
    }
    let known: BTreeSet<Vec<u8>> = beside.notices.iter().map(|notice| notice.ended.to_bytes()).collect();
    let epoch = log::current_epoch(connection)?;
    let mut statement = connection.prepare_cached("SELECT sequence, ended FROM notice ORDER BY sequence")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?)))?;
    for row in rows {
        let (sequence, ended) = row?;
        if !known.contains(&ended) {
            let notice = Notice { at: Seen { epoch, sequence }, ended: decode(&ended)? };
            let signed = BASE64.encode(notice.sign(&identity.deployment, &identity.receipt_key));
            let _ = writeln!(lines, "{} {signed}", words(&notice.ended));
        }
    }
    if lines.is_empty() { Ok(()) } else { Ok(folder.disk().append(&folder.file(NOTICES), lines.as_bytes())?) }
}

/// For whoever reads the file.
fn words(ended: &Control) -> String {
    let since =
        |at: &Millis| chrono::DateTime::from_timestamp_millis(at.0).map(|at| at.to_rfc3339()).unwrap_or_default();
    if let Control::Revoked { device, at } = ended {
        format!("{} device {device} shut out", since(at))
    } else if let Control::GrantEnds { person, scope, until } = ended {
        format!("{} grant of {scope} to {person} ended", since(until))
    } else if let Control::TokenEnded { token, at } = ended {
        format!("{} token {token} ended", since(at))
    } else {
        String::new()
    }
}
