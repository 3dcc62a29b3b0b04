//! What a disk does when it is asked: the medium behind the schedule of failures.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use aralau_tests::chance::Chance;

use crate::{
    fault::{Failure, Fate, Operation, Schedule},
    lock::{FileLocks, Holder, Shared},
    medium::{FileNo, Medium},
};

/// Why an operation came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An error of the medium, or no power.
    Io,
    /// No room.
    Full,
    /// No such file.
    Absent,
}

type Result<T> = std::result::Result<T, Trouble>;

/// A copy that somebody makes of a file while it is written.
#[derive(Clone, Debug)]
pub struct Copying {
    pub at: u64,
    pub name: String,
    pub made: Option<Option<Vec<u8>>>,
}

/// See the module.
#[derive(Debug)]
pub struct State {
    pub medium: Medium,
    pub schedule: Schedule,
    pub chance: Chance,
    /// Counts the lives of the processes: what one had open, the next does not.
    pub life: u64,
    pub off: bool,
    /// A disk that says yes and does nothing.
    pub ignores_syncs: bool,
    pub locks: BTreeMap<FileNo, FileLocks>,
    pub shared: BTreeMap<FileNo, Weak<Shared>>,
    pub folder_locks: BTreeSet<String>,
    pub holders: Holder,
    /// Files that somebody has open, of whatever life.
    pub open_files: u64,
    pub copies: Vec<Copying>,
    /// What the schedule struck first.
    pub struck: Option<String>,
}

impl State {
    /// An empty disk. Who had something open on the one before still has it, and closes it when it pleases.
    pub fn after(before: &Self, seed: u64) -> Self {
        Self { life: before.life + 1, open_files: before.open_files, ..Self::new(Chance::from(seed)) }
    }

    pub fn new(chance: Chance) -> Self {
        Self {
            medium: Medium::default(),
            schedule: Schedule::default(),
            chance,
            life: 0,
            off: false,
            ignores_syncs: false,
            locks: BTreeMap::new(),
            shared: BTreeMap::new(),
            folder_locks: BTreeSet::new(),
            holders: 0,
            open_files: 0,
            copies: Vec::new(),
            struck: None,
        }
    }

    /// Every process that used the disk has ended.
    pub fn end_life(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.shared.clear();
        self.folder_locks.clear();
    }

    /// Counts an operation. `Ok(true)`: it is the last one, to be half done.
    fn operate(&mut self, operation: Operation, what: &dyn Fn(&Medium) -> String) -> Result<bool> {
        if self.off {
            return Err(Trouble::Io);
        }
        self.copy_what_is_due();
        let fate = self.schedule.next(operation);
        if fate != Fate::Works && self.schedule.hits == 1 {
            self.struck = Some(format!("{operation:?} {} (operation {})", what(&self.medium), self.schedule.done));
        }
        match fate {
            Fate::Works => Ok(false),
            Fate::Fails(Failure::Full) => Err(Trouble::Full),
            Fate::Fails(Failure::Io | Failure::PowerCut) => Err(Trouble::Io),
            Fate::LastOne => {
                self.off = true;
                Ok(true)
            }
        }
    }

    fn copy_what_is_due(&mut self) {
        let done = self.schedule.done;
        for copying in self.copies.iter_mut().filter(|copying| copying.made.is_none() && copying.at <= done) {
            let file = self.medium.find(&copying.name);
            copying.made = Some(file.map(|file| self.medium.content(file).to_vec()));
        }
    }

    /// Opens a file by its name, or one without; whether it was made.
    pub fn open(&mut self, name: Option<&str>, make: bool) -> Result<(FileNo, bool)> {
        let last = self.operate(Operation::Open, &|_| name.unwrap_or("a nameless file").to_owned())?;
        let opened = match (name, name.and_then(|name| self.medium.find(name))) {
            (_, Some(file)) => (file, false),
            (Some(_), None) if !make => return Err(Trouble::Absent),
            (Some(name), None) => (self.medium.make(name), true),
            (None, None) => (self.medium.make_unnamed(), true),
        };
        after(last, opened)
    }

