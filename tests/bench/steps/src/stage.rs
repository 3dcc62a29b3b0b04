//! A server in this process, and devices with visits.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use aralau_client_sdk::{
    Client, HttpRequest, HttpResponse, Millis, Position, Seams, Session as _, Step, SyncOptions, SyncSession,
    Transport, TransportError, Value, VisitDraft, store::SqliteStore,
};
use aralau_server::{
    app::App,
    auth,
    authorize::Role,
    entropy::SystemEntropy,
    serve,
    store::{self, Store},
};
use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// Devices that have nothing yet and ask.
const ASKING: usize = 8;
/// Devices, each with a beat to itself but for the first two.
pub const DEVICES: usize = 5;
/// Visits that each of them holds.
pub const VISITS: usize = 100;

const NOW: Millis = Millis(1_780_000_000_000);
const WORDS: [&str; 12] = [
    "осмотр",
    "подвал",
    "кровля",
    "насос",
    "щиток",
    "дверь",
    "вентиль",
    "журнал",
    "предписание",
    "устранено",
    "замена",
    "шум",
];

/// See the module.
pub struct Stage {
    router: Router,
    runtime: Runtime,
    app: App,
    token: String,
    homes: TempDir,
    devices: Vec<Client<SqliteStore>>,
    made: u64,
}

impl Stage {
    /// A server, and devices that have logged their visits and not sent them.
    pub fn new() -> Result<Self> {
        let homes = tempfile::tempdir()?;
        let folder = homes.path().join("server");
        let store = Store::open(&folder, NOW, Arc::new(SystemEntropy))?;
        let handle = store.clone();
        store.write(move |tx| store::sample(tx, handle.identity(), NOW))?;
        let token = store.write(|tx| auth::mint(tx, Role::Headquarters, "bench", NOW, [7; 32]))?;
        let app = App::new(store, Arc::new(|| NOW));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let router = serve::router(&app);
        let mut stage = Self { router, runtime, app, token, homes, devices: Vec::new(), made: 0 };
        for device in 0..DEVICES {
            let client = stage.device(&format!("inspector-{device}"), &format!("beat-{:02}", device % 4 + 1))?;
            stage.devices.push(client);
        }
        for device in 0..DEVICES {
            for _ in 0..VISITS {
                stage.log(device)?;
            }
        }
        Ok(stage)
    }

    fn device(&self, name: &str, beat: &str) -> Result<Client<SqliteStore>> {
        let (person, beat) = (name.to_owned(), beat.to_owned());
        let code = self.app.store().write(move |tx| {
            let beat = store::beat(tx, &beat)?.ok_or_else(|| store::StoreError::corrupt("the sample lacks a beat"))?;
            let (person, _) = store::ensure_person(tx, &person, NOW)?;
            store::grant(tx, person, beat.scope, NOW)?;
            store::make_code(tx, person, 60_000, NOW)
        })?;
        let mut client = Client::open(&self.homes.path().join(name), Seams::system())?;
        client.enroll(&InProcess(self), "https://hq.example", &code)?;
        Ok(client)
    }

    fn log(&mut self, device: usize) -> Result<()> {
        self.made += 1;
        let number = self.made;
        let words: Vec<_> = (0..16).map(|at| WORDS[(number as usize * 7 + at * at + at) % WORDS.len()]).collect();
        let client = &mut self.devices[device];
        let note = (client.fresh_id(), words.join(" "));
        let fields = (0..10).map(|field| (format!("field_{field}"), Value::Int((number * field % 997).cast_signed())));
        let lat = 43.2 + number as f64 / 1e5;
        client.log_visit(VisitDraft {
            visit_type: Some("door_to_door".into()),
            outcome: Some(if number.is_multiple_of(3) { "vacant" } else { "contacted" }.into()),
            started_at: Some(Millis(NOW.0 + number.cast_signed() * 60_000)),
            ended_at: Some(Millis(NOW.0 + number.cast_signed() * 60_000 + 300_000)),
            position: Some(Position { lat, lon: 76.9, accuracy_m: Some(12.5), mock: false }),
            note: Some(note),
            other: fields.collect(),
            ..VisitDraft::default()
        })?;
        Ok(())
    }

    /// Each device's first request, with all of its visits in one frame.
    pub fn uploads(&mut self) -> Result<Vec<HttpRequest>> {
        self.devices.iter_mut().map(first_request).collect()
    }

    /// All of it is at the server.
    pub fn fill(&mut self) -> Result<()> {
        self.uploads()?.iter().try_for_each(|upload| self.deliver(upload).map(drop))
    }

    /// The first request of new devices of the first beat.
    pub fn questions(&mut self) -> Result<Vec<HttpRequest>> {
        let ask = |number| first_request(&mut self.device(&format!("late-{number}"), "beat-01")?);
        (0..ASKING).map(ask).collect()
    }

    /// Saves visits on the first device.
    pub fn save(&mut self, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.log(0))
    }

    /// A page of headquarters', which must not be empty.
    pub fn ask(&self, path: &str) -> Result<()> {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
        let (status, _, body) = self.answer(request.body(Body::empty())?)?;
        ensure!(status == 200 && body.starts_with(b"{\"visits\":[{"), "{path}: {status}");
        Ok(())
    }

    /// A device's request, which must succeed.
    pub fn deliver(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let mut made =
            Request::builder().method(request.method).uri(request.url.trim_start_matches("https://hq.example"));
        for (name, value) in &request.headers {
            made = made.header(*name, value);
        }
        let (status, headers, body) = self.answer(made.body(Body::from(request.body.clone()))?)?;
        ensure!(status == 200, "the server answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(HttpResponse { status, headers, body })
    }

    #[expect(clippy::type_complexity, reason = "the three parts of an answer")]
    fn answer(&self, request: Request<Body>) -> Result<(u16, Vec<(String, String)>, Vec<u8>)> {
        self.runtime.block_on(async {
            let (parts, body) = self.router.clone().oneshot(request).await?.into_parts();
            let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            Ok((parts.status.as_u16(), headers, body.collect().await?.to_bytes().to_vec()))
        })
    }
}

fn first_request(client: &mut Client<SqliteStore>) -> Result<HttpRequest> {
    let mut session = SyncSession::new(SyncOptions::default());
    loop {
        match session.next(client) {
            Step::Sign(messages) => session.signed(client.sign(&messages)?),
            Step::Send(request) => return Ok(request),
            Step::Failed(error) => return Err(error).context("the first request"),
            Step::Wait(_) | Step::Done(_) => bail!("nothing to send"),
        }
    }
}

struct InProcess<'a>(&'a Stage);

impl Transport for InProcess<'_> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.0.deliver(request).map_err(|_| TransportError::Unreachable)
    }
}
