//! A store with a sample organisation, and phones that write.

use std::{collections::BTreeMap, sync::Arc};

use aralau_server::{
    entropy::SystemEntropy,
    keys::{CustodyKey, DeviceVerifier},
    store::{self, Asking, BeatRow, Enrollment, PullLimits, Store, Upload},
};
use aralau_sync_core::{
    change::Value,
    digest::replica_named,
    document::Document,
    frame::{Frame, chain},
    id::{Actor, DocumentId, EntryHash, Kind, ReplicaId, ServerKey},
    log::RowKind,
    merkle::Frontier,
    receipt::{Receipt, SignServer as _, VerifyServer},
    reconcile::RejectedPast,
    stream::{Entry, Header, SignDevice as _, StreamId, Tip},
    sync::{Ask, FrameFate, Intake, Row},
    time::Millis,
    visit::VisitEdit,
};
use aws_lc_rs::rand::SystemRandom;

use crate::packs::whole;

pub const STAYS: RejectedPast = RejectedPast::Stays;
pub const NOW: Millis = Millis(1_700_000_000_000);

pub struct Ed25519;
impl VerifyServer for Ed25519 {
    fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
        use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature).is_ok()
    }
}

pub struct World {
    pub store: Store,
    pub beat: BeatRow,
    pub folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        let handle = store.clone();
        store.write(move |tx| store::sample(tx, handle.identity(), NOW)).unwrap();
        let beat = store.read(|connection| store::beat(connection, "beat-01")).unwrap().unwrap();
        Self { store, beat, folder }
    }

    pub fn phone(&self, name: &str, number: u8) -> Phone {
        let random = SystemRandom::new();
        let key = CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap();
        let replica = replica_named(&key.public_key(), [number; 4]);
        let (name, scope) = (name.to_owned(), self.beat.scope);
        let public = key.public_key();
        let enrolled = self.store.write(move |tx| {
            let (person, _) = store::ensure_person(tx, &name, NOW)?;
            store::grant(tx, person, scope, NOW)?;
            let code = store::make_code(tx, person, 60_000, NOW)?;
            store::enroll(tx, &Enrollment { code, key: public, replica }, NOW)
        });
        let enrolled = enrolled.unwrap().unwrap();
        assert_eq!(enrolled.beats[0].code, "beat-01");
        Phone { key, stream: StreamId { replica, scope }, tip: Tip::default(), documents: BTreeMap::new() }
    }

    pub fn send(&self, frame: Frame, phone: &Phone) -> (FrameFate, Vec<(u64, String)>) {
        let frame = Frame::from_bytes(&frame.to_bytes()).unwrap();
        let tips = frame.verify(&self.store.deployment(), &phone.key.public_key(), &DeviceVerifier).unwrap();
        let upload = Upload { frame, tips, by: None, brought_by: None };
        let ingested = self.store.write(move |tx| store::ingest(tx, &upload, NOW)).unwrap();
        let held = ingested.held.iter().map(|(index, reason)| (*index, reason.code().to_owned()));
        (ingested.fate, held.collect())
    }

    pub fn intake(&self) -> Intake {
        Intake {
            deployment: self.store.deployment(),
            scope: self.beat.scope,
            frontier: Frontier::default(),
            streams: BTreeMap::new(),
        }
    }

    pub fn catch_up(&self, intake: &mut Intake, replica: ReplicaId, own: &BTreeMap<u64, EntryHash>) -> Vec<RowKind> {
        let mut kinds = Vec::new();
        let mut seen: BTreeMap<_, _> = own.iter().map(|(index, hash)| ((replica, *index), *hash)).collect();
        loop {
            let cursor = aralau_sync_core::stream::Seen { epoch: 1, sequence: intake.frontier.size() };
            let ask = Ask { scope: self.beat.scope, cursor, tip: Tip::default() };
            let store = self.store.clone();
            let scope_no = self.beat.scope_no;
            let gained = self.store.read(move |connection| {
                let asking = Asking { replica, ask, epochs: &[], epoch: 1, held: Vec::new() };
                store::pull(
                    connection,
                    store.identity(),
                    scope_no,
                    &asking,
                    PullLimits { rows: 5, ..PullLimits::default() },
                    NOW,
                )
            });
            let gained = gained.unwrap().gained;
            let key = self.store.identity().receipt_key.public_key();
            let receipt = Receipt::open(&gained.receipt, &key, &Ed25519).unwrap();
            let known = |of, index| seen.get(&(of, index)).copied();
            let taken = intake.take(&gained, &receipt, &DeviceVerifier, known).unwrap();
            seen.extend(taken.iter().filter_map(|row| row.entry).map(|(of, index, hash)| ((of, index), hash)));
            kinds.extend(taken.into_iter().map(|row| row.kind));
            if !gained.more {
                return kinds;
            }
        }
    }

    /// The rows after a cursor, with the names of their streams, and in how many packs they came sealed.
    pub fn rows_after(&self, sequence: u64, replica: ReplicaId, limits: PullLimits) -> (Vec<(ReplicaId, Row)>, usize) {
        let cursor = aralau_sync_core::stream::Seen { epoch: 1, sequence };
        let ask = Ask { scope: self.beat.scope, cursor, tip: Tip::default() };
        let asking = Asking { replica, ask, epochs: &[], epoch: 1, held: Vec::new() };
        let pull =
            |connection: &_| store::pull(connection, self.store.identity(), self.beat.scope_no, &asking, limits, NOW);
        let pulled = self.store.read(pull).unwrap();
        let bytes = pulled.bytes;
        let (gained, sealed) = whole(pulled);
        assert_eq!(bytes, gained.rows.iter().map(Row::bytes).sum::<usize>());
        let named = |mut row: Row| {
            let stream = usize::try_from(std::mem::take(&mut row.stream)).unwrap();
            (gained.streams[stream].replica, row)
        };
        (gained.rows.into_iter().map(named).collect(), sealed)
    }

    pub fn check(&self) {
        let report = self.store.check().unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(self.store.rebuild().unwrap().changed, 0);
    }

    pub fn count(&self, query: &'static str) -> i64 {
        self.store.read(move |connection| Ok(connection.query_row(query, [], |row| row.get(0))?)).unwrap()
    }
}

pub struct Phone {
    pub key: CustodyKey,
    pub stream: StreamId,
    pub tip: Tip,
    pub documents: BTreeMap<DocumentId, Document>,
}

impl Phone {
    pub fn edit(&mut self, id: DocumentId, puts: &[(String, Value)]) -> Entry {
        let actor = Actor { replica: self.stream.replica, generation: 0 };
        let document = self.documents.entry(id).or_default();
        let change = document.author(actor, puts).unwrap().unwrap();
        document.apply(change.clone());
        Entry::new(header(id), change)
    }

    pub fn frame(&mut self, world: &World, entries: &[Entry]) -> Frame {
        let links: Vec<_> = entries.iter().map(Entry::to_link).collect();
        let frame = Frame::sign(&world.store.deployment(), self.stream, self.tip, links, &self.key);
        self.tip = *chain(&self.stream, self.tip, &frame.links).last().unwrap();
        frame
    }
}

pub fn header(document: DocumentId) -> Header {
    Header { kind: Kind::VISIT.0, document, at: NOW, monotonic: None, seen: None, reauthored_from: None }
}

pub fn visit(outcome: &str, note: u128) -> Vec<(String, Value)> {
    let id = uuid::Builder::from_random_bytes(note.to_be_bytes()).into_uuid();
    vec![("outcome".to_owned(), outcome.into()), VisitEdit::AddNote { id, text: format!("ЁЛКА {note}") }.put()]
}
