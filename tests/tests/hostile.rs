//! Devices that lie: everything of design §6 and more, each with its named outcome, while the others work on.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use aralau_sync_core::{
    cbor,
    change::{Change, ChangeParts, OpId, Put, Value as Scalar},
    digest::change_hash,
    frame::{Frame, MAX_FRAME_BYTES, MAX_FRAME_ENTRIES},
    id::{Actor, ChangeHash, DocumentId, ReplicaId, ScopeId, Signature},
    stream::{Header, Link, Tip},
    sync::MAX_FRAMES,
    time::Millis,
};
use aralau_tests::{
    chance::Chance,
    forge::{Forged, column, run, write_unsigned},
    headquarters::Headquarters,
    phone,
    rogue::{PATH, Rogue, credentials},
    world::World,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the server may ever hold in memory here, in debug builds too: far below what any of these ask for.
const MAX_MEMORY_MIB: u64 = 200;

fn document() -> DocumentId {
    DocumentId(Uuid::new_v4())
}

fn put(key: &str, value: &str) -> Put {
    Put { key: key.to_owned(), value: Scalar::Text(value.to_owned()), predecessors: Vec::new() }
}

fn note(text: &str) -> Put {
    put(&format!("notes/{}/text", Uuid::new_v4()), text)
}

/// A sound change by itself, whatever it fits.
fn build(actor: Actor, sequence: u64, start_op: u64, dependencies: &[ChangeHash], puts: Vec<Put>) -> Vec<u8> {
    let parts = ChangeParts { actor, sequence, start_op, dependencies: dependencies.to_vec(), puts };
    Change::build(parts).expect("sound by itself").body().to_vec()
}

/// One bad entry, with what it needs before it.
struct Poison {
    /// The outcome that it must have.
    reason: &'static str,
    before: Vec<Link>,
    bad: Link,
    document: DocumentId,
}

/// All of them, each about a document of its own.
fn poisons(rogue: &mut Rogue, partner: ReplicaId) -> Vec<(String, Poison)> {
    let mut all = Vec::new();
    for (name, reason, forge) in forgeries(partner) {
        let document = document();
        let puts = rogue.visit_puts(name);
        let mut forged = Forged::of(rogue.author(document, &puts).body());
        forge(&mut forged);
        let bad = rogue.link(document, &forged.body());
        all.push((name.to_owned(), Poison { reason, before: Vec::new(), bad, document }));
    }
    all.extend(mangled(rogue));
    all.extend(misfits(rogue));
    all.extend(bad_headers(rogue));
    all
}

type Forge = Box<dyn Fn(&mut Forged)>;

/// Sound first changes with one thing wrong.
fn forgeries(partner: ReplicaId) -> Vec<(&'static str, &'static str, Forge)> {
    fn case(
        name: &'static str,
        reason: &'static str,
        forge: impl Fn(&mut Forged) + 'static,
    ) -> (&'static str, &'static str, Forge) {
        (name, reason, Box::new(forge))
    }
    let puts = |forged: &Forged| i64::from(forged.column(column::ACTION)[0] & 0x3f);
    vec![
        case("a billion declared ops", "too_many_ops", |forged| forged.set(column::ACTION, run(1_000_000_000, 1))),
        case("as many ops as a number can say", "too_many_ops", |forged| forged.set(column::ACTION, run(i64::MAX, 1))),
        case("another replica's actor", "wrong_actor", move |forged| {
            // Nothing else may name the true author, or that would be the first thing wrong.
            forged.actor = Actor { replica: partner, generation: 0 }.to_bytes().to_vec();
            forged.columns =
                Forged::of(&build(Actor { replica: partner, generation: 0 }, 1, 1, &[], vec![note("x")])).columns;
        }),
        case("the zero actor", "bad_actor", |forged| forged.actor = vec![0; 16]),
        case("an actor of 15 bytes", "bad_actor", |forged| forged.actor.truncate(15)),
        case("an actor of 200 bytes", "bad_actor", |forged| forged.actor = vec![7; 200]),
        case("sequence 0", "change_malformed", |forged| forged.sequence = 0),
        case("sequence 2 first", "sequence_gap", |forged| forged.sequence = 2),
        case("a start_op near 2^32", "counter_too_large", |forged| forged.start_op = u64::from(u32::MAX) - 1),
        case("a start_op near 2^64", "counter_too_large", |forged| forged.start_op = u64::MAX - 1),
        case("a start_op that leaves a hole", "wrong_start_op", |forged| forged.start_op = 5),
        case("a time", "smuggled", |forged| forged.time = 1_700_000_000),
        case("a message", "smuggled", |forged| forged.message = b"hello".to_vec()),
        case("extra bytes", "smuggled", |forged| forged.extra = b"contraband".to_vec()),
        case("an unknown column", "unknown_column", |forged| forged.set(200, run(1, 1))),
        case("a deflated column", "unknown_column", |forged| {
            let keys = forged.column(column::KEY).to_vec();
            forged.columns.retain(|(number, _)| *number != column::KEY);
            forged.set(column::KEY | column::DEFLATED, keys);
        }),
        case("an op on an object that is not the root", "not_root", move |forged| {
            let puts = puts(forged);
            forged.set(column::OBJECT_ACTOR, run(puts, 0));
            forged.set(column::OBJECT_COUNTER, run(puts, 1));
        }),
        case("a nested map", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 0))),
        case("a deletion", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 3))),
        case("an increment", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 5))),
        case("fewer keys than ops", "change_malformed", |forged| forged.set(column::KEY, vec![])),
        case("values longer than their column", "change_truncated", |forged| forged.set(column::VALUE, vec![1])),
        case("predecessors without their columns", "change_malformed", move |forged| {
            forged.set(column::PREDECESSOR_COUNT, run(puts(forged), 9));
        }),
        case("no ops", "empty_change", |forged| forged.columns.clear()),
        case("one run written as two", "not_canonical", move |forged| {
            let puts = puts(forged);
            let two = [run(puts - 2, 1), run(2, 1)].concat();
            forged.set(column::ACTION, two);
        }),
        case("a dependency twice", "not_canonical", |forged| forged.dependencies = vec![[9; 32]; 2]),
        case("a thousand dependencies", "too_many_dependencies", |forged| {
            forged.dependencies =
                (0..1000_u16).map(|n| [n.to_be_bytes(); 16].concat().try_into().expect("32")).collect();
        }),
        case("a dependency never seen", "waiting", |forged| forged.dependencies = vec![[7; 32]]),
    ]
}

