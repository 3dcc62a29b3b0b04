//! Files and names, and how much of them has reached the medium.

use std::collections::BTreeMap;

use aralau_tests::chance::Chance;

/// A file, whatever its names.
pub type FileNo = u64;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A change to a file that may not have reached the medium.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { size: usize },
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What everybody reads.
    content: Vec<u8>,
    /// What has reached the medium for sure.
    synced: Vec<u8>,
    /// What has happened since, in order, with its moment.
    pending: Vec<(u64, Change)>,
}

/// A change to the names.
#[derive(Clone, Debug)]
enum Naming {
    Made { name: String, file: FileNo },
    Removed { name: String },
    Renamed { from: String, to: String },
}

impl Naming {
    fn name(&self) -> &str {
        match self {
            Self::Made { name, .. } | Self::Removed { name } => name,
            Self::Renamed { to, .. } => to,
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, FileNo>) {
        match self {
            Self::Made { name, file } => drop(names.insert(name.clone(), *file)),
            Self::Removed { name } => drop(names.remove(name)),
            Self::Renamed { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

/// What becomes of changes that had not been synced when the power went.
#[derive(Clone, Copy, Debug)]
enum Survival {
    /// None.
    Nothing,
    /// All: the cache had just been written out.
    Everything,
    /// What happened before this moment; what happened in it is torn: in order, as on a disk with one queue.
    Until(u64),
    /// Each on its own: disks write in any order.
    Any,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Medium {
    files: BTreeMap<FileNo, File>,
    names: BTreeMap<String, FileNo>,
    synced_names: BTreeMap<String, FileNo>,
    pending_names: Vec<(u64, Naming)>,
    last: FileNo,
    moment: u64,
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Medium {
    pub fn find(&self, name: &str) -> Option<FileNo> {
        self.names.get(name).copied()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// What to call a file in a trace.
    pub fn name_of(&self, file: FileNo) -> String {
        let named = self.names.iter().find(|(_, named)| **named == file);
        named.map_or_else(|| "a nameless file".to_owned(), |(name, _)| name.clone())
    }

    pub fn content(&self, file: FileNo) -> &[u8] {
        self.files.get(&file).map_or(&[], |file| &file.content)
    }

    /// A file without a name.
    pub fn make_unnamed(&mut self) -> FileNo {
        self.last += 1;
        self.files.insert(self.last, File::default());
        self.last
    }

    pub fn make(&mut self, name: &str) -> FileNo {
        let file = self.make_unnamed();
        self.rename_with(Naming::Made { name: name.to_owned(), file });
        file
    }

    pub fn remove(&mut self, name: &str) {
        self.rename_with(Naming::Removed { name: name.to_owned() });
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        self.rename_with(Naming::Renamed { from: from.to_owned(), to: to.to_owned() });
    }

    fn rename_with(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.moment += 1;
        self.pending_names.push((self.moment, naming));
    }

    pub fn write(&mut self, file: FileNo, offset: usize, bytes: &[u8]) {
        self.change(file, Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub fn truncate(&mut self, file: FileNo, size: usize) {
        self.change(file, Change::Truncate { size });
    }

    fn change(&mut self, file: FileNo, change: Change) {
        if let Some(file) = self.files.get_mut(&file) {
            apply(&mut file.content, &change);
            self.moment += 1;
            file.pending.push((self.moment, change));
        }
    }

    /// Everything in a file is on the medium.
    pub fn sync(&mut self, file: FileNo) {
        if let Some(file) = self.files.get_mut(&file) {
            file.pending.drain(..).for_each(|(_, change)| apply(&mut file.synced, &change));
        }
    }

    /// As Linux has it: what could not be written is forgotten; a later sync that succeeds says nothing about it.
    pub fn fail_sync(&mut self, file: FileNo, chance: &mut Chance) {
        if let Some(file) = self.files.get_mut(&file) {
            let pending = std::mem::take(&mut file.pending);
            survive(&mut file.synced, &pending, Survival::Any, chance);
        }
    }

    /// Every name in the folder of this file is on the medium.
    pub fn sync_folder_of(&mut self, name: &str) {
        let pending = std::mem::take(&mut self.pending_names);
        for (moment, naming) in pending {
            if folder(naming.name()) == folder(name) {
                naming.apply(&mut self.synced_names);
            } else {
                self.pending_names.push((moment, naming));
            }
        }
    }

    /// A file without a name goes with whoever had it open.
    pub fn forget(&mut self, file: FileNo) {
        self.files.remove(&file);
    }

    /// What is found when the power is back.
    pub fn cut(&mut self, chance: &mut Chance) {
        let survival = self.survival(chance);
        for file in self.files.values_mut() {
            let pending = std::mem::take(&mut file.pending);
            survive(&mut file.synced, &pending, survival, chance);
            file.content.clone_from(&file.synced);
        }
        for (moment, naming) in std::mem::take(&mut self.pending_names) {
            if survival.keeps(moment, chance) {
                naming.apply(&mut self.synced_names);
            }
        }
        self.names.clone_from(&self.synced_names);
        let names = &self.names;
        self.files.retain(|file, _| names.values().any(|named| named == file));
    }

    fn survival(&self, chance: &mut Chance) -> Survival {
        let written = self.files.values().filter_map(|file| file.pending.first()).map(|(moment, _)| *moment);
        let first = written.chain(self.pending_names.first().map(|(moment, _)| *moment)).min();
        let span = self.moment + 1 - first.unwrap_or(self.moment);
        let until = self.moment + 1 - chance.below(span + 1);
        *chance.pick(&[Survival::Nothing, Survival::Everything, Survival::Until(until), Survival::Any, Survival::Any])
    }
}

impl Survival {
    fn keeps(self, moment: u64, chance: &mut Chance) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Until(until) => moment < until,
            Self::Any => chance.below(2) == 0,
        }
    }

    fn tears(self, moment: u64, chance: &mut Chance) -> bool {
        match self {
            Self::Nothing | Self::Everything => false,
            Self::Until(until) => moment == until,
            Self::Any => chance.below(4) == 0,
        }
    }
}

fn survive(synced: &mut Vec<u8>, pending: &[(u64, Change)], survival: Survival, chance: &mut Chance) {
    for (moment, change) in pending {
        let (kept, torn) = (survival.keeps(*moment, chance), survival.tears(*moment, chance));
        match change {
            Change::Write { offset, bytes } if torn => tear(synced, *offset, bytes, chance),
            Change::Write { .. } | Change::Truncate { .. } if kept => apply(synced, change),
            Change::Write { offset, bytes } => grow(synced, offset + bytes.len(), survival, chance),
            Change::Truncate { .. } => {}
        }
    }
}

/// Some sectors of a write arrive, in any order; never a part of one.
fn tear(synced: &mut Vec<u8>, offset: usize, bytes: &[u8], chance: &mut Chance) {
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + SECTOR - (offset + at) % SECTOR);
        if chance.below(2) == 0 {
            apply(synced, &Change::Write { offset: offset + at, bytes: bytes[at..end].to_vec() });
        }
        at = end;
    }
}

/// A file may have become longer without what was to stand there: then anything does.
fn grow(synced: &mut Vec<u8>, end: usize, survival: Survival, chance: &mut Chance) {
    if matches!(survival, Survival::Any) && chance.below(4) == 0 {
        let noise = chance.below(2) == 0;
        while synced.len() < end {
            synced.push(if noise { chance.bits() as u8 } else { 0 });
        }
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
        Change::Truncate { size } => content.truncate(*size),
    }
}
