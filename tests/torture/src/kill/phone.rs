//! A phone killed in the middle of syncs, and of writing.
//!
//! The phone is a process of its own: this package's binary, [`live`]. It says on stdout what it has done, once it is
//! done; whoever kills it reads that and holds it to its word.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use aralau_client_sdk::DocumentId;
use aralau_tests::{
    chance::Chance,
    phone::{self, Phone},
    world::World,
};

use super::{Said, assert_everywhere, assert_level, at_headquarters, safe};
use crate::campaign::{Size, Tally, worlds};

/// Kills in one world; then a new one, so that the phone's lists stay short.
const KILLS_IN_A_WORLD: u64 = 50;
/// After so many kills the judge looks.
const KILLS_BETWEEN_LOOKS: u64 = 10;
/// Visits of the partner before each of the phone's lives: what comes down is killed as often as what goes up.
const PARTNERS_VISITS: u64 = 12;
/// A phone that says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(60);

/// As many kills as the size says. `torture` is the binary whose command `phone` calls [`live`].
pub fn campaign(torture: &Path, first: u64, size: Size) -> Tally {
    worlds("phone-kills", first, size, KILLS_IN_A_WORLD, |seed, kills, tally| world(torture, seed, kills, tally))
}

/// The phone's life: logs and syncs, and says so, until its end.
pub fn live(home: &Path, seed: u64) -> ! {
    let mut chance = Chance::of(seed);
    let mut client = phone::open(home);
    let mut told = BTreeSet::new();
    loop {
        for number in 0..=chance.below(12) {
            println!("logged {}", phone::log(&mut client, &format!("note {number}")));
        }
        println!("sync");
        println!("{}", if phone::sync(&mut client, 0).is_ok() { "synced" } else { "failed" });
        for visit in safe(&client) {
            if told.insert(visit) {
                println!("safe {visit}");
            }
        }
    }
}

fn world(torture: &Path, seed: u64, kills: u64, tally: &mut Tally) {
    let mut chance = Chance::of(seed);
    let world = World::new();
    let headquarters = world.headquarters();
    let (phone, partner) = (world.phone("Aigul", "beat-01"), world.phone("Boris", "beat-01"));
    let mut partner = partner.sdk();
    let mut logged = BTreeSet::new();
    let mut said = Said::default();
    let mut longest = Duration::from_millis(40);
    for kill in 1..=kills {
        logged.extend((0..PARTNERS_VISITS).map(|number| phone::log(&mut partner, &format!("partner's {number}"))));
        phone::sync(&mut partner, 8).expect("the server runs");
        let mut life = Life::begin(torture, &phone, chance.bits());
        let moment = life.live_until(&mut chance, &mut longest);
        life.end(&mut said);
        tally.count += 1;
        tally.add(moment, 1);
        if kill % KILLS_BETWEEN_LOOKS == 0 || kill == kills {
            assert_kept(&phone, &said, &at_headquarters(&headquarters));
        }
    }
    tally.add("acknowledged", said.safe.len() as u64);

    let mut clients = [phone.sdk(), partner];
    let known: BTreeSet<_> = clients[0].visits().expect("readable").iter().map(|visit| visit.id).collect();
    for _ in 0..2 {
        clients.iter_mut().for_each(|client| drop(phone::sync(client, 20).expect("the server runs")));
    }
    // What it had no time to say that it had written is there as well.
    logged.extend(known.union(&said.logged));
    assert_everywhere(&logged, &clients, &headquarters);
    assert_level(&clients);
    world.check();
}

/// Before the phone says a word more: what it said it wrote is there, and what it said headquarters has, headquarters has.
fn assert_kept(phone: &Phone, said: &Said, here: &BTreeSet<DocumentId>) {
    let client = phone.sdk();
    let status = client.status().expect("readable");
    assert_eq!((status.orphans, status.alarms), (0, Vec::new()), "a kill is neither a fork nor a copy");
    let known: BTreeSet<_> = client.visits().expect("readable").iter().map(|visit| visit.id).collect();
    assert_eq!(said.logged.difference(&known).count(), 0, "lost of {} written", said.logged.len());
    assert_eq!(said.safe.difference(here).count(), 0, "lost of {} acknowledged", said.safe.len());
}

/// One process of the phone.
struct Life {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Life {
    fn begin(torture: &Path, phone: &Phone, seed: u64) -> Self {
        let mut command = Command::new(torture);
        command.arg("phone").arg(&phone.home).arg(seed.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the phone starts");
        let stdout = child.stdout.take().expect("piped");
        let (say, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                drop(say.send(line));
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Lives until the moment of its end; says in the middle of what that is. `longest` is how long its syncs take.
    fn live_until(&mut self, chance: &mut Chance, longest: &mut Duration) -> &'static str {
        if chance.below(4) == 0 {
            // Anywhere.
            self.listen_for(Duration::from_micros(chance.below(150_000)));
        } else {
            for _ in 0..chance.below(2) {
                let began = self.hear("sync");
                *longest = (*longest + (self.hear_end() - began)) / 2;
            }
            self.hear("sync");
            let whole_us = u64::try_from(longest.as_micros()).expect("a sync is short");
            self.listen_for(Duration::from_micros(chance.below(whole_us.max(1))));
        }
        drop(self.child.kill());
        let last = self.heard.iter().rev().find(|line| !line.starts_with("safe "));
        match last.map(String::as_str) {
            Some("sync") => "in_mid_sync",
            Some("synced" | "failed") | None => "between",
            Some(_) => "in_mid_writing",
        }
    }

    fn hear(&mut self, wanted: &str) -> Instant {
        self.hear_until(|line| line == wanted)
    }

    fn hear_end(&mut self) -> Instant {
        self.hear_until(|line| line == "synced" || line == "failed")
    }

    fn hear_until(&mut self, is_it: impl Fn(&str) -> bool) -> Instant {
        loop {
            let line = self.lines.recv_timeout(SILENCE).expect("the phone lives");
            let found = is_it(&line);
            self.heard.push(line);
            if found {
                return Instant::now();
            }
        }
    }

    fn listen_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the phone died by itself"),
            }
        }
    }

    /// Notes all that it said; its last line may be cut.
    fn end(mut self, said: &mut Said) {
        drop(self.child.kill());
        self.child.wait().expect("it can be waited for");
        self.heard.extend(self.lines.iter());
        let ids = |word: &'static str| {
            let lines = self.heard.iter().filter_map(move |line| line.strip_prefix(word));
            lines.filter_map(|id| id.trim().parse::<DocumentId>().ok())
        };
        said.logged.extend(ids("logged"));
        said.safe.extend(ids("safe"));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
