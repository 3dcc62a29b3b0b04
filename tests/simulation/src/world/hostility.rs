//! What the hostile device does. Whatever it is, nobody else may be the worse for it: the judges look on as ever, and the
//! server may refuse, but never fail.

use std::collections::BTreeSet;

use aralau_client_sdk::{DocumentId, ReplicaId, ScopeId, Value};
use aralau_server::store;
use aralau_sync_core::{
    change::Change,
    document::Document,
    frame::Frame,
    stream::{Header, Link, Seen, StreamId, Tip},
    sync::Ask,
};

use super::{World, decompressed_request, items_of};
use crate::{
    hostile::end,
    judges::{Judgement, violated},
    line::Sent,
    model::{Person, PersonNo},
    phone::PhoneNo,
    server::Arrival,
};

/// Whose hands it is in, in exchanges that judges look at.
pub const HOSTILE: PhoneNo = PhoneNo(usize::MAX);

impl World {
    /// An inspector like any other, so far.
    pub(super) fn let_hostile_in(&mut self) -> Judgement {
        let scopes: Vec<_> = self.model.beats.keys().copied().collect();
        let mut mallory = Person::new("Mallory");
        mallory.wanted.insert(*self.chance.pick(&scopes));
        self.hostile_person = PersonNo(self.model.people.len());
        self.model.people.push(mallory);
        self.enroll_hostile()
    }

    fn enroll_hostile(&mut self) -> Judgement {
        let code = self.code(self.hostile_person);
        let request = self.hostile.enrolling(&code);
        self.say("Mallory", "is let in");
        if let Some(response) = self.server.deliver(&request) {
            self.hostile.enrolled(&response);
        }
        self.judge_server()
    }

    /// One of the things it does.
    pub(super) fn hostility(&mut self) -> Judgement {
        self.hostilities += 1;
        if self.hostile.device().is_none() {
            return self.enroll_hostile();
        }
        match self.chance.below(40) {
            0 => self.shut_hostile_out(),
            1 => {
                self.say("Mallory", "takes another name");
                self.hostile.rename();
                Ok(())
            }
            2 | 3 => {
                let noise = self.hostile.noise();
                self.assail("sends noise", noise)
            }
            4..=7 => self.repeat_what_was_overheard(),
            8..=11 => self.ask_for_everything(),
            _ => self.write_what_is_wrong(),
        }
    }

    fn shut_hostile_out(&mut self) -> Judgement {
        let Some(device) = self.hostile.device() else { return Ok(()) };
        self.say("operator", "shuts Mallory out");
        self.server.write(move |tx, now| store::revoke_device(tx, device, now)).expect("writes");
        self.judge_server()
    }

    /// Another's request, as it was or as its own; or its frames.
    fn repeat_what_was_overheard(&mut self) -> Judgement {
        let Some(sent) = self.overheard.clone() else { return Ok(()) };
        if self.chance.below(2) == 0 {
            // Where it comes before the one it repeats it is that one, and answered as such: against that there is TLS.
            self.say("Mallory", format_args!("repeats request {}", sent.number));
            return self.exchange(&sent, Arrival::default()).map(drop);
        }
        let items = items_of(&decompressed_request(&sent.request));
        let frames: Vec<_> = items.iter().skip(1).filter_map(|item| Frame::from_bytes(item).ok()).collect();
        let now = self.server.clock.now();
        let request = self.hostile.syncing(Vec::new(), &frames, &self.honest_names(), now);
        self.assail("sends another's frames", request)
    }

    /// Cursors in the future, in epochs that never were, in beats that are not its own, and twice the same.
    fn ask_for_everything(&mut self) -> Judgement {
        let mut asks = Vec::new();
        for scope in self.model.beats.keys() {
            let epoch = *self.chance.pick(&[0, 1, 2, u64::MAX >> 1]);
            let sequence = *self.chance.pick(&[0, 0, 1, u64::MAX >> 1]);
            asks.push(Ask { scope: *scope, cursor: Seen { epoch, sequence }, tip: Tip::default() });
        }
        asks.push(Ask { scope: ScopeId::from_bytes([0xee; 16]), cursor: Seen::default(), tip: Tip::default() });
        let now = self.server.clock.now();
        let request = self.hostile.syncing(asks, &[], &self.honest_names(), now);
        self.assail("asks for everything", request)
    }