/// Bytes that are no change at all.
fn mangled(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let sound = |rogue: &mut Rogue| {
        let (document, puts) = (document(), rogue.visit_puts("mangled"));
        (document, rogue.author(document, &puts).body().to_vec())
    };
    let mut all = Vec::new();
    let mut add = |rogue: &Rogue, name: &str, reason, document, body: &[u8]| {
        let bad = rogue.link(document, body);
        all.push((name.to_owned(), Poison { reason, before: Vec::new(), bad, document }));
    };
    let (id, body) = sound(rogue);
    add(rogue, "a change cut short", "change_truncated", id, &body[..body.len() - 3]);
    let (id, _) = sound(rogue);
    add(rogue, "nothing", "change_truncated", id, &[]);
    let (id, _) = sound(rogue);
    add(rogue, "more than 64 KiB", "change_too_large", id, &vec![0; 70_000]);
    let (id, _) = sound(rogue);
    let mut claims = Vec::new();
    write_unsigned(&mut claims, u64::MAX >> 1);
    add(rogue, "dependencies without end", "too_many_dependencies", id, &claims);
    let (id, _) = sound(rogue);
    add(rogue, "a number without end", "change_malformed", id, &[0xff; 64]);
    all
}

/// Sound by themselves, but not in their documents.
fn misfits(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let actor = rogue.actor();
    let mut all = Vec::new();
    let mut add = |rogue: &mut Rogue, name: &str, reason, bad: &dyn Fn(&Change) -> Vec<u8>| {
        let document = document();
        let puts = rogue.visit_puts(name);
        let first = rogue.author(document, &puts);
        let before = vec![rogue.link(document, first.body())];
        let bad = rogue.link(document, &bad(&first));
        all.push((name.to_owned(), Poison { reason, before, bad, document }));
    };
    let next = |first: &Change| first.max_op() + 1;
    add(rogue, "the same number for two changes", "equivocation", &|_| build(actor, 1, 1, &[], vec![note("other")]));
    add(rogue, "a second change that leaves out the first", "omits_own_past", &|_| {
        build(actor, 2, 1, &[], vec![note("x")])
    });
    add(rogue, "a gap in one's own numbers", "sequence_gap", &|first| {
        build(actor, 3, next(first), &[first.hash()], vec![note("x")])
    });
    add(rogue, "an op number already used", "wrong_start_op", &|first| {
        build(actor, 2, 2, &[first.hash()], vec![note("x")])
    });
    add(rogue, "a predecessor that is no op", "bad_predecessor", &|first| {
        let ghost = OpId { counter: 1, actor: Actor { replica: ReplicaId([9; 14]), generation: 0 } };
        let put = Put { predecessors: vec![ghost], ..put("outcome", "refused") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "a predecessor on another key", "bad_predecessor", &|first| {
        let (other, _) = first.ops().find(|(_, put)| put.key == "visit_type").expect("a type");
        let put = Put { predecessors: vec![other], ..put("outcome", "refused") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "a conflict with oneself", "stale_predecessors", &|first| {
        build(actor, 2, next(first), &[first.hash()], vec![put("outcome", "refused")])
    });
    add(rogue, "a note rewritten", "immutable_note", &|first| {
        let (op, old) = first.ops().find(|(_, put)| put.key.ends_with("/text")).expect("a note");
        let put = Put { predecessors: vec![op], ..put(&old.key, "never said") };
        build(actor, 2, next(first), &[first.hash()], vec![put])
    });
    add(rogue, "the same change twice", "duplicate_change", &|first| first.body().to_vec());
    let (bare, id) = (build(actor, 1, 1, &[], vec![put("outcome", "refused")]), document());
    let bad = rogue.link(id, &bare);
    all.push((
        "a first change that can be guessed".to_owned(),
        Poison { reason: "no_nonce", before: vec![], bad, document: id },
    ));
    all
}

/// Sound changes under headers that are none.
fn bad_headers(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let mut all = Vec::new();
    let mut add = |rogue: &mut Rogue, name: &str, reason, spoil: &dyn Fn(Header) -> Vec<u8>| {
        let document = document();
        let puts = rogue.visit_puts(name);
        let body = rogue.author(document, &puts).body().to_vec();
        let bad = Link::Full { header: spoil(rogue.header(document)), body };
        all.push((name.to_owned(), Poison { reason, before: Vec::new(), bad, document }));
    };
    add(rogue, "no header", "header_malformed", &|_| Vec::new());
    add(rogue, "a header cut short", "header_malformed", &|header| header.to_bytes()[..9].to_vec());
    add(rogue, "a header of 2 KiB", "header_malformed", &|_| vec![0; 2048]);
    add(rogue, "a header with a number not in its shortest form", "header_malformed", &|header| {
        let bytes = header.to_bytes();
        // {1: kind, …}: the kind as one byte more than it needs.
        assert_eq!(&bytes[1..3], [1, 1]);
        [&bytes[..2], &[0x18, 0x01], &bytes[3..]].concat()
    });
    add(rogue, "a header with its keys out of order", "header_malformed", &|header| {
        let bytes = header.to_bytes();
        [&bytes[..1], &bytes[3..], &bytes[1..3]].concat()
    });
    all
}

/// Whatever builds on `bad`.
fn follower(rogue: &Rogue, poison: &Poison) -> Link {
    let Link::Full { body, .. } = &poison.bad else { panic!("poison has content") };
    let actor = Actor { generation: 1, ..rogue.actor() };
    rogue.link(poison.document, &build(actor, 1, 40, &[change_hash(body)], vec![note("builds on poison")]))
}

fn held_by_index(headquarters: &Headquarters, replica: ReplicaId) -> BTreeMap<u64, Value> {
    let mine = headquarters.quarantine().into_iter().filter(|held| held["replica"] == json!(replica));
    mine.map(|held| (held["index"].as_u64().expect("an index"), held)).collect()
}

#[test]
fn each_poisoned_entry_is_held_by_name_with_what_builds_on_it_and_its_neighbours_are_accepted() {
    let world = World::new();
    let mut honest = world.sdk("Boris", "beat-01");
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let headquarters = world.role("administrator");
    let poisons = poisons(&mut rogue, honest.replica());
    let (mut frames, mut expected, mut neighbours) = (Vec::new(), Vec::new(), Vec::new());
    for (name, poison) in poisons {
        let ((one, before), (two, after)) = (rogue.visit("neighbour before"), rogue.visit("neighbour after"));
        neighbours.extend([one, two]);
        let mut links = vec![before];
        links.extend(poison.before.iter().cloned());
        let index = rogue.tip.index + links.len() as u64 + 1;
        links.push(poison.bad.clone());
        links.push(follower(&rogue, &poison));
        links.push(after);
        frames.push(rogue.frame(links));
        expected.push((name, index, poison));
    }
    assert!(frames.len() <= MAX_FRAMES, "one upload for all of it");
    let started = Instant::now();
    let fates = rogue.send(&frames).fates();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(fates.iter().all(|fate| fate.starts_with("decided")), "{fates:?}");

    let held = held_by_index(&headquarters, rogue.stream.replica);
    let reason = |index: u64| held.get(&index).map_or("accepted", |held| held["reason"].as_str().expect("a reason"));
    let mut wrong = Vec::new();
    for (name, index, poison) in &expected {
        let follows = match poison.reason {
            // Without a header nobody knows which document it is about; of a change twice, the first one counts.
            "header_malformed" => "waiting",
            "duplicate_change" => "wrong_start_op",
            _ => "because",
        };
        let outcomes = (reason(index - 1), reason(*index), reason(index + 1), reason(index + 2));
        if outcomes != ("accepted", poison.reason, follows, "accepted") {
            wrong.push(format!("{name}: {outcomes:?} instead of {} and {follows}", poison.reason));
        }
        if follows == "because" {
            assert_eq!(held[&(index + 1)]["because"]["index"], *index, "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(held.len(), expected.len() * 2, "nothing else is held");

    let visits: Vec<_> = headquarters.visits("").iter().map(|visit| visit["id"].as_str().unwrap().to_owned()).collect();
    for neighbour in &neighbours {
        assert!(visits.contains(&neighbour.to_string()));
    }
    assert_eq!(
        visits.len(),
        neighbours.len() + expected.iter().filter(|(_, _, poison)| !poison.before.is_empty()).count()
    );
    // An honest phone of the same beat takes all of it in, and nothing alarms it.
    phone::log(&mut honest, "still here");
    let report = phone::sync(&mut honest, 8).unwrap();
    assert_eq!((report.pushed, honest.visits().unwrap().len()), (1, visits.len() + 1));
    assert_eq!(honest.status().unwrap().alarms, Vec::new());
    world.check();
    let peak = world.server.peak_memory_mib();
    assert!(peak < MAX_MEMORY_MIB, "{peak} MiB");
}

#[test]
fn no_flipped_bit_of_a_change_crashes_anything_or_changes_what_was_said() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut chance = Chance::new();
    let mut frames = Vec::new();
    for _ in 0..30 {
        let mut links = Vec::new();
        for _ in 0..20 {
            let (document, puts) = (document(), rogue.visit_puts("flip me"));
            let mut body = rogue.author(document, &puts).body().to_vec();
            for _ in 0..=chance.below(3) {
                let at = chance.below(body.len() as u64) as usize;
                body[at] ^= 1 << chance.below(8);
            }
            links.push(rogue.link(document, &body));
        }
        let (_, good) = rogue.visit("unharmed");
        links.push(good);
        frames.push(rogue.frame(links));
    }
    let fates = rogue.send(&frames).fates();
    assert!(fates.iter().all(|fate| fate.starts_with("decided")), "{fates:?}");
    let headquarters = world.role("administrator");
    assert!(headquarters.quarantine().len() > 300, "most flips are noticed, the others only change what is said");
    assert!(headquarters.visits("").len() >= 30);
    let mut honest = world.sdk("Boris", "beat-01");
    phone::sync(&mut honest, 8).unwrap();
    assert_eq!(honest.visits().unwrap().len(), headquarters.visits("").len());
    world.check();
}

#[test]
fn frames_that_lie_are_refused_by_name_and_those_beside_them_count() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let other = Rogue::enroll(&world, "Boris", "beat-01");
    let elsewhere = Rogue::enroll(&world, "Zarina", "beat-02");
    let headquarters = world.role("administrator");
    let (_, first) = rogue.visit("first");
    let good = rogue.frame(vec![first]);
    let mark = rogue.tip;
    let sign = |rogue: &Rogue, stream, before, links| Frame::sign(&rogue.deployment, stream, before, links, &rogue.key);
    let (_, second) = rogue.visit("second");
    let sound = sign(&rogue, rogue.stream, mark, vec![second.clone()]);

    let mut liars: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut flipped = sound.clone();
    flipped.signature.0[20] ^= 1;
    liars.push(("frame_signature", flipped.to_bytes()));
    let mut altered = sound.clone();
    altered.links = vec![rogue.visit("put in later").1];
    liars.push(("frame_signature", altered.to_bytes()));
    // Another's stream under one's own key; one's own stream under another's.
    liars.push(("frame_signature", sign(&rogue, other.stream, Tip::default(), vec![second.clone()]).to_bytes()));
    liars.push(("frame_signature", sign(&other, rogue.stream, mark, vec![second.clone()]).to_bytes()));
    let mut zero = sound.clone();
    zero.signature = Signature([0; 64]);
    liars.push(("frame_signature", zero.to_bytes()));
    // Another beat, and one that does not exist: they look alike.
    for scope in [elsewhere.stream.scope, ScopeId(Uuid::new_v4())] {
        let stream = aralau_sync_core::stream::StreamId { scope, ..rogue.stream };
        liars.push(("scope_unknown", sign(&rogue, stream, Tip::default(), vec![second.clone()]).to_bytes()));
    }
    let nothing = Frame { links: Vec::new(), ..sound.clone() };
    liars.push(("frame_size", nothing.to_bytes()));
    let crowd = vec![second.clone(); MAX_FRAME_ENTRIES + 1];
    liars.push(("frame_size", sign(&rogue, rogue.stream, mark, crowd).to_bytes()));
    let bytes = sound.to_bytes();
    liars.push(("frame_malformed", bytes[..bytes.len() - 1].to_vec()));
    liars.push(("frame_malformed", [&bytes[..], &[0]].concat()));
    liars.push(("frame_malformed", vec![0xff; 100]));
    liars.push(("frame_malformed", vec![0x81; 5_000]));
    // [1, …] with the 1 written longer than need be, and an array of indefinite length.
    assert_eq!(&bytes[..2], [0x87, 0x01]);
    liars.push(("frame_malformed", [&[0x87, 0x18, 0x01], &bytes[2..]].concat()));
    liars.push(("frame_malformed", [&[0x9f, 0x01], &bytes[2..], &[0xff]].concat()));
    liars.push(("gap 1", sign(&rogue, rogue.stream, Tip { index: 7, ..mark }, vec![second.clone()]).to_bytes()));
    let forked = rogue.visit("another first").1;
    liars.push(("forked 1", sign(&rogue, rogue.stream, Tip::default(), vec![forked]).to_bytes()));

    let mut upload = vec![good.clone()];
    upload.extend(liars.iter().map(|(_, frame)| frame.clone()));
    upload.extend([good, sound.to_bytes()]);
    rogue.tip = *aralau_sync_core::frame::chain(&rogue.stream, mark, &sound.links).last().unwrap();
    let answer = rogue.send(&upload);
    let mut expected = vec!["decided 1"];
    expected.extend(liars.iter().map(|(fate, _)| *fate));
    expected.extend(["decided 1", "decided 2"]);
    assert_eq!(answer.fates(), expected);
    assert_eq!(headquarters.visits("").len(), 2);
    assert_eq!(headquarters.quarantine().len(), 0);
    world.check();
}

#[test]
fn an_upload_may_be_repeated_and_reordered_with_the_same_result() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut frames = Vec::new();
    for n in 0..6 {
        let links = (0..4).map(|m| rogue.visit(&format!("{n}/{m}")).1).collect();
        frames.push(rogue.frame(links));
    }
    let mut chance = Chance::new();
    for _ in 0..12 {
        let mut shuffled: Vec<_> = frames.iter().chain(&frames).cloned().collect();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, chance.below(at as u64 + 1) as usize);
        }
        rogue.send(&shuffled);
    }
    assert_eq!(rogue.send(&frames).fates().last().map(String::as_str), Some("decided 24"));
    let headquarters = world.role("administrator");
    assert_eq!((headquarters.visits("").len(), headquarters.quarantine().len()), (24, 0));
    world.check();
}

#[test]
fn an_entry_whose_past_comes_later_is_held_until_then_and_fills_by_itself() {
    let world = World::new();
    let (mut one, mut two) = (Rogue::enroll(&world, "Mallory", "beat-01"), Rogue::enroll(&world, "Boris", "beat-01"));
    let headquarters = world.role("administrator");
    let document = document();
    let puts = one.visit_puts("the beginning");
    let first = one.author(document, &puts);
    let first_link = one.link(document, first.body());
    let second = build(two.actor(), 1, first.max_op() + 1, &[first.hash()], vec![note("the end")]);
    let orphan = two.link(document, &second);
    let neighbour = two.visit("of another document").1;
    let frame = two.frame(vec![orphan, neighbour]);
    two.send(&[frame]);
    assert_eq!(headquarters.quarantine()[0]["reason"], "waiting");
    assert_eq!(headquarters.visits("").len(), 1);
    let frame = one.frame(vec![first_link]);
    one.send(&[frame]);
    assert_eq!(headquarters.quarantine(), [] as [Value; 0]);
    let notes = headquarters.get(&format!("/v1/visits/{document}"))["notes"].as_array().unwrap().len();
    assert_eq!(notes, 2);
    world.check();
}

#[test]
fn a_request_that_is_not_this_devices_own_or_not_fresh_is_refused() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let other = Rogue::enroll(&world, "Boris", "beat-01");
    let (_, visit) = rogue.visit("kept out");
    let frame = rogue.frame(vec![visit]);
    let body = rogue.message(std::slice::from_ref(&frame));
    let post = |authorization: &str| rogue.post(&body, authorization, None);
    for nonsense in ["", "Bearer x", "Aralau-Device", "Aralau-Device device=x, nonce=, signature="] {
        assert_eq!(post(nonsense).problem(), (401, "device_unknown"), "{nonsense}");
    }
    // Another device's name; one that nobody has; a signature over another body.
    assert_eq!(post(&rogue.authorize_as(other.device, &body, &other.nonce)).problem(), (401, "device_unknown"));
    let ghost = aralau_sync_core::id::DeviceId(Uuid::new_v4());
    assert_eq!(post(&rogue.authorize_as(ghost, &body, &rogue.nonce)).problem(), (401, "device_unknown"));
    assert_eq!(post(&credentials(rogue.device, &rogue.nonce, Signature([1; 64]))).problem(), (401, "device_unknown"));
    // Another's nonce, one made up, and one cut short: a fresh one comes back.
    for nonce in [other.nonce.as_str(), "AAAA", &rogue.nonce[1..]] {
        let refused = post(&rogue.authorize_as(rogue.device, &body, nonce));
        assert_eq!(refused.problem(), (401, "nonce_stale"), "{nonce}");
        assert!(refused.nonce.is_some());
    }
    // Its own install's name must not be another's.
    let mut foreign = rogue.hello();
    foreign.replica = other.stream.replica;
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(&foreign));
    assert_eq!(rogue.post(&message, &rogue.authorize(&message), None).problem(), (403, "replica_foreign"));

    let authorization = rogue.authorize(&body);
    let answered = rogue.post(&body, &authorization, None);
    assert_eq!(answered.problem(), (200, ""));
    let replayed = rogue.post(&body, &authorization, None);
    assert_eq!(replayed.problem(), (401, "nonce_stale"), "answered once");
    rogue.nonce = replayed.nonce.unwrap();
    assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"], "the fresh nonce counts");
    world.check();
}

