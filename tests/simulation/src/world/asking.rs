//! What the judges may ask: who may read what, and headquarters' own questions.

use aralau_client_sdk::ScopeId;
use aralau_server::{auth, authorize::Role};
use serde_json::Value as Json;

use super::{HOSTILE, World};
use crate::{judges::agreement::question, model::PersonNo, phone::PhoneNo};

impl World {
    /// Whose hands a phone is in.
    pub fn person_of(&self, phone: PhoneNo) -> PersonNo {
        if phone == HOSTILE { self.hostile_person } else { self.phones[phone.0].person }
    }

    /// The phones that are level with the server now, each with every scope that it may read.
    pub fn readers(&self) -> Vec<(usize, ScopeId)> {
        let phones =
            self.phones.iter().filter(|phone| phone.is_alive() && !phone.revoked && phone.look().is_enrolled());
        let scopes = |at: usize| self.model.beats.keys().map(move |scope| (at, *scope));
        let all = phones.flat_map(|phone| scopes(phone.number.0));
        all.filter(|(at, scope)| self.may_read_now(*at, *scope)).collect()
    }

    /// Whether a phone may read a scope now.
    pub fn may_read_now(&self, phone: usize, scope: ScopeId) -> bool {
        let phone = &self.phones[phone];
        !phone.revoked && self.model.may_read(phone.person, scope, self.server.clock.now())
    }

    /// One of headquarters' questions; null where there is no answer.
    pub fn ask(&self, path: &str) -> Json {
        let answer = self.server.deliver(&question(path, &self.token));
        answer.and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default()
    }

    /// All pages of a list.
    pub fn ask_all(&self, path: &str, name: &str) -> Vec<Json> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.ask(&format!("{path}{cursor}"));
            if let Some(rows) = page[name].as_array_mut() {
                all.append(rows);
            }
            let Some(next) = page["next"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    /// A token for headquarters, which a restored server may not know.
    pub(super) fn make_token(&mut self) {
        let mut entropy = [0; auth::ENTROPY_BYTES];
        entropy.iter_mut().for_each(|byte| *byte = self.chance.below(256) as u8);
        let made = self.server.write(move |tx, now| auth::mint(tx, Role::Headquarters, "Headquarters", now, entropy));
        self.token = made.expect("a token");
    }
}
