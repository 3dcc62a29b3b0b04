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
}

impl Act {
    /// Each with how often it is usual.
    const USUAL: [(Self, u64); 5] =
        [(Self::Log, 60), (Self::Edit, 80), (Self::Resolve, 10), (Self::Sync, 60), (Self::Move, 250)];
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
    /// Habits by chance: each seed does some things often and others hardly ever.
    pub fn new(chance: &mut Chance) -> Self {
        let habit = |chance: &mut Chance, usual: u64| usual * [1, 2, 4, 8][chance.below(4) as usize] / 4;
        let weights = Act::USUAL.iter().map(|(act, usual)| (*act, habit(chance, *usual).max(1))).collect();
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
