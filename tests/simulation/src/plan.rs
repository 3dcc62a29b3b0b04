//! What happens next, by chance, and by habits that each seed has of its own.

use aralau_tests::chance::Chance;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A visit is logged.
    Log,
    /// A visit is edited: a note, a field, a withdrawal.
    Edit,
    /// A phone settles a conflict.
    Resolve,
    /// A phone begins to sync.
    Sync,
    /// Something moves on the line.
    Move,
    /// Headquarters settles a conflict, or corrects a field.
    Correct,
    /// A device is shut out.
    Revoke,
    /// Somebody is moved to another beat.
    Assign,
    /// A held entry is let in.
    Release,
    /// A held entry is refused for good.
    Reject,
    /// The server is backed up.
    BackUpServer,
    /// The server's machine is lost, and a backup restored.
    RestoreServer,
    /// An old database file is copied over the present one.
    PutBack,
    /// The server's process is killed and started again.
    KillServer,
    /// What is old is sealed.
    Compact,
    /// The projections are made anew.
    Rebuild,
    /// A phone's store goes into a backup.
    BackUpPhone,
    /// A phone's store comes from a backup.
    RestorePhone,
    /// A phone's last commit never reached its disk.
    LoseCommit,
    /// A phone is copied, and both go on.
    ClonePhone,
    /// The app is deleted and installed again.
    Reinstall,
    /// A phone falls into a river.
    LosePhone,
    /// A phone's app is killed.
    KillPhone,
    /// A phone's clock jumps.
    SetClock,
    /// The server's clock jumps.
    SetServerClock,
    /// The hostile device does something.
    Hostility,
    /// Something that is not built yet; see [`crate::seats`].
    Seat,
}

impl Act {
    /// Each with how often it is usual.
    const USUAL: [(Self, u64); 27] = [
        (Self::Log, 240),
        (Self::Edit, 320),
        (Self::Resolve, 40),
        (Self::Sync, 240),
        (Self::Move, 1000),
        (Self::Correct, 30),
        (Self::Revoke, 2),
        (Self::Assign, 8),
        (Self::Release, 20),
        (Self::Reject, 6),
        (Self::BackUpServer, 12),
        (Self::RestoreServer, 5),
        (Self::PutBack, 2),
        (Self::KillServer, 12),
        (Self::Compact, 12),
        (Self::Rebuild, 5),
        (Self::BackUpPhone, 12),
        (Self::RestorePhone, 6),
        (Self::LoseCommit, 8),
        (Self::ClonePhone, 2),
        (Self::Reinstall, 3),
        (Self::LosePhone, 2),
        (Self::KillPhone, 12),
        (Self::SetClock, 12),
        (Self::SetServerClock, 3),
        (Self::Hostility, 60),
        (Self::Seat, 1),
    ];
}

/// How often a seed does a thing: inspectors and line are never idle, all else may be left out.
fn habit(act: Act, usual: u64, chance: &mut Chance) -> u64 {
    let needed = matches!(act, Act::Log | Act::Edit | Act::Sync | Act::Move);
    let times = chance.pick(if needed { &[1, 2, 4, 8] } else { &[0, 2, 4, 12] });
    (usual * times / 4).max(u64::from(*times > 0))
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Plan {
    weights: Vec<(Act, u64)>,
    longest_pause_ms: u64,
    /// In a thousand moves of the line, so many go wrong.
    pub line_faults: u64,
    /// In a thousand writes or answers, so many meet a battery that dies.
    pub deaths: u64,
}

impl Plan {
    /// Habits by chance: each seed does some things often and others hardly ever, or never.
    pub fn new(chance: &mut Chance) -> Self {
        let weights = Act::USUAL.iter().map(|(act, usual)| (*act, habit(*act, *usual, chance))).collect();
        let minute = 60_000;
        let longest_pause_ms = *chance.pick(&[1_000, minute, 60 * minute, 24 * 60 * minute]);
        Self {
            weights,
            longest_pause_ms,
            line_faults: *chance.pick(&[100, 200, 400]),
            deaths: *chance.pick(&[0, 20, 60]),
        }
    }

    /// What happens next.
    pub fn next(&self, chance: &mut Chance) -> Act {
        let mut at = chance.below(self.weights.iter().map(|(_, weight)| weight).sum());
        for (act, weight) in &self.weights {
            if at < *weight {
                return *act;
            }
            at -= weight;
        }
        Act::Move
    }

    /// After how many calls of its store a phone dies, if it does.
    pub fn dies(&self, chance: &mut Chance) -> Option<u32> {
        (chance.below(1000) < self.deaths).then(|| chance.below(60) as u32)
    }

    /// How long until then.
    pub fn pause(&self, chance: &mut Chance) -> i64 {
        chance.below(self.longest_pause_ms) as i64
    }
}
