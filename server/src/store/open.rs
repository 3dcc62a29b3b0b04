//! The data folder: the database with its identity, the lock of whoever serves it, and the high-water file.

use std::{
    any::Any,
    fs::TryLockError,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use aralau_sync_core::{
    cbor,
    id::{DeploymentId, ScopeId},
    merkle::Frontier,
    time::Millis,
};
use aws_lc_rs::rand::SystemRandom;
use rusqlite::{
    Connection, OptionalExtension as _, TransactionBehavior,
    backup::{Backup, StepResult},
    params,
};
use rusqlite_migration::{HookError, HookResult, M, Migrations};
use uuid::Uuid;

use super::{
    Folder, StoreError, Transaction, epochs,
    notices::{self, NOTICES},
    rebuild,
};
use crate::{
    entropy::{Entropy, NoEntropy, random},
    keys::{CustodyKey, KeyError, ReceiptKey},
};

/// The database's file name in a data folder.
pub const DATABASE: &str = "aralau.db";
const LOCK: &str = "serving.lock";
pub(super) const HIGH_WATER: &str = "high-water";

static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| {
    Migrations::new(vec![
        M::up(include_str!("../../migrations/sqlite/1-start.sql")),
        M::up(include_str!("../../migrations/sqlite/2-lean-projections.sql")),
        M::up(include_str!("../../migrations/sqlite/3-console.sql")),
        M::up(include_str!("../../migrations/sqlite/4-plain-words.sql")),
        M::up(include_str!("../../migrations/sqlite/5-segments.sql")),
        M::up(include_str!("../../migrations/sqlite/6-words-in-order.sql")),
        M::up(include_str!("../../migrations/sqlite/7-standing.sql")),
        M::up(include_str!("../../migrations/sqlite/8-uptime.sql")),
        M::up(include_str!("../../migrations/sqlite/9-visit-indexes.sql")),
        M::up_with_hook(include_str!("../../migrations/sqlite/10-authority.sql"), notice_all),
        M::up(include_str!("../../migrations/sqlite/11-order.sql")),
        M::up(include_str!("../../migrations/sqlite/12-checkpoints.sql")),
        M::up(include_str!("../../migrations/sqlite/13-reach.sql")),
        M::up(include_str!("../../migrations/sqlite/14-joined.sql")),
        M::up(include_str!("../../migrations/sqlite/15-folded-words.sql")),
        M::up(include_str!("../../migrations/sqlite/16-quarantine.sql")),
    ])
});

fn notice_all(connection: &rusqlite::Transaction<'_>) -> HookResult {
    notices::follow_all(connection).map_err(|error| HookError::Hook(error.to_string()))
}

/// The schema this build writes; a newer one is refused, an older one migrated.
pub const SCHEMA_VERSION: usize = 16;

