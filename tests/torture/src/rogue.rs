//! One enrolled phone does its worst while others work: how long they wait for their syncs beside it and without it, in the
//! same run, and what the server's process holds.
//!
//! Each [`Worst`] is measured by itself, against the same phones just before it. What fails is a sync that is not answered, a
//! wait of more than [`Scale::max_ratio`] times, a visit that is missing, or memory beyond its bound.
//!
//! The server has one processor and everybody else another, for phones bring their own; the rogue works only when no phone
//! does. Phones of the rogue's own beat are counted apart: they take in what it writes, as everybody does who shares a beat, and
//! that work is theirs.

mod worst;

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::setpriority_process,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use aralau_tests::{
    headquarters::Headquarters,
    phone::{self, Sdk},
    world::World,
};

use crate::{
    campaign::{Size, Tally, worlds},
    crowd::{beat, percentile_ms, phones},
};
pub use worst::Worst;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Honest phones, each of which syncs again and again.
    pub phones: usize,
    /// Syncs of each phone beside each worst, and as many without it.
    pub syncs: usize,
    /// Visits of the rogue's own that it wrote before, so that its beat has a long log.
    pub rows: usize,
    /// Documents of the rogue's own that are as large as it makes them.
    pub documents: usize,
    /// Changes of each of them.
    pub changes: usize,
    /// Requests of nothing but new words that it has ready; when these are sent, it sends them again.
    pub requests: usize,
    /// What the slowest of a hundred syncs may take, times what it takes without the rogue.
    pub max_ratio: f64,
    /// Memory of the server's process, in MiB, at most.
    pub max_memory_mib: u64,
}

/// What the project promises.
pub const PROMISED: Scale = Scale {
    phones: 8,
    syncs: 60,
    rows: 40_000,
    documents: 100,
    changes: 2_000,
    requests: 200,
    max_ratio: 2.0,
    max_memory_mib: 256,
};
/// An ordinary test: that everything is answered, and that it holds where nothing is timed.
pub const SMALL: Scale = Scale {
    phones: 4,
    syncs: 6,
    rows: 1_000,
    documents: 12,
    changes: 200,
    requests: 3,
    max_ratio: f64::INFINITY,
    max_memory_mib: 256,
};

/// Waits below this are called short whatever they were without the rogue.
const SHORT: Duration = Duration::from_millis(25);
/// Between two syncs of a phone.
const PAUSE: Duration = Duration::from_millis(40);

/// As many rounds of all of it as the size says.
pub fn campaign(first: u64, size: Size, scale: Scale, worsts: &[Worst]) -> Tally {
    worlds("rogue", first, size, 1, |_, _, tally| world(scale, worsts, tally))
}

fn world(scale: Scale, worsts: &[Worst], tally: &mut Tally) {
    // What is measured is what a phone can do within it; a patient one grows as large a document in some weeks.
    let world = on_processors(|| World::set(&[("ARALAU_DEVICE_QUOTA_MIB", "100000")]));
    let mut stage = Stage {
        headquarters: world.headquarters(),
        phones: phones(&world, scale.phones),
        logged: 0,
        broken: Vec::new(),
        world: &world,
        tally,
        scale,
    };
    for worst in worsts {
        stage.beside(*worst);
    }
    let Stage { headquarters, logged, broken, .. } = stage;
    let of = |number| headquarters.visits(&format!("&author=Inspector%20{number}")).len();
    assert_eq!((0..scale.phones).map(of).sum::<usize>(), logged, "not every visit has arrived");
    world.check();
    assert!(!world.server.log().contains("panicked"), "{}", world.server.log());
    assert!(broken.is_empty(), "{broken:#?}");
    tally.count += 1;
}

struct Stage<'a> {
    world: &'a World,
    headquarters: Headquarters,
    phones: Vec<Sdk>,
    logged: usize,
    broken: Vec<String>,
    tally: &'a mut Tally,
    scale: Scale,
}

