//! The folder that a store's files are in, and the disk that it is on.

use std::{
    any::Any,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, directory};

/// What a store asks of a disk. [`SystemDisk`] is the operating system's.
///
/// Where a method changes something, the change has reached the medium when it returns: a power cut does not undo it.
pub trait Disk: Send + Sync {
    /// The name under which SQLite knows this disk; `None`: SQLite's own way to the system's files.
    fn vfs(&self) -> Option<&str>;
    /// Makes a folder that nobody but its owner enters, with those above it, where it is absent.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// Takes a folder of these files, and the files, from everybody but their owner, where they were made for more.
    fn withdraw(&self, folder: &Path) -> io::Result<()>;
    /// Takes a lock that ends with the value or the process.
    fn lock(&self, file: &Path) -> Result<Box<dyn Any + Send>, TryLockError>;
    /// Whether there is such a file.
    fn exists(&self, file: &Path) -> io::Result<bool>;
    /// A file's content; `None` where it is absent.
    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Makes a file that nobody but its owner reads; one that is there stays as it is. Not on the medium yet.
    fn make_private(&self, file: &Path) -> io::Result<()>;
    /// Gives a file this content, whatever it held before. A power cut in the middle may leave a part.
    fn write(&self, file: &Path, content: &[u8]) -> io::Result<()>;
    /// Adds to a file's end, making it where it is absent. A power cut in the middle may leave a part.
    fn append(&self, file: &Path, content: &[u8]) -> io::Result<()>;
    /// Brings what others wrote into a file to the medium.
    fn sync(&self, file: &Path) -> io::Result<()>;
    /// Brings a file's name to the medium, with those beside it.
    fn sync_name(&self, file: &Path) -> io::Result<()>;
    /// Gives a file another name in its folder, in place of whatever had that name: whole, or not at all.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// What is left for files in a folder; `None` where that cannot be told.
    fn available_bytes(&self, _folder: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }
    /// Removes a file, where there is one.
    fn remove(&self, file: &Path) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How a file is opened that nobody but its owner is to read, and made where it is absent.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether a file of this name in a data folder is one of the store's: what an operator has put there is his.
#[cfg(unix)]
fn is_of_a_store(name: &std::ffi::OsStr) -> bool {
    const OURS: [&str; 5] = ["aralau.db", "serving.lock", "high-water", "restoring.db", "notices"];
    let name = name.to_string_lossy();
    OURS.iter().any(|ours| name.starts_with(ours)) || name == "aralau.toml"
}

impl Disk for SystemDisk {
    fn vfs(&self) -> Option<&str> {
        None
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.make_folder(above)?;
        }
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Somebody else may just have made it.
        builder.recursive(true).create(folder)?;
        self.sync_name(folder)
    }

