//! The real server, in this process: its router called directly, its folder killed, copied and put back at will.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aralau_client_sdk::{HttpRequest, HttpResponse, Transport, TransportError};
use aralau_server::{
    app::App,
    serve::router,
    settings::Settings,
    store::{self, OpenError, PullLimits, Restore, Restored, Store, StoreError, Transaction},
};
use aralau_sync_core::time::Millis;
use aralau_tests::chance::Chance;
use axum::{Router, body::Body, http::Request};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture, stream};
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::{
    cost::{Cost, Meter},
    time::{ServerDice, Time, WallClock},
};

/// Where phones think that the server is.
pub const URL: &str = "https://hq.example";

/// How a request reaches the server.
#[derive(Default)]
pub struct Arrival {
    /// It breaks off after so many bytes.
    pub cut: Option<usize>,
    /// Something else happens when so many bytes have arrived.
    pub interlude: Option<(usize, BoxFuture<'static, ()>)>,
}

/// See the module.
pub struct Server {
    runtime: Runtime,
    /// Empty while it is down.
    open: Option<(App, Router)>,
    folder: PathBuf,
    shelf: PathBuf,
    folders: u32,
    /// Its wall clock.
    pub clock: WallClock,
    dice: Arc<ServerDice>,
    limits: PullLimits,
    meter: Meter,
}

impl Server {
    /// Starts with an empty folder somewhere on the shelf.
    pub fn start(shelf: &Path, time: &Time, chance: Chance, limits: PullLimits) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let mut server = Self {
            runtime,
            open: None,
            folder: shelf.join("server-0"),
            shelf: shelf.to_owned(),
            folders: 0,
            clock: WallClock::new(time),
            dice: Arc::new(ServerDice::new(chance)),
            limits,
            meter: Meter::default(),
        };
        server.open().expect("an empty folder opens");
        server
    }

    /// Opens the folder and serves.
    pub fn open(&mut self) -> Result<(), OpenError> {
        let now = self.clock.now();
        let store = Store::open(&self.folder, now, self.dice.clone())?;
        self.meter.watch_writer(&store);
        let clock = self.clock.clone();
        let settings = Settings { pull_limits: self.limits, attempt_pause: Duration::ZERO, ..Settings::default() };
        let app = App::with(store, Arc::new(move || clock.now()), settings);
        let router = router(&app);
        self.open = Some((app, router));
        Ok(())
    }

    /// Whether it serves.
    pub const fn is_up(&self) -> bool {
        self.open.is_some()
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database, for judges.
    pub fn database(&self) -> PathBuf {
        self.folder.join("aralau.db")
    }

    /// How much one answer may hold.
    pub const fn limits(&self) -> PullLimits {
        self.limits
    }

    /// Its state, while it is up.
    #[track_caller]
    pub fn app(&self) -> &App {
        &self.open.as_ref().expect("the server is up").0
    }

    /// A job in a transaction of its own, as the operators' commands do.
    pub fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Transaction<'_>, Millis) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let now = self.clock.now();
        self.app().store().write(move |tx| job(tx, now))
    }

    /// A whole request, answered.
    pub fn deliver(&self, request: &HttpRequest) -> Option<HttpResponse> {
        self.receive(request, Arrival::default())
    }

    /// A request, as far as it comes. `None`: the server is down, or had nobody left to answer.
    pub fn receive(&self, request: &HttpRequest, arrival: Arrival) -> Option<HttpResponse> {
        let (_, router) = self.open.as_ref()?;
        let broken = arrival.cut.is_some();
        let answer = self.runtime.block_on(answer(router.clone(), request, arrival));
        (!broken).then_some(answer)
    }

    /// The same, and what it cost; nothing else may move in this process meanwhile. `None`: the server is down.
    pub fn measure(&self, request: &HttpRequest, arrival: Arrival) -> Option<(Option<HttpResponse>, Cost)> {
        let (app, _) = self.open.as_ref()?;
        Some(self.meter.measure(app.store(), || self.receive(request, arrival)))
    }

    /// A request that is answered while another one is under way: run it where an [`Arrival::interlude`] is wanted.
    pub fn in_between(&self, request: &HttpRequest) -> (BoxFuture<'static, ()>, Arc<Mutex<Option<HttpResponse>>>) {
        let told = Arc::new(Mutex::new(None));
        let Some((_, router)) = &self.open else { return (async {}.boxed(), told) };
        let (router, request, tell) = (router.clone(), request.clone(), Arc::clone(&told));
        let work = async move {
            let answer = answer(router, &request, Arrival::default()).await;
            *tell.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        };
        (work.boxed(), told)
    }

