//! A device's folder: `device.db`, `device.key`, `device.lock`.

use std::{
    fs::{DirBuilder, File},
    io,
    path::Path,
};

use super::Client;
use crate::{
    error::Error,
    seams::Seams,
    store::{Key, SqliteStore, Store as _, StoreError},
    vault::{self, Vault},
};

impl Client<SqliteStore> {
    /// Opens the device in `home`, or makes a new one there, with its key in a file beside it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it, [`StoreError::Newer`] for a store of a newer version.
    pub fn open(home: &Path, mut seams: Seams) -> Result<Self, Error> {
        let store = open_store(home)?;
        let is_new = store.meta(Key::Enrollment)?.is_none();
        let key = vault::open(&home.join("device.key"), is_new, &mut *seams.entropy)?;
        Self::over(store, key, seams)
    }

    /// The same with a key of the caller's.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Key`] where the device there has another key.
    pub fn open_with(home: &Path, vault: impl Vault + 'static, seams: Seams) -> Result<Self, Error> {
        Self::over(open_store(home)?, vault, seams)
    }
}

fn open_store(home: &Path) -> Result<SqliteStore, StoreError> {
    make_private_folder(home).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    SqliteStore::open(home)
}

/// On disk, name and all: what is written into a folder that a power cut takes away is gone with it.
fn make_private_folder(home: &Path) -> io::Result<()> {
    if home.is_dir() {
        return Ok(());
    }
    let above = home.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), make_private_folder)?;
    let mut builder = DirBuilder::new();
    // Somebody else may just have made it.
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home)?;
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_device_is_itself_again_after_a_restart_and_its_key_is_private() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path().join("phone");
        let first = Client::open(&home, Seams::system()).expect("opens");
        let (replica, key) = (first.replica(), first.public_key());
        drop(first);
        let again = Client::open(&home, Seams::system()).expect("opens again");
        assert_eq!((again.replica(), again.public_key()), (replica, key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
            assert_eq!((mode(&home), mode(&home.join("device.key"))), (0o700, 0o600));
        }
    }

    #[test]
    fn an_enrolled_device_without_its_key_is_not_given_another() {
        let home = tempfile::tempdir().expect("a folder");
        drop(Client::open(home.path(), Seams::system()).expect("opens"));
        let mut store = SqliteStore::open(home.path()).expect("opens");
        store.set_meta(Key::Enrollment, b"{}").expect("writes");
        drop(store);
        fs::remove_file(home.path().join("device.key")).expect("removes");
        let refused = Client::open(home.path(), Seams::system()).map(drop);
        assert_eq!(refused.map_err(|error| error.code().to_owned()), Err("device_key".to_owned()));
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("device.key"), "half").expect("writes");
        let refused = Client::open(home.path(), Seams::system()).map(drop);
        assert_eq!(refused.map_err(|error| error.code().to_owned()), Err("device_key".to_owned()));
    }
}
