//! Brings a device and its server level.
//!
//! Each answer is taken in as one transaction per scope. After a failure the next request carries one frame and asks
//! for a short answer, both doubling with each success; whatever was decided before a line broke is decided.

mod ask;
mod pacing;
mod report;
mod roll;
mod take;
mod wire;

use std::{collections::BTreeSet, time::Duration};

use aralau_sync_core::{
    auth::NONCE_HEADER,
    id::{ScopeId, Signature},
    stream::StreamId,
};

pub use report::{Confirmed, HeldOutcome, Report};

use super::{Session, Step, problem::problem};
use crate::{
    action::Action,
    client::Client,
    error::Error,
    notices,
    outbox::{Allowance, Sent},
    relay::Offered,
    store::{Key, ScopeRecord, Store, StoreError},
    transport::{HttpRequest, HttpResponse, TransportError},
};
use ask::{Draft, newest_receipts};
use pacing::Pacing;

/// A fresh nonce is tried this often in a row.
const MAX_NONCES: u32 = 3;
/// Answers in a row that bring nothing, after which what is left is left for the next sync.
const MAX_IDLE_ANSWERS: u32 = 2;

/// How a sync is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncOptions {
    /// How long to go on trying while the server cannot be reached. Zero: one attempt.
    pub wait: Duration,
}

/// One sync; see the module.
#[derive(Debug)]
pub struct SyncSession {
    wait_ms: u64,
    started_ms: Option<u64>,
    phase: Phase,
    pacing: Pacing,
    nonces: u32,
    idle_answers: u32,
    /// What the request under way carries.
    sent: Vec<Sent>,
    asked: BTreeSet<ScopeId>,
    /// The epoch of the roll that the request under way calls, where it calls one.
    called: Option<u64>,
    /// Whether scopes are asked about one by one from here on: an answer to a roll was not borne out.
    asks_only: bool,
    /// Scopes of which everything has come; the others are asked about first, of more than one request may name.
    heard: BTreeSet<ScopeId>,
    /// The lowest epoch among the cursors asked about; the answer tells of those after it.
    oldest_epoch: u64,
    /// Own streams that the server refuses in this session.
    refused: BTreeSet<StreamId>,
    offered: Offered,
    /// Streams whose author the server does not know: their introductions go with the next request.
    unknown: BTreeSet<StreamId>,
    /// Whether the server, which is behind this device, is to be shown its own receipts.
    proving: bool,
    /// Whether it is to be told again what has ended.
    recalling: Recall,
    /// Notices in the request under way.
    brought: usize,
    report: Report,
}

/// How far a restored server has been told again, by its own notices, which rights have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recall {
    /// It did not seem to need it.
    No,
    /// The notices from this one on go with the next request.
    From(usize),
    /// All that there are have been brought in this session.
    Done,
}

#[derive(Debug)]
enum Phase {
    Ask,
    /// What the next request says, while its frames want signatures.
    Frames(Box<Draft>),
    /// The request, while it wants its own.
    Request(Box<wire::Unsigned>),
    Send(HttpRequest),
    Wait {
        until_ms: u64,
    },
    Done,
    Failed(Error),
}

/// Why a request came to nothing.
struct Trouble {
    error: Error,
    remedy: Remedy,
}

enum Remedy {
    None,
    /// The same again, at once.
    Again,
    /// Later; the server may have said when.
    Later(Option<u64>),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let remedy = if error.action() == Action::Retry { Remedy::Later(None) } else { Remedy::None };
        Self { error, remedy }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self { error: error.into(), remedy: Remedy::None }
    }
}

impl SyncSession {
    /// What it has come to so far.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// A session that has not begun.
    pub fn new(options: SyncOptions) -> Self {
        Self {
            wait_ms: u64::try_from(options.wait.as_millis()).unwrap_or(u64::MAX),
            started_ms: None,
            phase: Phase::Ask,
            pacing: Pacing::new(),
            nonces: 0,
            idle_answers: 0,
            sent: Vec::new(),
            asked: BTreeSet::new(),
            called: None,
            asks_only: false,
            heard: BTreeSet::new(),
            oldest_epoch: 0,
            refused: BTreeSet::new(),
            offered: Offered::new(),
            unknown: BTreeSet::new(),
            proving: false,
            recalling: Recall::No,
            brought: 0,
            report: Report::default(),
        }
    }