    /// A frame or two: sound entries, spoilt ones, ones without a past, under its own name or another's.
    fn write_what_is_wrong(&mut self) -> Judgement {
        let scopes: Vec<_> = self.model.beats.keys().copied().collect();
        let wanted = self.model.people[self.hostile_person.0].wanted.clone();
        let own = wanted.first().copied().filter(|_| self.chance.below(8) > 0);
        let scope = own.unwrap_or_else(|| *self.chance.pick(&scopes));
        let others = self.honest_names();
        let replica = if self.chance.below(10) == 0 { *self.chance.pick(&others) } else { self.hostile.replica };
        let stream = StreamId { replica, scope };
        let mut before = self.hostile.tip(scope);
        if self.chance.below(12) == 0 {
            before = Tip { index: self.chance.below(5), ..before };
        }
        let mut frames = Vec::new();
        for _ in 0..=self.chance.below(2) {
            let count = 1 + self.chance.below(4);
            let links: Vec<_> = (0..count).map(|_| self.hostile_link(scope, &others)).collect();
            let upto = end(&stream, before, &links);
            frames.extend(self.hostile.frame(stream, before, links));
            before = upto;
        }
        let ask = Ask { scope, cursor: Seen::default(), tip: before };
        let now = self.server.clock.now();
        let request = self.hostile.syncing(vec![ask], &frames, &others, now);
        self.assail("writes", request)
    }

    fn honest_names(&self) -> Vec<ReplicaId> {
        self.phones.iter().filter(|phone| phone.is_alive()).map(|phone| phone.replica()).collect()
    }

    /// An entry about a new visit, or about one that others wrote.
    fn hostile_link(&mut self, scope: ScopeId, others: &[ReplicaId]) -> Link {
        // It cannot know an id before its visit has come to headquarters.
        let known: Vec<_> = self.documents_in_log(scope).into_iter().collect();
        let is_new = known.is_empty() || self.chance.below(3) == 0;
        let mut fresh = || DocumentId::from_bytes(std::array::from_fn(|_| self.chance.below(256) as u8));
        let id = if is_new { fresh() } else { *self.chance.pick(&known) };
        // No words of the model's: what it spoils could become another's.
        let text = format!("<h{:06}>", self.hostilities);
        let field = *self.chance.pick(&["outcome", "visit_type", "status", "nonce", "no_such_field"]);
        let mut puts = vec![(field.to_owned(), Value::from(text.as_str()))];
        if is_new {
            puts.push(("nonce".to_owned(), Value::Bytes(vec![self.chance.below(256) as u8; 16])));
        }
        puts.sort();
        puts.dedup_by(|one, other| one.0 == other.0);
        let document = self.accepted(scope, id);
        let actor = self.hostile.actor();
        let change = document.author(actor, &puts).ok().flatten();
        let now = self.server.clock.now();
        let header = self.hostile.header(id, now);
        let body = match change {
            Some(change) if self.chance.below(3) > 0 => self.hostile.spoil(&change, others),
            Some(change) => change.body().to_vec(),
            None => vec![0; self.chance.below(40) as usize],
        };
        Link::Full { header, body }
    }

    fn documents_in_log(&self, scope: ScopeId) -> BTreeSet<DocumentId> {
        let rows = self.transcript.rows.get(scope.as_bytes()).into_iter().flatten();
        let accepted = rows.filter(|row| [1, 3].contains(&row.kind));
        accepted.filter_map(|row| Some(Header::from_bytes(&row.header).ok()?.document)).collect()
    }

    /// A document as the log has it.
    fn accepted(&self, scope: ScopeId, id: DocumentId) -> Document {
        let mut document = Document::default();
        let rows = self.transcript.rows.get(scope.as_bytes()).into_iter().flatten();
        for row in rows.filter(|row| [1, 3].contains(&row.kind)) {
            let is_about_it = Header::from_bytes(&row.header).is_ok_and(|header| header.document == id);
            if let (true, Ok(change)) = (is_about_it, Change::from_body(&row.body)) {
                document.apply(change);
            }
        }
        document
    }

    fn assail(&mut self, what: &str, request: Option<aralau_client_sdk::HttpRequest>) -> Judgement {
        let Some(request) = request else { return Ok(()) };
        let sent = Sent { number: 0, from: HOSTILE, request };
        let Some(response) = self.exchange(&sent, Arrival::default())? else {
            self.say("Mallory", format_args!("{what}: nobody answers"));
            return Ok(());
        };
        self.say("Mallory", format_args!("{what}: {}", response.status));
        if response.status >= 500 {
            let said = String::from_utf8_lossy(&response.body).into_owned();
            return violated("hostility", format!("Mallory {what}, and the server fails: {} {said}", response.status));
        }
        self.hostile.hear(&response);
        // A restored server may have forgotten the device.
        if [401, 404].contains(&response.status) && self.chance.below(4) == 0 {
            return self.enroll_hostile();
        }
        Ok(())
    }
}
