//! More than it is made for: thousands held, hundreds at once, connections that drip, a device that floods.
//!
//! Each situation is measured by itself: how long syncs take in it, and what the server's process holds. What fails is a
//! sync that is not answered, a listener that is dropped, a visit that is missing, or memory beyond its bound.

use std::{
    io::Write as _,
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use aralau_sync_core::{change::Value, frame::MAX_FRAME_ENTRIES, id::DocumentId, sync::MAX_FRAMES};
use aralau_tests::{headquarters::Headquarters, phone::Sdk, rogue::Rogue, world::World};

use crate::{
    campaign::{Size, Tally, worlds},
    crowd::{Listeners, beat, percentile_ms, phones, sync_at_once},
};

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Listeners held.
    pub held: u64,
    /// Phones that sync at once.
    pub at_once: usize,
    /// Connections that drip: heads, and as many bodies.
    pub dripping: usize,
    /// Memory of the server's process, in MiB, at most.
    pub max_memory_mib: u64,
}

/// What the project promises.
pub const PROMISED: Scale = Scale { held: 2000, at_once: 200, dripping: 500, max_memory_mib: 512 };
/// An ordinary test.
pub const SMALL: Scale = Scale { held: 150, at_once: 16, dripping: 40, max_memory_mib: 384 };

/// Visits of each phone in each round.
const VISITS: usize = 10;
/// Rounds of each situation.
const ROUNDS: usize = 5;
/// Entries of one stream that may wait.
const MAX_WAITING: usize = 2_000;

/// As many rounds of all situations as the size says.
pub fn campaign(first: u64, size: Size, scale: Scale) -> Tally {
    worlds("load", first, size, 1, |_, _, tally| world(scale, tally))
}

/// Phones in a situation.
struct Stage<'a> {
    world: &'a World,
    headquarters: Headquarters,
    phones: Vec<Sdk>,
    visits: usize,
    tally: &'a mut Tally,
    scale: Scale,
}

fn world(scale: Scale, tally: &mut Tally) {
    let world = World::new();
    let (headquarters, phones) = (world.headquarters(), phones(&world, scale.at_once));
    tally.note("syncing", scale.at_once as u64);
    tally.note("held", scale.held);
    let mut stage = Stage { world: &world, headquarters, phones, visits: 0, tally, scale };
    stage.tally.most("memory_at_rest_mib", world.server.memory_mib());
    stage.rounds("alone");
    {
        let listeners = Listeners::hold(&world, scale.held);
        stage.tally.most("memory_held_mib", world.server.memory_mib());
        stage.rounds("with_held");
        assert_eq!(listeners.open(), scale.held, "listeners were dropped");
        assert!(listeners.bytes() > 0, "nobody heard of anything");
    }
    stage.while_connections_drip();
    stage.while_a_device_floods();
    world.check();
    let peak = world.server.peak_memory_mib();
    tally.most("peak_memory_mib", peak);
    assert!(peak <= scale.max_memory_mib, "{peak} MiB");
    assert!(!world.server.log().contains("panicked"), "{}", world.server.log());
    tally.count += 1;
}

impl Stage<'_> {
    /// Some rounds of syncs; every visit must have arrived.
    fn rounds(&mut self, name: &str) {
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..ROUNDS {
            took.extend(sync_at_once(&mut self.phones, VISITS));
            self.visits += self.phones.len() * VISITS;
        }
        took.sort();
        for percent in [50, 99] {
            self.tally.most(&format!("{name}_p{percent}_ms"), percentile_ms(&took, percent));
        }
        self.tally.most(&format!("{name}_peak_mib"), self.world.server.peak_memory_mib());
        self.tally.add("syncs", took.len() as u64);
        assert_eq!(self.headquarters.visits("").len(), self.visits, "{name}");
        eprintln!("load: {name}: {:?}", self.tally.figures);
    }

    /// Heads and bodies that bring a byte a second.
    fn while_connections_drip(&mut self) {
        let (address, dripping) = (self.world.server.address, self.scale.dripping);
        let begin = |head: &str| {
            let mut line = TcpStream::connect(address).expect("it listens");
            line.write_all(head.as_bytes()).expect("it listens");
            line
        };
        let body =
            "POST /v1/enroll HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n";
        let heads = (0..dripping).map(|_| begin("POST /v1/sync HTTP/1.1\r\nhost:"));
        let mut lines: Vec<_> = heads.chain((0..dripping).map(|_| begin(body))).collect();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    lines.iter_mut().for_each(|line| drop(line.write_all(b"x")));
                    thread::sleep(Duration::from_secs(1));
                }
            });
            self.rounds("with_dripping");
            stop.store(true, Relaxed);
        });
    }

    /// One device sends entries whose past it keeps to itself, as many as are taken, and then as many again.
    fn while_a_device_floods(&mut self) {
        let mut rogue = Rogue::enroll(self.world, "Mallory", &beat(0));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let mut fates = Vec::new();
                for _ in 0..MAX_WAITING * 2 / (MAX_FRAME_ENTRIES * 8) + 1 {
                    let frames: Vec<_> = (0..8.min(MAX_FRAMES)).map(|_| orphans(&mut rogue)).collect();
                    fates.extend(rogue.send(&frames).fates());
                    if stop.load(Relaxed) {
                        break;
                    }
                }
                fates
            });
            self.rounds("with_flood");
            stop.store(true, Relaxed);
            let fates = flood.join().expect("it is answered");
            let taken = fates.iter().filter(|fate| fate.starts_with("decided")).count() * MAX_FRAME_ENTRIES;
            assert!(taken <= MAX_WAITING, "{taken} were taken");
            self.tally.most("orphans_taken", taken as u64);
        });
    }
}

/// A frame of edits of visits that nobody is told of.
fn orphans(rogue: &mut Rogue) -> Vec<u8> {
    let edit = |_| {
        let (document, _unsent): (DocumentId, _) = rogue.visit("never sent");
        rogue.edit(document, &[("outcome".to_owned(), Value::Text("refused".to_owned()))])
    };
    let links = (0..MAX_FRAME_ENTRIES).map(edit).collect();
    rogue.frame(links)
}
