//! One world, from one seed: phones, server, operators, the line between them, and what goes wrong.

mod asking;
mod authority;
mod breaking;
mod disasters;
mod healing;
mod hostility;
mod operating;
mod stock;
mod syncing;
mod writing;

use std::{collections::BTreeSet, path::PathBuf};

use aralau_client_sdk::replay::Script;
use aralau_server::store::PullLimits;
use aralau_tests::chance::Chance;
use ed25519_dalek::VerifyingKey;
use tempfile::TempDir;

use crate::{
    cost::Share,
    hostile::Hostile,
    judges::{self, Exchange, Judge, Judgement, Violation},
    line::{Line, Sent},
    model::{Model, Person, PersonNo, WordNo},
    phone::{Phone, PhoneNo},
    plan::{Act, Plan},
    seats::Seat,
    server::Server,
    tape::Tape,
    time::Time,
    trace::Trace,
    transcript::Transcript,
};
pub use disasters::Backup;
pub use hostility::HOSTILE;
pub use syncing::{decompressed_answer, decompressed_request, gained_in, items_of};

/// What a world must have seen before it may rest.
pub const MIN_OPERATIONS: u64 = 200;
/// … and gone wrong in it.
pub const MIN_FAULTS: u64 = 20;
/// Phones, at least.
pub const MIN_PHONES: usize = 5;

const NAMES: [&str; 8] = ["Aigul", "Bolat", "Zarina", "Daniyar", "Yerlan", "Madina", "Timur", "Saule"];

/// See the module.
pub struct World {
    /// Its seed.
    pub seed: u64,
    /// What happened.
    pub trace: Trace,
    /// What truly happened.
    pub model: Model,
    /// The log as the judges read it.
    pub transcript: Transcript,
    /// The phones, lost ones as well.
    pub phones: Vec<Phone>,
    /// The server.
    pub server: Server,
    /// Its key, as the operators know it.
    pub server_key: VerifyingKey,
    /// The true time.
    pub time: Time,
    /// Acknowledged words that a restore took from the server and that phones still hold.
    pub at_risk: BTreeSet<WordNo>,
    /// The server's backups.
    pub backups: Vec<Backup>,
    /// Words in rows that were accepted or filled.
    pub merged: BTreeSet<WordNo>,
    /// Counts up whenever the server goes back to something older.
    pub timeline: u32,
    /// Whether everything is put right by now: what was under way until then is lost.
    pub healing: bool,
    /// Operations so far.
    pub operations: u64,
    /// Faults so far.
    pub faults: u64,
    /// What the hostile device has done so far, counted apart.
    pub hostilities: u64,
    hostile: Hostile,
    hostile_person: PersonNo,
    /// The last request of an honest phone.
    overheard: Option<Sent>,
    /// Whether the server was ever restored.
    restored: bool,
    /// The epoch in which an old copy of the database was put back.
    doubted: Option<u64>,
    latest_clock: i64,
    token: String,
    line: Line,
    chance: Chance,
    plan: Plan,
    judges: Vec<Box<dyn Judge>>,
    shelf: TempDir,
    share: Share,
    /// Whether phones keep what they do.
    records: bool,
}

/// What a world came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Operations.
    pub operations: u64,
    /// Faults.
    pub faults: u64,
    /// What the hostile device did.
    pub hostilities: u64,
    /// Phones.
    pub phones: usize,
    /// Words written.
    pub words: usize,
    /// Words that a restore and a second copy of their author's phone have left beside everything; see
    /// [`World::displaced`].
    pub displaced: usize,
    /// Rows in the log at the end.
    pub rows: usize,
    /// Names the trace.
    pub trace: String,
}

impl World {
    /// The beginning: an organisation, its server, and phones let in.
    pub fn new(seed: u64, shown: bool) -> Result<Self, Violation> {
        Self::begin_from(seed, shown, false)
    }

