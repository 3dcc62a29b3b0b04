//! Syncs under way: sessions ask, requests and answers travel, and the line does what it likes with them.

use std::time::Duration;

use aralau_client_sdk::{HttpRequest, HttpResponse, ReplicaId, Report, Step, SyncOptions};
use aralau_sync_core::{
    cbor,
    sync::{Answer, Gained},
};

use super::World;
use crate::{
    cost::Cost,
    judges::{Exchange, Judgement},
    line::{Answered, Sent},
    model::WordNo,
    note::Note,
    phone::Syncing,
    server::Arrival,
    transcript::Hash,
};

/// What an honest answer may come to, decompressed.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

impl World {
    /// Somebody presses the button, or the phone finds the network.
    pub(super) fn begin_sync(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        if self.phones[at].syncing.is_some() || !self.phones[at].look().is_enrolled() {
            return Ok(());
        }
        self.operations += 1;
        let wait = Duration::from_secs(*self.chance.pick(&[0, 0, 30, 600]));
        self.phones[at].begin_sync(SyncOptions { wait });
        let who = self.phones[at].name.clone();
        self.say(who, "begins to sync");
        self.drive(at)
    }

    /// Lets a session go on until it needs the line, or time.
    pub(super) fn drive(&mut self, at: usize) -> Judgement {
        let may_go_on = |syncing: &mut Syncing| syncing.waits_for.is_none();
        let Some(mut syncing) = self.phones[at].syncing.take_if(may_go_on) else { return Ok(()) };
        let step = self.phones[at].next(&mut syncing.session);
        let who = self.phones[at].name.clone();
        match step {
            Step::Send(request) => {
                let number = self.line.send(self.phones[at].number, request);
                self.say(who, format_args!("asks, request {number}"));
                self.phones[at].syncing = Some(Syncing { waits_for: Some(number), sleeps_until: None, ..syncing });
            }
            Step::Wait(ms) => {
                let until = self.time.now().plus(i64::try_from(ms).unwrap_or(i64::MAX));
                self.phones[at].syncing = Some(Syncing { waits_for: None, sleeps_until: Some(until.0), ..syncing });
            }
            Step::Done(report) => {
                self.say(who, format_args!("is level: {}", told(&report)));
                self.phones[at].unsent = report.unsent;
                self.judge_told(at)?;
                if report.wipe && report.unsent == 0 {
                    return self.obey_wipe(at);
                }
            }
            Step::Sign(messages) => {
                self.phones[at].sign(&mut syncing.session, &messages);
                self.phones[at].syncing = Some(syncing);
                return self.drive(at);
            }
            Step::Failed(error) => {
                self.say(who, format_args!("gives up: {}", error.code()));
                self.after_failure(at, &error)?;
            }
        }
        Ok(())
    }

    /// Something moves: a request up, an answer down, or a pause ends.
    pub(super) fn move_line(&mut self) -> Judgement {
        let now = self.time.now().0;
        let due = |syncing: &Syncing| syncing.sleeps_until.is_some_and(|until| until <= now);
        if let Some(at) = self.phones.iter().position(|phone| phone.syncing.as_ref().is_some_and(due)) {
            return self.drive(at);
        }
        let (up, down) = (self.line.requests.len() as u64, self.line.answers.len() as u64);
        if up + down == 0 {
            return Ok(());
        }
        let which = self.chance.below(up + down);
        if which < up {
            let sent = self.line.requests.remove(which as usize);
            self.carry_up(sent)
        } else {
            let answered = self.line.answers.remove((which - up) as usize);
            self.carry_down(answered)
        }
    }

    /// The request arrives as it was sent, and the answer begins its way back.
    pub(super) fn arrive(&mut self, sent: Sent) -> Judgement {
        let response = self.exchange(&sent, Arrival::default())?;
        match response {
            Some(response) => self.line.answers.push(Answered { number: sent.number, to: sent.from, response }),
            None => self.unanswered(&sent),
        }
        Ok(())
    }

    /// A request meets the server, and the judges look on.
    pub(super) fn exchange(
        &mut self,
        sent: &Sent,
        arrival: Arrival,
    ) -> Result<Option<HttpResponse>, crate::judges::Violation> {
        let at = self.server.clock.now();
        let Some((response, cost)) = self.share.alone(|| self.server.measure(&sent.request, arrival)) else {
            return Ok(None);
        };
        let rows = self.transcript.len();
        self.judge_server()?;
        let written = self.transcript.len() - rows;
        if let Some(response) = &response {
            self.note_exchange(sent, response, at, (cost, written))?;
        }
        Ok(response)
    }

