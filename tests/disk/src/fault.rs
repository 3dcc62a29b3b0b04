//! What a disk is asked to do, and how it is told to fail.

/// One thing that a disk is asked to do. Locks are not among them: they never reach a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Opens a file, making it where it is absent.
    Open,
    /// Looks whether a file is there.
    Access,
    /// Reads a file's size.
    Size,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Cuts a file's end off.
    Truncate,
    /// Brings a file to the medium.
    Sync,
    /// Brings a folder's names to the medium.
    SyncFolder,
    /// Removes a file.
    Delete,
    /// Gives a file another name.
    Rename,
    /// Maps memory that connections share.
    Map,
}

impl Operation {
    /// Whether it needs room.
    pub const fn needs_room(self) -> bool {
        matches!(self, Self::Write | Self::Map)
    }
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error of the medium.
    Io,
    /// No room: operations that need none go on.
    Full,
    /// The power goes, in the middle of the operation: nothing works until [`Disk::power_on`](crate::Disk::power_on).
    PowerCut,
}

/// Which operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The n-th from now, counted from 1. For [`Failure::Full`]: the n-th that needs room.
    pub at: u64,
    /// How.
    pub failure: Failure,
    /// Whether everything after it fails as well, until [`Disk::heal`](crate::Disk::heal).
    pub lasting: bool,
}

/// What is to become of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Works,
    Fails(Failure),
    /// Half done, and nothing after it.
    LastOne,
}

/// Counts the operations and picks the one that fails.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    pub done: u64,
    pub needing_room: u64,
    pub hits: u64,
    /// With the number of the operation from which on it holds.
    plan: Option<(u64, Plan)>,
}

impl Schedule {
    pub fn arm(&mut self, plan: Plan) {
        let so_far = if plan.failure == Failure::Full { self.needing_room } else { self.done };
        self.plan = Some((so_far + plan.at, plan));
        self.hits = 0;
    }

    pub fn disarm(&mut self) {
        self.plan = None;
    }

    pub fn next(&mut self, operation: Operation) -> Fate {
        self.done += 1;
        self.needing_room += u64::from(operation.needs_room());
        let Some((at, plan)) = self.plan else { return Fate::Works };
        let full = plan.failure == Failure::Full;
        let (so_far, concerned) = if full { (self.needing_room, operation.needs_room()) } else { (self.done, true) };
        if so_far < at || !concerned || (self.hits > 0 && !plan.lasting) {
            return Fate::Works;
        }
        self.hits += 1;
        if plan.failure == Failure::PowerCut { Fate::LastOne } else { Fate::Fails(plan.failure) }
    }
}
