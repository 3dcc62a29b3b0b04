//! Frames in, rows out, everything recomputed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aralau_server::{
    app::App,
    calendar::Bound,
    entropy::SystemEntropy,
    keys::DeviceVerifier,
    query::{
        instant::Instant,
        page::{Limit, Page},
        visits::{self, VisitFilter},
    },
    reach::Reach,
    serve::serve,
    store::{self, PullLimits, Store, StoreError, Upload},
};
use aralau_sync_core::{
    change::Value,
    frame::Frame,
    id::{DocumentId, ReplicaId},
    log::RowKind,
    stream::{SignDevice as _, Tip},
    sync::FrameFate,
    time::DAY_MS,
};
use uuid::Uuid;

use crate::world::{NOW, Phone, World, visit};

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
    let one = anna.frame(&world, &entries[..1]);
    let first = anna.frame(&world, &entries[1..2]);
    let second = anna.frame(&world, &entries[2..3]);
    assert!(matches!(world.send(second, &anna).0, FrameFate::Gap { tip, .. } if tip.index == 0));
    world.send(one.clone(), &anna);
    world.send(first, &anna);
    // Once more, in whatever order answers were lost.
    assert!(matches!(world.send(one, &anna).0, FrameFate::Decided { tip, .. } if tip.index == 2));
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