    /// The frames of a request that need no signature any more become one.
    fn seal(&mut self, draft: Draft) -> Result<wire::Unsigned, Error> {
        let Draft { enrollment, nonce, hello, frames } = draft;
        self.sent = frames.iter().map(|frame| frame.sent).collect();
        let frames: Option<Vec<_>> = frames.into_iter().map(|frame| Some(frame.into_frame()?.to_bytes())).collect();
        wire::request(&enrollment, &nonce, &hello, &frames.ok_or(Error::UNSIGNED)?)
    }

    fn pause<S: Store>(&mut self, client: &mut Client<S>, error: Error, after_ms: Option<u64>) -> Phase {
        // An answer lost on the line has used up its request's nonce: only refusals in a row tell of a server gone wrong.
        self.nonces = 0;
        let now_ms = client.seams.clock.monotonic().ms;
        let until_ms = now_ms.saturating_add(self.pacing.failed(after_ms, &mut client.seams));
        let deadline_ms = self.started_ms.unwrap_or(now_ms).saturating_add(self.wait_ms);
        if until_ms > deadline_ms { Phase::Failed(error) } else { Phase::Wait { until_ms } }
    }

    fn hear<S: Store>(&mut self, client: &mut Client<S>, response: &HttpResponse) -> Result<Phase, Trouble> {
        self.report.bytes_down += response.body.len() as u64;
        if response.status != 200 {
            return Err(self.refusal(client, response)?);
        }
        let answer = wire::read(response)?;
        self.nonces = 0;
        self.pacing.succeeded();
        let recalled = self.recalled(client)?;
        let progress =
            self.take(client, answer).or_else(|trouble| Err(self.contradicted(client, trouble)?))? || recalled;
        if !self.is_anything_left(client)? {
            self.finish(client)?;
            return Ok(Phase::Done);
        }
        let progress = progress || self.is_anything_unheard(&client.store.scopes()?);
        self.idle_answers = if progress { 0 } else { self.idle_answers + 1 };
        if self.idle_answers < MAX_IDLE_ANSWERS {
            return Ok(Phase::Ask);
        }
        self.finish(client)?;
        Ok(Phase::Done)
    }

    /// The server contradicts what it said before. Perhaps somebody put an older copy of its database back: it is shown
    /// its own receipts, once, and if they prove it right it begins a new epoch.
    fn contradicted<S: Store>(&mut self, client: &Client<S>, trouble: Trouble) -> Result<Trouble, Trouble> {
        let has_proof = !newest_receipts(client, &client.store.scopes()?)?.is_empty();
        let again = matches!(trouble.error, Error::Alarm(_)) && has_proof && !self.proving;
        self.proving |= again;
        Ok(if again { Trouble { remedy: Remedy::Again, ..trouble } } else { trouble })
    }

    fn refusal<S: Store>(&mut self, client: &mut Client<S>, response: &HttpResponse) -> Result<Trouble, Trouble> {
        if let Some(nonce) = response.header(NONCE_HEADER) {
            client.store.set_meta(Key::Nonce, nonce.as_bytes())?;
        }
        let error = problem(response);
        let remedy = match (response.status, error.code()) {
            (401, "nonce_stale") if self.nonces < MAX_NONCES => {
                self.nonces += 1;
                Remedy::Again
            }
            (409, "server_behind") if !self.proving => {
                self.proving = true;
                Remedy::Again
            }
            // It does not know whether this device was shut out, but hears from it who was.
            (_, "device_unconfirmed") if self.recalls_more(client)? => Remedy::Again,
            (413, _) if self.pacing.shrink() => Remedy::Again,
            (413, _) => Remedy::None,
            (408 | 429 | 500..=599, _) => Remedy::Later(retry_after_ms(response)),
            _ => Remedy::None,
        };
        Ok(Trouble { error, remedy })
    }

    /// The request that was answered has brought notices. Whether it did.
    fn recalled<S: Store>(&mut self, client: &Client<S>) -> Result<bool, StoreError> {
        let Recall::From(from) = self.recalling else { return Ok(false) };
        let next = from + std::mem::take(&mut self.brought);
        let is_all = next > from && notices::to_bring(&client.store, next)?.is_empty();
        self.recalling = if is_all { Recall::Done } else { Recall::From(next) };
        Ok(next > from)
    }

