//! How much somebody may ask: by address, by token or session, by device. Whoever asks for more is told when to come again.
//!
//! This keeps one machine from taking the server from all others; against many machines a proxy or a provider has to help.
//! Whoever is on this machine is not counted, and neither is a proxy that does not say for whom it asks.

mod budget;

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{
    metrics::Metrics,
    peer::{Sender, network},
    problem::Problem,
    session,
};
use crate::{
    app::App,
    device_auth::{Credentials, Nonces},
};
use budget::Budget;

/// Between two lines in the log about the same kind of limit.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What everybody has taken of theirs.
#[derive(Debug, Default)]
pub struct Budgets {
    addresses: Budget,
    tokens: Budget,
    devices: Budget,
    /// Wrong codes and tokens, by who tried and by what was tried.
    wrong: Budget,
    told: Mutex<Told>,
    is_proxy_told: AtomicBool,
}

/// What the log has been told.
#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Budgets {
    /// Counts somebody who was put off, and tells the log, now and then.
    pub fn put_off(&self, metrics: &Metrics, limit: &'static str, address: Option<IpAddr>) {
        metrics.put_off(limit);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.last.is_some_and(|last| last.elapsed() < TELL_EVERY) {
            told.untold += 1;
            return;
        }
        let others = std::mem::take(&mut told.untold);
        told.last = Some(Instant::now());
        drop(told);
        let address = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        tracing::warn!(limit, address, others, "somebody asks for more than they may, and is told to come again later");
    }
}

/// Whether a request may be answered now.
pub(super) fn admit(app: &App, sender: &Sender, head: &HeaderMap) -> Result<(), Problem> {
    let (budgets, limits) = (&app.http().limits, &app.settings().limits);
    if sender.is_unnamed_proxy && !budgets.is_proxy_told.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "a proxy on this machine passes requests on; say --trusted-proxy 127.0.0.1, so that it is believed who asks"
        );
    }
    let Some(address) = sender.address else { return Ok(()) };
    let refused = |limit, wait: Duration| {
        budgets.put_off(&app.http().metrics, limit, Some(address));
        Problem::TooManyRequests(seconds(wait))
    };
    let taken = budgets.addresses.take(network(address), limits.address_requests_per_minute);
    taken.map_err(|wait| refused("address", wait))?;
    if let Some(device) = device(app, head) {
        let taken = budgets.devices.take(device, limits.device_requests_per_minute);
        return taken.map_err(|wait| refused("device", wait));
    }
    let Some(secret) = session::presented(head) else { return Ok(()) };
    let taken = budgets.tokens.take(secret, limits.token_requests_per_minute);
    taken.map_err(|wait| refused("token", wait))
}

/// The device that a request is of: it has to bring a nonce that was given to it, or else anybody could use up its budget.
fn device(app: &App, head: &HeaderMap) -> Option<[u8; 16]> {
    let credentials = Credentials::parse(head.get(header::AUTHORIZATION)?.to_str().ok()?)?;
    let nonces = Nonces(&app.identity().nonce_secret);
    nonces.issued_at(&credentials.nonce, credentials.device, app.now())?;
    Some(*credentials.device.as_bytes())
}

/// Somebody who tries to come in by a code or a token.
pub(super) struct Guess<'a> {
    app: &'a App,
    address: Option<IpAddr>,
    /// Its hash: what was tried is kept nowhere.
    secret: [u8; 32],
}

impl<'a> Guess<'a> {
    pub(super) fn of(app: &'a App, sender: &Sender, secret: &str) -> Self {
        Self { app, address: sender.address.map(network), secret: Sha256::digest(secret).into() }
    }

    /// Whether it is looked at now: not where too much that was wrong came from the same address, or was the same.
    pub(super) fn admit(&self) -> Result<(), Problem> {
        let (wrong, a_minute) = (&self.app.http().limits.wrong, self.app.settings().limits.wrong_codes_per_minute);
        let refused = |limit, wait| {
            self.app.http().limits.put_off(&self.app.http().metrics, limit, self.address);
            Problem::TooManyAttempts(seconds(wait))
        };
        if let Some(address) = self.address {
            wrong.look(Wrong::From(address), a_minute).map_err(|wait| refused("wrong_from_address", wait))?;
        }
        wrong.look(Wrong::Was(self.secret), a_minute).map_err(|wait| refused("wrong_code", wait))
    }

    /// It was wrong; whether for everybody, and not only for who tried: then the secret itself is put off as well, from
    /// wherever it is tried. A right one never is by what others do elsewhere.
    pub(super) fn charge(&self, is_wrong_for_all: bool) {
        let (wrong, a_minute) = (&self.app.http().limits.wrong, self.app.settings().limits.wrong_codes_per_minute);
        // Where nothing is left, the next one is told so.
        let _ = self.address.map(|address| wrong.take(Wrong::From(address), a_minute));
        if is_wrong_for_all {
            let _ = wrong.take(Wrong::Was(self.secret), a_minute);
        }
    }
}

/// What wrong codes and tokens are counted by.
#[derive(Debug, Hash)]
enum Wrong {
    From(IpAddr),
    Was([u8; 32]),
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
}