#[test]
fn a_body_that_is_not_what_it_says_is_refused_by_name() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let post = |body: &[u8], encoding| {
        let answer = rogue.post(body, &rogue.authorize(body), encoding);
        (answer.status, answer.code)
    };
    let refused = |status, code: &str| (status, code.to_owned());
    let sound = rogue.message(&[]);
    let mut hello = rogue.hello();
    hello.protocol = 99;
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(426, "protocol_version"));
    assert_eq!(post(&[], None), refused(400, "malformed"));
    assert_eq!(post(&sound[..sound.len() - 1], None), refused(408, "body_incomplete"));
    assert_eq!(post(b"{\"json\": true}", None), refused(400, "malformed"));
    // An item that says it is as long as the world.
    assert_eq!(post(&[0x5b, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], None), refused(400, "malformed"));
    let mut long = sound.clone();
    cbor::push_item(&mut long, &vec![0; MAX_FRAME_BYTES + 1]);
    // It may answer before it has heard all of that, and hang up.
    assert!([refused(400, "malformed"), refused(0, "hung_up")].contains(&post(&long, None)));
    hello = rogue.hello();
    hello.scopes = vec![hello.scopes[0]; 65];
    message.clear();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(400, "malformed"));
    hello = rogue.hello();
    hello.app = Some("x".repeat(20_000));
    message.clear();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(400, "malformed"));
    assert_eq!(post(&sound, Some("br")), refused(415, "unsupported_encoding"));
    assert_eq!(post(&sound, Some("zstd")), refused(400, "malformed"));
    assert_eq!(post(&sound, Some("gzip")), refused(400, "malformed"));
    let zipped = zstd::bulk::compress(&sound, 3).unwrap();
    assert_eq!(post(&zipped, Some("zstd")).0, 200);
}

