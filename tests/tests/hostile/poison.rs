//! One bad entry at a time, with what it needs before it, what builds on it and sound neighbours around it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use aralau_sync_core::{
    change::{Change, ChangeParts, Put, Value as Scalar},
    digest::change_hash,
    id::{Actor, ChangeHash, DocumentId, ReplicaId},
    stream::Link,
    sync::MAX_FRAMES,
};
use aralau_tests::{headquarters::Headquarters, phone, rogue::Rogue, world::World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::MAX_MEMORY_MIB;

pub fn document() -> DocumentId {
    DocumentId(Uuid::new_v4())
}

pub fn put(key: &str, value: &str) -> Put {
    Put { key: key.to_owned(), value: Scalar::Text(value.to_owned()), predecessors: Vec::new() }
}

pub fn note(text: &str) -> Put {
    put(&format!("notes/{}/text", Uuid::new_v4()), text)
}

/// A sound change by itself, whatever it fits.
pub fn build(actor: Actor, sequence: u64, start_op: u64, dependencies: &[ChangeHash], puts: Vec<Put>) -> Vec<u8> {
    let parts = ChangeParts { actor, sequence, start_op, dependencies: dependencies.to_vec(), puts };
    Change::build(parts).expect("sound by itself").body().to_vec()
}

/// One bad entry, with what it needs before it.
pub struct Poison {
    /// The outcome that it must have.
    pub reason: &'static str,
    pub before: Vec<Link>,
    pub bad: Link,
    pub document: DocumentId,
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

/// Each is held by name with what builds on it, its neighbours are accepted, and an honest phone of the same beat is
/// none the worse.
pub fn each_is_held_by_name(poisons: impl FnOnce(&mut Rogue, ReplicaId) -> Vec<(String, Poison)>) {
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
