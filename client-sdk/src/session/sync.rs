//! Brings a device and its server level.
//!
//! Each answer is taken in as one transaction per scope. After a failure the next request carries one frame and asks
//! for a short answer, both doubling with each success; whatever was decided before a line broke is decided.

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
    sync::{Ask, Hello, LastRow, MAX_NOTICES, MAX_SCOPES, PROTOCOL},
    time::Millis,
};

pub use report::{Confirmed, HeldOutcome, Report};

use super::{Session, Step, problem::problem};
use crate::{
    action::Action,
    client::Client,
    enrollment::Enrollment,
    error::Error,
    notices,
    outbox::{self, Allowance, Outgoing, Sent, oldest_unsent_at},
    relay::{self, Offered},
    store::{Key, ScopeRecord, Store, StoreError},
    transport::{HttpRequest, HttpResponse, TransportError},
};
use pacing::Pacing;

/// A fresh nonce is tried this often in a row.
const MAX_NONCES: u32 = 3;
/// Notices in a request that shows receipts as well.
const NOTICES_BESIDE_RECEIPTS: usize = 16;
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

/// What a request says.
#[derive(Debug)]
struct Draft {
    enrollment: Enrollment,
    nonce: String,
    hello: Hello,
    frames: Vec<Outgoing>,
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

    fn draft<S: Store>(&mut self, client: &mut Client<S>) -> Result<Draft, Error> {
        let enrollment = client.enrollment.clone().ok_or(Error::NotEnrolled)?;
        let scopes = client.store.scopes()?;
        let nonce = client.store.meta(Key::Nonce)?.unwrap_or_default();
        self.recall_returned(client, &scopes)?;
        let frames = self.frames(client, &scopes, self.pacing.allowance())?;
        let roll = if self.asks_only || self.proving { None } else { roll::roll(client, &enrollment, &scopes)? };
        let asks = if roll.is_some() { Vec::new() } else { asks(&scopes, &self.heard) };
        let mut hello = hello(client, &scopes, asks)?;
        hello.most_bytes = self.pacing.most_bytes();
        hello.introductions = relay::introductions(&client.store, &self.unknown)?;
        if self.proving {
            hello.receipts = Some(newest_receipts(client, &scopes)?);
        }
        self.brought = 0;
        if let Recall::From(from) = self.recalling {
            // Receipts fill most of a hello.
            let most = if self.proving { NOTICES_BESIDE_RECEIPTS } else { MAX_NOTICES };
            let mut notices = notices::to_bring(&client.store, from)?;
            notices.truncate(most);
            self.brought = notices.len();
            hello.notices = Some(notices);
        }
        self.asked = match &roll {
            Some(_) => scopes.iter().filter(|record| record.granted).map(|record| record.scope).collect(),
            None => hello.scopes.iter().map(|ask| ask.scope).collect(),
        };
        self.called = roll.as_ref().map(|roll| roll.epoch);
        hello.roll = roll;
        // A roll that is not taken is answered with all epochs, and one that is with none.
        self.oldest_epoch = hello.scopes.iter().map(|ask| ask.cursor.epoch).min().unwrap_or(0);
        hello.elsewhere = self.elsewhere(client, &scopes)?;
        Ok(Draft { enrollment, nonce: wire::usable(&nonce).to_owned(), hello, frames })
    }

