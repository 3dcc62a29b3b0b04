//! What a device feels: how long a visit takes to be safe, a full store to open, a beat's history to arrive.
//!
//! Runs a real server beside devices of the Client SDK. Prints a line of JSON for each measurement.

use std::{
    cell::Cell,
    fs::File,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use aralau_client_sdk::{
    Client, HttpRequest, HttpResponse, HttpTransport, Millis, Position, Seams, SyncOptions, Transport, TransportError,
    Value, VisitDraft, store::SqliteStore,
};
use aralau_server::{
    entropy::SystemEntropy,
    store::{SEGMENT_ROWS, Store, shrink},
};
use aralau_tests::{chance::Chance, cost::cpu_ms, rogue::now, world::World};
use clap::Parser;
use serde_json::json;

/// Measures a device.
#[derive(Debug, Parser)]
struct Arguments {
    /// Visits of the beat that a new device is given.
    #[arg(long, default_value_t = 10_000)]
    visits: usize,
    /// Visits saved one by one.
    #[arg(long, default_value_t = 500)]
    saves: usize,
    /// New devices, each given all of it.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

const BEAT: &str = "beat-01";
/// What one inspector brings of the beat's history.
const TO_A_PHONE: usize = 500;
const WORDS: [&str; 8] = ["осмотр", "подвал", "кровля", "насос", "щиток", "дверь", "вентиль", "журнал"];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut world = World::to_return();
    let mut chance = Chance::of(1);
    println!("{}", save(&world, arguments.saves, &mut chance)?);
    let mut written = 0;
    for number in 0.. {
        let visits = TO_A_PHONE.min(arguments.visits - written);
        if visits == 0 {
            break;
        }
        let mut author = enrolled(&world, &format!("author-{number}"))?;
        for _ in 0..visits {
            log(&mut author, &mut chance)?;
        }
        sync(&mut author)?;
        written += visits;
    }
    for run in 0..arguments.runs {
        println!("{}", first_sync(&world, &format!("new-{run}"), arguments.visits)?);
    }
    println!("{}", compact(&mut world, arguments.visits)?);
    for run in 0..arguments.runs {
        println!("{}", first_sync(&world, &format!("new-sealed-{run}"), arguments.visits)?);
    }
    Ok(())
}

/// Seals all that was received, as `aralau admin compact` does.
fn compact(world: &mut World, visits: usize) -> Result<serde_json::Value> {
    world.server.stop();
    let data = world.server.data.clone();
    let store = Store::open(&*data, now(), Arc::new(SystemEntropy))?;
    let before = cpu_ms(std::process::id());
    let rows = store.compact(now().plus(1), SEGMENT_ROWS, |_| ())?;
    let cpu_ms = cpu_ms(std::process::id()) - before;
    drop(store);
    let (bytes_before, bytes) = shrink(&*data)?;
    world.server.start_again();
    Ok(json!({
        "measured": "compaction",
        "rows": rows,
        "cpu_ms_a_row": (cpu_ms / rows as f64 * 1000.0).round() / 1000.0,
        "bytes_a_visit_before": bytes_before / visits as u64,
        "bytes_a_visit": bytes / visits as u64,
    }))
}

/// Saving a visit beside the least that a disk takes to confirm anything, in turn.
fn save(world: &World, count: usize, chance: &mut Chance) -> Result<serde_json::Value> {
    let mut client = enrolled(world, "saver")?;
    let mut file = File::create(world.path("saver").join("beside"))?;
    let (mut saves, mut confirmations) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        confirmations.push(began.elapsed());
        let began = Instant::now();
        log(&mut client, chance)?;
        saves.push(began.elapsed());
    }
    let (saves, confirmations) = (Spread::of(saves), Spread::of(confirmations));
    Ok(json!({
        "measured": "save a visit",
        "p50_ms": saves.p50_ms,
        "p99_ms": saves.p99_ms,
        "fdatasync_p50_ms": confirmations.p50_ms,
        "fdatasync_p99_ms": confirmations.p99_ms,
        "ratio": (saves.p50_ms / confirmations.p50_ms * 100.0).round() / 100.0,
    }))
}

