//! A server and three phones in one process. The server's disk and Anna's may fail; the others keep to memory.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use aralau_client_sdk::{
    Client, Error, Millis, Seams, SyncOptions, VisitState,
    keys::DeviceKey,
    seams::{Clock, Entropy},
    store::{MemoryStore, SqliteStore, Store as DeviceStore},
};
use aralau_server::{
    app::App,
    entropy::{Entropy as ServerEntropy, NoEntropy},
    serve,
    store::{Folder, FolderLock, OpenError, Restore, Store, StoreError, Transaction},
};
use aralau_sync_core::time::Monotonic;
use aralau_tests::chance::Chance;
use axum::Router;
use serde_json::Value;

use super::{line::Line, model::Model};
use crate::Disk;

/// Why a step did not succeed.
#[derive(Debug)]
pub enum Trouble {
    /// The server does not open, or cannot be backed up or restored.
    Open(OpenError),
    /// A job of the store.
    Store(StoreError),
    /// A file.
    Io(std::io::Error),
    /// Headquarters was answered so.
    Http(u16, String),
    /// A phone says so.
    Phone(Error),
    /// What must never be.
    Wrong(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => write!(f, "opening: {} [{}]", error, error.code()),
            Self::Store(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::Http(status, code) => write!(f, "HTTP {status} {code}"),
            Self::Phone(error) => write!(f, "the phone: {error} [{}]", error.code()),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

impl Trouble {
    /// Whether it says what a failing disk should be said to be: unavailable, and worth another try.
    pub fn is_clear(&self) -> bool {
        use aralau_client_sdk::store::StoreError as DeviceError;
        match self {
            Self::Open(OpenError::Io(_) | OpenError::Store(StoreError::Unavailable(_))) | Self::Io(_) => true,
            Self::Store(error) => matches!(error, StoreError::Unavailable(_)),
            Self::Http(status, code) => (*status, code.as_str()) == (503, "unavailable"),
            Self::Phone(Error::Server { status, code, .. }) => (*status, code.as_str()) == (503, "unavailable"),
            Self::Phone(Error::Store(error)) => matches!(error, DeviceError::Unavailable(_)),
            Self::Open(_) | Self::Phone(_) | Self::Wrong(_) => false,
        }
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Phone(error)
    }
}
impl From<aralau_client_sdk::store::StoreError> for Trouble {
    fn from(error: aralau_client_sdk::store::StoreError) -> Self {
        Self::Phone(Error::Store(error))
    }
}

/// What a step comes to.
pub type Done<T = ()> = Result<T, Trouble>;

/// What must never be.
pub fn wrong<T>(what: impl Into<String>) -> Done<T> {
    Err(Trouble::Wrong(what.into()))
}

/// The time of day: everybody's, and it passes by a second with every step.
#[derive(Clone, Debug)]
pub struct Watch(Arc<AtomicI64>);

impl Watch {
    /// What it shows.
    pub fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }

    /// Lets a second pass.
    pub fn tick(&self) {
        self.0.fetch_add(1_000, Ordering::Relaxed);
    }
}

impl Clock for Watch {
    fn now(&self) -> Millis {
        self.now()
    }
    fn monotonic(&self) -> Monotonic {
        Monotonic { session: 1, ms: self.now().0.cast_unsigned(), counts_sleep: false }
    }
    fn sleep(&self, _: u64) {
        self.tick();
    }
}

/// Randomness from a seed, for phones and for the server.
#[derive(Debug)]
pub struct Dice(std::sync::Mutex<Chance>);

impl Dice {
    fn from(seed: u64) -> Self {
        Self(std::sync::Mutex::new(Chance::from(seed)))
    }

    /// Fills `bytes`.
    pub fn roll(&self, bytes: &mut [u8]) {
        let mut chance = self.0.lock().expect("nobody panics with it");
        bytes.iter_mut().for_each(|byte| *byte = chance.bits() as u8);
    }
}

impl Entropy for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.roll(bytes);
    }
}

impl ServerEntropy for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.roll(bytes);
        Ok(())
    }
}

/// The server while it runs.
struct Serving {
    store: Store,
    router: Router,
    _lock: FolderLock,
}

/// Who has a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// On the disk that may fail.
    Anna,
    /// In memory.
    Bolat,
    /// In memory; is shut out in the course of the day.
    Dana,
}

/// Whose disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The server's.
    Server,
    /// Anna's phone's.
    Phone,
}

/// See the module.
pub struct Office {
    /// The server's disk.
    pub server_disk: Disk,
    /// Anna's.
    pub phone_disk: Disk,
    /// What was acknowledged.
    pub model: Model,
    /// The time.
    pub watch: Watch,
    /// The server's randomness.
    pub dice: Arc<Dice>,
    /// The codes with which people enroll.
    pub codes: BTreeMap<Who, String>,
    /// How often the current step has been begun.
    pub tries: u32,
    runtime: Arc<tokio::runtime::Runtime>,
    serving: Option<Serving>,
    anna: Option<Client<SqliteStore>>,
    bolat: Client<MemoryStore>,
    dana: Client<MemoryStore>,
    seed: u64,
    restarts: u64,
}