#[test]
fn too_many_frames_are_refused_but_those_before_the_limit_count() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let frames: Vec<_> = (0..=MAX_FRAMES)
        .map(|n| {
            let link = rogue.visit(&format!("frame {n}")).1;
            rogue.frame(vec![link])
        })
        .collect();
    let body = rogue.message(&frames);
    assert_eq!(rogue.post(&body, &rogue.authorize(&body), None).problem(), (413, "body_too_large"));
    assert_eq!(world.headquarters().visits("").len(), MAX_FRAMES);
    assert_eq!(rogue.send(&frames[MAX_FRAMES..]).fates(), [format!("decided {}", MAX_FRAMES + 1)]);
}

#[test]
fn a_stream_that_is_held_and_held_again_is_full_at_last() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut fates = Vec::new();
    for _ in 0..3 {
        let mut poisoned = || {
            let links = (0..MAX_FRAME_ENTRIES).map(|_| rogue.link(document(), b"poison")).collect();
            rogue.frame(links)
        };
        let frames: Vec<_> = (0..8).map(|_| poisoned()).collect();
        fates = rogue.send(&frames).fates();
    }
    let refused = ["too_much_held", "gap 2000", "gap 2000", "gap 2000"];
    assert_eq!(fates[3..], [&["decided 2000"][..], &refused].concat(), "2,000 held entries, and no more");
    // Others of the beat are none the worse.
    let mut honest = world.sdk("Boris", "beat-01");
    phone::log(&mut honest, "still here");
    assert_eq!(phone::sync(&mut honest, 8).unwrap().pushed, 1);
    world.check();
}

