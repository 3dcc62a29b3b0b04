//! Changes that are wrong by themselves.

use std::io::Write as _;

use aralau_sync_core::id::{Actor, ReplicaId};
use aralau_tests::{
    chance::Chance,
    forge::{Forged, column, run, write_signed, write_unsigned},
    phone,
    rogue::Rogue,
    world::World,
};

use super::poison::{Poison, build, document, each_is_held_by_name, note};

type Forge = Box<dyn Fn(&mut Forged)>;

#[test]
fn a_change_that_is_wrong_by_itself_is_held_by_name() {
    each_is_held_by_name(|rogue, partner| {
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
        all
    });
}

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
        case("three hundred nested maps", "not_root", |forged| {
            const DEPTH: i64 = 300;
            let keys: Vec<u8> = (0..DEPTH).flat_map(|_| *b"\x01m").collect();
            let mut literal = Vec::new();
            write_signed(&mut literal, -DEPTH);
            forged.set(column::KEY, [&literal[..], &keys].concat());
            // Each inside the one before: the first in the root, which has no number.
            forged.set(column::OBJECT_ACTOR, [vec![0, 1], run(DEPTH - 1, 0)].concat());
            forged.set(column::OBJECT_COUNTER, [vec![0, 1], run(DEPTH - 1, 1)].concat());
            forged.set(column::ACTION, run(DEPTH, 0));
            forged.set(column::INSERT, vec![0xac, 0x02]);
            forged.set(column::VALUE_META, run(DEPTH, 0));
            forged.set(column::PREDECESSOR_COUNT, run(DEPTH, 0));
            forged.columns.retain(|(number, _)| *number != column::VALUE);
        }),
        case("a nested map", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 0))),
        case("a deletion", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 3))),
        case("an increment", "not_a_put", move |forged| forged.set(column::ACTION, run(puts(forged), 5))),
        case("fewer keys than ops", "change_malformed", |forged| forged.set(column::KEY, vec![])),
        case("values longer than their column", "change_truncated", |forged| forged.set(column::VALUE, vec![1])),
        case("predecessors without their columns", "change_malformed", move |forged| {
            forged.set(column::PREDECESSOR_COUNT, run(puts(forged), 9));
        }),
        case("a predecessor by an actor that is not in the table", "bad_actor", move |forged| {
            forged.start_op = 9;
            forged.set(column::PREDECESSOR_COUNT, run(puts(forged), 1));
            forged.set(column::PREDECESSOR_ACTOR, run(puts(forged), 200));
            forged.set(column::PREDECESSOR_COUNTER, run(puts(forged), 1));
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
    // What Automerge would inflate to hundreds of megabytes, or read as a whole document.
    let deflated = |length: usize| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; length]).expect("into memory");
        let packed = encoder.finish().expect("into memory");
        [&b"\x85\x6f\x4a\x83\0\0\0\0\x02"[..], &packed].concat()
    };
    let (id, _) = sound(rogue);
    add(rogue, "a deflated chunk", "too_many_dependencies", id, &deflated(1 << 20));
    let (id, _) = sound(rogue);
    let bomb = deflated(96 << 20);
    assert!(bomb.len() > 64 * 1024);
    add(rogue, "a deflated chunk of a hundred megabytes", "change_too_large", id, &bomb);
    let (id, _) = sound(rogue);
    let saved = automerge::AutoCommit::new().save();
    add(rogue, "a saved document", "too_many_dependencies", id, &saved);
    let (id, _) = sound(rogue);
    add(rogue, "a number without end", "change_malformed", id, &[0xff; 64]);
    all
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
