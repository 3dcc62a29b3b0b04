//! What had ended stays ended, whatever backup the server comes from: who was shut out, whose beat was taken, and who may be served
//! before anybody knows.

use std::collections::BTreeSet;

use aralau_client_sdk::Millis;
use aralau_server::{keys::ReceiptVerifier, store};
use aralau_sync_core::{
    cbor,
    directory::Control,
    id::{DeviceId, ServerKey},
    notice::Notice,
    receipt::SignServer as _,
    stream::Seen,
};
use minicbor::bytes::ByteVec;

use super::World;
use crate::{
    judges::{Judgement, violated},
    phone::PhoneNo,
    transcript::{all, look_into},
};

impl World {
    /// The devices that the server knows to be shut out.
    pub(super) fn shut_out(&self) -> BTreeSet<DeviceId> {
        self.devices("SELECT device FROM revocation")
    }

    fn unconfirmed(&self) -> BTreeSet<DeviceId> {
        self.devices("SELECT device FROM device WHERE unconfirmed AND revoked_at IS NULL")
    }

    fn devices(&self, sql: &str) -> BTreeSet<DeviceId> {
        let connection = look_into(&self.server.database()).expect("the database opens");
        let found = all(&connection, sql, |row| row.get(0).map(DeviceId::from_bytes));
        found.expect("reads").into_iter().collect()
    }

    /// Whoever was shut out before is so now.
    pub(super) fn judge_shut_out(&self, before: &BTreeSet<DeviceId>, how: &str) -> Judgement {
        match before.difference(&self.shut_out()).next() {
            Some(device) => violated("I5", format!("{device} was shut out, and is let in again {how}")),
            None => Ok(()),
        }
    }

    /// A phone has synced to its end: whoever was shut out, by what it was told, is so for the server as well. Not if the last answer
    /// was one of before the server was restored.
    pub(super) fn judge_told(&self, at: usize) -> Judgement {
        let connection = look_into(&self.phones[at].database()).expect("the store opens");
        let upto = all(&connection, "SELECT value FROM meta WHERE key = 'noticed'", |row| row.get::<_, Vec<u8>>(0));
        let upto: Option<Seen> = upto.expect("reads").first().map(|upto| cbor::decode(upto).expect("CBOR"));
        if !self.healing && upto.is_none_or(|upto| upto.epoch != self.epoch()) {
            return Ok(());
        }
        let kept = all(&connection, "SELECT value FROM meta WHERE key = 'notices'", |row| row.get::<_, Vec<u8>>(0));
        let kept: Vec<ByteVec> =
            kept.expect("reads").first().map_or_else(Vec::new, |kept| cbor::decode(kept).expect("CBOR"));
        let identity = self.server.app().identity();
        let key: ServerKey = identity.receipt_key.public_key();
        let told = kept.iter().filter_map(|notice| {
            let notice = Notice::open(notice, &identity.deployment, &key, &ReceiptVerifier).ok()?;
            if let Control::Revoked { device, .. } = notice.ended { Some(device) } else { None }
        });
        self.judge_shut_out(&told.collect(), "although a phone that has just synced knows better")
    }

    /// Nobody is served whom a restored server would first have to ask about.
    pub(super) fn judge_served(&self, at: PhoneNo) -> Judgement {
        let device = self.phones.get(at.0).and_then(|_| self.device_of(at.0));
        match device.filter(|device| self.restored && self.unconfirmed().contains(device)) {
            Some(device) => violated("I5", format!("{device} is served before anybody has confirmed it")),
            None => Ok(()),
        }
    }

    /// Somebody at headquarters stands up for a phone, unless it was shut out.
    pub(super) fn confirm(&mut self, at: usize) -> Judgement {
        let Some(device) = self.device_of(at) else { return Ok(()) };
        let name = self.phones[at].name.clone();
        if self.phones[at].revoked {
            self.say("operator", format_args!("does not stand up for {name}"));
            return if self.healing { self.revoke_phone(at) } else { Ok(()) };
        }
        self.operations += 1;
        self.say("operator", format_args!("stands up for {name}"));
        self.server.write(move |tx, now| store::confirm_device(tx, device, now)).expect("writes");
        self.judge_server()
    }

    /// Everybody who still waits for it is confirmed: what is known by now is all that will be.
    pub(super) fn confirm_all(&mut self) -> Judgement {
        for at in 0..self.phones.len() {
            if self.device_of(at).is_some_and(|device| self.unconfirmed().contains(&device)) {
                self.confirm(at)?;
            }
        }
        self.judge_server()
    }

    /// Beats that the operators had taken from somebody, of which the restored server did not know and has heard since.
    pub(super) fn adopt_endings(&mut self) {
        if !self.restored {
            return;
        }
        let connection = look_into(&self.server.database()).expect("the database opens");
        let sql =
            "SELECT name, scope, from_ms, until_ms FROM granted JOIN person USING (person) JOIN scope USING (scope_no)
                   WHERE until_ms IS NOT NULL";
        let ended = all(&connection, sql, |row| {
            let scope = aralau_client_sdk::ScopeId::from_bytes(row.get(1)?);
            Ok((row.get::<_, String>(0)?, scope, Millis(row.get(2)?), Millis(row.get(3)?)))
        });
        for (name, scope, from, until) in ended.expect("reads") {
            let Some(person) = self.model.people.iter_mut().find(|person| person.name == name) else { continue };
            let truly = person.taken.contains(&(scope, from));
            let grants = person.grants.iter_mut().filter(|grant| grant.scope == scope && grant.from == from);
            grants.filter(|grant| truly && grant.until.is_none()).for_each(|grant| grant.until = Some(until));
        }
    }
}