    /// The script of the phone that did most before it went on from other files than it wrote, in the world of a seed.
    pub fn script(seed: u64) -> Result<Script, Violation> {
        let mut world = Self::begin_from(seed, false, true)?;
        world.live()?;
        world.heal()?;
        let scripts = world.phones.iter().filter_map(Phone::script);
        Ok(scripts.max_by_key(|script| script.scenes.len()).expect("a world has phones"))
    }

    fn begin_from(seed: u64, shown: bool, records: bool) -> Result<Self, Violation> {
        let share = Share::take();
        let mut chance = Chance::of(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let shelf = shelf();
        let time = Time::new();
        let plan = Plan::new(&mut chance);
        let (rows, bytes) = (3 + chance.below(40) as usize, 2_000 + chance.below(60_000) as usize);
        let limits = PullLimits { rows, bytes, ..PullLimits::default() };
        let server = Server::start(shelf.path(), &time, chance.fork(), limits);
        let server_key = server_key(&server);
        let hostile = Hostile::new(chance.fork());
        let mut world = Self {
            seed,
            trace: Trace::new(shown),
            model: Model::default(),
            transcript: Transcript::default(),
            phones: Vec::new(),
            server,
            server_key,
            time,
            at_risk: BTreeSet::new(),
            backups: Vec::new(),
            merged: BTreeSet::new(),
            timeline: 0,
            healing: false,
            restored: false,
            doubted: None,
            latest_clock: 0,
            token: String::new(),
            operations: 0,
            faults: 0,
            hostilities: 0,
            hostile,
            hostile_person: PersonNo(0),
            overheard: None,
            line: Line::default(),
            chance,
            plan,
            judges: judges::all(),
            shelf,
            share,
            records,
        };
        world.begin()?;
        Ok(world)
    }

    fn begin(&mut self) -> Judgement {
        let beats = 2 + self.chance.below(2) as usize;
        self.make_beats(beats);
        let people = 4 + self.chance.below(3) as usize;
        for name in NAMES.iter().take(people) {
            self.model.people.push(Person::new(name));
        }
        let phones = MIN_PHONES.max(people) + self.chance.below(2) as usize;
        for at in 0..phones {
            let person = PersonNo(at % people);
            if at < people {
                let scopes: Vec<_> = self.model.beats.keys().copied().collect();
                // Beats have partners, and somebody works two beats.
                self.model.people[at].wanted.insert(scopes[at % scopes.len()]);
                if self.chance.below(4) == 0 {
                    self.model.people[at].wanted.insert(*self.chance.pick(&scopes));
                }
            }
            self.new_phone(person);
        }
        (0..phones).try_for_each(|at| self.enroll(PhoneNo(at)))?;
        self.let_hostile_in()
    }

    fn new_phone(&mut self, person: PersonNo) -> PhoneNo {
        let number = PhoneNo(self.phones.len());
        let name = format!("{}/{}", self.model.people[person.0].name, number.0);
        let tape = if self.records { Tape::running() } else { Tape::default() };
        let phone = Phone::new(number, &name, person, self.shelf.path(), &self.time, self.chance.fork(), tape);
        self.phones.push(phone);
        number
    }

    /// Its files stay when it ends; where.
    pub fn keep(&mut self) -> PathBuf {
        self.shelf.disable_cleanup(true);
        self.shelf.path().to_owned()
    }

    /// Everything, to the end.
    pub fn run(mut self) -> Result<Outcome, Violation> {
        let outcome = self.live().and_then(|()| self.heal());
        if let Err(violation) = outcome {
            self.trace.say(self.time.now().0, "JUDGES", format!("{}: {}", violation.invariant, violation.what));
            return Err(violation);
        }
        Ok(Outcome {
            operations: self.operations,
            faults: self.faults,
            hostilities: self.hostilities,
            phones: self.phones.len(),
            words: self.model.words.len(),
            displaced: self.displaced().len(),
            rows: self.transcript.len(),
            trace: self.trace.digest(),
        })
    }

    fn live(&mut self) -> Judgement {
        while self.operations < MIN_OPERATIONS || self.faults < MIN_FAULTS {
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Judgement {
        let act = self.plan.next(&mut self.chance);
        self.act(act)?;
        let pause = self.plan.pause(&mut self.chance);
        self.time.pass(pause);
        Ok(())
    }

    fn act(&mut self, act: Act) -> Judgement {
        match act {
            Act::Log => self.log(),
            Act::Edit => self.edit(),
            Act::Resolve => self.resolve(),
            Act::Sync => self.begin_sync(),
            Act::Move => self.move_line(),
            Act::Correct => self.correct(),
            Act::Revoke => self.revoke(),
            Act::Assign => self.assign(),
            Act::Release => self.release(),
            Act::Reject => self.reject(),
            Act::BackUpServer => self.back_up_server(),
            Act::RestoreServer => self.restore_server(),
            Act::PutBack => self.put_back(),
            Act::KillServer => self.kill_server(),
            Act::Compact => self.compact(),
            Act::Rebuild => self.rebuild(),
            Act::BackUpPhone => self.back_up_phone(),
            Act::RestorePhone => self.restore_phone(),
            Act::LoseCommit => self.lose_commit(),
            Act::ClonePhone => self.clone_phone(),
            Act::Reinstall => self.reinstall(),
            Act::LosePhone => self.lose_phone(),
            Act::KillPhone => self.kill_phone(),
            Act::SetClock => self.set_clock(),
            Act::SetServerClock => self.set_server_clock(),
            Act::Hostility => self.hostility(),
            Act::Seat => self.sit(),
        }
    }

    /// Something that is not built yet: nobody sits there, and nothing happens.
    fn sit(&mut self) -> Judgement {
        match Seat::any(&mut self.chance) {
            Seat::Compaction | Seat::Pack | Seat::SharedPhone | Seat::Attachment | Seat::Erasure | Seat::Handover => {
                Ok(())
            }
        }
    }

    /// Somebody who is alive, chosen by chance.
    fn some_phone(&mut self) -> Option<usize> {
        let alive: Vec<_> = (0..self.phones.len()).filter(|at| self.phones[*at].is_alive()).collect();
        if alive.is_empty() { None } else { Some(*self.chance.pick(&alive)) }
    }

    fn say(&mut self, who: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.trace.say(self.time.now().0, who, what);
    }

    fn fault(&mut self, who: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.faults += 1;
        self.say(who, format_args!("FAULT {what}"));
    }

    /// Asks every judge.
    fn judge(&mut self, mut ask: impl FnMut(&mut dyn Judge, &Self) -> Judgement) -> Judgement {
        let mut judges = std::mem::take(&mut self.judges);
        let judged = judges.iter_mut().try_for_each(|judge| ask(judge.as_mut(), self));
        self.judges = judges;
        judged
    }

    fn judge_exchange(&mut self, exchange: &Exchange<'_>) -> Judgement {
        self.judge(|judge, world| judge.after_exchange(world, exchange))
    }

    /// Reads what the log has gained and asks every judge about it.
    fn judge_server(&mut self) -> Judgement {
        let database = self.server.database();
        if let Err(wrong) = self.transcript.read_on(&database) {
            return judges::violated("I6", wrong);
        }
        self.adopt_endings();
        let merged = self.transcript.merged().difference(&self.merged).copied().collect::<Vec<_>>();
        self.merged.extend(merged);
        self.judge(|judge, world| judge.after_server(world))
    }
}

/// In memory where the system has a folder for that: no test needs a disk to wait for.
fn shelf() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn server_key(server: &Server) -> VerifyingKey {
    use aralau_sync_core::receipt::SignServer as _;
    let key = server.app().identity().receipt_key.public_key();
    VerifyingKey::from_bytes(key.as_bytes()).expect("a key")
}
