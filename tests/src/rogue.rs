//! A device that signs whatever it likes: enrolled like any other, and honest only where a test wants it to be.

use std::{collections::BTreeMap, time::Duration};

use aralau_client_sdk::{keys::DeviceKey, seams::SystemEntropy};
use aralau_sync_core::{
    auth::{NONCE_HEADER, SCHEME, body_hash, enroll_preimage, request_preimage},
    cbor,
    change::{Change, Value as Scalar},
    digest::replica_named,
    document::Document,
    frame::Frame,
    id::{Actor, DeploymentId, DeviceId, DocumentId, Kind, PublicKey, ReplicaId, ScopeId, Signature},
    stream::{Header, Link, Seen, SignDevice as _, StreamId, Tip},
    sync::{self, Ask, FrameFate, Gained, Hello, Welcome},
    time::Millis,
    visit::VisitDraft,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{process::Server, world::World};

/// Where syncs go.
pub const PATH: &str = "/v1/sync";

/// See the module.
pub struct Rogue {
    /// Signs.
    pub key: DeviceKey,
    /// As enrolled.
    pub device: DeviceId,
    /// Of the server.
    pub deployment: DeploymentId,
    /// The stream that it writes.
    pub stream: StreamId,
    /// The end of what it has framed.
    pub tip: Tip,
    /// For the next request.
    pub nonce: String,
    /// Of its clock, against the true time.
    pub skew_ms: i64,
    /// About how much it wants to be answered; as much as there is, unless it says.
    pub most_bytes: Option<u32>,
    url: String,
    documents: BTreeMap<DocumentId, Document>,
}

/// What a request came to.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// A problem's stable code; empty with 200.
    pub code: String,
    /// The nonce that came with a problem.
    pub nonce: Option<String>,
    /// The first item of a 200.
    pub welcome: Option<Welcome>,
    /// The others.
    pub gained: Vec<Gained>,
}

impl Answer {
    /// What became of each frame, a word each.
    #[track_caller]
    pub fn fates(&self) -> Vec<String> {
        let welcome = self.welcome.as_ref().unwrap_or_else(|| panic!("{} {}", self.status, self.code));
        let word = |fate: &FrameFate| match fate {
            FrameFate::Decided { tip, .. } => format!("decided {}", tip.index),
            FrameFate::Gap { tip, .. } => format!("gap {}", tip.index),
            FrameFate::Forked { tip, .. } => format!("forked {}", tip.index),
            FrameFate::Refused { code } => code.code().to_owned(),
        };
        welcome.frames.iter().map(word).collect()
    }

    /// Status and code of a problem.
    pub fn problem(&self) -> (u16, &str) {
        (self.status, &self.code)
    }
}

/// The true time.
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Millis(i64::try_from(since.as_millis()).expect("in range"))
}

impl Rogue {
    /// Let in as an inspector of a beat.
    pub fn enroll(world: &World, name: &str, beat: &str) -> Self {
        let key = DeviceKey::generate(&mut SystemEntropy);
        let replica = fresh_replica(&key.public_key());
        let code = world.code(name, beat);
        let signature = key.sign(&enroll_preimage(&code, &replica, &key.public_key()));
        let ask = json!({ "code": code, "public_key": key.public_key(), "replica": replica, "signature": signature });
        let url = world.server.url();
        let agent = ureq::agent();
        let sent = agent.post(format!("{url}/v1/enroll")).header("content-type", "application/json");
        let text = sent.send(ask.to_string()).expect("let in").body_mut().read_to_string().expect("an answer");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
        let scope: ScopeId = text("/beats/0/scope").parse().expect("a scope");
        Self {
            key,
            device: text("/device").parse().expect("a device"),
            deployment: text("/deployment").parse().expect("a deployment"),
            stream: StreamId { replica, scope },
            tip: Tip::default(),
            nonce: text("/nonce"),
            skew_ms: 0,
            most_bytes: None,
            url,
            documents: BTreeMap::new(),
        }
    }

    /// Another server of the same deployment.
    pub fn turn_to(&mut self, server: &Server) {
        self.url = server.url();
    }

    /// It writes as this.
    pub fn actor(&self) -> Actor {
        Actor { replica: self.stream.replica, generation: 0 }
    }

    /// An honest header.
    pub fn header(&self, document: DocumentId) -> Header {
        let at = now().plus(self.skew_ms);
        Header { kind: Kind::VISIT.0, document, at, monotonic: None, seen: None, reauthored_from: None }
    }

    /// The change that an honest device would make, not yet applied.
    pub fn author(&mut self, document: DocumentId, puts: &[(String, Scalar)]) -> Change {
        let actor = self.actor();
        self.documents.entry(document).or_default().author(actor, puts).expect("allowed").expect("something changes")
    }