    pub fn exists(&mut self, name: &str) -> Result<bool> {
        let last = self.operate(Operation::Access, &|_| name.to_owned())?;
        after(last, self.medium.find(name).is_some())
    }

    pub fn size(&mut self, file: FileNo) -> Result<usize> {
        let last = self.operate(Operation::Size, &|medium| medium.name_of(file))?;
        after(last, self.medium.content(file).len())
    }

    /// Fills as much of the buffer as there is.
    pub fn read(&mut self, file: FileNo, offset: usize, buffer: &mut [u8]) -> Result<usize> {
        let length = buffer.len();
        let last = self.operate(Operation::Read, &|medium| extent(medium, file, offset, length))?;
        let found = self.medium.content(file).get(offset..).unwrap_or_default();
        let count = found.len().min(length);
        buffer[..count].copy_from_slice(&found[..count]);
        after(last, count)
    }

    pub fn write(&mut self, file: FileNo, offset: usize, bytes: &[u8]) -> Result<()> {
        match self.operate(Operation::Write, &|medium| extent(medium, file, offset, bytes.len())) {
            Ok(last) => {
                self.medium.write(file, offset, bytes);
                after(last, ())
            }
            // What fails may have begun.
            Err(trouble) if !self.off => {
                let begun = self.chance.below(bytes.len() as u64 + 1) as usize;
                self.medium.write(file, offset, &bytes[..begun]);
                Err(trouble)
            }
            Err(trouble) => Err(trouble),
        }
    }

    pub fn truncate(&mut self, file: FileNo, size: usize) -> Result<()> {
        let last = self.operate(Operation::Truncate, &|medium| extent(medium, file, size, 0))?;
        self.medium.truncate(file, size);
        after(last, ())
    }

    pub fn sync(&mut self, file: FileNo) -> Result<()> {
        let operated = self.operate(Operation::Sync, &|medium| medium.name_of(file));
        match operated {
            // Cut off in the middle: what has arrived is as uncertain as before.
            Ok(true) => return Err(Trouble::Io),
            Ok(false) if self.ignores_syncs => {}
            Ok(false) => self.medium.sync(file),
            Err(_) if !self.off => self.medium.fail_sync(file, &mut self.chance),
            Err(_) => {}
        }
        operated.map(drop)
    }

    /// Brings the names beside this file to the medium.
    pub fn sync_folder_of(&mut self, name: &str) -> Result<()> {
        if self.operate(Operation::SyncFolder, &|_| format!("of {name}"))? {
            return Err(Trouble::Io);
        }
        if !self.ignores_syncs {
            self.medium.sync_folder_of(name);
        }
        Ok(())
    }

    pub fn delete(&mut self, name: &str) -> Result<()> {
        let last = self.operate(Operation::Delete, &|_| name.to_owned())?;
        self.medium.find(name).ok_or(Trouble::Absent)?;
        self.medium.remove(name);
        after(last, ())
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let last = self.operate(Operation::Rename, &|_| format!("{from} to {to}"))?;
        self.medium.find(from).ok_or(Trouble::Absent)?;
        self.medium.rename(from, to);
        after(last, ())
    }

    /// The memory that those who have a database open share.
    pub fn map(&mut self, file: FileNo) -> Result<Arc<Shared>> {
        let last = self.operate(Operation::Map, &|medium| medium.name_of(file))?;
        let known = self.shared.get(&file).and_then(Weak::upgrade);
        let shared = known.unwrap_or_default();
        self.shared.insert(file, Arc::downgrade(&shared));
        after(last, shared)
    }
}

/// Whoever asked for the last operation does not hear of it.
fn after<T>(last: bool, value: T) -> Result<T> {
    if last { Err(Trouble::Io) } else { Ok(value) }
}

fn extent(medium: &Medium, file: FileNo, offset: usize, length: usize) -> String {
    format!("{} at {offset}+{length}", medium.name_of(file))
}