#[test]
fn a_clock_fifty_years_wrong_is_labelled_and_nothing_else() {
    const FIFTY_YEARS_MS: i64 = 50 * 365 * 24 * 60 * 60 * 1000;
    let world = World::new();
    let headquarters = world.headquarters();
    let wrong = [("Past", -FIFTY_YEARS_MS, "late"), ("Future", FIFTY_YEARS_MS, "clock_ahead")];
    for (name, skew_ms, label) in wrong {
        let mut rogue = Rogue::enroll(&world, name, "beat-01");
        rogue.skew_ms = skew_ms;
        let (document, visit) = rogue.visit("when?");
        let frame = rogue.frame(vec![visit]);
        assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"]);
        let history = headquarters.get(&format!("/v1/visits/{document}/history"));
        assert_eq!(history["history"][0]["labels"], json!([label]), "{name}");
        let devices = world.devices();
        let device = devices.iter().find(|device| device["person"]["name"] == name).unwrap();
        let skew = device["clock_skew_ms"].as_i64().unwrap();
        assert!((skew - skew_ms).abs() < 60_000, "{skew}");
    }
    // The ends of what a number can say, and of what a calendar can.
    for at in [i64::MIN, i64::MAX, 0, 253_402_300_800_000] {
        let mut rogue = Rogue::enroll(&world, &format!("At {at}"), "beat-01");
        let (document, puts) = (document(), rogue.visit_puts("never"));
        let change = rogue.author(document, &puts);
        let header = Header { at: Millis(at), ..rogue.header(document) };
        let link = Link::Full { header: header.to_bytes(), body: change.body().to_vec() };
        let frame = rogue.frame(vec![link]);
        assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"]);
        assert_eq!(headquarters.ask(&format!("/v1/visits/{document}")).status, 200);
        assert_eq!(headquarters.ask(&format!("/v1/visits/{document}/history")).status, 200);
    }
    let mut honest = world.sdk("Boris", "beat-01");
    assert_eq!(honest.visits().unwrap().len(), 6);
    phone::log(&mut honest, "now");
    phone::sync(&mut honest, 8).unwrap();
    assert_eq!(headquarters.visits("").len(), 7);
    assert_eq!(headquarters.ask("/v1/export.csv").status, 200);
    world.check();
}

