//! The line between a phone and the scripted server, and its faults.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::Write as _,
};

use aralau_client_sdk::{HttpRequest, HttpResponse, Transport, TransportError};
use aralau_sync_core::{
    cbor,
    frame::Frame,
    id::{PublicKey, ReplicaId},
    receipt::SignServer as _,
    sync::{Gained, Hello, Welcome},
};

use super::{DEPLOYMENT, Server};

/// Changes an answer on its way.
pub type Twist = Box<dyn FnOnce(&mut Welcome, &mut Vec<Gained>)>;

/// What goes wrong with one request.
pub enum Fault {
    /// Nothing.
    None,
    /// It never arrives.
    LoseRequest,
    /// It arrives, and the answer does not.
    LoseAnswer,
    /// The answer ends too early.
    CutAnswer,
    /// The server answers this instead.
    Status(u16, &'static str, &'static [(&'static str, &'static str)]),
    /// The server lies.
    Twist(Twist),
}

/// One server, any number of phones.
pub struct Line {
    pub server: RefCell<Server>,
    pub faults: RefCell<VecDeque<Fault>>,
    /// Frames in each request, in order, whether they arrived or not.
    pub frames: RefCell<Vec<usize>>,
    /// Entries with content in each frame that arrived.
    pub entries: Cell<u64>,
}

impl Line {
    pub fn new() -> Self {
        Self {
            server: RefCell::new(Server::new()),
            faults: RefCell::default(),
            frames: RefCell::default(),
            entries: Cell::new(0),
        }
    }

    pub fn breaks(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.borrow_mut().extend(faults);
    }

    fn enroll(&self, request: &HttpRequest) -> HttpResponse {
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        let text = |name: &str| body[name].as_str().expect("text").to_owned();
        let code = text("code");
        if code == "expired" {
            return problem(410, "enrollment_code_expired");
        }
        let key: PublicKey = text("public_key").parse().expect("a key");
        let replica: ReplicaId = text("replica").parse().expect("a replica");
        let mut server = self.server.borrow_mut();
        server.authors.insert(replica, (key, code.clone()));
        let beats: Vec<_> = server.beats.iter().map(beat).collect();
        let answer = serde_json::json!({
            "deployment": DEPLOYMENT, "server_key": server.key.public_key(), "nonce": "first", "beats": beats,
            "device": "00000000-0000-4000-8000-000000000001",
            "person": { "id": "00000000-0000-4000-8000-000000000002", "name": code },
        });
        HttpResponse { status: 200, headers: Vec::new(), body: answer.to_string().into_bytes() }
    }

    fn sync(&self, request: &HttpRequest, fault: Fault) -> Result<HttpResponse, TransportError> {
        let message = zstd::decode_all(&request.body[..]).expect("zstd");
        let items = cbor::items(&message, 1 << 20).expect("a message");
        let hello: Hello = cbor::decode(&items[0]).expect("a hello");
        let frames: Vec<_> = items[1..].iter().map(|item| Frame::from_bytes(item).expect("a frame")).collect();
        self.frames.borrow_mut().push(frames.len());
        if matches!(fault, Fault::LoseRequest) {
            return Err(TransportError::Unreachable);
        }
        if let Fault::Status(status, code, headers) = fault {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            return Ok(HttpResponse { headers: headers.collect(), ..problem(status, code) });
        }
        let mut server = self.server.borrow_mut();
        if !self.introduce(&mut server, hello.replica, request) {
            return Ok(problem(401, "device_unknown"));
        }
        let full = |frame: &Frame| frame.links.iter().filter(|link| link.open().is_some()).count() as u64;
        self.entries.set(self.entries.get() + frames.iter().map(full).sum::<u64>());
        let (mut welcome, mut gained) = server.answer(&hello, &frames);
        if let Fault::Twist(twist) = fault {
            twist(&mut welcome, &mut gained);
            return Ok(answer(&welcome, &gained));
        }
        let mut answer = answer(&welcome, &gained);
        match fault {
            Fault::LoseAnswer => return Err(TransportError::TimedOut),
            Fault::CutAnswer => answer.body.truncate(answer.body.len() / 2),
            Fault::None | Fault::LoseRequest | Fault::Status(..) | Fault::Twist(_) => {}
        }
        Ok(answer)
    }

    /// A replica of a known device may be new: its key is whoever's signature the request carries.
    fn introduce(&self, server: &mut Server, replica: ReplicaId, request: &HttpRequest) -> bool {
        if server.authors.contains_key(&replica) {
            return true;
        }
        let header = |name| request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let authorization = header("authorization").expect("signed");
        let part = |name: &str| {
            let rest = authorization.split_once(&format!("{name}=")).expect("a part").1;
            rest.split([',', ' ']).next().expect("a value").to_owned()
        };
        let hash = aralau_sync_core::auth::body_hash(&request.body);
        let device = part("device").parse().expect("a device");
        let nonce = part("nonce");
        let preimage =
            aralau_sync_core::auth::request_preimage(&DEPLOYMENT, &device, "POST", "/v1/sync", &hash, &nonce);
        let signature = part("signature").parse().expect("a signature");
        let verify = |key: &PublicKey| {
            let verifier = aralau_client_sdk::keys::Verifier;
            aralau_sync_core::stream::VerifyDevice::verify(&verifier, key, &preimage, &signature)
        };
        let author = server.authors.values().find(|(key, _)| verify(key)).cloned();
        author.map(|author| server.authors.insert(replica, author)).is_some()
    }
}

impl Transport for Line {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.url.ends_with("/v1/enroll") {
            return Ok(self.enroll(request));
        }
        let fault = self.faults.borrow_mut().pop_front().unwrap_or(Fault::None);
        self.sync(request, fault)
    }
}

fn beat(beat: &aralau_sync_core::sync::Beat) -> serde_json::Value {
    serde_json::json!({ "code": beat.code, "scope": beat.scope, "name": beat.name })
}

fn problem(status: u16, code: &str) -> HttpResponse {
    let body = serde_json::json!({ "type": "about:blank", "title": code, "status": status, "code": code });
    HttpResponse { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn answer(welcome: &Welcome, gained: &[Gained]) -> HttpResponse {
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(welcome));
    gained.iter().for_each(|gained| cbor::push_item(&mut message, &cbor::encode(gained)));
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.write_all(&message).expect("memory");
    let headers = vec![("content-encoding".to_owned(), "zstd".to_owned())];
    HttpResponse { status: 200, headers, body: encoder.finish().expect("memory") }
}