    /// Scopes that are not asked about and of which the server once told something.
    fn elsewhere<S: Store>(
        &self,
        client: &Client<S>,
        scopes: &[ScopeRecord],
    ) -> Result<Option<Vec<LastRow>>, StoreError> {
        let is_known = |record: &&ScopeRecord| record.decided.index > 0 || record.cursor.sequence > 0;
        let is_elsewhere = |record: &&ScopeRecord| !self.asked.contains(&record.scope) && is_known(record);
        let last = |record: &ScopeRecord| {
            let row = client.store.row(record.scope, record.cursor.sequence)?;
            let received_at = row.map_or(Millis(0), |row| row.received_at);
            Ok(LastRow { scope: record.scope, cursor: record.cursor, received_at })
        };
        let rows: Vec<_> =
            scopes.iter().filter(is_elsewhere).take(MAX_SCOPES).map(last).collect::<Result<_, StoreError>>()?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// Scopes that are asked about again tell by their rows what the server has.
    fn recall_returned<S: Store>(&mut self, client: &mut Client<S>, scopes: &[ScopeRecord]) -> Result<(), Error> {
        let mut returned = relay::returned(&client.store)?;
        let before = returned.len();
        let is_asked = |scope| scopes.iter().any(|record| record.scope == scope && record.granted);
        returned.retain(|stream, _| !is_asked(stream.scope));
        if returned.len() < before {
            relay::keep_returned(&mut client.store, &returned)?;
        }
        for (stream, index) in returned {
            self.offered.entry(stream).or_insert(index);
        }
        Ok(())
    }

    /// Own words first, then what is brought back of others and of earlier installs.
    fn frames<S: Store>(
        &self,
        client: &Client<S>,
        scopes: &[ScopeRecord],
        mut allowance: Allowance,
    ) -> Result<Vec<Outgoing>, Error> {
        let mut frames = Vec::new();
        for record in scopes {
            let stream = StreamId { replica: client.identity.replica, scope: record.scope };
            if record.unsent() > 0 && !self.refused.contains(&stream) {
                frames.extend(outbox::frames(&client.store, stream, record.decided, &mut allowance)?);
            }
        }
        for record in scopes {
            let (store, identity) = (&client.store, &client.identity);
            frames.extend(relay::frames(store, identity, record.scope, &self.offered, &mut allowance)?);
        }
        Ok(frames)
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

impl Draft {
    /// What the frames' signatures are over, of those that have none.
    fn preimages(&self) -> Vec<Vec<u8>> {
        self.frames.iter().filter_map(|frame| frame.preimage(&self.enrollment.deployment)).collect()
    }

    /// Whether these are as many as were wanting.
    fn take(&mut self, signatures: &[Signature]) -> bool {
        let unsigned: Vec<_> = self.frames.iter_mut().filter(|frame| frame.signature.is_none()).collect();
        let fits = unsigned.len() == signatures.len();
        unsigned.into_iter().zip(signatures).for_each(|(frame, signature)| frame.signature = Some(*signature));
        fits
    }
}

fn hello<S: Store>(client: &Client<S>, scopes: &[ScopeRecord], asks: Vec<Ask>) -> Result<Hello, Error> {
    Ok(Hello {
        protocol: PROTOCOL,
        replica: client.identity.replica,
        clock: client.seams.clock.now(),
        scopes: asks,
        unsent: scopes.iter().map(ScopeRecord::unsent).sum(),
        oldest_unsent_at: oldest_unsent_at(&client.store, &client.identity, scopes)?,
        app: Some(crate::APP.to_owned()),
        receipts: None,
        most_bytes: None,
        introductions: None,
        elsewhere: None,
        monotonic: Some(client.seams.clock.monotonic()),
        noticed: Some(notices::seen(&client.store)?),
        notices: None,
        roll: None,
    })
}

/// Those of scopes that are not asked about as well: they prove that there was an epoch. Of each scope the newest, and the
/// newest that the rows here bear out: while a long log comes in pages, these are not the same.
fn newest_receipts<S: Store>(client: &Client<S>, scopes: &[ScopeRecord]) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    for record in scopes {
        let mut receipts = client.store.receipts(record.scope)?;
        let newest = receipts.pop();
        let borne_out = receipts.into_iter().rfind(|receipt| receipt.size <= record.verified);
        let borne_out = borne_out.filter(|_| newest.as_ref().is_some_and(|newest| newest.size > record.verified));
        notes.extend(newest.into_iter().chain(borne_out).map(|receipt| receipt.note));
    }
    notes.truncate(MAX_SCOPES);
    Ok(notes)
}

/// What one request asks about: as many as it may, those first of which something may be missing.
fn asks(scopes: &[ScopeRecord], heard: &BTreeSet<ScopeId>) -> Vec<Ask> {
    let granted =
        |is_heard| scopes.iter().filter(move |record| record.granted && heard.contains(&record.scope) == is_heard);
    let asked = granted(false).chain(granted(true)).take(MAX_SCOPES);
    asked.map(|record| Ask { scope: record.scope, cursor: record.cursor, tip: record.tip }).collect()
}

/// Seconds only: a date would need a clock that is right.
fn retry_after_ms(response: &HttpResponse) -> Option<u64> {
    response.header("retry-after")?.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
}
