//! Our own client in the peers' harness: real devices of the client SDK, driven by lines on stdin.
//!
//! What it is given and what it owes is in `tests/bench/README.md`, "The aralau client".

mod crowd;
mod workload;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use aralau_client_sdk::{Client, HttpTransport, Seams, SyncOptions, Value, VisitView, store::SqliteStore};
use aralau_server::{
    entropy::SystemEntropy,
    store::{self, Store, StoreError},
};
use aralau_tests::rogue::now;
use serde_json::json;
use tempfile::TempDir;

use workload::Workload;

/// The crowd of a peer that takes the visits' JSON.
const JSON: &str = "json";

/// What the harness says in the environment.
struct Told {
    mode: String,
    port: u16,
    /// Opened beside the server, as operators' commands do; none of another peer's.
    store: Option<Store>,
    crowd: Option<String>,
    result: Option<PathBuf>,
    workload: Workload,
}

impl Told {
    fn read() -> Result<Self> {
        let text = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
        let crowd = std::env::var("CROWD").ok().filter(|crowd| !crowd.is_empty());
        let data = text("DATA_DIR")?;
        let is_ours = crowd.as_deref() != Some(JSON);
        let open = || Store::open(Path::new(&data), now(), Arc::new(SystemEntropy));
        Ok(Self {
            mode: text("MODE")?,
            port: text("PORT")?.parse()?,
            store: is_ours.then(open).transpose()?,
            crowd,
            result: std::env::var_os("RESULT").map(PathBuf::from),
            workload: serde_json::from_slice(&std::fs::read(text("WORKLOAD")?)?)?,
        })
    }

    /// Headquarters' and an editor's device read and write everywhere.
    fn all_beats(&self) -> Range<usize> {
        0..self.workload.visits.len() / self.workload.visits_per_device
    }

    /// A new device for these beats, with a code as `aralau admin enroll` makes it, enrolled over the wire.
    fn device(&self, homes: &TempDir, name: &str, beats: Range<usize>) -> Result<Client<SqliteStore>> {
        let (inspector, now) = (name.to_owned(), now());
        let store = self.store.as_ref().context("no store of ours")?;
        let code = store.write(move |tx| {
            let (person, _) = store::ensure_person(tx, &inspector, now)?;
            for beat in beats.clone() {
                let beat = store::beat(tx, &format!("beat-{beat}"))?;
                let beat = beat.ok_or_else(|| StoreError::Internal("no such beat".to_owned()))?;
                store::grant(tx, person, beat.scope, now)?;
            }
            store::make_code(tx, person, 60 * 60 * 1000, now)
        })?;
        let mut client = Client::open(&homes.path().join(name), Seams::system())?;
        client.enroll(&HttpTransport::default(), &format!("http://127.0.0.1:{}", self.port), &code)?;
        Ok(client)
    }
}

fn say(word: &str, what: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@@{word} {what}")?;
    Ok(out.flush()?)
}

/// Waits for `go [round]`; `None` when the harness is done with us.
fn go() -> Result<Option<usize>> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some(round) = line.strip_prefix("go") {
            return Ok(Some(round.trim().parse().unwrap_or(0)));
        }
        if line.starts_with("stop") {
            break;
        }
    }
    Ok(None)
}

fn main() -> Result<()> {
    let told = Told::read()?;
    let homes = tempfile::tempdir()?;
    match told.mode.as_str() {
        "storm" => match told.crowd.as_deref() {
            None => storm(&told, &homes),
            Some(JSON) => crowd(&told, json_requests(&told)?),
            Some(_) => crowd(&told, sync_requests(&told, &homes)?),
        },
        "hq" => headquarters(&told, &homes),
        "catchup" => catch_up(&told, &homes),
        "change" => change(&told, &homes),
        other => bail!("no mode {other}"),
    }
}

/// A connection of its own for each call, as a phone that finds signal has.
fn sync(client: &mut Client<SqliteStore>) -> Result<u64> {
    let report = client.sync(&HttpTransport::default(), SyncOptions { wait: Duration::from_secs(120) })?;
    Ok(report.pushed)
}

fn storm(told: &Told, homes: &TempDir) -> Result<()> {
    let per_device = told.workload.visits_per_device;
    let mut devices = Vec::new();
    for (number, visits) in told.workload.visits.chunks(per_device).enumerate() {
        let mut device = told.device(homes, &format!("device-{number}"), number..number + 1)?;
        for visit in visits {
            let note = device.fresh_id();
            device.log_visit(visit.draft(note))?;
        }
        devices.push(device);
    }
    say("ready", &json!({}))?;
    if go()?.is_none() {
        return Ok(());
    }
    let acked: Result<u64> = std::thread::scope(|scope| {
        let running: Vec<_> = devices.iter_mut().map(|device| scope.spawn(|| sync(device))).collect();
        running.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a device panicked"))).sum()
    });
    say("done", &json!({ "acked": acked? }))?;
    // The harness ends us, or asks no more.
    go().map(drop)
}

