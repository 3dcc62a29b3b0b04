//! Killed at any moment, nothing that was acknowledged is lost.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use aralau_client_sdk::{DocumentId, VisitEdit, VisitState};
use aralau_tests::{
    chance::Chance,
    phone::{self, Sdk},
    process::command,
    world::World,
};

/// Moments at which the server is killed.
const SERVER_KILLS: usize = 50;
/// Moments at which a phone's process is killed.
const PHONE_KILLS: usize = 20;

/// Logs and syncs until told to stop; returns every visit it ever logged, and those it was told are safe.
fn inspect(home: PathBuf, mut chance: Chance, stop: &AtomicBool, syncs: &AtomicU64) -> Memory {
    let mut client = phone::open(&home);
    let mut memory = Memory { home, ..Memory::default() };
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..=chance.below(12) {
            let note = format!("note {}", memory.logged.len());
            memory.logged.insert(phone::log(&mut client, &note));
        }
        let known = client.visits().unwrap();
        let edited = chance.pick(&known).id;
        let outcome = (*chance.pick(&["refused", "no_answer", "contacted"])).to_owned();
        let set = VisitEdit::Set { field: "outcome".into(), value: aralau_client_sdk::Value::Text(outcome) };
        client.edit_visit(edited, &[set]).unwrap();
        // A killed server answers nothing: that is the phone's daily life, and no reason to stop.
        if phone::sync(&mut client, 0).is_ok() {
            syncs.fetch_add(1, Ordering::Relaxed);
        }
        memory.note_what_is_safe(&client);
    }
    memory
}

#[derive(Default)]
struct Memory {
    home: PathBuf,
    logged: BTreeSet<DocumentId>,
    safe: BTreeSet<DocumentId>,
}

impl Memory {
    fn note_what_is_safe(&mut self, client: &Sdk) {
        let acknowledged = |state: &VisitState| matches!(state, VisitState::Received | VisitState::AtHeadquarters);
        let visits = client.visits().unwrap();
        self.safe.extend(visits.iter().filter(|visit| acknowledged(&visit.state)).map(|visit| visit.id));
    }
}

#[test]
fn a_server_killed_fifty_times_in_the_middle_of_syncs_loses_no_acknowledged_visit() {
    let mut world = World::to_return();
    let homes: Vec<_> =
        ["Aigul", "Boris", "Zarina"].iter().map(|name| world.phone(name, "beat-01").home.clone()).collect();
    let headquarters = world.headquarters();
    let (stop, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut chance = Chance::new();
    let phones: Vec<_> = homes
        .into_iter()
        .map(|home| {
            let (chance, stop, syncs) = (chance.fork(), Arc::clone(&stop), Arc::clone(&syncs));
            thread::spawn(move || inspect(home, chance, &stop, &syncs))
        })
        .collect();
    for _ in 0..SERVER_KILLS {
        // The moment is what is random here: anywhere from before the first byte to after the last.
        thread::sleep(Duration::from_millis(5 + chance.below(250)));
        world.server.kill();
        world.server.start_again();
    }
    stop.store(true, Ordering::Relaxed);
    let memories: Vec<Memory> = phones.into_iter().map(|phone| phone.join().expect("the phone lives")).collect();
    assert!(syncs.load(Ordering::Relaxed) >= 20, "the server was never up for long enough: {syncs:?} syncs");

    let at_headquarters = || -> BTreeSet<DocumentId> {
        let visits = headquarters.visits("");
        visits.iter().map(|visit| visit["id"].as_str().unwrap().parse().unwrap()).collect()
    };
    // Before any phone says a word more: what was acknowledged is here.
    let here = at_headquarters();
    let safe: BTreeSet<_> = memories.iter().flat_map(|memory| memory.safe.iter().copied()).collect();
    assert!(safe.len() > 50, "too little was acknowledged to prove anything: {}", safe.len());
    assert_eq!(safe.difference(&here).count(), 0, "lost of {} acknowledged", safe.len());
    world.check();

    // And once the line holds, everything is.
    let mut clients: Vec<_> = memories.iter().map(|memory| phone::open(&memory.home)).collect();
    for _ in 0..2 {
        clients.iter_mut().for_each(|client| drop(phone::sync(client, 20).unwrap()));
    }
    let logged: BTreeSet<_> = memories.iter().flat_map(|memory| memory.logged.iter().copied()).collect();
    assert_eq!(at_headquarters(), logged);
    assert_level(&clients);
    for client in &clients {
        let visits = client.visits().unwrap();
        assert_eq!(visits.iter().map(|visit| visit.id).collect::<BTreeSet<_>>(), logged);
        assert!(visits.iter().all(|visit| visit.state == VisitState::AtHeadquarters));
    }
    assert_eq!(headquarters.quarantine().len(), 0);
    world.check();
    assert!(world.server.stop().success());
    assert_eq!(world.admin(&["rebuild"]).ok().object()["changed"], 0);
}

/// All phones hold the same rows under a receipt whose root they computed themselves, and no alarm.
fn assert_level(clients: &[Sdk]) {
    let standing = |client: &Sdk| {
        let status = client.status().unwrap();
        assert_eq!((status.unsent, status.orphans, &status.alarms), (0, 0, &Vec::new()));
        let scopes = status.scopes.iter();
        scopes.map(|scope| (scope.scope, scope.epoch, scope.sequence, scope.verified)).collect::<Vec<_>>()
    };
    let first = standing(&clients[0]);
    for client in clients {
        let here = standing(client);
        assert!(here.iter().all(|(_, _, sequence, verified)| sequence == verified), "{here:?}");
        assert_eq!(here, first);
    }
}

#[test]
fn a_phone_killed_twenty_times_in_the_middle_of_a_sync_goes_on_where_it_was() {
    let world = World::new();
    let (phone, partner) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let mut chance = Chance::new();
    let mut logged = BTreeSet::new();
    let (mut longest_ms, mut ended_by_itself) = (60, 0);
    for round in 0..PHONE_KILLS {
        // What comes down is killed as often as what goes up.
        for phone in [&phone, &partner] {
            let mut client = phone.sdk();
            logged.extend((0..15).map(|n| phone::log(&mut client, &format!("{round}/{n}"))));
        }
        partner.sync();
        let mut child = command(["device", "--home", phone.home.to_str().unwrap(), "sync"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(chance.below(longest_ms)));
        drop(child.kill());
        let is_done = child.wait().unwrap().success();
        ended_by_itself += usize::from(is_done);
        // The moments spread over a whole sync, however long one takes on this machine.
        longest_ms = if is_done { longest_ms * 2 / 3 } else { longest_ms * 3 / 2 };
    }
    assert!(ended_by_itself < PHONE_KILLS, "every sync was over before its end came");
    println!("{ended_by_itself} of {PHONE_KILLS} were done before they were killed");
    let status = phone.run(&["status"]).ok().object();
    assert_eq!(status["alarms"], serde_json::json!([]), "a kill is neither a fork nor a copy");
    phone.sync();
    partner.sync();
    phone.sync();
    let clients = [phone.sdk(), partner.sdk()];
    assert_level(&clients);
    let visits = world.headquarters().visits("");
    let here: BTreeSet<DocumentId> =
        visits.iter().map(|visit| visit["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(here, logged);
    assert_eq!(here, clients[0].visits().unwrap().iter().map(|visit| visit.id).collect());
    world.check();
}
