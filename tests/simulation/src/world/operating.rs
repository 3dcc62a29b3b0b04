//! The operators: beats, codes, backups, whatever `aralau admin` does.

use std::path::PathBuf;

use aralau_client_sdk::ScopeId;
use aralau_server::store;

use super::World;
use crate::{
    judges::{Judgement, violated},
    model::{Grant, PersonNo},
    phone::PhoneNo,
    server::URL,
};

/// A backup of the server.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// Everybody's grants when it was made.
    pub grants: Vec<Vec<Grant>>,
}

impl World {
    pub(super) fn make_beats(&mut self, count: usize) {
        for number in 1..=count {
            let code = format!("beat-{number:02}");
            let (asked, name) = (code.clone(), format!("Участок № {number}"));
            let made = self.server.write(move |tx, now| store::ensure_beat(tx, &asked, &name, now));
            self.model.beats.insert(made.expect("a beat").0.scope, code);
        }
    }

    /// Lets a phone in, by a new code for its person.
    pub(super) fn enroll(&mut self, number: PhoneNo) -> Judgement {
        let person = self.phones[number.0].person;
        let name = self.model.people[person.0].name.clone();
        let wanted: Vec<_> = self.model.people[person.0].wanted.iter().copied().collect();
        wanted.iter().for_each(|scope| self.note_grant(person, *scope));
        let made = self.server.write(move |tx, now| {
            let (person, _) = store::ensure_person(tx, &name, now)?;
            for scope in wanted {
                store::grant(tx, person, scope, now)?;
            }
            store::make_code(tx, person, 15 * 60_000, now)
        });
        let code = made.expect("a code");
        let who = self.phones[number.0].name.clone();
        match self.phones[number.0].app.as_mut().expect("the app runs").enroll(&self.server, URL, &code) {
            Ok(()) => self.say(who, "is let in"),
            Err(error) => return violated("operating", format!("{who} cannot be let in: {error}")),
        }
        self.judge_server()
    }

    fn note_grant(&mut self, person: PersonNo, scope: ScopeId) {
        let now = self.server.clock.now();
        if !self.model.may_read(person, scope, now) {
            self.model.people[person.0].grants.push(Grant { scope, from: now, until: None });
        }
    }
}
