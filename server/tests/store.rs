//! The store as a device meets it: frames in, rows out, everything recomputed.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod packs;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aralau_server::{
    app::App,
    calendar::Bound,
    entropy::SystemEntropy,
    keys::{CustodyKey, DeviceVerifier},
    query::{
        instant::Instant,
        page::{Limit, Page},
        visits::{self, VisitFilter},
    },
    reach::Reach,
    serve::serve,
    store::{self, Asking, BeatRow, Enrollment, PullLimits, Said, Store, StoreError, Upload},
};
use aralau_sync_core::{
    change::{Change, Value},
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
    time::{DAY_MS, Millis},
    visit::VisitEdit,
};
use aws_lc_rs::rand::SystemRandom;
use uuid::Uuid;

use packs::whole;

const STAYS: RejectedPast = RejectedPast::Stays;
const NOW: Millis = Millis(1_700_000_000_000);

struct Ed25519;
impl VerifyServer for Ed25519 {
    fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
        use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature).is_ok()
    }
}

struct World {
    store: Store,
    beat: BeatRow,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
        let handle = store.clone();
        store.write(move |tx| store::sample(tx, handle.identity(), NOW)).unwrap();
        let beat = store.read(|connection| store::beat(connection, "beat-01")).unwrap().unwrap();
        Self { store, beat, folder }
    }

    fn phone(&self, name: &str, number: u8) -> Phone {
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

    fn send(&self, frame: Frame, phone: &Phone) -> (FrameFate, Vec<(u64, String)>) {
        let frame = Frame::from_bytes(&frame.to_bytes()).unwrap();
        let tips = frame.verify(&self.store.deployment(), &phone.key.public_key(), &DeviceVerifier).unwrap();
        let upload = Upload { frame, tips, by: None, brought_by: None };
        let ingested = self.store.write(move |tx| store::ingest(tx, &upload, NOW)).unwrap();
        (ingested.fate, ingested.held)
    }

    fn intake(&self) -> Intake {
        Intake {
            deployment: self.store.deployment(),
            scope: self.beat.scope,
            frontier: Frontier::default(),
            streams: BTreeMap::new(),
        }
    }

    fn catch_up(&self, intake: &mut Intake, replica: ReplicaId, own: &BTreeMap<u64, EntryHash>) -> Vec<RowKind> {
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
    fn rows_after(&self, sequence: u64, replica: ReplicaId, limits: PullLimits) -> (Vec<(ReplicaId, Row)>, usize) {
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

    fn check(&self) {
        let report = self.store.check().unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(self.store.rebuild().unwrap().changed, 0);
    }

    fn count(&self, query: &'static str) -> i64 {
        self.store.read(move |connection| Ok(connection.query_row(query, [], |row| row.get(0))?)).unwrap()
    }
}

struct Phone {
    key: CustodyKey,
    stream: StreamId,
    tip: Tip,
    documents: BTreeMap<DocumentId, Document>,
}

impl Phone {
    fn edit(&mut self, id: DocumentId, puts: &[(String, Value)]) -> Entry {
        let actor = Actor { replica: self.stream.replica, generation: 0 };
        let document = self.documents.entry(id).or_default();
        let change = document.author(actor, puts).unwrap().unwrap();
        document.apply(change.clone());
        Entry::new(header(id), change)
    }

    fn frame(&mut self, world: &World, entries: &[Entry]) -> Frame {
        let links: Vec<_> = entries.iter().map(Entry::to_link).collect();
        let frame = Frame::sign(&world.store.deployment(), self.stream, self.tip, links, &self.key);
        self.tip = *chain(&self.stream, self.tip, &frame.links).last().unwrap();
        frame
    }
}

fn header(document: DocumentId) -> Header {
    Header { kind: Kind::VISIT.0, document, at: NOW, monotonic: None, seen: None, reauthored_from: None }
}

fn visit(outcome: &str, note: u128) -> Vec<(String, Value)> {
    let id = uuid::Builder::from_random_bytes(note.to_be_bytes()).into_uuid();
    vec![("outcome".to_owned(), outcome.into()), VisitEdit::AddNote { id, text: format!("ЁЛКА {note}") }.put()]
}

#[test]
fn two_phones_write_about_one_visit_and_everybody_finds_both() {
    let world = World::new();
    let (mut anna, mut bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    let id = DocumentId(Uuid::from_u128(7));
    let first = anna.edit(id, &visit("contacted", 1));
    let frame = anna.frame(&world, &[first]);
    let tip = anna.tip;
    let decided = FrameFate::Decided { replica: anna.stream.replica, scope: anna.stream.scope, tip };
    assert_eq!(world.send(frame.clone(), &anna), (decided.clone(), vec![]));
    assert_eq!(world.send(frame, &anna), (decided, vec![]), "an upload may be repeated");
    let second = bolat.edit(id, &visit("refused", 2));
    let frame = bolat.frame(&world, &[second]);
    world.send(frame, &bolat);

    assert_eq!(world.count("SELECT conflicts FROM visit"), 1);
    assert_eq!(world.count("SELECT notes FROM visit"), 2);
    assert_eq!(world.count("SELECT count(*) FROM note_text WHERE note_text MATCH 'елка'"), 1);

    let own = BTreeMap::from([(1, anna.tip.hash)]);
    let mut intake = world.intake();
    let kinds = world.catch_up(&mut intake, anna.stream.replica, &own);
    assert_eq!(kinds, vec![RowKind::Accepted; 14], "twelve places and two visits");
    assert_eq!(intake.streams[&bolat.stream.replica].tip, bolat.tip);
    assert!(intake.streams[&bolat.stream.replica].head.is_some());
    world.check();
}

#[test]
fn a_word_in_few_visits_and_one_in_thousands_find_all_of_them_in_order() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    for frame in 0..21_u128 {
        let made = (0..100).map(|at| {
            let number = frame * 100 + at;
            let id = DocumentId(Uuid::from_u128(number));
            let mut puts = visit("contacted", number);
            // Over a day and a half.
            let started = NOW.plus((number * 7919 % 2100) as i64 * 60_000);
            let key = format!("witness/{}/started_at", anna.stream.replica);
            puts.push((key, Value::Timestamp(started.0)));
            anna.edit(id, &puts)
        });
        let entries: Vec<_> = made.collect();
        let frame = anna.frame(&world, &entries);
        assert_eq!(world.send(frame, &anna).1, []);
    }
    let found = |text: &str, filter: VisitFilter| {
        let filter = VisitFilter { text: Some(text.to_owned().try_into().unwrap()), ..filter };
        let mut page = Page::first(Limit::default());
        let mut all = Vec::new();
        loop {
            let got = world.store.read(|connection| visits::page(connection, &Reach::EVERYWHERE, &filter, &page));
            let got = got.unwrap().unwrap();
            all.extend(got.visits.into_iter().map(|visit| visit.head.started_at));
            match got.next {
                Some(next) => page.cursor = Some(next),
                None => return all,
            }
        }
    };
    let any = VisitFilter::default;
    let (common, rare) = (found("ёлка", any()), found("ёлка 20", any()));
    // 20, 200 to 209 and 2000 to 2099: the last word may be a beginning.
    assert_eq!((common.len(), rare.len()), (2100, 111));
    assert!(common.is_sorted_by(|newer, older| newer > older));
    assert!(rare.is_sorted_by(|newer, older| newer > older));
    let at = |ms: i64| Some(Bound::Instant(NOW.plus(ms)));
    let noon = VisitFilter { from: at(10 * 3_600_000 + 1), to: at(12 * 3_600_000), ..any() };
    let at_noon = found("ёлка", noon);
    assert_eq!((at_noon.len(), at_noon[0]), (120, Instant(NOW.plus(12 * 3_600_000))));
    assert_eq!(found("ёлка", VisitFilter { outcome: Some("refused".to_owned()), ..any() }), []);

    // An edit moves the newest visit a day back: it is found once, where it stands now.
    let newest = common[0];
    let moved = (0..2100).find(|number| (number * 7919 % 2100) == 2099).unwrap();
    let key = format!("witness/{}/started_at", anna.stream.replica);
    let earlier = newest.0.plus(-24 * 3_600_000 - 30_000);
    let edit = anna.edit(DocumentId(Uuid::from_u128(moved)), &[(key, Value::Timestamp(earlier.0))]);
    let frame = anna.frame(&world, &[edit]);
    assert_eq!(world.send(frame, &anna).1, []);
    let now = found("ёлка", any());
    assert_eq!((now.len(), now[0] < newest, now.contains(&Instant(earlier))), (2100, true, true));
    assert!(now.is_sorted_by(|newer, older| newer > older));
    assert_eq!(world.count("SELECT count(*) FROM note_text WHERE note_text MATCH 'елка'"), 2100);
}

#[test]
fn what_is_sealed_is_given_as_it_was_to_whoever_asks_from_anywhere() {
    let world = World::new();
    let (mut anna, mut bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    for number in 0..12 {
        let phone = if number % 5 == 0 { &mut bolat } else { &mut anna };
        let entry = phone.edit(DocumentId(Uuid::from_u128(number)), &visit("contacted", number));
        let frame = phone.frame(&world, &[entry]);
        world.send(frame, phone);
    }
    let whole = PullLimits::default();
    let askers = [ReplicaId([9; 14]), anna.stream.replica, bolat.stream.replica];
    let all = |limits| -> Vec<_> {
        let asked = askers.iter().flat_map(|asker| (0..=24).map(move |from| (from, *asker)));
        asked.map(|(from, asker)| world.rows_after(from, asker, limits)).collect()
    };
    let before = all(whole);
    assert_eq!(before[0].0.len(), 24);
    // Of this beat twenty rows, twelve of which are places; of the other five beats ten places each.
    assert_eq!(world.store.compact(NOW.plus(1), 5, |_| ()).unwrap(), 20 + 5 * 10);
    assert_eq!(world.store.compact(NOW, 1, |_| ()).unwrap(), 0, "what came later stays");
    let after = all(whole);
    for ((before, _), (after, _)) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    let sealed = |at: usize| after[at].1;
    assert_eq!([sealed(0), sealed(3), sealed(5), sealed(19)], [4, 3, 3, 0], "a stranger from 0, 3, 5, 19");
    assert_eq!([sealed(25), sealed(50)], [2, 2], "those whose own words stand in some");
    for limit in [1, 4, 5, 6, 11] {
        let limits = PullLimits { rows: limit, whole_frames: false, ..whole };
        for ((before, _), (after, _)) in before.iter().zip(all(limits)) {
            assert_eq!(before[..limit.min(before.len())], after);
        }
    }
    // Where an answer is full behind a pack, it goes on to the end of the frame that the pack's last row is of.
    let frame: Vec<_> =
        (20..30).map(|number| anna.edit(DocumentId(Uuid::from_u128(number)), &visit("x", number))).collect();
    let frame = anna.frame(&world, &frame);
    world.send(frame, &anna);
    assert_eq!(world.store.compact(NOW.plus(1), 5, |_| ()).unwrap(), 10);
    let limits = PullLimits { rows: 25, ..whole };
    let (rows, sealed) = world.rows_after(0, askers[0], limits);
    assert_eq!((rows.len(), sealed), (34, 5), "24 rows, and all of the frame that begins then");
    world.check();
    // A document that is sealed goes on.
    let edit = bolat.edit(DocumentId(Uuid::from_u128(0)), &[("outcome".to_owned(), "refused".into())]);
    let frame = bolat.frame(&world, &[edit]);
    assert_eq!(world.send(frame, &bolat).1, []);
    assert_eq!(world.count("SELECT count(*) FROM later_change"), 1);
    world.check();
}

#[tokio::test]
async fn a_server_seals_by_itself_what_has_become_old() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    for frame in 0..3 {
        let entries: Vec<_> = (frame * 100..frame * 100 + 100)
            .map(|number| anna.edit(DocumentId(Uuid::from_u128(number)), &visit("contacted", number)))
            .collect();
        let frame = anna.frame(&world, &entries);
        assert_eq!(world.send(frame, &anna).1, []);
    }
    let sealed = || world.count("SELECT coalesce(sum(last_row - first_row + 1), 0) FROM segment");
    for (days, rows) in [(29, 0), (31, 256)] {
        let now = NOW.plus(days * DAY_MS);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let app = App::new(world.store.clone(), Arc::new(move || now));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let serving = tokio::spawn(serve(app, listener, 1, async { drop(stopped.await) }));
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if rows > 0 && sealed() == rows {
                break;
            }
        }
        assert_eq!(sealed(), rows, "after {days} days");
        stop.send(()).unwrap();
        serving.await.unwrap();
    }
    world.check();
}

#[test]
fn what_waits_is_filled_by_itself_and_what_follows_something_held_is_held() {
    let world = World::new();
    let (mut anna, mut bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    let id = DocumentId(Uuid::from_u128(7));
    let first = anna.edit(id, &visit("contacted", 1));
    // Bolat has Anna's words by another way, and builds on them before the server has seen them.
    let mut shared = Document::new();
    shared.apply(first.change.clone());
    bolat.documents.insert(id, shared);
    let upon = bolat.edit(id, &[("outcome".to_owned(), "refused".into())]);
    let other = bolat.edit(DocumentId(Uuid::from_u128(8)), &visit("moved", 3));
    let further = bolat.edit(id, &[("outcome".to_owned(), "vacant".into())]);
    let frame = bolat.frame(&world, &[upon, other, further]);
    let (fate, held) = world.send(frame, &bolat);
    assert!(matches!(fate, FrameFate::Decided { tip, .. } if tip == bolat.tip));
    assert_eq!(held, [(1, "waiting".to_owned()), (3, "because".to_owned())]);
    assert_eq!(world.count("SELECT count(*) FROM visit"), 1, "the other document flows on");

    let frame = anna.frame(&world, &[first]);
    world.send(frame, &anna);
    assert_eq!(world.count("SELECT count(*) FROM held WHERE state = 'filled'"), 2);
    assert_eq!(world.count("SELECT count(*) FROM visit WHERE outcome = 'vacant' AND conflicts = 0"), 1);
    let mut intake = world.intake();
    let kinds = world.catch_up(&mut intake, ReplicaId([9; 14]), &BTreeMap::new());
    assert_eq!(
        kinds[12..],
        [RowKind::Held, RowKind::Accepted, RowKind::Held, RowKind::Accepted, RowKind::Filled, RowKind::Filled]
    );
    world.check();
}

#[test]
fn a_large_document_costs_its_length_once_and_goes_on_as_it_stands() {
    let world = World::new();
    let (mut anna, mut bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    let ids: Vec<_> = (1..=8).map(|number| DocumentId(Uuid::from_u128(number))).collect();
    let mut outcome = 0;
    let mut edit = |phone: &mut Phone, id| {
        outcome += 1;
        phone.edit(id, &[("outcome".to_owned(), format!("{outcome:0>200}").into())])
    };
    let turns = |frame: &Frame, phone: &Phone| {
        let tips = frame.verify(&world.store.deployment(), &phone.key.public_key(), &DeviceVerifier).unwrap();
        let upload = Arc::new(Upload { frame: frame.clone(), tips, by: None, brought_by: None });
        let turn = || {
            let upload = Arc::clone(&upload);
            world.store.write(move |tx| store::ingest_some(tx, &upload, NOW)).unwrap()
        };
        (1..).find(|_| turn().is_whole).unwrap()
    };
    for id in &ids {
        let first = anna.edit(*id, &visit("contacted", id.0.as_u128()));
        let frame = anna.frame(&world, &[first]);
        world.send(frame, &anna);
        for _ in 0..3 {
            let entries: Vec<_> = (0..100).map(|_| edit(&mut anna, *id)).collect();
            let frame = anna.frame(&world, &entries);
            assert_eq!(turns(&frame, &anna), 1, "all of them in one turn, once it is loaded");
        }
    }
    let every: Vec<_> = ids.iter().map(|id| edit(&mut anna, *id)).collect();
    let frame = anna.frame(&world, &every);
    world.store.rebuild().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    assert!((2..=4).contains(&turns(&frame, &anna)), "several at once take turns");

    // What did not come to be is not remembered: the same again is new.
    let last = edit(&mut anna, ids[7]);
    let frame = anna.frame(&world, &[last]);
    let tips = frame.verify(&world.store.deployment(), &anna.key.public_key(), &DeviceVerifier).unwrap();
    let upload = Upload { frame: frame.clone(), tips, by: None, brought_by: None };
    let broken = world.store.write(move |tx| {
        store::ingest(tx, &upload, NOW)?;
        Err::<(), _>(StoreError::Unavailable("on purpose".to_owned()))
    });
    assert!(broken.is_err());
    assert_eq!(world.send(frame, &anna).1, []);

    // Another process lets in what was held, and the writer goes on behind it.
    let mut shared = anna.documents[&ids[7]].clone();
    std::mem::swap(&mut shared, bolat.documents.entry(ids[7]).or_default());
    let waits = edit(&mut anna, ids[7]);
    bolat.documents.entry(ids[7]).or_default().apply(waits.change.clone());
    let upon = edit(&mut bolat, ids[7]);
    let frame = bolat.frame(&world, &[upon]);
    assert_eq!(world.send(frame, &bolat).1, [(1, "waiting".to_owned())]);
    let beside = Store::open(world.folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
    let (frame, key) = (anna.frame(&world, &[waits]), anna.key.public_key());
    let tips = frame.verify(&world.store.deployment(), &key, &DeviceVerifier).unwrap();
    let upload = Upload { frame, tips, by: None, brought_by: None };
    assert_eq!(beside.write(move |tx| store::ingest(tx, &upload, NOW)).unwrap().accepted, 2);
    let after = edit(&mut bolat, ids[7]);
    let frame = bolat.frame(&world, &[after]);
    assert_eq!(world.send(frame, &bolat).1, []);
    world.check();
}

#[test]
fn gaps_and_forks_are_told_and_nothing_of_them_is_kept() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let entries: Vec<_> = (0..4).map(|n| anna.edit(DocumentId(Uuid::from_u128(n)), &visit("moved", n))).collect();
    let first = anna.frame(&world, &entries[..2]);
    let second = anna.frame(&world, &entries[2..3]);
    assert!(matches!(world.send(second, &anna).0, FrameFate::Gap { tip, .. } if tip.index == 0));
    world.send(first, &anna);
    let end = anna.tip;
    // A clone of the phone, from before its second entry, goes on by itself.
    anna.tip = Tip::default();
    let clone = anna.frame(&world, &[entries[0].clone(), entries[3].clone()]);
    assert!(matches!(world.send(clone, &anna).0, FrameFate::Forked { tip, .. } if tip.index == 2));
    anna.tip = end;
    assert_eq!(world.count("SELECT count(*) FROM visit"), 2);
    world.check();
}

#[test]
fn a_revoked_phone_is_held_and_its_words_can_be_released() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let replica = anna.stream.replica;
    let device = world.store.read(move |connection| store::device_of_replica(connection, replica)).unwrap().unwrap();
    world.store.write(move |tx| store::revoke_device(tx, device.device, NOW)).unwrap();
    let id = DocumentId(Uuid::from_u128(7));
    let entries = [anna.edit(id, &visit("contacted", 1)), anna.edit(id, &[("outcome".to_owned(), "moved".into())])];
    let frame = anna.frame(&world, &entries);
    let (_, held) = world.send(frame, &anna);
    assert_eq!(held, [(1, "revoked".to_owned()), (2, "revoked".to_owned())]);
    assert_eq!(world.count("SELECT count(*) FROM visit"), 0);
    let key = |index| store::HeldKey { replica, scope: world.beat.scope, index };
    let (one, two, none) = (key(1), key(2), key(3));
    assert_eq!(
        world.store.write(move |tx| store::release_held(tx, none, STAYS, Said::by("x"), NOW)).unwrap(),
        Err(store::HoldError::Unknown)
    );
    assert_eq!(
        world.store.write(move |tx| store::release_held(tx, one, STAYS, Said::by("Сауле"), NOW)).unwrap(),
        Ok(1)
    );
    let said = Said::by("Сауле").noting("not hers");
    assert_eq!(world.store.write(move |tx| store::reject_held(tx, two, said, NOW)).unwrap(), Ok(()));
    assert_eq!(
        world.store.write(move |tx| store::release_held(tx, two, STAYS, Said::by("x"), NOW)).unwrap(),
        Err(store::HoldError::Decided)
    );
    assert_eq!(world.count("SELECT count(*) FROM visit WHERE outcome = 'contacted'"), 1);
    world.check();
}

/// A visit and two edits of it, by a phone that was shut out before they came.
fn three_of_a_lost_phone(world: &World) -> impl Fn(u64) -> store::HeldKey + use<> {
    let mut anna = world.phone("Анна", 1);
    let (replica, scope) = (anna.stream.replica, world.beat.scope);
    let device = world.store.read(move |connection| store::device_of_replica(connection, replica)).unwrap().unwrap();
    world.store.write(move |tx| store::revoke_device(tx, device.device, NOW)).unwrap();
    let id = DocumentId(Uuid::from_u128(7));
    let edit = |anna: &mut Phone, outcome: &str| anna.edit(id, &[("outcome".to_owned(), outcome.into())]);
    let entries = [anna.edit(id, &visit("contacted", 1)), edit(&mut anna, "moved"), edit(&mut anna, "vacant")];
    let frame = anna.frame(world, &entries);
    assert_eq!(world.send(frame, &anna).1.len(), 3);
    move |index| store::HeldKey { replica, scope, index }
}

#[test]
fn what_builds_on_a_rejected_entry_goes_in_together_with_it_or_not_at_all() {
    let world = World::new();
    let key = three_of_a_lost_phone(&world);
    let release = |index, past| {
        let key = key(index);
        world.store.write(move |tx| store::release_held(tx, key, past, Said::by("Сауле"), NOW)).unwrap()
    };
    let reject = |index| {
        let key = key(index);
        world.store.write(move |tx| store::reject_held(tx, key, Said::by("Сауле").noting("no"), NOW)).unwrap()
    };
    let rows = world.count("SELECT count(*) FROM log");
    assert_eq!(release(3, STAYS), Ok(0), "it follows what is held");
    assert_eq!(reject(1), Ok(()));
    assert_eq!(release(2, STAYS), Err(store::HoldError::OnRejected), "nobody waits for what was refused");
    assert_eq!(world.count("SELECT count(*) FROM held WHERE reason = 'waiting'"), 0);
    assert_eq!(reject(2), Ok(()));
    assert_eq!(release(3, STAYS), Err(store::HoldError::OnRejected), "also where it followed before");
    assert_eq!(world.count("SELECT count(*) FROM visit"), 0);
    assert_eq!(release(3, RejectedPast::GoesIn), Ok(3));
    assert_eq!(world.count("SELECT count(*) FROM visit WHERE outcome = 'vacant'"), 1);
    assert_eq!(world.count("SELECT count(*) FROM held WHERE state = 'filled'"), 3);
    assert_eq!(world.count("SELECT count(*) FROM log") - rows, 6, "held because, two refused, three filled");
    assert_eq!(release(2, STAYS), Err(store::HoldError::Decided));
    world.check();
}

#[test]
fn what_waits_for_a_rejected_entry_can_be_rejected_too() {
    let world = World::new();
    let key = three_of_a_lost_phone(&world);
    for index in 1..=3 {
        let (key, said) = (key(index), Said::by("Сауле").noting("not hers"));
        assert_eq!(world.store.write(move |tx| store::reject_held(tx, key, said, NOW)).unwrap(), Ok(()));
    }
    assert_eq!(world.count("SELECT count(*) FROM held WHERE state = 'held'"), 0);
    world.check();
}

#[test]
fn a_poison_entry_is_held_alone_and_its_neighbours_are_accepted() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let good = anna.edit(DocumentId(Uuid::from_u128(1)), &visit("moved", 1));
    let poisoned = DocumentId(Uuid::from_u128(2));
    let bad = anna.edit(poisoned, &visit("moved", 2));
    let after = anna.edit(poisoned, &[("outcome".to_owned(), "vacant".into())]);
    let last = anna.edit(DocumentId(Uuid::from_u128(3)), &visit("moved", 3));
    let mut links: Vec<_> = [&good, &bad, &after, &last].map(Entry::to_link).into();
    if let aralau_sync_core::stream::Link::Full { body, .. } = &mut links[1] {
        let end = body.len() - 1;
        body[end] ^= 0xff;
    }
    let frame = Frame::sign(&world.store.deployment(), anna.stream, anna.tip, links, &anna.key);
    let (fate, held) = world.send(frame, &anna);
    assert!(matches!(fate, FrameFate::Decided { tip, .. } if tip.index == 4));
    assert_eq!(held.len(), 2, "{held:?}");
    assert_eq!((held[0].0, held[1].0), (2, 3));
    assert_eq!(world.count("SELECT count(*) FROM visit"), 2);
    world.check();
}

#[test]
fn a_backup_restores_into_a_new_epoch() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let entry = anna.edit(DocumentId(Uuid::from_u128(1)), &visit("moved", 1));
    let frame = anna.frame(&world, &[entry]);
    world.send(frame, &anna);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    store::backup(world.folder.path(), &file, |_| ()).unwrap();
    let folder = elsewhere.path().join("data");
    store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap();
    assert_eq!(
        store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap_err().code(),
        "data_not_empty"
    );
    let restored = Store::open(&folder, NOW, Arc::new(SystemEntropy)).unwrap();
    assert!(restored.read(store::current_epoch).unwrap() > 1);
    assert_eq!(restored.check().unwrap().problems, Vec::<String>::new());
    assert_eq!(restored.deployment(), world.store.deployment());
}

