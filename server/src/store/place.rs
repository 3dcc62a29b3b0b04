//! Where a store's files are: a folder, and the disk that it is on.

use std::{
    any::Any,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// What a store asks of a disk. [`SystemDisk`] is the operating system's.
///
/// Where a method changes something, the change has reached the medium when it returns: a power cut does not undo it.
pub trait Disk: Send + Sync {
    /// The name under which SQLite knows this disk; `None`: SQLite's own way to the system's files.
    fn vfs(&self) -> Option<&str>;
    /// Makes a folder, with those above it, where it is absent.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
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
    /// Brings what others wrote into a file to the medium.
    fn sync(&self, file: &Path) -> io::Result<()>;
    /// Brings a file's name to the medium, with those beside it.
    fn sync_name(&self, file: &Path) -> io::Result<()>;
    /// Gives a file another name in its folder, in place of whatever had that name: whole, or not at all.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
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
        // Somebody else may just have made it.
        DirBuilder::new().recursive(true).create(folder)?;
        self.sync_name(folder)
    }

    fn lock(&self, file: &Path) -> Result<Box<dyn Any + Send>, TryLockError> {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(file);
        let file = opened.map_err(TryLockError::Error)?;
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
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).map(drop)
    }

    fn write(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = File::create(file)?;
        file.write_all(content)?;
        file.sync_all()
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
pub struct Place {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("folder", &self.folder).field("vfs", &self.disk.vfs()).finish()
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Place {
    fn from(folder: &P) -> Self {
        Self::on(Arc::new(SystemDisk), folder.as_ref().to_owned())
    }
}

impl Place {
    /// A folder on a disk of the caller's.
    pub fn on(disk: Arc<dyn Disk>, folder: PathBuf) -> Self {
        Self { folder, disk }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The disk.
    pub(super) fn disk(&self) -> &dyn Disk {
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
        match self.disk.vfs() {
            Some(vfs) => Connection::open_with_flags_and_vfs(database, flags, vfs),
            None => Connection::open_with_flags(database, flags),
        }
    }
}
