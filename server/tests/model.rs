//! The store under random sequences of what can happen to it, against a model that only counts what must come of it.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod packs;

use std::{collections::BTreeMap, sync::Arc};

use aralau_server::{
    entropy::SystemEntropy,
    store::{self, Asking, BeatRow, Enrollment, HeldKey, HoldError, PullLimits, Said, Store, Upload},
};
use aralau_sync_core::{
    change::Value,
    digest::replica_named,
    document::Document,
    frame::{Frame, chain},
    id::{Actor, DeviceId, DocumentId, EntryHash, Kind, PublicKey, ReplicaId, Signature},
    log::RowKind,
    merkle::Frontier,
    receipt::Receipt,
    reconcile::RejectedPast,
    stream::{Header, Link, Seen, StreamId, Tip, VerifyDevice},
    sync::{Ask, FrameFate, Gained, Intake},
    time::Millis,
};
use proptest::{prelude::*, test_runner::TestRunner};
use uuid::Uuid;

use packs::whole;

const NOW: Millis = Millis(1_780_000_000_000);
const CASES: u32 = 24;
const MAX_OPERATIONS: usize = 40;
const PHONES: usize = 2;

#[derive(Debug, Clone)]
enum Operation {
    /// A visit of its own.
    Log(usize),
    /// An edit of the document in this place among those that this phone has begun.
    Edit(usize, usize),
    /// Bytes that are no change.
    Poison(usize),
    /// The last frame once more.
    Repeat(usize),
    ShutOut(usize),
    Release(usize, RejectedPast),
    Reject(usize),
    /// So many of the oldest rows.
    Seal(usize),
    Rebuild,
    Reopen,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let phones = || 0..PHONES;
    let past = prop_oneof![Just(RejectedPast::Stays), Just(RejectedPast::GoesIn)];
    let operation = prop_oneof![
        6 => phones().prop_map(Operation::Log),
        6 => (phones(), 0..4_usize).prop_map(|(phone, place)| Operation::Edit(phone, place)),
        2 => phones().prop_map(Operation::Poison),
        2 => phones().prop_map(Operation::Repeat),
        1 => phones().prop_map(Operation::ShutOut),
        4 => (0..8_usize, past).prop_map(|(nth, past)| Operation::Release(nth, past)),
        3 => (0..8_usize).prop_map(Operation::Reject),
        3 => (1..6_usize).prop_map(Operation::Seal),
        1 => Just(Operation::Rebuild),
        1 => Just(Operation::Reopen),
    ];
    prop::collection::vec(operation, 1..MAX_OPERATIONS)
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Accepted,
    /// For want of a right: may be released.
    Unjudged,
    /// Behind one that is held or rejected.
    Follows,
    /// No change at all.
    Poison,
    Rejected,
}

#[derive(Debug, Clone)]
struct Entry {
    phone: usize,
    index: u64,
    /// The entry before it in its document.
    after: Option<usize>,
    state: State,
}

/// Why an entry is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    Unfit,
    OnRejected,
}

/// The entries in the order of arrival, and the kinds of all rows.
#[derive(Debug, Default)]
struct Model {
    entries: Vec<Entry>,
    rows: Vec<RowKind>,
}

impl Model {
    fn arrive(&mut self, phone: usize, index: u64, after: Option<usize>, is_poison: bool, shut_out: bool) {
        let state = match after.map(|before| self.entries[before].state) {
            _ if is_poison => State::Poison,
            _ if shut_out => State::Unjudged,
            None | Some(State::Accepted) => State::Accepted,
            Some(State::Unjudged | State::Follows | State::Poison | State::Rejected) => State::Follows,
        };
        self.rows.push(if state == State::Accepted { RowKind::Accepted } else { RowKind::Held });
        self.entries.push(Entry { phone, index, after, state });
    }

    fn held(&self) -> Vec<usize> {
        let is_held = |at: &usize| !matches!(self.entries[*at].state, State::Accepted | State::Rejected);
        (0..self.entries.len()).filter(is_held).collect()
    }