#[test]
fn a_backup_goes_on_although_the_server_writes() {
    let world = World::new();
    let write = |codes: usize| {
        let write = move |tx: &mut store::Transaction<'_>| {
            let (person, _) = store::ensure_person(tx, "Анна", NOW)?;
            (0..codes).try_for_each(|_| store::make_code(tx, person, 1, NOW).map(drop))
        };
        world.store.write(write).unwrap();
    };
    // Several times what is copied in one step.
    write(100_000);
    let mut heard = Vec::new();
    let file = world.folder.path().join("backup");
    let told = |copied: store::Copied| {
        heard.push(copied);
        assert!(heard.len() < 100, "it begins again and again: {heard:?}");
        write(1);
    };
    store::backup(world.folder.path(), &file, told).unwrap();
    assert!(
        heard.len() >= 3 && heard.is_sorted_by(|one, next| one.bytes < next.bytes && one.of == next.of),
        "{heard:?}"
    );
}

#[test]
fn a_write_ahead_log_left_behind_is_never_taken_for_the_restored_databases() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let (file, folder) = (elsewhere.path().join("backup"), elsewhere.path().join("data"));
    store::backup(world.folder.path(), &file, |_| ()).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("aralau.db-wal"), "frames of a database that was moved aside").unwrap();
    assert_eq!(
        store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap_err().code(),
        "data_not_empty"
    );
    std::fs::remove_file(folder.join("aralau.db-wal")).unwrap();
    store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap();
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_one_put_back_by_hand_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap());
    store::write_high_water(folder.path(), 1_000).unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "data_behind");
    std::fs::write(folder.path().join("high-water"), "half a numb").unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "high_water");
    std::fs::remove_file(folder.path().join("high-water")).unwrap();
    let database = rusqlite::Connection::open(folder.path().join("aralau.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "data_newer");
}

#[test]
fn a_change_of_somebody_else_is_held() {
    let world = World::new();
    let (mut anna, bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    let id = DocumentId(Uuid::from_u128(7));
    let actor = Actor { replica: bolat.stream.replica, generation: 0 };
    let forged: Change = Document::new().author(actor, &visit("moved", 1)).unwrap().unwrap();
    let frame = anna.frame(&world, &[Entry::new(header(id), forged)]);
    assert_eq!(world.send(frame, &anna).1, [(1, "wrong_actor".to_owned())]);
    world.check();
}

#[test]
fn a_relayed_frame_that_cannot_be_taken_whole_keeps_its_head_and_harms_no_reader() {
    use aralau_sync_core::stream::Link;
    let world = World::new();
    let (mut anna, bolat) = (world.phone("Анна", 1), world.phone("Болат", 2));
    let entries: Vec<_> = (0..4).map(|n| anna.edit(DocumentId(Uuid::from_u128(n)), &visit("moved", n))).collect();
    let whole = anna.frame(&world, &entries);
    // Bolat brings Anna's entries back, but the third of them never reached his phone.
    let mut relayed = whole.clone();
    let (header, content) = relayed.links[2].hashes();
    relayed.links[2] = Link::Hollow { header, content };
    assert!(matches!(world.send(relayed, &anna).0, FrameFate::Decided { tip, .. } if tip.index == 2));
    let mut intake = world.intake();
    assert_eq!(world.catch_up(&mut intake, bolat.stream.replica, &BTreeMap::new()).len(), 14);
    world.check();
    world.send(whole, &anna);
    assert_eq!(world.count("SELECT count(*) FROM visit"), 4);
    let mut intake = world.intake();
    world.catch_up(&mut intake, bolat.stream.replica, &BTreeMap::new());
    assert_eq!(intake.streams[&anna.stream.replica].head.map(|head| head.tip), Some(anna.tip));
    world.check();
}

#[test]
fn what_was_promised_stands_in_rows_under_the_data_dictionarys_names() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let item = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let mut puts = visit("contacted", 1);
    for (key, value) in [
        ("commitments/ITEM/to", "Дина"),
        ("commitments/ITEM/text", "починить фонарь"),
        ("commitments/ITEM/due", "2026-12-01"),
        ("referrals/ITEM/agency", "akimat"),
        ("referrals/ITEM/due", "2026-12-02"),
        ("concerns/ITEM/category", "lighting"),
    ] {
        puts.push((key.replace("ITEM", item), value.into()));
    }
    let entry = anna.edit(DocumentId(Uuid::from_u128(1)), &puts);
    let frame = anna.frame(&world, &[entry]);
    assert_eq!(world.send(frame, &anna).1, []);
    let promised = "SELECT count(*) FROM commitment WHERE promised_to = 'Дина' AND what = 'починить фонарь' AND due = '2026-12-01'";
    assert_eq!(world.count(promised), 1);
    assert_eq!(world.count("SELECT count(*) FROM referral WHERE agency = 'akimat' AND due = '2026-12-02'"), 1);
    assert_eq!(world.count("SELECT count(*) FROM concern WHERE category = 'lighting'"), 1);
    world.check();
}

#[test]
fn a_data_folder_of_the_first_schema_is_migrated_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let packed = include_bytes!("../../tests/data/store-1.db.zst");
    std::fs::write(folder.path().join("aralau.db"), zstd::decode_all(&packed[..]).unwrap()).unwrap();

    let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
    let count =
        |sql: &str| store.read(|connection| Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)).unwrap();
    assert_eq!(count("PRAGMA user_version"), store::SCHEMA_VERSION as i64);
    assert_eq!(count("SELECT count(*) FROM visit"), 4);
    assert_eq!(count("SELECT count(*) FROM visit WHERE conflicts = 1 AND notes = 3"), 1);
    assert_eq!(count("SELECT count(*) FROM held WHERE state = 'held' AND reason = 'revoked'"), 1);
    assert_eq!(count("SELECT count(*) FROM note_text WHERE note_text MATCH 'елка'"), 1);
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}