#[test]
fn bombs_are_refused_in_little_memory_while_others_are_served() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut honest = world.sdk("Boris", "beat-01");
    let before = world.server.peak_memory_mib();
    // A gigabyte of nothing, and one that begins like a sound body.
    let zeros = vec![0; 1 << 20];
    let zstd_bomb = |head: &[u8]| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(head).unwrap();
        (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap()
    };
    let gzip_bomb = || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap()
    };
    let mut frame_head = rogue.message(&[]);
    frame_head.extend([0x5a, 0x7f, 0xff, 0xff, 0xff]);
    let bombs = [
        ("zstd", zstd_bomb(&[])),
        ("zstd", zstd_bomb(&rogue.message(&[]))),
        ("zstd", zstd_bomb(&frame_head)),
        ("gzip", gzip_bomb()),
    ];
    let outcomes = thread::scope(|scope| {
        let throwing: Vec<_> = bombs
            .iter()
            .flat_map(|bomb| std::iter::repeat_n(bomb, 4))
            .map(|(encoding, bomb)| {
                let rogue = &rogue;
                scope.spawn(move || rogue.post(bomb, &rogue.authorize(bomb), Some(encoding)))
            })
            .collect();
        for n in 0..5 {
            phone::log(&mut honest, &format!("meanwhile {n}"));
            let started = Instant::now();
            assert_eq!(phone::sync(&mut honest, 0).unwrap().pushed, 1);
            assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        }
        throwing.into_iter().map(|thrown| thrown.join().unwrap()).collect::<Vec<_>>()
    });
    for outcome in outcomes {
        let named = [(413, "body_too_large"), (400, "malformed"), (0, "hung_up")];
        assert!(named.contains(&outcome.problem()), "{:?}", outcome.problem());
    }
    let peak = world.server.peak_memory_mib();
    println!("{before} MiB before, {peak} at most");
    assert!(peak < MAX_MEMORY_MIB, "{peak} MiB");
}