/// What an older schema than this one projected is made anew from the log, once every table is there.
const PROJECTED_SINCE: i64 = 15;

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer Aralau.
    #[error(
        "this data folder was written by a newer Aralau (schema {found}, this one knows {SCHEMA_VERSION}); install that version or a newer one"
    )]
    Newer {
        /// The schema found.
        found: i64,
    },
    /// The database holds less than this folder has acknowledged.
    #[error(
        "the database holds {found} rows but this folder has acknowledged {expected}: it was replaced by an older copy. Bring back the newer one, or restore a backup with `aralau restore`, which tells every phone to send again what is missing"
    )]
    Behind {
        /// Rows in all scopes.
        found: u64,
        /// Rows acknowledged.
        expected: u64,
    },
    /// What stands in the high-water file is no number.
    #[error(
        "the file {} is damaged: nothing tells whether the database is an old copy. If you are sure that it is not, remove that file",
        .0.display()
    )]
    HighWater(PathBuf),
    /// Someone else serves this folder.
    #[error("another `aralau` is working on this data folder; stop it first")]
    Locked,
    /// Restore only fills a folder without data.
    #[error("the folder already holds a store; restore into an empty one, or move the old one aside")]
    NotEmpty,
    /// There is no such file of notices.
    #[error("there is no file {}; give the file `notices` of the folder that was lost, or leave --notices out", .0.display())]
    NoNotices(PathBuf),
    /// The file given is not a backup.
    #[error("not a backup of an Aralau store: {0}")]
    NotABackup(String),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The file system.
    #[error("the data folder: {0}")]
    Io(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// Stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "data_newer",
            Self::Behind { .. } => "data_behind",
            Self::HighWater(_) => "high_water",
            Self::Locked => "data_locked",
            Self::NotEmpty => "data_not_empty",
            Self::NoNotices(_) => "notices_missing",
            Self::NotABackup(_) => "not_a_backup",
            Self::Key(_) => "key",
            Self::Entropy(_) => "entropy",
            Self::Io(_) => "io",
            Self::Store(_) => "store",
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What never changes about a deployment, and its secrets.
pub struct Identity {
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Signs receipts.
    pub receipt_key: ReceiptKey,
    /// Signs headquarters' own entries.
    pub custody_key: CustodyKey,
    /// Keys the nonces handed to devices.
    pub nonce_secret: [u8; 32],
}

/// Held by whoever serves, rebuilds or restores a folder; the system frees it when the process ends, however it ends.
pub struct FolderLock(#[expect(dead_code, reason = "held for its lock")] Box<dyn Any + Send>);

impl FolderLock {
    /// Takes the folder's lock, making the folder if need be.
    pub fn take(folder: impl Into<Folder>) -> Result<Self, OpenError> {
        let folder = folder.into();
        folder.disk().make_folder(folder.path())?;
        match folder.disk().lock(&folder.file(LOCK)) {
            Ok(lock) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Opens the writer's connection, migrating or making the database.
pub fn open_writer(
    folder: &Folder,
    now: Millis,
    entropy: &dyn Entropy,
    tell: impl FnMut(u64),
) -> Result<(Connection, Identity), OpenError> {
    folder.disk().make_folder(folder.path())?;
    let path = folder.file(DATABASE);
    // The database holds the deployment's keys: nobody but its owner reads it.
    folder.disk().make_private(&path)?;
    folder.disk().withdraw(folder.path())?;
    // A restore that broke off at its last step may have left a name that a power cut would take away, with everything
    // that was acknowledged under it.
    folder.disk().sync_name(&path)?;
    let mut connection = folder.connect(&path)?;
    configure(&connection)?;
    fold_back(&connection)?;
    migrate(&mut connection, tell)?;
    check_high_water(folder, &connection)?;
    let identity = load_or_make_identity(&mut connection, now, entropy)?;
    heed_notices(folder, &mut connection, &identity, now, entropy)?;
    Ok((connection, identity))
}

/// What has ended by the file beside the database, and not in it, ends: somebody has put an older database back. Then the file is
/// brought up to the database.
fn heed_notices(
    folder: &Folder,
    connection: &mut Connection,
    identity: &Identity,
    now: Millis,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    let file = folder.disk().read(&folder.file(NOTICES))?;
    let beside = notices::read(identity, &file.unwrap_or_default()).notices;
    if !beside.is_empty() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ended = notices::bring_back(&Transaction::over(&transaction, entropy), &beside, now)?;
        transaction.commit()?;
        if ended > 0 {
            tracing::warn!(
                ended,
                "an older database was put back: what had ended by the file `notices` has ended again"
            );
        }
    }
    notices::keep_beside(folder, connection, identity)
}

/// Writes anew what a process that died left in the log: the system forgets what a failed sync was to bring to the disk,
/// and still shows it. Where others have the database open, nobody has died.
fn fold_back(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(BUSY)?;
    match folded {
        Err(error) if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// How long to wait for another process that writes.
const BUSY: std::time::Duration = std::time::Duration::from_secs(30);

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Pages that a busy morning writes again and again reach the database once in 16 MiB of log.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "cache_size", -12288)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

pub(super) fn migrate(connection: &mut Connection, tell: impl FnMut(u64)) -> Result<(), OpenError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if usize::try_from(found).map_or(true, |found| found > SCHEMA_VERSION) {
        return Err(OpenError::Newer { found });
    }
    if (1..PROJECTED_SINCE).contains(&found) {
        // Noted before the first step: whatever breaks off from here on is taken up again.
        rebuild::ask_for(connection)?;
    }
    match MIGRATIONS.to_latest(connection) {
        Ok(()) => Ok(rebuild::go_on(connection, tell)?),
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(err.into()),
        Err(other) => Err(StoreError::Internal(format!("migrating: {other}")).into()),
    }
}

pub(super) fn meta(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    connection.query_row("SELECT value FROM meta WHERE name = ?", [name], |row| row.get(0)).optional()
}

fn load_or_make_identity(
    connection: &mut Connection,
    now: Millis,
    entropy: &dyn Entropy,
) -> Result<Identity, OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if meta(&transaction, "deployment")?.is_none() {
        make_identity(&transaction, now, entropy)?;
    }
    let identity = load_identity(&transaction)?;
    transaction.commit()?;
    Ok(identity)
}

/// The identity that the store has.
pub(super) fn load_identity(connection: &Connection) -> Result<Identity, OpenError> {
    let random = SystemRandom::new();
    let get = |name: &str| -> Result<Vec<u8>, OpenError> {
        Ok(meta(connection, name)?.ok_or_else(|| StoreError::corrupt("the deployment's identity is incomplete"))?)
    };
    let fixed = |_| StoreError::corrupt("the deployment's identity is malformed");
    Ok(Identity {
        deployment: DeploymentId::from_bytes(get("deployment")?.try_into().map_err(fixed)?),
        receipt_key: ReceiptKey::from_pkcs8(&get("receipt_key")?)?,
        custody_key: CustodyKey::from_pkcs8(&get("custody_key")?, &random)?,
        nonce_secret: get("nonce_secret")?.try_into().map_err(fixed)?,
    })
}

fn make_identity(connection: &Connection, now: Millis, entropy: &dyn Entropy) -> Result<(), OpenError> {
    let put = |name: &str, value: &[u8]| {
        connection.execute("INSERT INTO meta (name, value) VALUES (?, ?)", params![name, value])
    };
    put("deployment", Uuid::from_bytes(random(entropy)?).as_bytes())?;
    put("receipt_key", &ReceiptKey::generate(entropy)?)?;
    put("custody_key", &CustodyKey::generate(&SystemRandom::new())?)?;
    put("nonce_secret", &random::<32>(entropy)?)?;
    let directory = ScopeId::from_bytes(random(entropy)?);
    connection.execute(
        "INSERT INTO scope (scope_no, scope, size, frontier) VALUES (1, ?, 0, ?)",
        params![directory.as_bytes(), cbor::encode(&Frontier::default())],
    )?;
    epochs::begin(&Transaction::over(connection, entropy), epochs::Base::Kept, 0, now)?;
    Ok(())
}

/// How far a copy has come, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// So many.
    pub bytes: u64,
    /// Of so many.
    pub of: u64,
}

/// Copies a store, while it is served, into one file that holds everything (keys as well: guard it). `tell` hears of every
/// megabyte. Returns the rows copied.
pub fn backup(
    folder: impl Into<Folder>,
    target: &Path,
    now: Millis,
    tell: impl FnMut(Copied),
) -> Result<u64, OpenError> {
    let folder = folder.into();
    let source = folder.connect_reader(&folder.file(DATABASE))?;
    // A snapshot, held from its first read on: SQLite begins a copy anew whenever somebody has written meanwhile, and
    // beside a busy server would never be done.
    let source = source.unchecked_transaction()?;
    meta(&source, "deployment")?;
    let partial = PathBuf::from(format!("{}.partial", target.display()));
    let sizes = copy_whole(&folder, &source, &partial, target, tell).inspect_err(|_| {
        // Half a copy is none. Where not even this works, the next attempt begins with it.
        for end in ["", "-journal", "-wal", "-shm"] {
            drop(folder.disk().remove(Path::new(&format!("{}{end}", partial.display()))));
        }
    })?;
    // Phones drop what is backed up: only now, when no power cut can take the backup away.
    note_backed_up(&folder, &sizes, now)?;
    Ok(sizes.iter().map(|(_, size)| size).sum::<i64>().cast_unsigned())
}

/// Copies into `partial`, which becomes `target` once it is whole. Returns the size of each scope in it.
fn copy_whole(
    folder: &Folder,
    source: &Connection,
    partial: &Path,
    target: &Path,
    tell: impl FnMut(Copied),
) -> Result<Vec<(i64, i64)>, OpenError> {
    let copy = copy_into(folder, source, partial, tell)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let sizes = scope_sizes(&copy)?;
    drop(copy);
    folder.disk().sync(partial)?;
    folder.disk().rename(partial, target)?;
    Ok(sizes)
}

/// A copy in a new file, in place of whatever a broken attempt left there.
pub(super) fn copy_into(
    folder: &Folder,
    source: &Connection,
    target: &Path,
    mut tell: impl FnMut(Copied),
) -> Result<Connection, OpenError> {
    folder.disk().remove(target)?;
    folder.disk().make_private(target)?;
    let mut copy = folder.connect(target)?;
    let page_bytes: u32 = source.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = Backup::new(source, &mut copy)?;
    while pages.step(COPIED_AT_ONCE)? != StepResult::Done {
        let progress = pages.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * u64::from(page_bytes);
        tell(Copied { bytes: bytes(progress.pagecount - progress.remaining), of: bytes(progress.pagecount) });
    }
    drop(pages);
    Ok(copy)
}

/// Pages.
const COPIED_AT_ONCE: i32 = 256;

fn scope_sizes(connection: &Connection) -> Result<Vec<(i64, i64)>, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT scope_no, size FROM scope")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// From now on receipts say that these rows survive the loss of the machine, and headquarters of when they do.
fn note_backed_up(folder: &Folder, sizes: &[(i64, i64)], at: Millis) -> Result<(), OpenError> {
    let mut connection = folder.connect(&folder.file(DATABASE))?;
    configure(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (scope_no, size) in sizes {
        transaction.execute("UPDATE scope SET backed_up = max(backed_up, ?) WHERE scope_no = ?", [size, scope_no])?;
    }
    transaction.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
        params![BACKED_UP_AT, at.0.to_be_bytes()],
    )?;
    transaction.commit()?;
    Ok(())
}

/// In `meta`: milliseconds since 1970, big endian.
const BACKED_UP_AT: &str = "backed_up_at";

/// What would be lost with the machine, but for what phones bring back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// When the last copy was made; `None`: none was since this is known.
    pub at: Option<Millis>,
    /// Rows that are in none.
    pub rows_since: u64,
}

/// When a copy was last made, and what is in none.
pub fn backed_up(connection: &Connection) -> Result<BackedUp, StoreError> {
    let at = meta(connection, BACKED_UP_AT)?.and_then(|bytes| bytes.try_into().ok());
    let mut statement = connection.prepare_cached("SELECT coalesce(sum(max(size - backed_up, 0)), 0) FROM scope")?;
    let rows_since: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(BackedUp { at: at.map(|bytes| Millis(i64::from_be_bytes(bytes))), rows_since: rows_since.cast_unsigned() })
}

/// Gives pages that nothing stands on back to the file system. Nobody else may have the store open. Returns the database's
/// size before and after, in bytes.
pub fn shrink(folder: impl Into<Folder>) -> Result<(u64, u64), OpenError> {
    let folder = folder.into();
    let connection = folder.connect(&folder.file(DATABASE))?;
    configure(&connection)?;
    let bytes = || -> Result<u64, OpenError> {
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok((pages * page_bytes).cast_unsigned())
    };
    let before = bytes()?;
    connection.execute_batch("VACUUM")?;
    fold_back(&connection)?;
    Ok((before, bytes()?))
}

/// What SQLite's own check of the database's pages finds wrong.
///
/// # Errors
/// A page that cannot be read is no problem of the database's, but of the disk's: nothing is known then.
pub fn page_problems(connection: &Connection, check: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    // SQLite puts the code of the error, whose lowest byte is the kind, behind its words; about free pages it says only that.
    let code = |line: &str| line.rsplit_once("error code=")?.1.trim().parse::<i32>().ok();
    let is_unread = |line: &&String| {
        code(line).is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_IOERR) || line.contains("failed to get page")
    };
    match lines.iter().find(is_unread) {
        Some(unread) => Err(StoreError::Unavailable(unread.clone())),
        None => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
    }
}

/// Rows in all scopes.
pub fn total_rows(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let sum: i64 = connection.query_row("SELECT coalesce(sum(size), 0) FROM scope", [], |row| row.get(0))?;
    Ok(sum.cast_unsigned())
}

/// Notes, outside of the database and on disk, how far it has come: a copy put back by hand is then recognised.
pub fn write_high_water(folder: impl Into<Folder>, rows: u64) -> std::io::Result<()> {
    let folder = folder.into();
    let partial = folder.file("high-water.partial");
    folder.disk().write(&partial, format!("{rows}\n").as_bytes())?;
    folder.disk().rename(&partial, &folder.file(HIGH_WATER))
}

fn check_high_water(folder: &Folder, connection: &Connection) -> Result<(), OpenError> {
    let Some(mark) = folder.disk().read(&folder.file(HIGH_WATER))? else { return Ok(()) };
    let mark = std::str::from_utf8(&mark).ok().and_then(|text| text.trim().parse().ok());
    let expected: u64 = mark.ok_or_else(|| OpenError::HighWater(folder.file(HIGH_WATER)))?;
    let found = total_rows(connection)?;
    if found < expected { Err(OpenError::Behind { found, expected }) } else { Ok(()) }
}
