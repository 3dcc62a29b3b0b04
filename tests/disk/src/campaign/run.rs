//! The campaigns: one day after another, each with another failure.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aralau_tests::chance::Chance;
use aralau_torture::campaign::{Size, Tally};

use super::{
    copied,
    course::{Course, Outcome, Remedy, Victim},
};
use crate::fault::{Failure, Plan};

/// A campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Campaign {
    /// Every operation of either disk fails once.
    Once,
    /// From every operation on, all fail.
    Persistent,
    /// From every operation on that needs room, there is none.
    Full,
    /// The server's power goes.
    PowerCutServer,
    /// Anna's battery is flat.
    PowerCutPhone,
    /// A copy made in the middle of writing is put in the database's place.
    CopiedAway,
}

impl Campaign {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Once, Self::Persistent, Self::Full, Self::PowerCutServer, Self::PowerCutPhone, Self::CopiedAway];

    /// Its name, on the command line and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "disk-once",
            Self::Persistent => "disk-persistent",
            Self::Full => "disk-full",
            Self::PowerCutServer => "power-cut-server",
            Self::PowerCutPhone => "power-cut-device",
            Self::CopiedAway => "copied-away",
        }
    }

    /// Whether its cases are the operations of a day, which end; else there is one for each seed.
    const fn is_of_operations(self) -> bool {
        matches!(self, Self::Once | Self::Persistent | Self::Full)
    }
}

/// The operations of an undisturbed day.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    server: u64,
    phone: u64,
}

impl Extent {
    /// Lives that day.
    fn of(campaign: Campaign, seed: u64) -> Result<Self, String> {
        let count = |victim| {
            let outcome = live(&Course::undisturbed(victim, seed))?;
            let full = campaign == Campaign::Full;
            Ok::<u64, String>(if full { outcome.operations_needing_room } else { outcome.operations })
        };
        Ok(Self { server: count(Victim::Server)?, phone: count(Victim::Phone)? })
    }

    /// All cases of a campaign of operations.
    pub const fn total(self) -> u64 {
        self.server + self.phone
    }
}

/// One course; a panic is what must not be.
pub fn live(course: &Course) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| course.run())).unwrap_or_else(|_| Err(format!("a panic ({course:?})")))
}

/// Case number so-and-so. Of operations: first the server's, then the phone's, counted from 1. Else: a seed.
fn case(campaign: Campaign, number: u64, seed: u64, extent: Extent) -> Result<Outcome, String> {
    let (victim, at) =
        if number > extent.server { (Victim::Phone, number - extent.server) } else { (Victim::Server, number) };
    // Another seed of the campaign tries the other remedy.
    let remedy = if (number + seed).is_multiple_of(2) { Remedy::TryAgain } else { Remedy::Restart };
    let of_operations = |failure, lasting| {
        let plan = Some(Plan { at, failure, lasting });
        live(&Course { victim, seed, plan, remedy, lies: false })
    };
    match campaign {
        Campaign::Once => of_operations(Failure::Io, false),
        Campaign::Persistent => of_operations(Failure::Io, true),
        Campaign::Full => of_operations(Failure::Full, true),
        Campaign::PowerCutServer => live(&power_cut(Victim::Server, number, extent.server)),
        Campaign::PowerCutPhone => live(&power_cut(Victim::Phone, number, extent.phone)),
        Campaign::CopiedAway => catch_unwind(|| copied::run(number, extent.server))
            .unwrap_or_else(|_| Err(format!("a panic (copied away, seed {number})"))),
    }
}

/// A power cut at some moment of the day, both by seed.
pub fn power_cut(victim: Victim, seed: u64, operations: u64) -> Course {
    let at = 1 + Chance::from(seed ^ 0xc07).below(operations);
    let plan = Some(Plan { at, failure: Failure::PowerCut, lasting: true });
    Course { victim, seed, plan, remedy: Remedy::Restart, lies: false }
}

/// Which cases: from the first on, every so-manieth.
#[derive(Clone, Copy, Debug)]
pub struct Cases {
    /// The first; else the first operation, or the seed.
    pub first: Option<u64>,
    /// 1: all.
    pub every: usize,
    /// Of the day.
    pub seed: u64,
}

/// Runs a campaign until its size or its end is reached.
pub fn run(campaign: Campaign, cases: Cases, size: Size) -> Result<Tally, String> {
    let Cases { first, every, seed } = cases;
    let extent = Extent::of(campaign, if campaign.is_of_operations() { seed } else { 1 })?;
    let first = first.unwrap_or(if campaign.is_of_operations() { 1 } else { seed });
    let mut tally = Tally::new(campaign.name(), first);
    let end = if campaign.is_of_operations() { extent.total() + 1 } else { u64::MAX };
    for figure in ["unnoticed", "unstruck"] {
        tally.add(figure, 0);
    }
    tally.note("seed", seed);
    if campaign.is_of_operations() {
        tally.note("of", extent.total());
    }
    if every > 1 {
        tally.note("every", every);
    }
    for number in (first..end).step_by(every) {
        let most = if campaign.is_of_operations() { u64::MAX } else { 200 };
        if size.next(tally.count, most) == 0 {
            break;
        }
        tally.count += 1;
        match case(campaign, number, seed, extent) {
            Ok(outcome) => {
                tally.add("unnoticed", u64::from(outcome.struck.is_some() && outcome.noticed.is_none()));
                tally.add("unstruck", u64::from(outcome.struck.is_none()));
                outcome.figure.iter().for_each(|figure| tally.add(figure, 1));
            }
            Err(what) => {
                tally.failed += 1;
                eprintln!("{} {number}: {what}", campaign.name());
                eprintln!("  again: store-faults {} --seed {seed} --first {number} --count 1", campaign.name());
            }
        }
    }
    Ok(tally)
}
