//! Everything at once: phones, copies of phones, a line that breaks, a server restored from old backups. Whatever was
//! written is, in the end, at headquarters, and on every phone or held for somebody to judge.
//!
//! Held words remain in one case: they build on an entry that a restored server lost, and whose author's copy sent another
//! under the same index first. The author writes that entry anew, under another hash, so the old one never comes.

use std::{collections::BTreeSet, time::Duration};

use aralau_client_sdk::{
    Client, DocumentId, SyncOptions, Value, VisitDraft, VisitEdit, VisitState, keys::DeviceKey, seams::Entropy as _,
    store::MemoryStore,
};

use crate::server::{
    SCOPE, Server,
    line::{Fault, Line},
    phone::{TestClock, TestEntropy, seams},
};

const ONCE: SyncOptions = SyncOptions { wait: Duration::ZERO };
const STEPS: usize = 120;
const DOCUMENTS: u64 = 4;
const MAX_PHONES: usize = 5;

struct Chaos {
    line: Line,
    phones: Vec<(DeviceKey, Client<MemoryStore>)>,
    backup: Option<Server>,
    restored: bool,
    dice: TestEntropy,
    written: BTreeSet<String>,
    seed: u64,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let dice = TestEntropy(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mut chaos = Self {
            line: Line::new(),
            phones: Vec::new(),
            backup: None,
            restored: false,
            dice,
            written: BTreeSet::new(),
            seed,
        };
        for name in ["Aigul", "Daniyar"] {
            let key = DeviceKey::generate(&mut chaos.dice);
            let mut client = chaos.open(MemoryStore::new(), &key);
            client.enroll(&chaos.line, "https://hq.example", name).expect("enrolls");
            chaos.phones.push((key, client));
        }
        chaos
    }

    fn open(&mut self, store: MemoryStore, key: &DeviceKey) -> Client<MemoryStore> {
        let seed = self.roll(1 << 30);
        Client::over(store, key.clone(), seams(seed, &TestClock::default())).expect("opens")
    }

    fn roll(&mut self, sides: u64) -> u64 {
        let mut bytes = [0; 8];
        self.dice.fill(&mut bytes);
        u64::from_le_bytes(bytes) % sides
    }

    fn step(&mut self) {
        let at = self.roll(self.phones.len() as u64) as usize;
        match self.roll(20) {
            0..=9 => self.write(at),
            10..=16 => self.sync(at),
            17 => self.copy(at),
            18 => self.backup = Some(self.line.server.borrow().clone()),
            _ => self.restore(),
        }
    }

    fn write(&mut self, at: usize) {
        let mut id = [0x40; 16];
        id[0] = self.roll(DOCUMENTS) as u8;
        let id = DocumentId::from_bytes(id);
        let text = format!("note {}", self.written.len());
        let outcome = ["contacted", "refused", "moved"][self.roll(3) as usize];
        let client = &mut self.phones[at].1;
        let note = client.fresh_id();
        if client.visit(id).is_ok() {
            let note = VisitEdit::AddNote { id: note, text: text.clone() };
            let outcome = VisitEdit::Set { field: "outcome".into(), value: Value::from(outcome) };
            client.edit_visit(id, &[note, outcome]).expect("edits");
        } else {
            let note = Some((note, text.clone()));
            let draft = VisitDraft { outcome: Some(outcome.into()), note, ..VisitDraft::default() };
            client.log_visit_in(SCOPE, id, draft).expect("logs");
        }
        assert!(texts(client).contains(&text), "seed {}: {text} is not there at once", self.seed);
        self.written.insert(text);
    }