/// A new device receives the beat, and its store is opened again.
fn first_sync(world: &World, name: &str, visits: usize) -> Result<serde_json::Value> {
    let mut client = enrolled(world, name)?;
    let line = Counted::default();
    let (before, began) = (world.server.cpu_ms(), Instant::now());
    client.sync(&line, SyncOptions { wait: Duration::from_secs(120) })?;
    let (took, cpu_ms) = (began.elapsed(), world.server.cpu_ms() - before);
    ensure!(client.visits()?.len() >= visits, "the history is not whole");
    drop(client);
    let began = Instant::now();
    let client = open(&world.path(name))?;
    let opened = began.elapsed();
    let began = Instant::now();
    ensure!(client.visits()?.len() >= visits, "the history is not whole");
    Ok(json!({
        "measured": "first sync",
        "of": name,
        "visits": visits,
        "bytes_a_visit": line.bytes.get() as u64 / visits as u64,
        "ms": ms(took),
        "server_cpu_ms": cpu_ms,
        "open_ms": ms(opened),
        "list_all_ms": ms(began.elapsed()),
        "store_bytes_a_visit": bytes_of(&world.path(name))? / visits as u64,
    }))
}

/// Counts what comes down, compressed.
#[derive(Default)]
struct Counted {
    line: HttpTransport,
    bytes: Cell<usize>,
}

impl Transport for Counted {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let response = self.line.send(request)?;
        self.bytes.set(self.bytes.get() + response.body.len());
        Ok(response)
    }
}

/// What a device's folder weighs.
fn bytes_of(home: &Path) -> Result<u64> {
    std::fs::read_dir(home)?.map(|file| Ok(file?.metadata()?.len())).sum()
}

fn open(home: &Path) -> Result<Client<SqliteStore>> {
    Ok(Client::open(home, Seams::system())?)
}

fn enrolled(world: &World, name: &str) -> Result<Client<SqliteStore>> {
    let code = world.code(name, BEAT);
    let mut client = open(&world.path(name))?;
    client.enroll(&HttpTransport::default(), &world.server.url(), &code)?;
    Ok(client)
}

fn sync(client: &mut Client<SqliteStore>) -> Result<()> {
    client.sync(&HttpTransport::default(), SyncOptions { wait: Duration::from_secs(120) })?;
    Ok(())
}

/// A visit with a position, a note of about 200 letters and six fields of an office's own.
fn log(client: &mut Client<SqliteStore>, chance: &mut Chance) -> Result<()> {
    let mut words = String::new();
    while words.chars().count() < 190 {
        let word: &&str = chance.pick(&WORDS);
        words.push_str(word);
        words.push(' ');
    }
    let note = (client.fresh_id(), words);
    let started = Millis(1_780_000_000_000 + chance.below(30 * 24 * 60 * 60 * 1000).cast_signed());
    client.log_visit(VisitDraft {
        visit_type: Some("door_to_door".into()),
        outcome: Some((*chance.pick(&["contacted", "not_home", "refused"])).into()),
        started_at: Some(started),
        ended_at: Some(started.plus(300_000)),
        position: Some(Position {
            lat: 43.0 + chance.below(1_000_000) as f64 / 1e6,
            lon: 76.0 + chance.below(1_000_000) as f64 / 1e6,
            accuracy_m: Some(12.5),
            mock: false,
        }),
        note: Some(note),
        other: (0..6).map(|at| (format!("field_{at}"), Value::Int(chance.below(997).cast_signed()))).collect(),
        ..VisitDraft::default()
    })?;
    Ok(())
}

struct Spread {
    p50_ms: f64,
    p99_ms: f64,
}

impl Spread {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort();
        let at = |percent: usize| ms(took[(took.len() * percent).div_ceil(100).max(1) - 1]);
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// In milliseconds, to hundredths.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