    /// Whether there are notices that a server that asks for confirmation has not heard yet.
    fn recalls_more<S: Store>(&mut self, client: &Client<S>) -> Result<bool, StoreError> {
        self.recalled(client)?;
        if self.recalling == Recall::No && !notices::to_bring(&client.store, 0)?.is_empty() {
            self.recalling = Recall::From(0);
        }
        Ok(matches!(self.recalling, Recall::From(_)))
    }

    fn is_anything_left<S: Store>(&mut self, client: &mut Client<S>) -> Result<bool, Error> {
        let scopes = client.store.scopes()?;
        let one = Allowance { frames: 1, bytes: 1, entries: 1 };
        Ok(self.report.more
            || matches!(self.recalling, Recall::From(_))
            || self.is_anything_unheard(&scopes)
            || !self.frames(client, &scopes, one)?.is_empty())
    }

    fn is_anything_unheard(&self, scopes: &[ScopeRecord]) -> bool {
        scopes.iter().any(|record| record.granted && !self.heard.contains(&record.scope))
    }

    fn finish<S: Store>(&mut self, client: &mut Client<S>) -> Result<(), Error> {
        let scopes = client.store.scopes()?;
        self.report.unsent = scopes.iter().map(ScopeRecord::unsent).sum();
        self.report.confirmed = scopes.iter().map(|record| Confirmed::of(client, record)).collect();
        let now = client.seams.clock.now().0;
        client.store.set_meta(Key::SyncedAt, now.to_string().as_bytes())?;
        client.tell(crate::view::Event::Synced);
        Ok(())
    }
}

impl Session for SyncSession {
    type Outcome = Box<Report>;

    fn next<S: Store>(&mut self, client: &mut Client<S>) -> Step<Box<Report>> {
        let now_ms = client.seams.clock.monotonic().ms;
        self.started_ms.get_or_insert(now_ms);
        loop {
            let next = match std::mem::replace(&mut self.phase, Phase::Ask) {
                Phase::Wait { until_ms } if now_ms < until_ms => {
                    self.phase = Phase::Wait { until_ms };
                    return Step::Wait(until_ms - now_ms);
                }
                Phase::Ask | Phase::Wait { .. } => self.draft(client).map(|draft| Phase::Frames(Box::new(draft))),
                Phase::Frames(draft) => {
                    let wanting = draft.preimages();
                    if !wanting.is_empty() {
                        self.phase = Phase::Frames(draft);
                        return Step::Sign(wanting);
                    }
                    self.seal(*draft).map(|request| Phase::Request(Box::new(request)))
                }
                Phase::Request(request) => {
                    let preimage = request.preimage.clone();
                    self.phase = Phase::Request(request);
                    return Step::Sign(vec![preimage]);
                }
                // Asked again without a word of what came of it, it begins anew.
                Phase::Send(request) => {
                    self.report.requests += 1;
                    self.report.bytes_up += request.body.len() as u64;
                    return Step::Send(request);
                }
                Phase::Done => {
                    self.phase = Phase::Done;
                    return Step::Done(Box::new(self.report.clone()));
                }
                Phase::Failed(error) => return Step::Failed(error),
            };
            match next {
                Ok(phase) => self.phase = phase,
                Err(error) => return Step::Failed(error),
            }
        }
    }

    fn signed(&mut self, signatures: Vec<Signature>) {
        self.phase = match (std::mem::replace(&mut self.phase, Phase::Ask), signatures.as_slice()) {
            (Phase::Frames(mut draft), _) => match draft.take(&signatures) {
                true => Phase::Frames(draft),
                false => Phase::Failed(Error::UNSIGNED),
            },
            (Phase::Request(request), [signature]) => Phase::Send(request.signed(*signature)),
            (Phase::Request(_), _) => Phase::Failed(Error::UNSIGNED),
            (other, _) => other,
        };
    }

    fn answered<S: Store>(&mut self, client: &mut Client<S>, answer: Result<HttpResponse, TransportError>) {
        let outcome = answer.map_err(|error| Error::from(error).into()).and_then(|answer| self.hear(client, &answer));
        self.phase = match outcome {
            Ok(phase) => phase,
            Err(Trouble { remedy: Remedy::Again, .. }) => Phase::Ask,
            Err(Trouble { error, remedy: Remedy::None }) => Phase::Failed(error),
            Err(Trouble { error, remedy: Remedy::Later(after_ms) }) => self.pause(client, error, after_ms),
        };
    }
}

/// Seconds only: a date would need a clock that is right.
fn retry_after_ms(response: &HttpResponse) -> Option<u64> {
    response.header("retry-after")?.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
}