    fn sync(&mut self, at: usize) {
        for _ in 0..self.roll(3) {
            let fault = match self.roll(4) {
                0 => Fault::LoseRequest,
                1 => Fault::LoseAnswer,
                2 => Fault::CutAnswer,
                _ => Fault::None,
            };
            self.line.breaks([fault]);
        }
        let before = texts_and_held(&self.phones[at].1);
        drop(self.phones[at].1.sync(&self.line, ONCE));
        self.line.faults.borrow_mut().clear();
        let after = texts_and_held(&self.phones[at].1);
        // A restored server may hold, or have replaced, what others had written and this phone could read.
        if !self.restored {
            let lost: Vec<_> = before.difference(&after).collect();
            assert!(lost.is_empty(), "seed {}: a sync lost {lost:?}", self.seed);
        }
    }

    fn copy(&mut self, at: usize) {
        if self.phones.len() == MAX_PHONES {
            return;
        }
        let (key, client) = self.phones.remove(at);
        let store = client.into_store();
        for store in [store.clone(), store] {
            let client = self.open(store, &key);
            self.phones.push((key.clone(), client));
        }
    }

    fn restore(&mut self) {
        let Some(backup) = self.backup.take() else { return };
        self.restored = true;
        let restored = Server::restored(backup, &self.line.server.borrow());
        *self.line.server.borrow_mut() = restored;
    }

    fn heal(&mut self) {
        for _ in 0..4 {
            for (_, client) in &mut self.phones {
                client.sync(&self.line, ONCE).unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
            }
        }
    }

    fn check(&self) {
        let everywhere = texts(&self.phones[0].1);
        let held: BTreeSet<_> = self.phones.iter().flat_map(|(_, client)| waiting(client)).collect();
        let arrived: BTreeSet<_> = everywhere.union(&held).cloned().collect();
        assert_eq!(arrived, self.written, "seed {}", self.seed);
        let root = self.line.server.borrow().log().frontier(self.line.server.borrow().log().rows.len()).root();
        for (_, client) in &self.phones {
            assert_eq!(texts(client), everywhere, "seed {}", self.seed);
            let status = client.status().expect("reads");
            assert_eq!((status.unsent, status.orphans), (0, 0), "seed {}", self.seed);
            let receipt = status.scopes[0].receipt.clone().expect("a receipt");
            let receipt = aralau_sync_core::receipt::Receipt::open(
                &receipt,
                &aralau_sync_core::receipt::SignServer::public_key(&self.line.server.borrow().key),
                &aralau_client_sdk::keys::Verifier,
            );
            assert_eq!(receipt.expect("signed").root, root, "seed {}", self.seed);
            for visit in client.visits().expect("reads") {
                let waits = matches!(&visit.state, VisitState::Held { reason, .. } if reason == "waiting");
                assert!(waits || visit.state == VisitState::AtHeadquarters, "seed {}: {:?}", self.seed, visit.state);
                let others = self.phones[0].1.export(visit.id).expect("exports");
                assert_eq!(client.export(visit.id).expect("exports"), others, "seed {}", self.seed);
            }
        }
    }
}

fn texts(client: &Client<MemoryStore>) -> BTreeSet<String> {
    let visits = client.visits().expect("reads");
    visits.into_iter().flat_map(|visit| visit.notes).map(|note| note.text).collect()
}

/// Own words that wait for what they build on.
fn waiting(client: &Client<MemoryStore>) -> BTreeSet<String> {
    let visits = client.visits().expect("reads");
    let held = visits.into_iter().flat_map(|visit| visit.held);
    let held = held.filter(|held| matches!(held.reason.as_str(), "waiting" | "because"));
    let values = held.flat_map(|held| held.puts.into_values());
    values.filter_map(|value| value.as_text().filter(|text| text.starts_with("note")).map(str::to_owned)).collect()
}

fn texts_and_held(client: &Client<MemoryStore>) -> BTreeSet<String> {
    waiting(client).union(&texts(client)).cloned().collect()
}

#[test]
fn whatever_breaks_no_word_is_lost() {
    for seed in 0..24 {
        let mut chaos = Chaos::new(seed);
        (0..STEPS).for_each(|_| chaos.step());
        chaos.heal();
        chaos.check();
    }
}