    /// SIGKILL: goes on from the files as they stand, write-ahead log and all.
    pub fn kill(&mut self) {
        if !self.is_up() {
            return;
        }
        let from = self.folder.clone();
        self.folder = self.fresh_folder();
        let to = self.folder.clone();
        // Within the writer's turn: nobody else writes meanwhile.
        let copied = self.app().store().write(move |_| {
            copy_folder(&from, &to);
            Ok(())
        });
        copied.expect("the files are copied");
        self.open = None;
    }

    /// `aralau backup`.
    pub fn back_up(&self, name: &str) -> Result<PathBuf, OpenError> {
        let file = self.shelf.join(name);
        store::backup(&self.folder, &file, self.clock.now(), |_| ()).map(|_| file)
    }

    /// The machine is lost; `aralau restore` on another one. `finds_notices`: the file of that name was found in the lost folder.
    pub fn restore(&mut self, file: &Path, accept: bool, finds_notices: bool) -> Result<Restored, OpenError> {
        self.open = None;
        let notices = finds_notices.then(|| self.folder.join("notices"));
        self.folder = self.fresh_folder();
        let how = Restore { accept, notices, ..Restore::default() };
        store::restore(file, &self.folder, &how, self.clock.now(), &*self.dice)
    }

    /// Somebody copies an old database file over the present one.
    pub fn put_back(&mut self, file: &Path) {
        self.kill();
        for old in ["aralau.db-wal", "aralau.db-shm"] {
            drop(std::fs::remove_file(self.folder.join(old)));
        }
        std::fs::copy(file, self.database()).expect("the file is copied");
    }

    /// … and makes the server believe it.
    pub fn forget_high_water(&self) {
        drop(std::fs::remove_file(self.folder.join("high-water")));
    }

    /// What a serving process does every second.
    pub fn keep_house(&self) {
        let rows = self.app().store().read(|connection| Ok(store::total_rows(connection)?));
        store::write_high_water(&self.folder, rows.expect("reads")).expect("writes");
    }

    fn fresh_folder(&mut self) -> PathBuf {
        self.folders += 1;
        self.shelf.join(format!("server-{}", self.folders))
    }
}

/// A line without faults.
impl Transport for Server {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.deliver(request).ok_or(TransportError::Unreachable)
    }
}

/// Copies the files of a folder, locks left out.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("the folder is there") {
        let name = file.expect("readable").file_name();
        let is_lock =
            Path::new(&name).extension().is_some_and(|extension| extension == "lock" || extension == "db-shm");
        if !is_lock {
            std::fs::copy(from.join(&name), to.join(&name)).expect("a file is copied");
        }
    }
}

async fn answer(router: Router, request: &HttpRequest, arrival: Arrival) -> HttpResponse {
    let path = request.url.strip_prefix(URL).unwrap_or(&request.url);
    let mut asked = Request::builder().method(request.method).uri(path);
    for (name, value) in &request.headers {
        asked = asked.header(*name, value);
    }
    let body = body(&request.body, arrival);
    let response = router.oneshot(asked.body(body).expect("a request")).await.expect("never fails");
    let (parts, body) = response.into_parts();
    let name = |name: &axum::http::HeaderName| name.as_str().to_owned();
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = parts.headers.iter().map(|(key, value)| (name(key), text(value))).collect();
    let body = body.collect().await.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
    HttpResponse { status: parts.status.as_u16(), headers, body: body.to_vec() }
}

fn body(bytes: &[u8], arrival: Arrival) -> Body {
    let upto = arrival.cut.unwrap_or(bytes.len()).min(bytes.len());
    let (at, work) = arrival.interlude.unzip();
    let at = at.unwrap_or(0).min(upto);
    let (before, after) = (Bytes::copy_from_slice(&bytes[..at]), Bytes::copy_from_slice(&bytes[at..upto]));
    let first = stream::once(async move { Ok::<_, std::io::Error>(before) });
    let second = stream::once(async move {
        if let Some(work) = work {
            work.await;
        }
        Ok(after)
    });
    let end = stream::iter(arrival.cut.map(|_| Err(std::io::Error::other("the line broke"))));
    use futures_util::StreamExt as _;
    Body::from_stream(first.chain(second).chain(end))
}
