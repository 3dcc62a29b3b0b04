//! On phones and computers: a file in a folder of the device's own, locked against other processes, with a write-ahead
//! log.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use super::{Result, SqliteStore, StoreError};

impl SqliteStore {
    /// Opens `device.db` in `home`, an existing directory, and locks it against other processes.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it, [`StoreError::Newer`] for a file of a newer version.
    pub fn open(home: &Path) -> Result<Self> {
        let lock = lock(&home.join("device.lock"))?;
        let store = Self::prepare_file(Connection::open(home.join("device.db"))?)?;
        Ok(Self { _lock: Some(lock), ..store })
    }

    /// Opens a database through one of SQLite's file systems that the app has registered, by its name there. The app
    /// sees to it that no other process does.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file of a newer version.
    pub fn open_through(vfs: &str, database: &Path) -> Result<Self> {
        Self::prepare_file(Connection::open_with_flags_and_vfs(database, OpenFlags::default(), vfs)?)
    }

    fn prepare_file(connection: Connection) -> Result<Self> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was acknowledged to the inspector survives a flat battery.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What a process that died left in the log may never have reached the disk: the system forgets what a failed sync
        // was to bring there, and still shows it. Folded back, it is written anew.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Self::prepare(connection)
    }
}

fn lock(path: &Path) -> Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    match try_lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(StoreError::Unavailable(error.to_string())),
    }
}

/// Not the standard library's: on Android it has none.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn try_lock(file: &File) -> std::result::Result<(), TryLockError> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        Errno::WOULDBLOCK => TryLockError::WouldBlock,
        other => TryLockError::Error(other.into()),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn try_lock(file: &File) -> std::result::Result<(), TryLockError> {
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, Store as _, contract, sqlite::SCHEMA_VERSION};

    #[test]
    fn whatever_is_done_agrees_with_the_model() {
        let home = tempfile::tempdir().expect("a directory");
        let open = || SqliteStore::open(home.path()).expect("opens");
        let fresh = || {
            let mut store = open();
            store.erase().expect("erases");
            store
        };
        contract::agrees_with_the_model(fresh, |store| {
            drop(store);
            open()
        });
    }

    #[test]
    fn a_second_process_is_kept_out_until_the_first_lets_go() {
        let home = tempfile::tempdir().expect("a directory");
        let first = SqliteStore::open(home.path()).expect("opens");
        assert!(matches!(SqliteStore::open(home.path()), Err(StoreError::InUse)));
        drop(first);
        SqliteStore::open(home.path()).expect("opens again");
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(home.path()).expect("opens");
        store.connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("sets");
        drop(store);
        let refused = SqliteStore::open(home.path());
        let Err(StoreError::Newer { found, known }) = refused else { panic!("{refused:?}") };
        assert_eq!((found, known), (SCHEMA_VERSION + 1, SCHEMA_VERSION));
    }

    #[test]
    fn what_was_committed_is_there_after_the_process_ends() {
        let home = tempfile::tempdir().expect("a directory");
        let mut store = SqliteStore::open(home.path()).expect("opens");
        store.set_meta(Key::Nonce, b"kept").expect("writes");
        store.begin().expect("begins");
        store.set_meta(Key::Nonce, b"lost").expect("writes");
        drop(store);
        let store = SqliteStore::open(home.path()).expect("opens");
        assert_eq!(store.meta(Key::Nonce).expect("reads"), Some(b"kept".to_vec()));
    }
}