    /// How many were filled, or why it may not be released.
    fn release(&mut self, at: usize, past: RejectedPast) -> Result<usize, Stays> {
        let before = |at: usize| self.entries[at].after;
        let is_rejected = |at: &usize| self.entries[*at].state == State::Rejected;
        let mut rejected: Vec<_> =
            std::iter::successors(before(at).filter(is_rejected), |at| before(*at).filter(is_rejected)).collect();
        let own = self.entries[at].state;
        if own == State::Poison || own == State::Follows && rejected.is_empty() {
            return Err(Stays::Unfit);
        }
        if !rejected.is_empty() && past == RejectedPast::Stays {
            return Err(Stays::OnRejected);
        }
        let base = before(*rejected.last().unwrap_or(&at));
        if base.is_none_or(|base| self.entries[base].state == State::Accepted) {
            rejected.reverse();
            let filled: usize = rejected.into_iter().map(|at| self.fill(at)).sum();
            let is_left = self.entries[at].state != State::Accepted;
            return Ok(filled + if is_left { self.fill(at) } else { 0 });
        }
        if !rejected.is_empty() {
            return Err(Stays::Unfit);
        }
        self.entries[at].state = State::Follows;
        self.rows.push(RowKind::Held);
        Ok(0)
    }

    fn fill(&mut self, at: usize) -> usize {
        self.entries[at].state = State::Accepted;
        self.rows.push(RowKind::Filled);
        let follower = |entry: &Entry| entry.after == Some(at) && entry.state == State::Follows;
        let next = (0..self.entries.len()).find(|next| follower(&self.entries[*next]));
        1 + next.map_or(0, |next| self.fill(next))
    }

    fn reject(&mut self, at: usize) {
        self.entries[at].state = State::Rejected;
        self.rows.push(RowKind::Rejected);
    }
}

struct Phone {
    device: DeviceId,
    stream: StreamId,
    tip: Tip,
    last: Option<Frame>,
    /// Each document with the entry that it ends with.
    documents: Vec<(DocumentId, Document, usize)>,
    shut_out: bool,
}

struct World {
    store: Option<Store>,
    folder: tempfile::TempDir,
    beat: BeatRow,
    phones: Vec<Phone>,
    model: Model,
}

/// The frames here are not signed: what the store is handed was verified before.
struct Credulous;
impl VerifyDevice for Credulous {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> bool {
        true
    }
}

