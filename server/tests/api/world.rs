//! A deployment of one beat with phones, and a client with tokens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aralau_server::{
    app::App,
    auth,
    authorize::Role,
    entropy::SystemEntropy,
    http::peer::Peer,
    keys::CustodyKey,
    serve,
    settings::Settings,
    store::{self, BeatRow, Enrollment, Store, Upload},
};
use aralau_sync_core::{
    auth::{SCHEME, body_hash, request_preimage},
    change::Value,
    digest::replica_named,
    document::Document,
    frame::{Frame, chain},
    id::{Actor, DeviceId, DocumentId, Kind, PersonId},
    introduction::Introduction,
    stream::{Entry, Header, SignDevice as _, StreamId, Tip},
    time::{Millis, Monotonic},
    visit::{Position, VisitDraft},
};
use aws_lc_rs::rand::SystemRandom;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use uuid::Uuid;

pub const NOW: Millis = Millis(1_780_000_000_000);

pub struct World {
    pub app: App,
    pub beat: BeatRow,
    router: Router,
    clock: Arc<AtomicI64>,
    minted: AtomicU64,
    _folder: tempfile::TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    pub bytes: Bytes,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn code(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().expect("a code").to_owned()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings { attempt_pause: Duration::ZERO, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let shown = Arc::clone(&clock);
        let app = App::with(store, Arc::new(move || Millis(shown.load(Ordering::Relaxed))), settings);
        let (beat, _) = app.write(|tx| store::ensure_beat(tx, "beat-01", "Участок 1", NOW)).await.unwrap();
        let router = serve::router(&app);
        Self { app, beat, router, clock, minted: AtomicU64::new(1), _folder: folder }
    }

    /// Lets an hour pass.
    pub fn wait_an_hour(&self) {
        self.clock.fetch_add(60 * 60 * 1000, Ordering::Relaxed);
    }

    /// Of which each token needs its own.
    pub fn entropy(&self) -> [u8; 32] {
        let mut entropy = [1; 32];
        entropy[..8].copy_from_slice(&self.minted.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        entropy
    }

    pub async fn token(&self, role: Role) -> String {
        let (now, entropy) = (self.app.now(), self.entropy());
        self.app.write(move |tx| auth::mint(tx, role, "Айгуль", now, entropy)).await.unwrap()
    }

    pub async fn end_token(&self, token: &str) {
        let (token, now) = (token.to_owned(), self.app.now());
        let end = move |tx: &mut store::Transaction<'_>| {
            let caller = auth::find(tx, &token, now)?.expect("it counted");
            store::end_token(tx, caller.token, now)
        };
        assert!(self.app.write(end).await.unwrap());
    }

    pub async fn send(&self, method: Method, uri: &str, token: Option<&str>, body: Option<serde_json::Value>) -> Reply {
        let token = token.map(|token| format!("Bearer {token}"));
        let head = token.iter().map(|token| (header::AUTHORIZATION.as_str(), token.as_str()));
        self.ask(method, uri, &head.collect::<Vec<_>>(), body).await
    }

    /// Sends a request with these headers.
    pub async fn ask(
        &self,
        method: Method,
        uri: &str,
        head: &[(&str, &str)],
        body: Option<serde_json::Value>,
    ) -> Reply {
        let Some(json) = body else { return self.hand_in(method, uri, head, Body::empty()).await };
        let head: Vec<_> = head.iter().copied().chain([(header::CONTENT_TYPE.as_str(), "application/json")]).collect();
        self.hand_in(method, uri, &head, Body::from(json.to_string())).await
    }

    /// The same with any body.
    pub async fn hand_in(&self, method: Method, uri: &str, head: &[(&str, &str)], body: Body) -> Reply {
        self.hand_in_from(None, method, uri, head, body).await
    }

    /// The same over a connection from somewhere.
    pub async fn hand_in_from(
        &self,
        peer: Option<Peer>,
        method: Method,
        uri: &str,
        head: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(peer) = peer {
            request = request.extension(peer);
        }
        for (name, value) in head {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    pub async fn get(&self, uri: &str, token: &str) -> Reply {
        self.send(Method::GET, uri, Some(token), None).await
    }

    /// A list that must be there.
    pub async fn list(&self, uri: &str, token: &str) -> serde_json::Value {
        let reply = self.get(uri, token).await;
        assert_eq!(reply.status, StatusCode::OK, "{uri}: {}", reply.body);
        reply.json()
    }

    /// The words that a search finds, newest visit first.
    pub async fn ids(&self, uri: &str, token: &str) -> Vec<String> {
        let page = self.list(uri, token).await;
        page["visits"].as_array().unwrap().iter().map(|visit| visit["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The answer while it is still open.
    pub async fn open(&self, uri: &str, token: &str) -> axum::response::Response {
        self.open_with(uri, (header::AUTHORIZATION, &format!("Bearer {token}"))).await
    }

    /// The same, for whoever this header is of.
    pub async fn open_with(&self, uri: &str, (name, value): (HeaderName, &str)) -> axum::response::Response {
        let request = Request::builder().uri(uri).header(name, value);
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Another beat.
    pub async fn beat(&self, code: &'static str, name: &'static str) -> BeatRow {
        let now = self.app.now();
        self.app.write(move |tx| store::ensure_beat(tx, code, name, now)).await.unwrap().0
    }

    pub async fn phone(&self, name: &str, number: u8) -> Phone {
        self.phone_of(&self.beat, name, number).await
    }

    pub async fn phone_of(&self, beat: &BeatRow, name: &str, number: u8) -> Phone {
        let random = SystemRandom::new();
        let key = CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap();
        let (replica, public, scope, now) =
            (replica_named(&key.public_key(), [number; 4]), key.public_key(), beat.scope, self.app.now());
        let name = name.to_owned();
        let enrolled = self.app.write(move |tx| {
            let (person, _) = store::ensure_person(tx, &name, now)?;
            store::grant(tx, person, scope, now)?;
            let code = store::make_code(tx, person, 60_000, now)?;
            store::enroll(tx, &Enrollment { code, key: public, replica }, now)
        });
        let device = enrolled.await.unwrap().unwrap().device;
        let stream = StreamId { replica, scope };
        Phone { key, device, stream, monotonic: None, tip: Tip::default(), documents: BTreeMap::new() }
    }

    /// A phone that a restored server knows by an introduction alone.
    pub async fn stranger(&self, name: &str, number: u8) -> Phone {
        let random = SystemRandom::new();
        let key = CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap();
        let (replica, device) = (replica_named(&key.public_key(), [number; 4]), DeviceId::from_bytes([number; 16]));
        let person = PersonId::from_bytes([number; 16]);
        let author = Introduction { replica, device, key: key.public_key(), person, name: name.to_owned() };
        let now = self.app.now();
        self.app.write(move |tx| store::meet(tx, &author, now)).await.unwrap();
        let stream = StreamId { replica, scope: self.beat.scope };
        Phone { key, device, stream, monotonic: None, tip: Tip::default(), documents: BTreeMap::new() }
    }

    /// Sends one edit; returns why it was held, if it was.
    pub async fn write(
        &self,
        phone: &mut Phone,
        kind: Kind,
        id: DocumentId,
        puts: &[(String, Value)],
    ) -> Option<String> {
        let entry = phone.edit(kind, id, puts, self.app.now());
        self.upload(phone, &entry).await
    }

    pub async fn upload(&self, phone: &mut Phone, entry: &Entry) -> Option<String> {
        let frame = Frame::sign(&self.app.deployment(), phone.stream, phone.tip, vec![entry.to_link()], &phone.key);
        let tips = chain(&phone.stream, phone.tip, &frame.links);
        phone.tip = *tips.last().unwrap();
        let now = self.app.now();
        let upload = Upload { frame, tips, by: None, brought_by: None };
        let ingested = self.app.write(move |tx| store::ingest(tx, &upload, now)).await.unwrap();
        ingested.held.first().map(|(_, reason)| reason.code().to_owned())
    }

    /// A visit that began at a moment, with a note.
    pub async fn visit(&self, phone: &mut Phone, number: u128, started_at: i64, note: &str) -> DocumentId {
        let id = DocumentId(Uuid::from_u128(number));
        let puts = draft(number, started_at, note).puts(phone.stream.replica, [7; 16]);
        assert_eq!(self.write(phone, Kind::VISIT, id, &puts).await, None);
        id
    }
}

pub fn draft(number: u128, started_at: i64, note: &str) -> VisitDraft {
    VisitDraft {
        visit_type: Some("door_to_door".into()),
        outcome: Some("contacted".into()),
        started_at: Some(Millis(started_at)),
        position: Some(Position { lat: 43.25, lon: 76.9, accuracy_m: Some(12.5), mock: false }),
        note: Some((uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid(), note.into())),
        ..VisitDraft::default()
    }
}

pub struct Phone {
    key: CustodyKey,
    pub device: DeviceId,
    pub stream: StreamId,
    /// What its monotonic clock shows, beside each entry.
    pub monotonic: Option<Monotonic>,
    tip: Tip,
    documents: BTreeMap<DocumentId, Document>,
}

impl Phone {
    /// The header under which it sends a body.
    pub fn authorization(&self, world: &World, path: &str, body: &[u8], nonce: &str) -> String {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let deployment = world.app.deployment();
        let message = request_preimage(&deployment, &self.device, method, path, &body_hash(body), nonce);
        let signature = self.key.sign(&message);
        format!("{SCHEME} device={}, nonce={nonce}, signature={signature}", self.device)
    }

    pub fn edit(&mut self, kind: Kind, document: DocumentId, puts: &[(String, Value)], at: Millis) -> Entry {
        let actor = Actor { replica: self.stream.replica, generation: 0 };
        let known = self.documents.entry(document).or_default();
        let change = known.author(actor, puts).unwrap().unwrap();
        known.apply(change.clone());
        let monotonic = self.monotonic;
        let header = Header { kind: kind.0, document, at, monotonic, seen: None, reauthored_from: None };
        Entry::new(header, change)
    }
}
