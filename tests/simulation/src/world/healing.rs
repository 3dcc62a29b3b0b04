//! The end: faults stop, the operators put right what a restore forgot, everybody syncs until nothing moves any more, and
//! the judges look at all of it.

use std::collections::BTreeSet;

use aralau_client_sdk::{Error, ScopeId, SyncOptions};

use super::World;
use crate::{
    judges::{Judgement, Violation, violated},
    model::PersonNo,
    phone::PhoneNo,
};

/// Rounds in which everybody syncs; more than this is no coming to rest.
const MAX_ROUNDS: usize = 16;
/// Requests and answers of one sync, at most.
const MAX_MOVES: usize = 2_000;

impl World {
    pub(super) fn heal(&mut self) -> Judgement {
        self.say("world", "heals");
        self.healing = true;
        self.line.clear();
        self.plan.line_faults = 0;
        self.plan.deaths = 0;
        self.server.clock.set(self.latest_clock);
        self.phones.iter_mut().for_each(|phone| phone.syncing = None);
        self.put_right()?;
        self.make_token();
        for round in 0..MAX_ROUNDS {
            let before = (self.transcript.len(), self.timeline);
            let level = self.all_sync()?;
            self.time.pass(60_000);
            if round > 1 && level && (self.transcript.len(), self.timeline) == before {
                self.take_stock()?;
                return self.judge(|judge, world| judge.at_rest(world));
            }
        }
        violated("I3", "phones and server do not come to rest")
    }

    /// Rights as the operators want them, whatever the server remembers.
    fn put_right(&mut self) -> Judgement {
        for at in 0..self.phones.len() {
            let phone = &self.phones[at];
            if phone.is_alive() && !phone.look().is_enrolled() && !phone.revoked {
                self.enroll(PhoneNo(at))?;
            }
        }
        for person in 0..self.model.people.len() {
            self.put_right_person(PersonNo(person))?;
        }
        for at in 0..self.phones.len() {
            if self.phones[at].revoked {
                self.revoke_phone(at)?;
            }
        }
        self.confirm_all()?;
        self.judge_server()
    }

    /// Beats that a restored server has forgotten that somebody worked are given back, and ended again.
    fn put_right_person(&mut self, person: PersonNo) -> Judgement {
        let wanted = self.model.people[person.0].wanted.clone();
        let (grants, now) = (&self.model.people[person.0].grants, self.server.clock.now());
        let forgotten = |scope: &&ScopeId| !grants.iter().any(|grant| grant.scope == **scope);
        let forgotten: BTreeSet<_> = self.model.people[person.0].worked.iter().filter(forgotten).copied().collect();
        self.model.people[person.0].wanted.extend(forgotten);
        self.code(person);
        let has_more = |scope: &ScopeId| !wanted.contains(scope) && self.model.may_read(person, *scope, now);
        let has_more = self.model.beats.keys().any(has_more);
        let own = (0..self.phones.len()).find(|at| self.phones[*at].person == person && self.device_of(*at).is_some());
        if let (true, Some(at), Some(scope)) = (has_more, own, wanted.first()) {
            self.time.pass(1_000);
            self.assign_phone(at, *scope)?;
        }
        self.model.people[person.0].wanted = wanted;
        self.code(person);
        Ok(())
    }

    /// Whether nobody had anything left to send.
    fn all_sync(&mut self) -> Result<bool, Violation> {
        let mut level = true;
        for at in 0..self.phones.len() {
            if self.phones[at].is_alive() && self.phones[at].look().is_enrolled() {
                level &= self.sync_to_the_end(at)?;
            }
        }
        Ok(level)
    }

    fn sync_to_the_end(&mut self, at: usize) -> Result<bool, Violation> {
        self.phones[at].begin_sync(SyncOptions::default());
        self.phones[at].unsent = u64::MAX;
        for _ in 0..MAX_MOVES {
            self.drive(at)?;
            if self.phones[at].syncing.is_none() {
                return Ok(self.phones[at].unsent == 0);
            }
            if let Some(sent) = self.line.requests.pop() {
                self.arrive(sent)?;
            } else if let Some(answered) = self.line.answers.pop() {
                self.carry_down(answered)?;
            }
        }
        violated("I3", format!("{} never ends its sync", self.phones[at].name))
    }

    /// What a person does whose sync did not work out.
    pub(super) fn after_failure(&mut self, at: usize, error: &Error) -> Judgement {
        match error.code() {
            // A restored server does not know the phone, or no longer: somebody gives out a new code.
            "device_unknown" => {
                self.enroll(PhoneNo(at))?;
                if self.phones[at].revoked && self.healing { self.revoke_phone(at) } else { Ok(()) }
            }
            // Whoever is asked about it may be busy.
            "device_unconfirmed" if self.healing || self.chance.below(3) == 0 => {
                self.judge_told(at)?;
                self.confirm(at)
            }
            "device_unconfirmed" => self.judge_told(at),
            code if self.healing => violated("I3", format!("{} cannot sync any more: {code}", self.phones[at].name)),
            _ => Ok(()),
        }
    }

    /// The server has asked that a phone be erased, and nothing on it is unsent.
    pub(super) fn obey_wipe(&mut self, at: usize) -> Judgement {
        self.say(self.phones[at].name.clone(), "is erased on the server's word");
        self.destroy("it was only on a phone that was shut out and erased", |world| {
            world.phones[at].erase();
        })
    }
}