/// What devices would send, each made and then forgotten: so many stores would be too many files.
fn sync_requests(told: &Told, homes: &TempDir) -> Result<Vec<Vec<u8>>> {
    let mut requests = Vec::new();
    for (number, visits) in told.workload.visits.chunks(told.workload.visits_per_device).enumerate() {
        let name = format!("device-{number}");
        let mut device = told.device(homes, &name, number..number + 1)?;
        for visit in visits {
            let note = device.fresh_id();
            device.log_visit(visit.draft(note))?;
        }
        let kept = crowd::Kept::default();
        drop(device.sync(&kept, SyncOptions { wait: Duration::ZERO }));
        requests.push(kept.request()?);
        drop(device);
        std::fs::remove_dir_all(homes.path().join(name))?;
    }
    Ok(requests)
}

/// The same visits as the peers by hand take them.
fn json_requests(told: &Told) -> Result<Vec<Vec<u8>>> {
    let request = |visits: &[workload::Visit]| -> Result<Vec<u8>> {
        let headers = [("content-type", "application/json".to_owned())];
        Ok(crowd::raw("POST", "/visits", &headers, &serde_json::to_vec(visits)?))
    };
    told.workload.visits.chunks(told.workload.visits_per_device).map(request).collect()
}

fn crowd(told: &Told, requests: Vec<Vec<u8>>) -> Result<()> {
    say("ready", &json!({}))?;
    if go()?.is_none() {
        return Ok(());
    }
    let answered = crowd::send(told.port, requests)?;
    say("done", &json!({ "acked": answered * told.workload.visits_per_device as u64 }))?;
    go().map(drop)
}

/// Of more beats a device does not hear: headquarters then has several.
const BEATS_OF_A_DEVICE: usize = 1_000;

fn headquarters(told: &Told, homes: &TempDir) -> Result<()> {
    let all = told.all_beats();
    let mut devices = Vec::new();
    for first in all.clone().step_by(BEATS_OF_A_DEVICE) {
        let beats = first..all.end.min(first + BEATS_OF_A_DEVICE);
        devices.push(told.device(homes, &format!("hq-{first}"), beats)?);
    }
    say("ready", &json!({}))?;
    if go()?.is_none() {
        return Ok(());
    }
    devices.iter_mut().try_for_each(|device| sync(device).map(drop))?;
    let ended = std::time::Instant::now();
    let mut visits = Vec::new();
    for device in &devices {
        visits.extend(device.visits()?);
    }
    if let Some(path) = &told.result {
        told.workload.write_result(path, &visits)?;
    }
    say("done", &json!({ "age_s": ended.elapsed().as_secs_f64() }))?;
    go().map(drop)
}

fn catch_up(told: &Told, homes: &TempDir) -> Result<()> {
    let mut device = told.device(homes, &told.mode, told.all_beats())?;
    sync(&mut device)?;
    say("ready", &json!({}))?;
    while go()?.is_some() {
        sync(&mut device)?;
        let ended = std::time::Instant::now();
        if let Some(path) = &told.result {
            told.workload.write_result(path, &device.visits()?)?;
        }
        say("done", &json!({ "age_s": ended.elapsed().as_secs_f64() }))?;
        say("offline", &json!({}))?;
    }
    Ok(())
}

fn change(told: &Told, homes: &TempDir) -> Result<()> {
    // The harness starts a fresh editor for each round, beside the ones before.
    let mut device = told.device(homes, &format!("editor-{}", std::process::id()), told.all_beats())?;
    sync(&mut device)?;
    // The harness knows its visits by a field; a document's own id is a fresh UUID.
    let named = |view: VisitView| match view.other.get("id") {
        Some(Value::Text(id)) => Some((id.clone(), view.id)),
        _ => None,
    };
    let documents: BTreeMap<_, _> = device.visits()?.into_iter().filter_map(named).collect();
    say("ready", &json!({}))?;
    while let Some(round) = go()? {
        for change in told.workload.changes.get(round).context("no such round")? {
            let visit = told.workload.visits.get(change.i).context("no such visit")?;
            let document = documents.get(&visit.id).context("a visit never arrived")?;
            device.edit_visit(*document, &change.edits())?;
        }
        sync(&mut device)?;
        say("done", &json!({}))?;
    }
    Ok(())
}