/// An operator who knows of nothing that has ended since the backup: whatever counted in it is to be there again.
pub fn keeping_all() -> Restore {
    Restore { keep_tokens: true, accept: true, ..Restore::default() }
}

/// The server's folder.
pub const DATA: &str = "/data";
/// Its database.
pub const DATABASE: &str = "/data/aralau.db";
/// Anna's database.
pub const PHONE: &str = "/phone/device.db";
/// Where a server is that nobody needs to find.
pub const URL: &str = "https://hq.example";

/// A store on one of the simulated disks.
pub fn place(disk: &Disk, folder: &str) -> Folder {
    Folder::on(Arc::new(disk.clone()), PathBuf::from(folder))
}

impl Office {
    /// Before anything was opened.
    pub fn new(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let watch = Watch(Arc::new(AtomicI64::new(1_780_000_000_000)));
        let memory = |n: u64| {
            let seams = seams(&watch, seed ^ n);
            Client::open_in_memory(seams).expect("memory does not fail")
        };
        Self {
            server_disk: Disk::new(seed ^ 1),
            phone_disk: Disk::new(seed ^ 2),
            model: Model::default(),
            dice: Arc::new(Dice::from(seed ^ 3)),
            codes: BTreeMap::new(),
            tries: 0,
            runtime: Arc::new(runtime.expect("a runtime")),
            serving: None,
            anna: None,
            bolat: memory(5 << 32),
            dana: memory(6 << 32),
            watch,
            seed,
            restarts: 0,
        }
    }

    /// Starts the server where it is not running.
    pub fn open_server(&mut self) -> Done {
        if self.serving.is_none() {
            let place = place(&self.server_disk, DATA);
            let lock = FolderLock::take(place.clone())?;
            let store = Store::open(place, self.watch.now(), self.dice.clone())?;
            let watch = self.watch.clone();
            let app = App::new(store.clone(), Arc::new(move || watch.now()));
            let router = serve::router(&app);
            self.serving = Some(Serving { store, router, _lock: lock });
        }
        Ok(())
    }

    /// Stops the server, and waits until it has closed its files.
    pub fn close_server(&mut self) {
        self.serving = None;
        self.server_disk.wait_until_closed();
    }

    /// Ends the server's process.
    pub fn kill_server(&mut self) {
        self.server_disk.end_processes();
        self.close_server();
    }

    /// Opens Anna's phone where it is not open.
    pub fn open_phone(&mut self) -> Done {
        if self.anna.is_none() {
            self.restarts += 1;
            let store = SqliteStore::open_through(self.phone_disk.vfs(), Path::new(PHONE))?;
            let key = DeviceKey::from_bytes(&[7; 32]).expect("in range");
            self.anna = Some(Client::over(store, key, seams(&self.watch, self.seed ^ (4 << 32) ^ self.restarts))?);
        }
        Ok(())
    }

    /// Whether Anna's phone was ever opened.
    pub fn has_opened_phone(&self) -> bool {
        self.restarts > 0
    }

    /// Closes Anna's phone.
    pub fn close_phone(&mut self) {
        self.anna = None;
    }

    /// Ends the app on Anna's phone.
    pub fn kill_phone(&mut self) {
        self.phone_disk.end_processes();
        self.anna = None;
    }

    /// The power of a disk goes, and comes back.
    pub fn cut(&mut self, victim: Victim) {
        let disk = self.disk(victim).clone();
        disk.power_off();
        match victim {
            Victim::Server => self.serving = None,
            Victim::Phone => self.anna = None,
        }
        disk.wait_until_closed();
        disk.power_on();
    }

    /// The disk of a victim.
    pub fn disk(&self, victim: Victim) -> &Disk {
        match victim {
            Victim::Server => &self.server_disk,
            Victim::Phone => &self.phone_disk,
        }
    }

    /// The server's store.
    pub fn store(&self) -> Done<&Store> {
        let serving = self.serving.as_ref();
        serving.map_or_else(|| wrong("the server is down"), |serving| Ok(&serving.store))
    }

