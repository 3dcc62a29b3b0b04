//! What is kept apart, and what becomes of it.

use std::collections::BTreeMap;

use aralau_server::store::{self, Said};
use aralau_sync_core::{
    change::Change,
    document::Document,
    frame::Frame,
    id::{Actor, DocumentId, ReplicaId},
    log::RowKind,
    reconcile::RejectedPast,
    stream::Entry,
    sync::FrameFate,
};
use uuid::Uuid;

use crate::world::{NOW, Phone, STAYS, World, header, visit};

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
