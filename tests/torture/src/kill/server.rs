//! A server killed in the middle of uploads.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use aralau_client_sdk::{DocumentId, Value, VisitEdit};
use aralau_tests::{
    chance::Chance,
    phone::{self, Sdk},
    process::eventually,
    world::World,
};

use super::{Said, assert_everywhere, assert_level, at_headquarters, safe};
use crate::campaign::{Size, Tally, worlds};

/// Kills in one world; then a new one, so that each phone's lists stay short.
const KILLS_IN_A_WORLD: u64 = 50;
/// After so many kills the judge looks, while the phones go on.
const KILLS_BETWEEN_LOOKS: u64 = 10;

/// As many kills as the size says.
pub fn campaign(first: u64, size: Size) -> Tally {
    worlds("server-kills", first, size, KILLS_IN_A_WORLD, world)
}

/// What the phones' threads share with whoever kills.
#[derive(Default)]
struct Scene {
    stop: AtomicBool,
    /// Syncs under way now.
    under_way: AtomicU64,
    /// Syncs that were answered.
    answered: AtomicU64,
}

fn world(seed: u64, kills: u64, tally: &mut Tally) {
    let mut chance = Chance::of(seed);
    let mut world = World::to_return();
    let homes = ["Aigul", "Boris", "Zarina"].map(|name| world.phone(name, "beat-01").home);
    let headquarters = world.headquarters();
    let scene = Scene::default();
    let said: [Mutex<Said>; 3] = Default::default();
    let heard = |of: fn(&Said) -> &BTreeSet<DocumentId>| -> BTreeSet<DocumentId> {
        said.iter().flat_map(|said| of(&said.lock().expect("it lives")).clone()).collect()
    };
    let assert_kept = || {
        // First what was acknowledged, then what is here: what comes in between does no harm.
        let safe = heard(|said| &said.safe);
        let lost = safe.difference(&at_headquarters(&headquarters)).count();
        assert_eq!(lost, 0, "lost of {} acknowledged", safe.len());
        safe.len()
    };
    thread::scope(|scope| {
        for (home, said) in homes.iter().zip(&said) {
            let (mut chance, scene) = (chance.fork(), &scene);
            scope.spawn(move || inspect(home, &mut chance, scene, said));
        }
        let _stop = StopWhenDropped(&scene.stop);
        for kill in 1..=kills {
            await_moment(&scene, &mut chance);
            tally.add("in_mid_sync", u64::from(scene.under_way.load(Relaxed) > 0));
            world.server.kill();
            tally.count += 1;
            world.server.start_again();
            if kill % KILLS_BETWEEN_LOOKS == 0 {
                assert_kept();
            }
        }
    });
    // Before any phone says a word more.
    let acknowledged = assert_kept();
    world.check();
    tally.add("acknowledged", acknowledged as u64);
    tally.add("syncs_answered", scene.answered.load(Relaxed));

    // And once the line holds, everything is there.
    let mut clients: Vec<_> = homes.iter().map(|home| phone::open(home)).collect();
    for _ in 0..2 {
        clients.iter_mut().for_each(|client| drop(phone::sync(client, 20).expect("the line holds")));
    }
    assert_everywhere(&heard(|said| &said.logged), &clients, &headquarters);
    assert_level(&clients);
    world.check();
    assert!(world.server.stop().success());
    assert_eq!(world.admin(&["rebuild"]).ok().object()["changed"], 0);
}

/// Ends the phones' threads also where the judge panics.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Half of the moments lie anywhere, half soon after a sync began.
fn await_moment(scene: &Scene, chance: &mut Chance) {
    if chance.below(2) == 0 {
        thread::sleep(Duration::from_millis(5 + chance.below(200)));
    } else {
        eventually("a phone syncs", || scene.under_way.load(Relaxed) > 0);
        thread::sleep(Duration::from_micros(chance.below(30_000)));
    }
}

/// Logs, edits and syncs until told to stop.
fn inspect(home: &Path, chance: &mut Chance, scene: &Scene, said: &Mutex<Said>) {
    let mut client = phone::open(home);
    while !scene.stop.load(Relaxed) {
        // Now and then more than fits into one frame.
        let visits = if chance.below(16) == 0 { 130 } else { 1 + chance.below(12) };
        for number in 0..visits {
            let logged = phone::log(&mut client, &format!("note {number}"));
            said.lock().expect("the judge lives").logged.insert(logged);
        }
        edit_one(&mut client, chance);
        // A killed server answers nothing: that is the phone's daily life, and no reason to stop.
        scene.under_way.fetch_add(1, Relaxed);
        let synced = phone::sync(&mut client, 0);
        scene.under_way.fetch_sub(1, Relaxed);
        scene.answered.fetch_add(u64::from(synced.is_ok()), Relaxed);
        said.lock().expect("the judge lives").safe.extend(safe(&client));
    }
}

fn edit_one(client: &mut Sdk, chance: &mut Chance) {
    let known = client.visits().expect("readable");
    let edited = chance.pick(&known).id;
    let outcome = (*chance.pick(&["refused", "no_answer", "contacted"])).to_owned();
    let set = VisitEdit::Set { field: "outcome".into(), value: Value::Text(outcome) };
    client.edit_visit(edited, &[set]).expect("it is kept");
}
