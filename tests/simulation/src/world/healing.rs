//! The end: faults stop, everybody syncs until nothing moves any more, and the judges look at all of it.

use aralau_client_sdk::Error;

use super::World;
use crate::judges::{Judgement, violated};

/// Rounds in which everybody syncs; more than this is no coming to rest.
const MAX_ROUNDS: usize = 12;
/// Requests of one sync, at most.
const MAX_REQUESTS: usize = 500;

impl World {
    pub(super) fn heal(&mut self) -> Judgement {
        self.say("world", "heals");
        self.line.clear();
        self.plan.line_faults = 0;
        self.plan.deaths = 0;
        for phone in &mut self.phones {
            phone.syncing = None;
        }
        for round in 0..MAX_ROUNDS {
            let before = self.transcript.len();
            let level = self.all_sync()?;
            self.time.pass(60_000);
            if round > 0 && level && self.transcript.len() == before {
                return self.judge(|judge, world| judge.at_rest(world));
            }
        }
        violated("I3", "phones and server do not come to rest")
    }

    fn all_sync(&mut self) -> Result<bool, crate::judges::Violation> {
        let mut level = true;
        for at in 0..self.phones.len() {
            if self.phones[at].is_alive() {
                level &= self.sync_to_the_end(at)?;
            }
        }
        Ok(level)
    }

    /// Whether it had nothing left to send.
    fn sync_to_the_end(&mut self, at: usize) -> Result<bool, crate::judges::Violation> {
        use aralau_client_sdk::{SyncOptions, SyncSession};
        let session = SyncSession::new(SyncOptions::default());
        self.phones[at].syncing = Some(crate::phone::Syncing { session, waits_for: None, sleeps_until: None });
        for _ in 0..MAX_REQUESTS {
            self.drive(at)?;
            if self.phones[at].syncing.is_none() {
                return Ok(self.phones[at].unsent == 0);
            }
            if let Some(sent) = self.line.requests.pop() {
                self.arrive(sent)?;
            } else if let Some(answered) = self.line.answers.pop() {
                self.carry_down(answered)?;
            } else {
                return Ok(false);
            }
        }
        violated("I3", format!("{} never ends its sync", self.phones[at].name))
    }

    /// What a person does whose sync did not work out.
    pub(super) fn after_failure(&mut self, _at: usize, _error: &Error) -> Judgement {
        Ok(())
    }
}