    #[cfg(unix)]
    fn withdraw(&self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;

        const OTHERS: u32 = 0o077;
        const STICKY: u32 = 0o1000;
        // Whoever works on another's folder may not be the one to change it.
        let tighten =
            |path: &Path, mode: u32| match fs::set_permissions(path, fs::Permissions::from_mode(mode & !OTHERS)) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
                changed => changed,
            };
        let mut is_ours = true;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            is_ours &= !metadata.is_dir();
            let mode = metadata.permissions().mode();
            if metadata.is_file() && mode & OTHERS != 0 && is_of_a_store(&entry.file_name()) {
                tighten(&entry.path(), mode)?;
            }
        }
        // A folder with folders in it, or one that everybody may write to, is somebody else's as well.
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & OTHERS == 0 {
            return Ok(());
        }
        if is_ours && mode & STICKY == 0 {
            return tighten(folder, mode);
        }
        tracing::warn!(folder = %folder.display(), "others may enter the data folder, for it holds more than a store");
        Ok(())
    }

    #[cfg(not(unix))]
    fn withdraw(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn available_bytes(&self, folder: &Path) -> io::Result<Option<u64>> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    fn lock(&self, file: &Path) -> Result<Box<dyn Any + Send>, TryLockError> {
        let file = private().open(file).map_err(TryLockError::Error)?;
        file.try_lock()?;
        Ok(Box::new(file))
    }

    fn exists(&self, file: &Path) -> io::Result<bool> {
        file.try_exists()
    }

    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        if_there(fs::read(file))
    }

    fn make_private(&self, file: &Path) -> io::Result<()> {
        private().open(file).map(drop)
    }

    fn write(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = private().truncate(true).open(file)?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn append(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut opened = private().append(true).open(file)?;
        opened.write_all(content)?;
        opened.sync_all()?;
        self.sync_name(file)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        File::open(file)?.sync_all()
    }

    // A name is on the medium when its folder is.
    fn sync_name(&self, file: &Path) -> io::Result<()> {
        match file.parent() {
            Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.sync_name(to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        if_there(fs::remove_file(file))?;
        // Also where it is absent: an earlier attempt may have broken off before its absence was on the medium.
        self.sync_name(file)
    }
}

/// A folder on a disk. A path alone means the operating system's.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).field("vfs", &self.disk.vfs()).finish()
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Folder {
    fn from(path: &P) -> Self {
        Self::on(Arc::new(SystemDisk), path.as_ref().to_owned())
    }
}

impl Folder {
    /// A folder on a disk of the caller's.
    pub fn on(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        Self { path, disk }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The disk.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// A connection that writes, to a database that is made where it is absent.
    pub(super) fn connect(&self, database: &Path) -> Result<Connection, rusqlite::Error> {
        self.connect_with(database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// A connection that only reads.
    pub(super) fn connect_reader(&self, database: &Path) -> Result<Connection, StoreError> {
        let connection = self.connect_with(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "cache_size", -4096)?;
        Ok(connection)
    }

    fn connect_with(&self, database: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self.disk.vfs() {
            Some(vfs) => Connection::open_with_flags_and_vfs(database, flags, vfs)?,
            None => Connection::open_with_flags(database, flags)?,
        };
        directory::teach(&connection)?;
        Ok(connection)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{entropy::SystemEntropy, store::Store};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Opens a store in the folder, with every file that it ever makes, and closes it.
    fn serve(folder: &Path) {
        let now = aralau_sync_core::time::Millis(1_780_000_000_000);
        let _lock = crate::store::FolderLock::take(folder).unwrap();
        drop(Store::open(folder, now, Arc::new(SystemEntropy)).unwrap());
        crate::store::write_high_water(folder, 0).unwrap();
    }

    fn modes(folder: &Path) -> Vec<(String, u32)> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        files.map(|file| (file.file_name().to_string_lossy().into_owned(), mode(&file.path()))).collect()
    }

    #[test]
    fn nobody_but_its_owner_reads_a_store() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("data");
        serve(&folder);
        assert_eq!(mode(&folder), 0o700);
        assert!(modes(&folder).len() >= 3);
        assert!(modes(&folder).iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes(&folder));
    }

    #[test]
    fn a_folder_of_before_is_taken_from_others_and_what_an_operator_put_there_stays_readable() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("data");
        serve(&folder);
        let files = ["aralau.db", "serving.lock", "high-water", "aralau.toml", "almaty.pmtiles"];
        fs::write(folder.join("aralau.toml"), "").unwrap();
        fs::write(folder.join("almaty.pmtiles"), "").unwrap();
        files.iter().for_each(|name| set_mode(&folder.join(name), 0o644));
        set_mode(&folder, 0o755);
        serve(&folder);
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(files.map(|name| mode(&folder.join(name))), [0o600, 0o600, 0o600, 0o600, 0o644]);
    }

    #[test]
    fn a_folder_that_is_not_a_stores_alone_stays_open_and_the_stores_files_do_not() {
        let above = tempfile::tempdir().unwrap();
        for (name, mode_before, inside) in [("shared", 0o1777, false), ("srv", 0o755, true)] {
            let folder = above.path().join(name);
            fs::create_dir(&folder).unwrap();
            if inside {
                fs::create_dir(folder.join("www")).unwrap();
            }
            set_mode(&folder, mode_before);
            serve(&folder);
            assert_eq!(mode(&folder), mode_before, "{name}");
            assert_eq!(mode(&folder.join("aralau.db")), 0o600, "{name}");
        }
    }
}
