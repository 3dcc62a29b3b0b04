//! A phone's life as a script: what it did and heard, step by step, with the time and the randomness that it had, and what it
//! told. Every build of the client that is given the same tells the same: the changes and entries that it writes, byte by
//! byte, and what it asks of the server.
//!
//! The simulated world writes such scripts; [`replay`] goes through one over any store.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use aralau_sync_core::{
    change::Value,
    digest::content_hash,
    id::{DocumentId, PublicKey, ScopeId, Signature},
    time::{Millis, Monotonic},
    visit::{VisitDraft, VisitEdit},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    client::Client,
    error::Error,
    seams::{Clock, Entropy, Seams},
    session::{Session as _, Step, SyncOptions, Talk},
    store::Store,
    transport::{HttpRequest, HttpResponse, TransportError},
};

/// A phone's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// The key's public half; signatures stand in the script.
    pub public_key: PublicKey,
    /// In order.
    pub scenes: Vec<Scene>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The wall clock.
    pub now: Millis,
    /// The other clock: its session, and milliseconds since that began.
    pub monotonic: (u64, u64),
    /// All random bytes that were asked for, hex.
    pub random: String,
    /// What was done.
    pub act: Act,
    /// What came of it.
    pub told: Vec<String>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The app starts from its files, whatever it was doing.
    Open,
    /// Something is written.
    Write(Deed),
    /// An enrollment begins.
    Enroll {
        /// The server's address.
        url: String,
        /// The code.
        code: String,
    },
    /// A sync begins.
    Sync {
        /// For how long it goes on trying.
        wait_ms: u64,
    },
    /// Enrollment or sync is asked for its next step.
    Next,
    /// … given its signatures.
    Signed(Vec<Signature>),
    /// … told what came of its request; the body is decompressed.
    Answered(Answer),
    /// … told why nothing came of it: a code of [`TransportError`].
    Unanswered(String),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Without `content-encoding`.
    pub headers: Vec<(String, String)>,
    /// Hex.
    pub body: String,
}

/// What an inspector writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// A visit, under an id of its own.
    Log {
        /// In which beat.
        scope: ScopeId,
        /// Which.
        id: DocumentId,
        /// A code of `outcome`.
        outcome: String,
        /// Id and words.
        note: (Uuid, String),
    },
    /// Changes of a visit, all in one.
    Edit {
        /// Which.
        id: DocumentId,
        /// What is changed.
        edits: Vec<Edit>,
    },
    /// The end of a conflict.
    Resolve {
        /// Of which visit.
        id: DocumentId,
        /// The field.
        field: String,
        /// The value.
        text: String,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// A note: id and words.
    Note(Uuid, String),
    /// A field, and its text.
    Set(String, String),
    /// The visit is taken back.
    Withdraw,
}

impl Deed {
    /// Writes it.
    pub fn write<S: Store>(&self, client: &mut Client<S>) -> Result<(), Error> {
        match self.clone() {
            Self::Log { scope, id, outcome, note } => {
                let (outcome, visit_type) = (Some(outcome), Some("door_to_door".to_owned()));
                let draft = VisitDraft { outcome, visit_type, note: Some(note), ..VisitDraft::default() };
                client.log_visit_in(scope, id, draft).map(drop)
            }
            Self::Edit { id, edits } => {
                let edit = |edit| match edit {
                    Edit::Note(id, text) => VisitEdit::AddNote { id, text },
                    Edit::Set(field, text) => VisitEdit::Set { field, value: Value::Text(text) },
                    Edit::Withdraw => VisitEdit::Withdraw,
                };
                client.edit_visit(id, &edits.into_iter().map(edit).collect::<Vec<_>>())
            }
            Self::Resolve { id, field, text } => client.resolve(id, &field, Value::Text(text)),
        }
    }
}

/// What there is to tell of an app that has just started: its name, and all that it shows.
pub fn told_of_opening<S: Store>(client: &Client<S>) -> Vec<String> {
    let shown = client.visits().map_or_else(|error| error.code().into(), |visits| name_of(&visits));
    vec![client.replica().to_string(), format!("shows {shown}")]
}

/// … of something that was written: the ends of the own streams, whose hashes name every byte of every entry.
pub fn told_of_writing<S: Store>(client: &Client<S>, written: Result<(), &Error>) -> Vec<String> {
    let written = written.map_or_else(Error::code, |()| "written").to_owned();
    let scopes = client.store.scopes().unwrap_or_default().into_iter();
    let tips = scopes.map(|record| format!("{} {} {}", record.scope, record.tip.index, record.tip.hash));
    std::iter::once(written).chain(tips).collect()
}

/// … of a step. A request is told by its address and its body without compression, which builds do as they may; so is what is
/// signed of it, which names the bytes sent.
pub fn told_of_step<T>(step: &Step<T>) -> Vec<String> {
    match step {
        Step::Sign(messages) => messages.iter().map(|message| format!("sign {}", told_of_message(message))).collect(),
        Step::Send(request) => vec![format!("send {} {}", request.url, content_hash(&uncompressed(request)))],
        Step::Wait(ms) => vec![format!("wait {ms}")],
        Step::Done(_) => vec!["done".to_owned()],
        Step::Failed(error) => vec![format!("failed {}", error.code())],
    }
}