fn open(folder: &std::path::Path) -> Store {
    Store::open(folder, NOW, Arc::new(SystemEntropy)).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let (beat, _) = store.write(|tx| store::ensure_beat(tx, "beat-01", "Участок", NOW)).unwrap();
        let phones = (1..=PHONES as u8).map(|number| enroll(&store, &beat, number)).collect();
        Self { store: Some(store), folder, beat, phones, model: Model::default() }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open")
    }

    fn play(&mut self, operation: &Operation) {
        match *operation {
            Operation::Log(phone) => self.log(phone),
            Operation::Edit(phone, place) => self.edit(phone, place),
            Operation::Poison(phone) => {
                let id = DocumentId(self.fresh());
                self.send(phone, id, b"no change".to_vec(), None, true);
            }
            Operation::Repeat(phone) => self.repeat(phone),
            Operation::ShutOut(phone) => {
                let device = self.phones[phone].device;
                assert!(self.store().write(move |tx| store::revoke_device(tx, device, NOW)).unwrap());
                self.phones[phone].shut_out = true;
            }
            Operation::Release(nth, past) => self.release(nth, past),
            Operation::Reject(nth) => self.reject(nth),
            Operation::Seal(rows) => self.seal(rows),
            Operation::Rebuild => assert_eq!(self.store().rebuild().unwrap().changed, 0),
            Operation::Reopen => {
                self.store = None;
                self.store = Some(open(self.folder.path()));
            }
        }
    }

    fn seal(&self, rows: usize) {
        let scope_no = self.beat.scope_no;
        let sealed = self.store().read(|connection| store::seal(connection, scope_no, NOW.plus(1), rows)).unwrap();
        if let Some(sealed) = sealed {
            assert_eq!(sealed.rows(), rows);
            self.store().write(move |tx| sealed.store(tx)).unwrap();
        }
    }

    /// Every entry's number is new.
    fn fresh(&self) -> Uuid {
        Uuid::from_u128(self.model.entries.len() as u128 + 1)
    }

    fn log(&mut self, at: usize) {
        let id = DocumentId(self.fresh());
        let mut document = Document::new();
        let actor = Actor { replica: self.phones[at].stream.replica, generation: 0 };
        let puts = [
            ("nonce".to_owned(), Value::Bytes(id.0.as_bytes().to_vec())),
            ("outcome".to_owned(), Value::from("contacted")),
        ];
        let change = document.author(actor, &puts).unwrap().unwrap();
        document.apply(change.clone());
        let entry = self.send(at, id, change.body().to_vec(), None, false);
        self.phones[at].documents.push((id, document, entry));
    }

    fn edit(&mut self, at: usize, place: usize) {
        let count = self.phones[at].documents.len();
        if count == 0 {
            return;
        }
        let actor = Actor { replica: self.phones[at].stream.replica, generation: 0 };
        let (id, document, last) = &mut self.phones[at].documents[place % count];
        let said = Value::from(format!("edit {}", document.changes().len()));
        let change = document.author(actor, &[("visit_type".to_owned(), said)]).unwrap().unwrap();
        document.apply(change.clone());
        let (id, after) = (*id, *last);
        let entry = self.send(at, id, change.body().to_vec(), Some(after), false);
        self.phones[at].documents[place % count].2 = entry;
    }

    fn send(&mut self, at: usize, document: DocumentId, body: Vec<u8>, after: Option<usize>, is_poison: bool) -> usize {
        let header =
            Header { kind: Kind::VISIT.0, document, at: NOW, monotonic: None, seen: None, reauthored_from: None };
        let phone = &mut self.phones[at];
        let links = vec![Link::Full { header: header.to_bytes(), body }];
        let frame = Frame { signature: Signature([0; 64]), stream: phone.stream, before: phone.tip, links };
        phone.tip = *chain(&frame.stream, frame.before, &frame.links).last().unwrap();
        phone.last = Some(frame.clone());
        let (index, shut_out) = (phone.tip.index, phone.shut_out);
        self.model.arrive(at, index, after, is_poison, shut_out);
        self.upload(at, frame);
        self.model.entries.len() - 1
    }

    fn repeat(&mut self, at: usize) {
        if let Some(frame) = self.phones[at].last.clone() {
            self.upload(at, frame);
        }
    }

    fn upload(&self, at: usize, frame: Frame) {
        let (tips, tip) = (chain(&frame.stream, frame.before, &frame.links), self.phones[at].tip);
        let upload = Upload { frame, tips, by: None, brought_by: None };
        let ingested = self.store().write(move |tx| store::ingest(tx, &upload, NOW)).unwrap();
        assert!(matches!(ingested.fate, FrameFate::Decided { tip: decided, .. } if decided == tip));
    }

    fn key(&self, at: usize) -> HeldKey {
        let entry = &self.model.entries[at];
        HeldKey { replica: self.phones[entry.phone].stream.replica, scope: self.beat.scope, index: entry.index }
    }

    fn release(&mut self, nth: usize, past: RejectedPast) {
        let held = self.model.held();
        if held.is_empty() {
            return;
        }
        let at = held[nth % held.len()];
        let key = self.key(at);
        let said = Said::by("Сауле");
        let released = self.store().write(move |tx| store::release_held(tx, key, past, said, NOW)).unwrap();
        match self.model.release(at, past) {
            Ok(filled) => assert_eq!(released, Ok(filled)),
            Err(Stays::OnRejected) => assert_eq!(released, Err(HoldError::OnRejected)),
            Err(Stays::Unfit) => assert!(matches!(released, Err(HoldError::NotReleasable(_))), "{released:?}"),
        }
    }

    fn reject(&mut self, nth: usize) {
        let held = self.model.held();
        if held.is_empty() {
            return;
        }
        let at = held[nth % held.len()];
        let key = self.key(at);
        let reject =
            move |tx: &mut store::Transaction<'_>| store::reject_held(tx, key, Said::by("Сауле").noting("no"), NOW);
        assert_eq!(self.store().write(reject).unwrap(), Ok(()));
        assert_eq!(self.store().write(reject).unwrap(), Err(HoldError::Decided));
        self.model.reject(at);
    }

    /// What a device that starts from nothing takes in, checked as it would.
    fn compare(&self) {
        let mut intake = Intake {
            deployment: self.store().deployment(),
            scope: self.beat.scope,
            frontier: Frontier::default(),
            streams: BTreeMap::new(),
        };
        let (mut kinds, mut seen) = (Vec::new(), BTreeMap::<_, EntryHash>::new());
        loop {
            let gained = self.pull(intake.frontier.size());
            let receipt = Receipt::open(&gained.receipt, &self.receipt_key(), &Ed25519).unwrap();
            let known = |of, index| seen.get(&(of, index)).copied();
            let taken = intake.take(&gained, &receipt, &Credulous, known).unwrap();
            seen.extend(taken.iter().filter_map(|row| row.entry).map(|(of, index, hash)| ((of, index), hash)));
            kinds.extend(taken.into_iter().map(|row| row.kind));
            if !gained.more {
                break;
            }
        }
        assert_eq!(kinds, self.model.rows);
        let held = self.count("SELECT count(*) FROM held WHERE state = 'held'");
        assert_eq!(held, self.model.held().len() as i64);
        let begun = |entry: &&Entry| entry.after.is_none() && entry.state == State::Accepted;
        let visits = self.model.entries.iter().filter(begun).count();
        assert_eq!(self.count("SELECT count(*) FROM visit"), visits as i64);
    }

    fn receipt_key(&self) -> aralau_sync_core::id::ServerKey {
        use aralau_sync_core::receipt::SignServer as _;
        self.store().identity().receipt_key.public_key()
    }

    fn pull(&self, sequence: u64) -> Gained {
        let ask = Ask { scope: self.beat.scope, cursor: Seen { epoch: 1, sequence }, tip: Tip::default() };
        let (store, scope_no) = (self.store().clone(), self.beat.scope_no);
        let limits = PullLimits { rows: 7, ..PullLimits::default() };
        // A stranger, to whom sealed rows go as they are.
        let asking = Asking { replica: ReplicaId([9; 14]), ask, epochs: &[], epoch: 1, held: Vec::new() };
        let pulled =
            self.store().read(|connection| store::pull(connection, store.identity(), scope_no, &asking, limits, NOW));
        whole(pulled.unwrap()).0
    }

    fn count(&self, query: &'static str) -> i64 {
        self.store().read(move |connection| Ok(connection.query_row(query, [], |row| row.get(0))?)).unwrap()
    }
}

