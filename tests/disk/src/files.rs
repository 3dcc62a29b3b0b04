//! The server's own files on this disk.

use std::{any::Any, fs::TryLockError, io, path::Path};

use aralau_server::store;

use crate::{Disk, state::Trouble};

impl From<Trouble> for io::Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Io => Self::other("input/output error of the simulated disk"),
            Trouble::Full => io::ErrorKind::StorageFull.into(),
            Trouble::Absent => io::ErrorKind::NotFound.into(),
        }
    }
}

fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::ErrorKind::InvalidFilename.into())
}

/// Frees a folder's lock.
struct Lock(Disk, String);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.state().folder_locks.remove(&self.1);
    }
}

impl store::Disk for Disk {
    fn vfs(&self) -> Option<&str> {
        Some(Self::vfs(self))
    }

    fn make_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn withdraw(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, file: &Path) -> Result<Box<dyn Any + Send>, TryLockError> {
        let name = text(file).map_err(TryLockError::Error)?.to_owned();
        let new = self.state().folder_locks.insert(name.clone());
        if new { Ok(Box::new(Lock(self.clone(), name))) } else { Err(TryLockError::WouldBlock) }
    }

    fn exists(&self, file: &Path) -> io::Result<bool> {
        Ok(self.state().exists(text(file)?)?)
    }

    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.state();
        let file = match state.open(Some(text(file)?), false) {
            Ok((file, _)) => file,
            Err(Trouble::Absent) => return Ok(None),
            Err(trouble) => return Err(trouble.into()),
        };
        let mut content = vec![0; state.size(file)?];
        state.read(file, 0, &mut content)?;
        Ok(Some(content))
    }

    fn make_private(&self, file: &Path) -> io::Result<()> {
        self.state().open(Some(text(file)?), true)?;
        Ok(())
    }

    fn write(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let (file, made) = state.open(Some(text(file)?), true)?;
        if !made {
            state.truncate(file, 0)?;
        }
        state.write(file, 0, content)?;
        Ok(state.sync(file)?)
    }

    fn append(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let (opened, _) = state.open(Some(text(file)?), true)?;
        let end = state.size(opened)?;
        state.write(opened, end, content)?;
        state.sync(opened)?;
        Ok(state.sync_folder_of(text(file)?)?)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        let mut state = self.state();
        let (file, _) = state.open(Some(text(file)?), false)?;
        Ok(state.sync(file)?)
    }

    fn sync_name(&self, file: &Path) -> io::Result<()> {
        Ok(self.state().sync_folder_of(text(file)?)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.rename(text(from)?, text(to)?)?;
        Ok(state.sync_folder_of(text(to)?)?)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut state = self.state();
        match state.delete(text(file)?) {
            Ok(()) | Err(Trouble::Absent) => Ok(state.sync_folder_of(text(file)?)?),
            Err(trouble) => Err(trouble.into()),
        }
    }
}
