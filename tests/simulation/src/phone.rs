//! A phone: the real client over its real store, with clocks that lie and a battery that dies.

use std::path::{Path, PathBuf};

use aralau_client_sdk::{
    Client, EnrollSession, Error, HttpResponse, ReplicaId, ScopeId, Seams, Session, Step, SyncOptions, SyncSession,
    Transport, TransportError,
    keys::DeviceKey,
    replay::{self, Act, Deed, Script},
    store::SqliteStore,
};
use aralau_sync_core::stream::SignDevice as _;
use aralau_tests::chance::Chance;

use crate::{
    fragile::{Fragile, Fuse},
    model::PersonNo,
    server::copy_folder,
    tape::{self, Tape},
    time::{PhoneClock, PhoneDice, Time, WallClock},
};

/// The real client over the real store.
pub type App = Client<Fragile>;

/// Names a phone in this world; a clone is another phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneNo(pub usize);

/// A sync under way.
pub struct Syncing {
    /// The session.
    pub session: SyncSession,
    /// The request whose answer it waits for.
    pub waits_for: Option<u64>,
    /// It pauses until then, by the true time.
    pub sleeps_until: Option<i64>,
}

/// See the module.
pub struct Phone {
    /// Which.
    pub number: PhoneNo,
    /// For traces.
    pub name: String,
    /// In whose hands.
    pub person: PersonNo,
    /// The app, while it runs.
    pub app: Option<App>,
    /// What it is doing on the line.
    pub syncing: Option<Syncing>,
    /// Own entries unsent when it was last level.
    pub unsent: u64,
    /// Kills the store in the middle of its work.
    pub fuse: Fuse,
    /// Its wall clock.
    pub clock: WallClock,
    /// Backups of its store.
    pub backups: Vec<PathBuf>,
    /// In a river, for good.
    pub lost: bool,
    /// Shut out, if the operators had their way.
    pub revoked: bool,
    /// By which it was let in.
    pub code: String,
    tape: Tape,
    key: DeviceKey,
    home: PathBuf,
    shelf: PathBuf,
    homes: u32,
    time: Time,
    chance: Chance,
}

impl Phone {
    /// A new one, in somebody's hands.
    pub fn new(
        number: PhoneNo,
        name: &str,
        person: PersonNo,
        shelf: &Path,
        time: &Time,
        mut chance: Chance,
        tape: Tape,
    ) -> Self {
        let key = DeviceKey::generate(&mut PhoneDice(chance.fork()));
        let shelf = shelf.join(format!("phone-{}", number.0));
        let mut phone = Self {
            number,
            name: name.to_owned(),
            person,
            app: None,
            syncing: None,
            unsent: 0,
            fuse: Fuse::default(),
            clock: WallClock::new(time),
            backups: Vec::new(),
            lost: false,
            revoked: false,
            code: String::new(),
            tape,
            key,
            home: shelf.join("home-0"),
            shelf,
            homes: 0,
            time: time.clone(),
            chance,
        };
        phone.open();
        phone
    }

    /// Another phone with the same key and store, as a cloning tool makes one.
    pub fn cloned(&mut self, number: PhoneNo, name: &str) -> Self {
        let chance = self.chance.fork();
        let shelf = self.shelf.parent().expect("a shelf");
        let mut clone = Self::new(number, name, self.person, shelf, &self.time, chance, Tape::default());
        clone.key = self.key.clone();
        clone.revoked = self.revoked;
        clone.code.clone_from(&self.code);
        clone.run_from(&self.home.clone());
        clone
    }

    /// Starts the app from its files.
    pub fn open(&mut self) {
        std::fs::create_dir_all(&self.home).expect("a folder");
        let store = SqliteStore::open(&self.home).expect("the store opens after whatever happened");
        let store = Fragile::new(store, self.fuse.clone());
        let clock = PhoneClock::new(self.clock.clone(), self.chance.bits());
        let entropy = self.tape.load(PhoneDice(self.chance.fork()), clock.clone());
        let seams = Seams { clock: Box::new(clock), entropy };
        let app = Client::over(store, self.key.clone(), seams).expect("the app opens");
        self.tape.keep(Act::Open, || replay::told_of_opening(&app));
        self.app = Some(app);
    }

    /// Writes something.
    pub fn write(&mut self, deed: Deed) -> Result<(), Error> {
        self.tape.begin();
        let app = self.app.as_mut().expect("the app runs");
        let written = deed.write(app);
        self.tape.keep(Act::Write(deed), || replay::told_of_writing(app, written.as_ref().copied()));
        written
    }

