//! One day with one failure, from its first step to its last.

use super::{
    office::{Done, Office, Trouble, wrong},
    script::DAY,
};
use crate::fault::{Failure, Plan};

pub use super::office::Victim;

/// What is done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same process tries again.
    TryAgain,
    /// The process ends, and is started anew.
    Restart,
}

/// A day and its failure.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Whose disk.
    pub victim: Victim,
    /// Of everything.
    pub seed: u64,
    /// What fails.
    pub plan: Option<Plan>,
    /// What is done about it.
    pub remedy: Remedy,
    /// A disk that ignores syncs: nothing holds on it, and the judges have to say so.
    pub lies: bool,
}

/// How a day went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Operations of the victim's disk in the course of the day.
    pub operations: u64,
    /// Those of them that needed room.
    pub operations_needing_room: u64,
    /// What failed, in words.
    pub struck: Option<String>,
    /// The step in which somebody noticed.
    pub noticed: Option<&'static str>,
    /// What else to count it among.
    pub figure: Option<&'static str>,
}

/// A step may fail so often in a row before nobody believes that it will ever go on.
const PATIENCE: u32 = 3;

impl Course {
    /// Nothing fails.
    pub fn undisturbed(victim: Victim, seed: u64) -> Self {
        Self { victim, seed, plan: None, remedy: Remedy::TryAgain, lies: false }
    }

    /// Lives the day. `Err`: what must not be, in words.
    pub fn run(&self) -> Result<Outcome, String> {
        let mut office = Office::new(self.seed);
        if self.lies {
            office.disk(self.victim).ignore_syncs();
        }
        if let Some(plan) = self.plan {
            office.disk(self.victim).fail(plan);
        }
        let mut outcome = Outcome::default();
        let lived = self.live(&mut office, &mut outcome);
        outcome.struck = outcome.struck.or_else(|| office.disk(self.victim).struck());
        lived.map(|()| outcome.clone()).map_err(|trouble| {
            let (struck, noticed) = (outcome.struck.unwrap_or_default(), outcome.noticed.unwrap_or("nobody noticed"));
            format!("{trouble} (struck: {struck}; noticed: {noticed}; {self:?})")
        })
    }

    fn live(&self, office: &mut Office, outcome: &mut Outcome) -> Done {
        for step in DAY {
            office.watch.tick();
            office.tries = 0;
            loop {
                office.tries += 1;
                let Err(trouble) = (step.run)(office) else { break };
                outcome.noticed.get_or_insert(step.name);
                self.mend(office, outcome, step.name, &trouble)?;
                if office.tries > PATIENCE {
                    return wrong(format!("{}: still {trouble}", step.name));
                }
            }
        }
        // Whatever the day left unsynced is gone now, and nothing acknowledged with it.
        outcome.operations = office.disk(self.victim).operations();
        outcome.operations_needing_room = office.disk(self.victim).operations_needing_room();
        judge_all(office)?;
        office.cut(self.victim);
        reopen(office, self.victim)?;
        judge_all(office)
    }

    /// A step failed: is it said clearly, and can one go on?
    fn mend(&self, office: &mut Office, outcome: &mut Outcome, step: &str, trouble: &Trouble) -> Done {
        if let Trouble::Wrong(what) = trouble {
            return wrong(format!("{step}: {what}"));
        }
        let struck = office.disk(self.victim).struck();
        outcome.struck = outcome.struck.take().or(struck);
        if outcome.struck.is_none() {
            return wrong(format!("{step}: failed without any cause: {trouble}"));
        }
        if !trouble.is_clear() {
            return wrong(format!("{step}: not a clear error: {trouble}"));
        }
        let Some(plan) = self.plan else { return wrong(format!("{step}: {trouble}")) };
        if plan.failure == Failure::PowerCut {
            if !office.disk(self.victim).is_off() {
                return wrong(format!("{step}: {trouble}, with the power back"));
            }
            office.cut(self.victim);
            reopen(office, self.victim)?;
            return judge_all(office);
        }
        if plan.lasting && office.tries < PATIENCE {
            // Nothing has changed; asking again has to be harmless.
            return Ok(());
        }
        if self.remedy == Remedy::Restart {
            self.restart(office)?;
        } else {
            office.disk(self.victim).heal();
        }
        Ok(())
    }

    /// Ends the victim's process, on the failing disk still; then the disk is whole again.
    fn restart(&self, office: &mut Office) -> Done {
        match self.victim {
            Victim::Server => office.close_server(),
            Victim::Phone => office.close_phone(),
        }
        let opened = match self.victim {
            Victim::Server => office.open_server(),
            Victim::Phone => office.open_phone(),
        };
        match opened {
            Err(trouble) if !trouble.is_clear() => return wrong(format!("opening on a failing disk: {trouble}")),
            Err(_) | Ok(()) => {}
        }
        office.disk(self.victim).heal();
        reopen(office, self.victim)?;
        judge_all(office)
    }
}

/// Opens the victim's store if it had been opened before; the disk is whole.
fn reopen(office: &mut Office, victim: Victim) -> Done {
    let opened = match victim {
        Victim::Server => office.open_server(),
        Victim::Phone if office.has_opened_phone() => office.open_phone(),
        Victim::Phone => Ok(()),
    };
    opened.map_err(|trouble| Trouble::Wrong(format!("reopening on a whole disk: {trouble}")))
}

/// Both stores, and the files beside them.
fn judge_all(office: &mut Office) -> Done {
    let model = office.model.clone();
    model.judge(office.store()?, false)?;
    model.judge_files(&office.server_disk, office)?;
    model.judge_phone(office)
}
