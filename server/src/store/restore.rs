//! A store from a backup: a new epoch, in which nothing that a backup of before cannot know is taken for granted.
//!
//! Since the backup codes may have been used, sessions and tokens ended, and devices shut out. So every session, code and token
//! ends, and every device waits for somebody to confirm it, unless the [notices](super::notices) of the lost folder say
//! what has ended since. Phones bring the notices back as well, with their next sync.

use std::path::{Path, PathBuf};

use aralau_sync_core::{directory::Control, time::Millis};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    Folder, FolderLock, OpenError, StoreError, Transaction, directory, epochs,
    notices::{self, Beside, NOTICES},
    open::{DATABASE, HIGH_WATER, copy_into, load_identity, meta, migrate, page_problems},
};
use crate::entropy::Entropy;

/// What an operator decides about what a backup cannot know.
#[derive(Debug, Clone, Default)]
pub struct Restore {
    /// Who has it done; `None`: the server by itself.
    pub by: Option<String>,
    /// Tokens that counted when the backup was made go on counting.
    pub keep_tokens: bool,
    /// Devices that counted when the backup was made go on counting, without anybody confirming them.
    pub accept: bool,
    /// The file `notices` of the folder that was lost; unless given, one in the folder to be filled.
    pub notices: Option<PathBuf>,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// Rights that counted in the backup and had ended since, by the notices.
    pub ended_again: usize,
    /// Tokens that ended with the restore.
    pub tokens_ended: usize,
    /// Sessions of browsers that ended with it.
    pub sessions_ended: usize,
    /// Enrollment codes, not yet used in the backup, that ended with it.
    pub codes_ended: usize,
    /// Why the file of notices vouches for nobody, if it does not: it is another deployment's, or somebody has changed it.
    pub notices_fault: Option<String>,
    /// Devices that are served nothing until somebody confirms them.
    pub unconfirmed: usize,
    /// Whether the file was a raw copy of a database without its write-ahead log: what stood there is missing.
    pub is_raw_copy: bool,
}

/// Fills an empty folder from a backup and begins a new epoch.
pub fn restore(
    file: &Path,
    folder: impl Into<Folder>,
    how: &Restore,
    now: Millis,
    entropy: &dyn Entropy,
) -> Result<Restored, OpenError> {
    let folder = folder.into();
    let _lock = FolderLock::take(folder.clone())?;
    let path = folder.file(DATABASE);
    // A write-ahead log without its database would be taken for the restored one's.
    for name in [path.clone(), folder.file(&format!("{DATABASE}-wal"))] {
        if folder.disk().exists(&name)? {
            // Perhaps this restore's own, from an attempt that failed after the renaming: what is called there has to stay.
            folder.disk().sync_name(&name)?;
            return Err(OpenError::NotEmpty);
        }
    }
    let has_wal = folder.disk().exists(&PathBuf::from(format!("{}-wal", file.display())))?;
    let source = open_backup(file, &folder).map_err(|error| match error {
        StoreError::Unavailable(_) => OpenError::Store(error),
        StoreError::Corrupt(why) | StoreError::Internal(why) => OpenError::NotABackup(why),
    })?;
    let journal: String = source.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let partial = folder.file("restoring.db");
    let mut copy = copy_into(&folder, &source, &partial, |_| ())?;
    migrate(&mut copy, |_| ())?;
    let identity = load_identity(&copy)?;
    let beside = match &how.notices {
        Some(named) => folder.disk().read(named)?.ok_or_else(|| OpenError::NoNotices(named.clone())).map(Some)?,
        None => folder.disk().read(&folder.file(NOTICES))?,
    };
    let beside = beside.map(|file| notices::read(&identity, &file));
    let transaction = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tx = Transaction::over(&transaction, entropy).on_behalf(how.by.clone());
    let restored = begin_anew(&tx, beside, how, now)?;
    drop(tx);
    transaction.commit()?;
    drop(copy);
    // First the old mark, then the new database: the other way round, a power cut between them would have it refused.
    folder.disk().remove(&folder.file(HIGH_WATER))?;
    folder.disk().sync(&partial)?;
    folder.disk().rename(&partial, &path)?;
    Ok(Restored { is_raw_copy: journal == "wal" && !has_wal, ..restored })
}

/// All that a restored store takes back, in one transaction.
fn begin_anew(tx: &Transaction<'_>, beside: Option<Beside>, how: &Restore, now: Millis) -> Result<Restored, OpenError> {
    epochs::begin(tx, epochs::Base::Kept, 0, now)?;
    tx.execute("UPDATE scope SET backed_up = size", [])?;
    // Which nonces were used since the backup is forgotten: a new key makes every one of them stale.
    tx.execute("UPDATE meta SET value = ? WHERE name = 'nonce_secret'", [tx.random::<32>()?])?;
    let mut restored = Restored {
        sessions_ended: tx.execute("DELETE FROM session", [])?,
        codes_ended: tx
            .execute("UPDATE enrollment_code SET expires_at = ?1 WHERE device IS NULL AND expires_at > ?1", [now.0])?,
        notices_fault: beside.as_ref().and_then(|beside| beside.fault.clone()),
        ..Restored::default()
    };
    let notices = beside.as_ref().map_or(&[][..], |beside| &beside.notices);
    let is_sound = beside.as_ref().is_some_and(|beside| beside.fault.is_none());
    let knows_all = is_sound && notices::reaches(tx, notices)?;
    restored.ended_again = notices::bring_back(tx, notices, now)?;
    if !how.keep_tokens {
        restored.tokens_ended = super::tokens::end_all(tx, now)?;
    }
    if !how.accept && !knows_all {
        directory::record(tx, &Control::Unconfirmed { device: None }, now)?;
        restored.unconfirmed = directory::unconfirmed_devices(tx)?.len();
    }
    Ok(restored)
}

fn open_backup(file: &Path, folder: &Folder) -> Result<Connection, StoreError> {
    let source = folder.connect_reader(file)?;
    if let Some(problem) = page_problems(&source, "quick_check(1)")?.pop() {
        return Err(StoreError::Corrupt(problem));
    }
    match meta(&source, "deployment")? {
        Some(_) => Ok(source),
        None => Err(StoreError::corrupt("it names no deployment")),
    }
}