    /// Becomes known to a server by a code.
    pub fn enroll(&mut self, server: &impl Transport, url: &str, code: &str) -> Result<(), Error> {
        self.tape.keep(Act::Enroll { url: url.to_owned(), code: code.to_owned() }, Vec::new);
        let mut session = EnrollSession::new(url, code);
        loop {
            match self.next(&mut session) {
                Step::Sign(messages) => self.sign(&mut session, &messages),
                Step::Send(request) => self.answered(&mut session, server.send(&request)),
                Step::Wait(_) => unreachable!("an enrollment does not wait"),
                Step::Done(()) => return Ok(()),
                Step::Failed(error) => return Err(error),
            }
        }
    }

    /// Begins to sync.
    pub fn begin_sync(&mut self, options: SyncOptions) {
        let wait_ms = u64::try_from(options.wait.as_millis()).expect("a short wait");
        self.tape.keep(Act::Sync { wait_ms }, Vec::new);
        self.syncing = Some(Syncing { session: SyncSession::new(options), waits_for: None, sleeps_until: None });
    }

    /// What a session of its wants.
    pub fn next<T: Session>(&mut self, session: &mut T) -> Step<T::Outcome> {
        self.tape.begin();
        let step = session.next(self.app.as_mut().expect("the app runs"));
        self.tape.keep(Act::Next, || replay::told_of_step(&step));
        step
    }

    /// Signs what a session of its wants signed.
    pub fn sign(&mut self, session: &mut impl Session, messages: &[Vec<u8>]) {
        let signatures = self.look().sign(messages).expect("its key is at hand");
        session.signed(signatures.clone());
        self.tape.keep(Act::Signed(signatures), Vec::new);
    }

    /// Tells a session of its what came of a request.
    pub fn answered(&mut self, session: &mut impl Session, answer: Result<HttpResponse, TransportError>) {
        self.tape.begin();
        let heard = match &answer {
            Ok(response) => Act::Answered(tape::answer(response)),
            Err(error) => Act::Unanswered(error.code().to_owned()),
        };
        session.answered(self.app.as_mut().expect("the app runs"), answer);
        self.tape.keep(heard, Vec::new);
    }

    /// What it did, until it went on from other files than it wrote.
    pub fn script(&self) -> Option<Script> {
        self.tape.script(self.key.public_key())
    }

    /// The app, which must be running.
    #[track_caller]
    pub fn app(&mut self) -> &mut App {
        self.app.as_mut().expect("the app runs")
    }

    /// The app, to look at.
    #[track_caller]
    pub fn look(&self) -> &App {
        self.app.as_ref().expect("the app runs")
    }

    /// Whether it may still do anything.
    pub const fn is_alive(&self) -> bool {
        !self.lost
    }

    /// Under which name it writes.
    pub fn replica(&self) -> ReplicaId {
        self.look().replica()
    }

    /// Its public key, hex.
    pub fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    /// Its database, for judges.
    pub fn database(&self) -> PathBuf {
        self.home.join("device.db")
    }

    /// Own entries written in a scope under the present name.
    pub fn written(&self, scope: ScopeId) -> u64 {
        let status = self.look().status().expect("reads");
        status.scopes.iter().find(|record| record.scope == scope).map_or(0, |record| record.written)
    }

    /// The battery dies in the middle of a write.
    pub fn die(&mut self) {
        self.tape.end();
        self.crash();
    }

    /// The app is killed: goes on from the files as they stand.
    pub fn crash(&mut self) {
        self.fuse.put_out();
        let home = self.home.clone();
        self.run_from(&home);
    }

    /// Its store goes into a backup.
    pub fn back_up(&mut self) {
        let to = self.shelf.join(format!("backup-{}", self.backups.len()));
        copy_folder(&self.home, &to);
        self.backups.push(to);
    }

    /// A copy of its store as it is now.
    pub fn snapshot(&mut self) -> PathBuf {
        self.homes += 1;
        let to = self.shelf.join(format!("snapshot-{}", self.homes));
        copy_folder(&self.home, &to);
        to
    }

    /// Its store comes from a backup. The key stays: it is no part of backups.
    pub fn restore(&mut self, backup: &Path) {
        self.tape.end();
        self.run_from(backup);
    }

    /// The app is deleted and installed again, with the same key or without.
    pub fn reinstall(&mut self, keeps_key: bool) {
        self.tape.end();
        if !keeps_key {
            self.key = DeviceKey::generate(&mut PhoneDice(self.chance.fork()));
            // Nothing opens them any more: an enrolled store without its key is refused.
            self.backups.clear();
        }
        self.stop();
        self.home = self.fresh_home();
        self.open();
    }

    /// Everything on it is erased.
    pub fn erase(&mut self) {
        self.tape.end();
        self.app().erase().expect("erases");
    }

    /// Switched off.
    pub fn stop(&mut self) {
        self.syncing = None;
        self.app = None;
    }

    fn run_from(&mut self, folder: &Path) {
        let home = self.fresh_home();
        copy_folder(folder, &home);
        self.stop();
        self.home = home;
        self.open();
    }

    fn fresh_home(&mut self) -> PathBuf {
        self.homes += 1;
        self.shelf.join(format!("home-{}", self.homes))
    }
}