    /// The judges hear of an answer.
    pub(super) fn note_exchange(
        &mut self,
        sent: &Sent,
        response: &HttpResponse,
        at: aralau_client_sdk::Millis,
        (cost, written): (Cost, usize),
    ) -> Judgement {
        let body = decompressed_answer(response);
        self.acknowledge(&body);
        if response.status == 200 && sent.request.url.ends_with("/v1/sync") {
            self.judge_served(sent.from)?;
        }
        self.judge_exchange(&Exchange { sent, response, at, body, cost, written })
    }

    /// What the server has signed for counts as acknowledged from now on, whether or not the phone ever hears of it.
    fn acknowledge(&mut self, body: &[u8]) {
        for gained in gained_in(body) {
            let Some(note) = Note::open(&gained.receipt, &self.server_key) else { continue };
            let Some((replica, upto)) = note.decided else { continue };
            let (transcript, scope) = (&self.transcript, note.scope);
            let is_there = |(by, index, hash): (ReplicaId, u64, Hash)| {
                by == replica && index <= upto && transcript.entry(replica.0, scope.0.into_bytes(), index) == Some(hash)
            };
            for word in self.model.words.iter_mut().filter(|word| word.scope == scope) {
                word.acknowledged |= word.entry.is_some_and(is_there);
            }
        }
    }

    /// Nobody answers: the phone notices, if it still waits.
    pub(super) fn unanswered(&mut self, sent: &Sent) {
        self.hear(sent.from.0, sent.number, Err(aralau_client_sdk::TransportError::Unreachable));
    }

    /// The phone is told what came of a request, and goes on.
    pub(super) fn hear(
        &mut self,
        at: usize,
        number: u64,
        answer: Result<HttpResponse, aralau_client_sdk::TransportError>,
    ) {
        let waits = self.phones[at].syncing.as_ref().is_some_and(|syncing| syncing.waits_for == Some(number));
        if !waits || !self.phones[at].is_alive() {
            return;
        }
        let Some(mut syncing) = self.phones[at].syncing.take() else { return };
        if let Ok(response) = &answer {
            self.line.earlier.insert(self.phones[at].number, response.clone());
        }
        let dies = self.plan.dies(&mut self.chance).filter(|_| answer.is_ok());
        if let Some(calls) = dies {
            self.phones[at].fuse.light(calls);
        }
        self.phones[at].answered(&mut syncing.session, answer);
        syncing.waits_for = None;
        self.phones[at].syncing = Some(syncing);
        if self.phones[at].fuse.put_out() {
            let who = self.phones[at].name.clone();
            self.fault(who, "the battery dies while an answer is taken in");
            self.phones[at].die();
        }
    }

    /// Whether a word's entry is decided, for all the phone was told.
    pub fn is_acknowledged(&self, word: WordNo) -> bool {
        self.model.word(word).acknowledged
    }
}

/// The items of a CBOR sequence.
pub fn items_of(body: &[u8]) -> Vec<Vec<u8>> {
    cbor::items(body, MAX_ANSWER_BYTES).unwrap_or_default()
}

/// What the answer of a sync says of each scope.
pub fn gained_in(body: &[u8]) -> Vec<Gained> {
    Answer::from_items(&items_of(body)).map_or_else(|_| Vec::new(), |answer| answer.gained)
}

/// A request's body, decompressed.
pub fn decompressed_request(request: &HttpRequest) -> Vec<u8> {
    let is_zstd = request.headers.iter().any(|(name, value)| *name == "content-encoding" && value == "zstd");
    if is_zstd {
        zstd::bulk::decompress(&request.body, MAX_ANSWER_BYTES).unwrap_or_default()
    } else {
        request.body.clone()
    }
}

/// An answer's body, decompressed.
pub fn decompressed_answer(response: &HttpResponse) -> Vec<u8> {
    match response.header("content-encoding") {
        Some("zstd") => zstd::bulk::decompress(&response.body, MAX_ANSWER_BYTES).unwrap_or_default(),
        _ => response.body.clone(),
    }
}

fn told(report: &Report) -> String {
    let mut told = format!("pushed {} pulled {} unsent {}", report.pushed, report.pulled, report.unsent);
    for (is, what) in [(report.rewound, "rewound"), (report.new_replica, "new name"), (report.wipe, "wipe")] {
        if is {
            told += &format!(", {what}");
        }
    }
    for held in &report.held {
        told += &format!(", held {} {}", held.index, held.reason);
    }
    for code in &report.refused {
        told += &format!(", refused {code}");
    }
    told
}