    /// A job of the server's, as `aralau admin` has it.
    pub fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Transaction<'_>, Millis) -> Result<T, StoreError> + Send + 'static,
    ) -> Done<T> {
        let now = self.watch.now();
        Ok(self.store()?.write(move |tx| job(tx, now))?)
    }

    /// The line to the server as it is now.
    pub fn line(&self) -> Line<'_> {
        Line { runtime: &self.runtime, router: self.serving.as_ref().map(|serving| serving.router.clone()) }
    }

    /// What headquarters asks. Anything but a success is trouble.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Done<Value> {
        let Some((status, answer)) = self.line().ask(method, path, token, body) else { return wrong("no answer") };
        if status == 200 {
            return Ok(answer);
        }
        Err(Trouble::Http(status, answer["code"].as_str().unwrap_or_default().to_owned()))
    }

    /// Does something with somebody's phone.
    pub fn with<T>(&mut self, who: Who, work: impl FnOnce(&mut dyn Phone, &Line<'_>) -> Done<T>) -> Done<T> {
        let router = self.serving.as_ref().map(|serving| serving.router.clone());
        let line = Line { runtime: &self.runtime, router };
        match who {
            Who::Anna => match &mut self.anna {
                Some(anna) => work(anna, &line),
                None => wrong("Anna's phone is off"),
            },
            Who::Bolat => work(&mut self.bolat, &line),
            Who::Dana => work(&mut self.dana, &line),
        }
    }

    /// One sync. What it acknowledged is noted, also where it broke later.
    pub fn sync(&mut self, who: Who) -> Done {
        let mut shown = None;
        let synced = self.with(who, |phone, line| {
            let synced = phone.sync(line);
            shown = phone.acknowledged().ok();
            synced
        });
        if let Some(shown) = shown {
            self.model.hear(who, shown);
        }
        synced
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.kill_server();
    }
}

fn seams(watch: &Watch, seed: u64) -> Seams {
    Seams { clock: Box::new(watch.clone()), entropy: Box::new(Dice::from(seed)) }
}

/// What a phone shows of what the server has acknowledged.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// Words of visits.
    pub words: Vec<(aralau_client_sdk::DocumentId, String)>,
    /// How long each scope's log is at least.
    pub sizes: Vec<(aralau_client_sdk::ScopeId, u64)>,
    /// How much of it is backed up.
    pub backed_up: Vec<(aralau_client_sdk::ScopeId, u64)>,
}

/// A client over whatever store.
pub trait Phone {
    /// Enrolls.
    fn enroll(&mut self, line: &Line<'_>, code: &str) -> Done;
    /// Syncs, once.
    fn sync(&mut self, line: &Line<'_>) -> Done;
    /// See [`Acknowledged`].
    fn acknowledged(&self) -> Done<Acknowledged>;
    /// Its visits.
    fn visits(&self) -> Done<Vec<aralau_client_sdk::VisitView>>;
    /// Its state.
    fn status(&self) -> Done<aralau_client_sdk::Status>;
    /// Logs a visit under an id.
    fn log(&mut self, id: aralau_client_sdk::DocumentId, draft: aralau_client_sdk::VisitDraft) -> Done;
    /// Edits one.
    fn edit(&mut self, id: aralau_client_sdk::DocumentId, edits: &[aralau_client_sdk::VisitEdit]) -> Done;
}

impl<S: DeviceStore> Phone for Client<S> {
    fn enroll(&mut self, line: &Line<'_>, code: &str) -> Done {
        Ok(Self::enroll(self, line, URL, code)?)
    }

    fn sync(&mut self, line: &Line<'_>) -> Done {
        let report = Self::sync(self, line, SyncOptions::default())?;
        match report.unsent {
            0 => Ok(()),
            unsent => wrong(format!("a sync that succeeded left {unsent} entries unsent")),
        }
    }

    fn acknowledged(&self) -> Done<Acknowledged> {
        let mut shown = Acknowledged::default();
        for visit in Self::visits(self)? {
            if matches!(visit.state, VisitState::Received | VisitState::AtHeadquarters) {
                shown.words.extend(visit.notes.into_iter().map(|note| (visit.id, note.text)));
            }
        }
        for scope in Self::status(self)?.scopes {
            shown.sizes.push((scope.scope, scope.verified));
            shown.backed_up.push((scope.scope, scope.backed_up));
        }
        Ok(shown)
    }

    fn visits(&self) -> Done<Vec<aralau_client_sdk::VisitView>> {
        Ok(Self::visits(self)?)
    }

    fn status(&self) -> Done<aralau_client_sdk::Status> {
        Ok(Self::status(self)?)
    }

    fn log(&mut self, id: aralau_client_sdk::DocumentId, draft: aralau_client_sdk::VisitDraft) -> Done {
        let scope = self.beats().first().map(|beat| beat.scope);
        let Some(scope) = scope else { return wrong("an enrolled phone has no beat") };
        Ok(self.log_visit_in(scope, id, draft).map(drop)?)
    }

    fn edit(&mut self, id: aralau_client_sdk::DocumentId, edits: &[aralau_client_sdk::VisitEdit]) -> Done {
        Ok(self.edit_visit(id, edits)?)
    }
}