impl Stage<'_> {
    /// The phones' syncs without the rogue, and beside it.
    fn beside(&mut self, worst: Worst) {
        let mut rogue = worst.prepare(self.world, self.scale);
        let name = worst.name();
        // So that nothing of that is left to be written.
        thread::sleep(Duration::from_secs(3));
        let alone = self.syncs();
        let stop = AtomicBool::new(false);
        let beside = thread::scope(|scope| {
            let harm = scope.spawn(|| rogue.harm(&stop));
            // So that it is under way.
            thread::sleep(Duration::from_secs(1));
            let beside = self.syncs();
            stop.store(true, Relaxed);
            self.tally.add(&format!("{name}_requests"), harm.join().expect("the rogue gets some answer"));
            beside
        });
        let [alone_ms, beside_ms] = [&alone, &beside].map(|took| percentile_ms(&took.others, 99));
        let partners = [&alone, &beside].map(|took| percentile_ms(&took.partners, 99));
        let (peak, scale) = (self.world.server.peak_memory_mib(), self.scale);
        let figures = [
            ("alone_p99_ms", alone_ms),
            ("beside_p99_ms", beside_ms),
            ("partners_alone_p99_ms", partners[0]),
            ("partners_beside_p99_ms", partners[1]),
            ("peak_mib", peak),
        ];
        figures.iter().for_each(|(figure, value)| self.tally.most(&format!("{name}_{figure}"), *value));
        let bound = SHORT.as_millis() as f64;
        if beside_ms as f64 > (alone_ms as f64).max(bound) * scale.max_ratio {
            self.broken.push(format!("{name}: syncs take {beside_ms} ms beside it, {alone_ms} ms without"));
        }
        if peak > scale.max_memory_mib {
            self.broken.push(format!("{name}: the server has held {peak} MiB"));
        }
        let [partners_alone, partners_beside] = partners;
        eprintln!(
            "rogue: {name}: {alone_ms} ms alone, {beside_ms} ms beside it, {partners_alone} and {partners_beside} ms in its beat, {peak} MiB"
        );
    }

    /// Every phone logs a visit and syncs, again and again.
    fn syncs(&mut self) -> Took {
        let syncs = self.scale.syncs;
        let work = |client: &mut Sdk| {
            let one = |number| {
                phone::log(client, &format!("note {number}"));
                let began = Instant::now();
                phone::sync(client, 120).expect("the server serves");
                let took = began.elapsed();
                thread::sleep(PAUSE);
                took
            };
            (0..syncs).map(one).collect::<Vec<_>>()
        };
        let took: Vec<_> = thread::scope(|scope| {
            let working: Vec<_> = (self.phones.iter_mut().enumerate())
                .map(|(number, client)| {
                    let is_partner = beat(number) == beat(worst::BEAT_OF);
                    scope.spawn(move || {
                        // What the rogue wrote they receive, and work on it on the processor of all phones.
                        if is_partner {
                            step_aside();
                        }
                        work(client)
                    })
                })
                .collect();
            working.into_iter().map(|working| working.join().expect("it syncs")).collect()
        });
        self.logged += took.iter().map(Vec::len).sum::<usize>();
        let (partners, others): (Vec<_>, Vec<_>) =
            took.into_iter().enumerate().partition(|(number, _)| beat(*number) == beat(worst::BEAT_OF));
        let sorted = |phones: Vec<(usize, Vec<Duration>)>| {
            let mut all: Vec<_> = phones.into_iter().flat_map(|(_, took)| took).collect();
            all.sort();
            all
        };
        let (partners, others) = (sorted(partners), sorted(others));
        let others = if others.is_empty() { partners.clone() } else { others };
        Took { partners, others }
    }
}

/// How long each sync took, sorted.
struct Took {
    /// Of the phones of the rogue's beat.
    partners: Vec<Duration>,
    /// Of all others.
    others: Vec<Duration>,
}

/// This thread works where the others of its processor leave time.
fn step_aside() {
    // On Linux a thread has a priority of its own.
    setpriority_process(None, 19).expect("nicer");
}

/// What this starts runs on one processor, and whatever comes after it on another, where there are two.
fn on_processors<T>(start: impl FnOnce() -> T) -> T {
    // Once: what has been kept to a processor by an earlier world is allowed no other any more.
    static ALLOWED: LazyLock<CpuSet> = LazyLock::new(|| sched_getaffinity(None).expect("known"));
    let allowed = *ALLOWED;
    let mut processors = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number));
    let (Some(ours), Some(theirs)) = (processors.next(), processors.next()) else {
        eprintln!("rogue: there is one processor, which the server shares with everybody");
        return start();
    };
    let only = |number| {
        let mut set = CpuSet::new();
        set.set(number);
        sched_setaffinity(None, &set).expect("one that is allowed");
    };
    only(theirs);
    let started = start();
    only(ours);
    started
}
