//! Headquarters' questions at a steady rate: whether the server keeps up or not, the next one is asked when it is due.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use aralau_client_sdk::Millis;
use aralau_server::{app::App, auth, authorize::Role, serve};
use serde_json::json;
use tokio::net::TcpListener;

use crate::fill::{Organisation, random};

/// Callers at once; a question waits for a free one, and that counts.
const CALLERS: u64 = 16;

/// How long the answers to one kind of question took, in milliseconds.
pub struct Asked {
    kind: &'static str,
    waits_ms: Vec<f64>,
}

impl Asked {
    /// As a line of the report.
    pub fn to_json(&self, visits: usize) -> serde_json::Value {
        let at = |share: f64| {
            let rank = ((self.waits_ms.len() as f64 * share).ceil() as usize).clamp(1, self.waits_ms.len()) - 1;
            (self.waits_ms[rank] * 100.0).round() / 100.0
        };
        json!({
            "visits": visits,
            "asked": self.kind,
            "answers": self.waits_ms.len(),
            "p50_ms": at(0.5),
            "p99_ms": at(0.99),
            "most_ms": at(1.0),
        })
    }
}

/// The path of a question, from the beats and a number.
type Question = fn(&[String], u64) -> String;

/// What is asked; each question is about another beat, person, day or word.
const KINDS: [(&str, Question); 7] = [
    ("newest", |_, _| "/v1/visits".to_owned()),
    ("beat, outcome", |beats, at| format!("/v1/visits?beat={}&outcome=refused", of(beats, at))),
    ("beat, type, period", |beats, at| {
        format!("/v1/visits?beat={}&type=complaint&from={}&to=2027-06-30", of(beats, at), day(at))
    }),
    ("author", |_, at| format!("/v1/visits?author=%D0%98%D0%BD%D1%81%D0%BF%D0%B5%D0%BA%D1%82%D0%BE%D1%80+{}", at % 50)),
    ("period, outcome", |_, at| format!("/v1/visits?from={}&to={}&outcome=vacant", day(at), day(at + 3))),
    ("rare word", |_, _| "/v1/visits?text=%D0%B3%D0%BE%D0%BB%D0%BE%D0%BB%D1%91%D0%B4".to_owned()),
    ("common word", |_, _| "/v1/visits?text=%D0%BE%D1%81%D0%BC%D0%BE%D1%82%D1%80".to_owned()),
];

fn of(beats: &[String], at: u64) -> &str {
    &beats[(at * 7 % beats.len() as u64) as usize]
}

fn day(days: u64) -> String {
    format!("2026-{:02}-{:02}", days / 28 % 7 + 6, days % 28 + 1)
}

/// Lateness at which the server counts as unable to keep up, and the rest is not asked.
const OVERLOAD: Duration = Duration::from_secs(5);

/// Asks so many questions a second for so long, one kind after the other.
pub fn ask(organisation: &Organisation, rate: u32, seconds: u32) -> Result<Vec<Asked>> {
    let now = Millis(1_780_000_000_000);
    let secret = random();
    let token = organisation.store.write(move |tx| auth::mint(tx, Role::Headquarters, "bench", now, secret))?;
    let app = App::new(organisation.store.clone(), Arc::new(move || now));
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    runtime.spawn(async move { axum::serve(listener, serve::router(&app)).await });
    let total = u64::from(rate) * u64::from(seconds);
    let kinds = KINDS.iter().map(|(kind, path)| {
        let next = AtomicU64::new(0);
        let began = Instant::now();
        let caller = || -> Result<Vec<f64>> {
            let agent = ureq::Agent::new_with_defaults();
            let mut waits = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = began + Duration::from_secs_f64(number as f64 / f64::from(rate));
                if number >= total || due.elapsed() > OVERLOAD {
                    return Ok(waits);
                }
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let path = path(&organisation.beats, number);
                let asked = agent.get(format!("{url}{path}")).header("authorization", format!("Bearer {token}"));
                let body = asked.call()?.into_body().read_to_vec()?;
                ensure!(body.starts_with(b"{\"visits\":["), "{path}");
                waits.push(due.elapsed().as_secs_f64() * 1000.0);
            }
        };
        let waits: Result<Vec<_>> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
            callers.into_iter().map(|one| one.join().unwrap_or_else(|_| anyhow::bail!("a caller panicked"))).collect()
        });
        Ok(gather(kind, waits?.concat().into_iter()))
    });
    kinds.collect()
}

fn gather(kind: &'static str, waits: impl Iterator<Item = f64>) -> Asked {
    let mut waits_ms: Vec<f64> = waits.collect();
    waits_ms.sort_by(f64::total_cmp);
    Asked { kind, waits_ms }
}