struct Ed25519;
impl aralau_sync_core::receipt::VerifyServer for Ed25519 {
    fn verify(&self, key: &aralau_sync_core::id::ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
        use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature).is_ok()
    }
}

fn enroll(store: &Store, beat: &BeatRow, number: u8) -> Phone {
    let key = PublicKey([number + 1; 33]);
    let (replica, scope) = (replica_named(&key, [number; 4]), beat.scope);
    let enrolled = store.write(move |tx| {
        let (person, _) = store::ensure_person(tx, &format!("Inspector {number}"), NOW)?;
        store::grant(tx, person, scope, NOW)?;
        let code = store::make_code(tx, person, 60_000, NOW)?;
        store::enroll(tx, &Enrollment { code, key, replica }, NOW)
    });
    Phone {
        device: enrolled.unwrap().unwrap().device,
        stream: StreamId { replica, scope },
        tip: Tip::default(),
        last: None,
        documents: Vec::new(),
        shut_out: false,
    }
}

#[test]
fn whatever_happens_the_log_and_what_is_held_are_as_the_model_says() {
    let mut runner = TestRunner::new(ProptestConfig { cases: CASES, ..ProptestConfig::default() });
    let played = runner.run(&operations(), |operations| {
        let mut world = World::new();
        for operation in &operations {
            world.play(operation);
            world.compare();
        }
        assert_eq!(world.store().rebuild().unwrap().changed, 0);
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
}