fn told_of_message(message: &[u8]) -> String {
    if message.starts_with(b"aralau/request/") { "a request".to_owned() } else { to_hex(message) }
}

fn name_of(value: &impl Serialize) -> String {
    content_hash(&serde_json::to_vec(value).unwrap_or_default()).to_string()
}

#[cfg(not(target_arch = "wasm32"))]
fn uncompressed(request: &HttpRequest) -> Vec<u8> {
    let is_zstd = request.headers.iter().any(|(name, value)| *name == "content-encoding" && value == "zstd");
    if is_zstd { zstd::decode_all(&request.body[..]).unwrap_or_default() } else { request.body.clone() }
}

#[cfg(target_arch = "wasm32")]
fn uncompressed(request: &HttpRequest) -> Vec<u8> {
    request.body.clone()
}

/// Goes through a script over a store that `open` opens, anew wherever the app starts. How many scenes there were.
///
/// # Errors
/// The first scene of which something else came, in words.
pub fn replay<S: Store>(script: &Script, mut open: impl FnMut() -> S) -> Result<usize, String> {
    let stage = Stage::default();
    let mut client: Option<Client<S>> = None;
    let mut talk = Talk::sync(SyncOptions::default());
    for (number, scene) in script.scenes.iter().enumerate() {
        stage.set(scene);
        if scene.act == Act::Open {
            // The files are let go of before they are opened again.
            drop(client.take());
            let opened = Client::over(open(), script.public_key, stage.seams());
            client = Some(opened.map_err(|error| format!("scene {number}: it does not open: {error}"))?);
        }
        let client = client.as_mut().ok_or_else(|| format!("scene {number}: nothing is open"))?;
        let told = perform(client, &mut talk, &scene.act);
        if told != scene.told || !stage.is_used_up() {
            let random = if stage.is_used_up() { "as much" } else { "other" };
            return Err(format!(
                "scene {number}: {:?} told {told:?}, with {random} randomness, and not {:?}",
                scene.act, scene.told
            ));
        }
    }
    Ok(script.scenes.len())
}

fn perform<S: Store>(client: &mut Client<S>, talk: &mut Talk, act: &Act) -> Vec<String> {
    match act {
        Act::Open => return told_of_opening(client),
        Act::Write(deed) => {
            let written = deed.write(client);
            return told_of_writing(client, written.as_ref().copied());
        }
        Act::Enroll { url, code } => *talk = Talk::enroll(url, code),
        Act::Sync { wait_ms } => {
            *talk = Talk::sync(SyncOptions { wait: std::time::Duration::from_millis(*wait_ms) });
        }
        Act::Next => return told_of_step(&talk.next(client)),
        Act::Signed(signatures) => talk.signed(signatures.clone()),
        Act::Answered(answer) => talk.answered(client, heard(answer.clone())),
        Act::Unanswered(code) => {
            let all = [TransportError::Unreachable, TransportError::TimedOut, TransportError::TooLong];
            let why = all.into_iter().find(|error| error.code() == code);
            talk.answered(client, Err(why.unwrap_or(TransportError::Unreachable)));
        }
    }
    Vec::new()
}

fn heard(answer: Answer) -> Result<HttpResponse, TransportError> {
    let Answer { status, headers, body } = answer;
    Ok(HttpResponse { status, headers, body: from_hex(&body).ok_or(TransportError::Unreachable)? })
}

/// The time and the randomness of the present scene.
#[derive(Clone, Default)]
struct Stage(Arc<Mutex<Present>>);

#[derive(Default)]
struct Present {
    now: Millis,
    monotonic: (u64, u64),
    random: VecDeque<u8>,
    /// More was asked for than there was.
    is_short: bool,
}

impl Stage {
    fn with<T>(&self, work: impl FnOnce(&mut Present) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, scene: &Scene) {
        let random = from_hex(&scene.random).unwrap_or_default().into();
        let (now, monotonic) = (scene.now, scene.monotonic);
        self.with(|present| *present = Present { now, monotonic, random, is_short: false });
    }

    fn is_used_up(&self) -> bool {
        self.with(|present| present.random.is_empty() && !present.is_short)
    }

    fn seams(&self) -> Seams {
        Seams { clock: Box::new(self.clone()), entropy: Box::new(self.clone()) }
    }
}

impl Clock for Stage {
    fn now(&self) -> Millis {
        self.with(|present| present.now)
    }

    fn monotonic(&self) -> Monotonic {
        let (session, ms) = self.with(|present| present.monotonic);
        Monotonic { session, ms, counts_sleep: false }
    }

    fn sleep(&self, _: u64) {}
}

impl Entropy for Stage {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.with(|present| {
            for byte in bytes {
                let next = present.random.pop_front();
                present.is_short |= next.is_none();
                *byte = next.unwrap_or_default();
            }
        });
    }
}

/// As scripts spell bytes.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| rest.is_empty())
}