/// Begins a request of which more is said than sent.
fn begin(world: &World, rogue: &Rogue, length: &str) -> TcpStream {
    let mut line = TcpStream::connect(world.server.address).expect("connects");
    let authorization = rogue.authorize(&[]);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n{length}\r\n\r\n");
    line.write_all(head.as_bytes()).expect("writes");
    line
}

#[test]
fn a_body_without_end_is_cut_off() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut line = begin(&world, &rogue, "transfer-encoding: chunked");
    let mut sent = 0_u64;
    let item = rogue.message(&[]);
    // Endless, and every piece of it sound: frames that nobody signed.
    let mut frame = Vec::new();
    cbor::push_item(&mut frame, &vec![0xff; 60_000]);
    let mut piece = item;
    loop {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
        if line.write_all(&chunk).is_err() {
            break;
        }
        sent += chunk.len() as u64;
        assert!(sent < 64 << 20, "the server reads for ever");
        piece.clone_from(&frame);
    }
    let mut answer = String::new();
    drop(line.read_to_string(&mut answer));
    println!("{sent} bytes, {}", answer.lines().next().unwrap_or("no answer"));
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(world.server.peak_memory_mib() < MAX_MEMORY_MIB);
    // A length that nobody would send.
    let mut line = begin(&world, &rogue, "content-length: 9000000000000000000");
    drop(line.write_all(&vec![0; 100_000]));
    let mut honest = world.sdk("Boris", "beat-01");
    phone::log(&mut honest, "served");
    assert_eq!(phone::sync(&mut honest, 8).unwrap().pushed, 1);
}