    /// The puts of an honest visit.
    pub fn visit_puts(&self, note: &str) -> Vec<(String, Scalar)> {
        let draft = VisitDraft {
            visit_type: Some("door_to_door".into()),
            outcome: Some("contacted".into()),
            started_at: Some(now().plus(self.skew_ms)),
            note: Some((Uuid::new_v4(), note.to_owned())),
            ..VisitDraft::default()
        };
        draft.puts(self.stream.replica, *Uuid::new_v4().as_bytes())
    }

    /// An honest visit.
    pub fn visit(&mut self, note: &str) -> (DocumentId, Link) {
        let document = DocumentId(Uuid::new_v4());
        let puts = self.visit_puts(note);
        (document, self.edit(document, &puts))
    }

    /// An honest edit.
    pub fn edit(&mut self, document: DocumentId, puts: &[(String, Scalar)]) -> Link {
        let change = self.author(document, puts);
        let link = self.link(document, change.body());
        self.documents.entry(document).or_default().apply(change);
        link
    }

    /// Any bytes under an honest header.
    pub fn link(&self, document: DocumentId, body: &[u8]) -> Link {
        Link::Full { header: self.header(document).to_bytes(), body: body.to_vec() }
    }

    /// Signs the next entries of its stream.
    pub fn frame(&mut self, links: Vec<Link>) -> Vec<u8> {
        let frame = Frame::sign(&self.deployment, self.stream, self.tip, links, &self.key);
        self.tip = *aralau_sync_core::frame::chain(&self.stream, self.tip, &frame.links).last().expect("an entry");
        frame.to_bytes()
    }

    /// What it says of itself; asks for everything from the start.
    pub fn hello(&self) -> Hello {
        let ask = Ask { scope: self.stream.scope, cursor: Seen::default(), tip: self.tip };
        Hello {
            app: Some("rogue".to_owned()),
            most_bytes: self.most_bytes,
            ..Hello::about(self.stream.replica, now().plus(self.skew_ms), vec![ask])
        }
    }

    /// A whole body: the hello and these frames.
    pub fn message(&self, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut message = Vec::new();
        cbor::push_item(&mut message, &cbor::encode(&self.hello()));
        frames.iter().for_each(|frame| cbor::push_item(&mut message, frame));
        message
    }

    /// The header that binds a body to this device.
    pub fn authorize(&self, body: &[u8]) -> String {
        self.authorize_as(self.device, body, &self.nonce)
    }

    /// The same in another's name, or with another nonce.
    pub fn authorize_as(&self, device: DeviceId, body: &[u8], nonce: &str) -> String {
        let preimage = request_preimage(&self.deployment, &device, "POST", PATH, &body_hash(body), nonce);
        credentials(device, nonce, self.key.sign(&preimage))
    }

    /// Sends frames under an honest request, which must be answered.
    #[track_caller]
    pub fn send(&mut self, frames: &[Vec<u8>]) -> Answer {
        let body = self.message(frames);
        let answer = self.post(&body, &self.authorize(&body), None);
        assert_eq!(answer.problem(), (200, ""));
        self.nonce.clone_from(&answer.welcome.as_ref().expect("a welcome").nonce);
        answer
    }

    /// Sends any bytes, named by their digest, under any credentials.
    pub fn post(&self, body: &[u8], authorization: &str, encoding: Option<&str>) -> Answer {
        let digest = digest(body);
        let encoding = encoding.map(|encoding| ("content-encoding", encoding));
        let headers: Vec<_> = encoding.into_iter().chain([("content-digest", &*digest)]).collect();
        self.post_under(body, authorization, &headers)
    }

    /// The same with these headers alone.
    pub fn post_under(&self, body: &[u8], authorization: &str, headers: &[(&str, &str)]) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().new_agent();
        let mut request = agent.post(format!("{}{PATH}", self.url)).header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Where the server answers and hangs up before it has read all, there may be no answer to read.
        request.send(body).map_or_else(|_| hung_up(), read)
    }
}

/// An `Authorization` header.
pub fn credentials(device: DeviceId, nonce: &str, signature: Signature) -> String {
    format!("{SCHEME} device={device}, nonce={nonce}, signature={signature}")
}

/// The `Content-Digest` header of a body.
pub fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(body_hash(body)))
}

/// A name that no other install of this device has.
pub fn fresh_replica(key: &PublicKey) -> ReplicaId {
    let [salt @ .., _, _, _, _, _, _, _, _, _, _, _, _] = Uuid::new_v4().into_bytes();
    replica_named(key, salt)
}

fn hung_up() -> Answer {
    Answer { status: 0, code: "hung_up".to_owned(), nonce: None, welcome: None, gained: Vec::new() }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let status = response.status().as_u16();
    let nonce = response.headers().get(NONCE_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec().unwrap_or_default();
    if status != 200 {
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or_default().to_owned();
        return Answer { status, code, nonce, welcome: None, gained: Vec::new() };
    }
    let items = cbor::items(&body, 64 * 1024 * 1024).expect("a CBOR sequence");
    let sync::Answer { welcome, gained } = sync::Answer::from_items(&items).expect("an answer");
    Answer { status, code: String::new(), nonce, welcome: Some(welcome), gained }
}
