//! The operators: beats, codes, rights, headquarters' own edits, quarantine, rebuilds; whatever `aralau admin` does.

use aralau_client_sdk::{DocumentId, ReplicaId, ScopeId, Value};
use aralau_server::store::{self, BeatRow, EditError, HeldKey, Said};
use aralau_sync_core::{id::DeviceId, reconcile::RejectedPast};

use super::World;
use crate::{
    judges::{Judgement, rebuild, violated},
    model::{Author, Grant, PersonNo},
    phone::PhoneNo,
    server::URL,
    transcript::{all, look_into},
};

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
        let code = self.code(person);
        let who = self.phones[number.0].name.clone();
        self.phones[number.0].code.clone_from(&code);
        match self.phones[number.0].enroll(&self.server, URL, &code) {
            Ok(()) => self.say(who, "is let in"),
            Err(error) => return violated("operating", format!("{who} cannot be let in: {error}")),
        }
        self.judge_server()
    }

    /// A one-time code for somebody, on the beats that the operators want.
    pub(super) fn code(&mut self, person: PersonNo) -> String {
        let name = self.model.people[person.0].name.clone();
        let wanted: Vec<_> = self.model.people[person.0].wanted.iter().copied().collect();
        wanted.iter().for_each(|scope| self.note_grant(person, *scope));
        let made = self.server.write(move |tx, now| {
            let (person, _) = store::ensure_person(tx, &name, now)?;
            for scope in &wanted {
                store::grant(tx, person, *scope, now)?;
            }
            store::make_code(tx, person, 15 * 60_000, now)
        });
        made.expect("a code")
    }

    fn note_grant(&mut self, person: PersonNo, scope: ScopeId) {
        let now = self.server.clock.now();
        self.model.people[person.0].worked.insert(scope);
        if !self.model.may_read(person, scope, now) {
            self.model.people[person.0].grants.push(Grant { scope, from: now, until: None });
        }
    }

    /// The device that a phone is to the server.
    pub(super) fn device_of(&self, at: usize) -> Option<DeviceId> {
        let connection = look_into(&self.server.database()).expect("the database opens");
        let sql = format!("SELECT device FROM device WHERE public_key = x'{}'", self.phones[at].public_key());
        let found = all(&connection, &sql, |row| row.get(0)).expect("reads");
        found.first().map(|device| DeviceId::from_bytes(*device))
    }

    /// A device is shut out, for good.
    pub(super) fn revoke(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let unrevoked = self.phones.iter().filter(|phone| phone.is_alive() && !phone.revoked).count();
        if unrevoked <= super::MIN_PHONES - 2 {
            return Ok(());
        }
        self.revoke_phone(at)
    }

    pub(super) fn revoke_phone(&mut self, at: usize) -> Judgement {
        let Some(device) = self.device_of(at) else { return Ok(()) };
        self.operations += 1;
        let name = self.phones[at].name.clone();
        self.say("operator", format_args!("shuts {name} out"));
        let known = self.server.write(move |tx, now| store::revoke_device(tx, device, now));
        let key = self.phones[at].public_key();
        self.phones.iter_mut().filter(|phone| phone.public_key() == key).for_each(|phone| phone.revoked = true);
        if !known.expect("writes") {
            return violated("operating", format!("{name} cannot be shut out"));
        }
        self.judge_server()
    }

    /// Somebody works another beat from now on.
    pub(super) fn assign(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let scopes: Vec<_> = self.model.beats.keys().copied().collect();
        let scope = *self.chance.pick(&scopes);
        self.assign_phone(at, scope)
    }

    pub(super) fn assign_phone(&mut self, at: usize, scope: ScopeId) -> Judgement {
        let Some(device) = self.device_of(at) else { return Ok(()) };
        self.operations += 1;
        let (name, code) = (self.phones[at].name.clone(), self.model.beats[&scope].clone());
        self.say("operator", format_args!("moves {name} to {code}"));
        self.note_move(self.phones[at].person, scope);
        let moved = self.server.write(move |tx, now| {
            let beat: Option<BeatRow> = store::beat(tx, &code)?;
            beat.map_or(Ok(false), |beat| store::assign_device(tx, device, &beat, now))
        });
        if !moved.expect("writes") {
            return violated("operating", format!("{name} cannot be moved"));
        }
        self.judge_server()
    }

    pub(super) fn note_move(&mut self, person: PersonNo, scope: ScopeId) {
        let now = self.server.clock.now();
        let person_model = &mut self.model.people[person.0];
        person_model.wanted = [scope].into();
        for grant in person_model.grants.iter_mut().filter(|grant| grant.scope != scope) {
            // As the directory does it: every open span of a beat that is in force now ends now.
            if grant.from <= now && grant.until.is_none() {
                grant.until = Some(now);
                person_model.taken.insert((grant.scope, grant.from));
            }
        }
        self.note_grant(person, scope);
    }

    /// Headquarters writes, as its own replica: one of a conflict's values, or a new one.
    pub(super) fn correct(&mut self) -> Judgement {
        let scopes: Vec<_> = self.model.beats.keys().copied().collect();
        let scope = *self.chance.pick(&scopes);
        let documents = self.model.documents_of(scope);
        if documents.is_empty() {
            return Ok(());
        }
        let id: DocumentId = *self.chance.pick(&documents);
        let (word, text) = self.model.coin(Author::Headquarters, scope, id);
        self.operations += 1;
        self.say("headquarters", format_args!("sets outcome of {id}: {text}"));
        let app = self.server.app().clone();
        let made = self.server.write(move |tx, now| {
            let value = Value::Text(text.clone());
            store::resolve_visit(tx, app.identity(), (scope, id), "outcome", value, "Headquarters", now)
        });
        match made.expect("writes") {
            Ok(Some(_)) => self.model.words[word.0].acknowledged = true,
            Ok(None) | Err(EditError::Unknown) => self.never_written(&[word]),
            Err(EditError::Refused(reason)) => {
                return violated("I9", format!("headquarters cannot write to {id}: {reason}"));
            }
        }
        self.judge_server()
    }

    fn some_held(&mut self) -> Option<HeldKey> {
        let connection = look_into(&self.server.database()).expect("the database opens");
        let sql = "SELECT replica, scope, entry_index FROM held JOIN stream USING (stream_no)
                   JOIN scope ON scope.scope_no = held.scope_no WHERE state = 'held' ORDER BY held_row";
        let held = all(&connection, sql, |row| {
            let index: i64 = row.get(2)?;
            let (replica, scope) = (ReplicaId(row.get(0)?), ScopeId::from_bytes(row.get(1)?));
            Ok(HeldKey { replica, scope, index: index.cast_unsigned() })
        });
        let held = held.expect("reads");
        if held.is_empty() { None } else { Some(*self.chance.pick(&held)) }
    }

    /// A supervisor lets a held entry in.
    pub(super) fn release(&mut self) -> Judgement {
        let Some(key) = self.some_held() else { return Ok(()) };
        self.operations += 1;
        // What was refused before stays so for every other one.
        let past = if key.index.is_multiple_of(2) { RejectedPast::GoesIn } else { RejectedPast::Stays };
        let said = Said::by("Supervisor");
        let done = self.server.write(move |tx, now| store::release_held(tx, key, past, said, now));
        self.say("supervisor", format_args!("releases {}/{}: {:?}", key.replica, key.index, done.expect("writes")));
        self.judge_server()
    }

    /// A supervisor refuses a held entry.
    pub(super) fn reject(&mut self) -> Judgement {
        let Some(key) = self.some_held() else { return Ok(()) };
        self.operations += 1;
        let done =
            self.server.write(move |tx, now| store::reject_held(tx, key, Said::by("Supervisor").noting("no"), now));
        self.say("supervisor", format_args!("rejects {}/{}: {:?}", key.replica, key.index, done.expect("writes")));
        self.judge_server()
    }

    /// What is older than a moment by the server's clock is sealed, in segments small enough for the few rows of a world.
    pub(super) fn compact(&mut self) -> Judgement {
        const HOUR_MS: u64 = 3_600_000;
        let before = self.server.clock.now().plus(-self.chance.below(HOUR_MS).cast_signed());
        let most_rows = 1 + self.chance.below(6) as usize;
        let sealed = self.server.app().store().compact(before, most_rows, |_| ());
        self.say("operator", format_args!("compacts {} rows", sealed.expect("it compacts")));
        self.judge_server()
    }

    /// The projections are made anew, and are what they were.
    pub(super) fn rebuild(&mut self) -> Judgement {
        self.operations += 1;
        self.say("operator", "rebuilds");
        rebuild::judge(self)?;
        self.judge_server()
    }
}