#[test]
fn slow_bodies_hold_nobody_up_and_are_ended() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut slow: Vec<_> = (0..200).map(|_| begin(&world, &rogue, "content-length: 100000")).collect();
    let headless: Vec<_> = (0..100)
        .map(|_| {
            let mut line = TcpStream::connect(world.server.address).unwrap();
            line.write_all(b"POST /v1/sync HTTP/1.1\r\nhost:").unwrap();
            line
        })
        .collect();
    let mut honest = world.sdk("Boris", "beat-01");
    let headquarters = world.headquarters();
    // The beginning of an item of 4 KiB, byte by byte.
    for (n, byte) in [0x59, 0x10, 0x00, 0xa7, 0x01].into_iter().enumerate() {
        for line in &mut slow {
            line.write_all(&[byte]).expect("it still listens");
        }
        phone::log(&mut honest, &format!("meanwhile {n}"));
        let started = Instant::now();
        assert_eq!(phone::sync(&mut honest, 0).unwrap().pushed, 1);
        assert_eq!(headquarters.visits("").len(), n + 1);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    // Whoever says nothing more for twenty seconds is told so.
    let mut last = slow.pop().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut answer = String::new();
    drop(last.read_to_string(&mut answer));
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    drop(headless);
    assert!(world.server.peak_memory_mib() < MAX_MEMORY_MIB);
}

#[test]
fn no_bytes_to_any_route_make_the_server_fail() {
    let mut world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let headquarters = world.role("administrator");
    let mut chance = Chance::new();
    let sound = rogue.message(&[]);
    let id = Uuid::new_v4();
    for _ in 0..200 {
        let mut body = sound.clone();
        for _ in 0..=chance.below(6) {
            let at = chance.below(body.len() as u64) as usize;
            body[at] = chance.bits() as u8;
        }
        let encoding = *chance.pick(&[None, Some("zstd"), Some("gzip"), Some("identity")]);
        let answer = rogue.post(&body, &rogue.authorize(&body), encoding);
        assert!(answer.status < 500, "{} {}", answer.status, answer.code);
    }
    let odd = ["%00", "%ff%fe", "'%22;--", "..%2f..%2f", "%F0%9F%98%80", "9223372036854775808", "-1", "NaN"];
    for odd in odd {
        for path in [
            format!("/v1/visits?text={odd}"),
            format!("/v1/visits?beat={odd}"),
            format!("/v1/visits?author={odd}"),
            format!("/v1/visits?from={odd}"),
            format!("/v1/visits?limit={odd}"),
            format!("/v1/visits?cursor={odd}"),
            format!("/v1/visits/{odd}"),
            format!("/v1/visits/{id}/history?cursor={odd}"),
            format!("/v1/places/{odd}/visits"),
            format!("/v1/quarantine?reason={odd}"),
            format!("/v1/conflicts?beat={odd}"),
            format!("/v1/export.csv?beat={odd}"),
        ] {
            let reply = headquarters.ask(&path);
            assert!(reply.status < 500, "{path}: {}", reply.text);
        }
        for body in [json!({ "field": odd, "value": odd }), json!([odd]), json!({ "code": odd })] {
            for path in [format!("/v1/visits/{id}/resolve"), "/v1/enroll".to_owned()] {
                let reply = headquarters.post(&path, &body);
                assert!((400..500).contains(&reply.status), "{path}: {}", reply.text);
            }
        }
    }
    assert!(world.server.is_running());
    assert!(!world.server.log().contains("panicked"), "{}", world.server.log());
}
