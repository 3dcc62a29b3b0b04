//! `/metrics`: what an operator watches, in the Prometheus text format. Holds no personal data.

use std::{sync::Mutex, time::Duration};

use aralau_sync_core::{sync::FrameRefusal, time::Millis};
use axum::{extract::State, http::header, response::IntoResponse};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{attempts::Tried, problem::Problem};
use crate::{
    app::App,
    query::scopes::{self, Gauges},
    store::{Ingested, StoreError},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const LATENCY_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

/// Every series of this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    latency: Family<Route, Histogram>,
    /// Entries of devices, by what became of them.
    entries: Family<Outcome, Counter>,
    /// Frames of devices that a quota or the disk's reserve refused.
    refused: Family<Reason, Counter>,
    attempts: Family<Attempt, Counter>,
    /// Who was put off, by which limit.
    put_off: Family<Limit, Counter>,
    /// Connections that did not come to speak TLS, by why.
    handshakes: Family<Reason, Counter>,
    /// Seconds since 1970; 0: there is none.
    certificate_until: Gauge,
    held: Family<Reason, Gauge>,
    log_rows: Gauge,
    database_bytes: Gauge,
    free_bytes: Gauge,
    /// What is left of the disk: more than fits is as much as fits.
    available_bytes: Gauge,
    reserve_touched: Gauge,
    answer_bytes: Gauge,
    devices: Gauge,
    /// Seconds since 1970; 0: there is none.
    backup_at: Gauge,
    backup_rows_since: Gauge,
    reads: Gauge,
    subscribers: Gauge,
    /// One scrape at a time: between setting and writing, the gauges belong to it.
    scrape: Mutex<()>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    credential: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("aralau");
        let metrics = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_SECONDS)),
            entries: Family::default(),
            refused: Family::default(),
            attempts: Family::default(),
            put_off: Family::default(),
            handshakes: Family::default(),
            certificate_until: Gauge::default(),
            held: Family::default(),
            log_rows: Gauge::default(),
            database_bytes: Gauge::default(),
            free_bytes: Gauge::default(),
            available_bytes: Gauge::default(),
            reserve_touched: Gauge::default(),
            answer_bytes: Gauge::default(),
            devices: Gauge::default(),
            backup_at: Gauge::default(),
            backup_rows_since: Gauge::default(),
            reads: Gauge::default(),
            subscribers: Gauge::default(),
            scrape: Mutex::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", metrics.requests.clone());
        let latency = metrics.latency.clone();
        registry.register_with_unit("request_duration", "Time until the answer began", Unit::Seconds, latency);
        registry.register("sync_entries", "Entries of devices, by outcome", metrics.entries.clone());
        registry.register("failed_attempts", "Wrong tokens and codes, by which", metrics.attempts.clone());
        registry.register("put_off", "Requests and connections beyond a limit, by which", metrics.put_off.clone());
        let handshakes = metrics.handshakes.clone();
        registry.register("tls_refused", "Connections that did not come to speak TLS, by why", handshakes);
        let until = metrics.certificate_until.clone();
        registry.register_with_unit("certificate_until", "When the certificate ends, 0 for none", Unit::Seconds, until);
        registry.register("held_entries", "Entries held now, by reason", metrics.held.clone());
        registry.register("log_rows", "Rows in all logs", metrics.log_rows.clone());
        let (database, free) = (metrics.database_bytes.clone(), metrics.free_bytes.clone());
        registry.register_with_unit("database", "Size of the database file", Unit::Bytes, database);
        registry.register_with_unit("database_free", "Of that, free for use", Unit::Bytes, free);
        registry.register(
            "refused_frames",
            "Frames of devices refused by a quota or the reserve",
            metrics.refused.clone(),
        );
        registry.register_with_unit("disk_available", "Left on the disk", Unit::Bytes, metrics.available_bytes.clone());
        let touched = metrics.reserve_touched.clone();
        registry.register("disk_reserve_touched", "1 while nothing is taken from devices for want of disk", touched);
        let answers = metrics.answer_bytes.clone();
        registry.register_with_unit("answers_unread", "Answers that devices have not read yet", Unit::Bytes, answers);
        registry.register("devices", "Devices that are not shut out", metrics.devices.clone());
        let backup_at = metrics.backup_at.clone();
        registry.register_with_unit("last_backup", "When the last one was made, 0 for none", Unit::Seconds, backup_at);
        let since = metrics.backup_rows_since.clone();
        registry.register("rows_not_backed_up", "Rows that are in no backup", since);
        registry.register("reads", "Reads of the store under way", metrics.reads.clone());
        registry.register("event_subscribers", "Listeners to /v1/events", metrics.subscribers.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn count(&self, method: &'static str, route: &str, status: u16, latency: Duration) {
        let route = route.to_owned();
        self.requests.get_or_create(&Request { method, route: route.clone(), status }).inc();
        self.latency.get_or_create(&Route { route }).observe(latency.as_secs_f64());
    }

    /// Counts what became of a frame's entries.
    pub fn ingested(&self, ingested: &Ingested) {
        let count = |outcome, entries| self.entries.get_or_create(&Outcome { outcome }).inc_by(entries);
        count("accepted", ingested.accepted);
        count("held", ingested.held.len() as u64);
    }

    /// Counts a frame that was refused.
    pub fn refused(&self, why: &FrameRefusal) {
        self.refused.get_or_create(&Reason { reason: why.code().to_owned() }).inc();
    }

    /// Counts a wrong token or code.
    pub fn attempt_failed(&self, tried: Tried) {
        self.attempts.get_or_create(&Attempt { credential: tried.name() }).inc();
    }

    /// Counts somebody who asked for more than they may.
    pub fn put_off(&self, limit: &'static str) {
        self.put_off.get_or_create(&Limit { limit }).inc();
    }

    /// Counts a connection that did not come to speak TLS.
    pub fn handshake_failed(&self, reason: &str) {
        self.handshakes.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }

    /// Notes when the certificate ends.
    pub fn certificate_until(&self, until: Millis) {
        self.certificate_until.set(until.0 / 1000);
    }

    fn text(&self, gauges: &Gauges, app: &App) -> Result<String, StoreError> {
        let internal = |_| StoreError::Internal("writing the metrics".into());
        let _scrape = self.scrape.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.held.clear();
        for (reason, count) in &gauges.held {
            self.held.get_or_create(&Reason { reason: reason.clone() }).set(*count);
        }
        self.log_rows.set(gauges.log_rows);
        self.database_bytes.set(gauges.database_bytes);
        self.free_bytes.set(gauges.free_bytes);
        let quotas = &app.http().quotas;
        self.available_bytes.set(i64::try_from(quotas.available_bytes()).unwrap_or(i64::MAX));
        self.reserve_touched.set(i64::from(quotas.is_reserve_touched(app.settings())));
        self.answer_bytes.set(i64::try_from(app.http().answers.bytes()).unwrap_or(i64::MAX));
        self.devices.set(gauges.devices);
        self.backup_at.set(gauges.backed_up.at.map_or(0, |at| at.0 / 1000));
        self.backup_rows_since.set(i64::try_from(gauges.backed_up.rows_since).unwrap_or(i64::MAX));
        self.reads.set(i64::try_from(app.reads_under_way()).unwrap_or(i64::MAX));
        self.subscribers.set(i64::try_from(app.http().events.subscribers()).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(internal)?;
        Ok(text)
    }
}

/// All series. Open to all, as the listener is meant for an inner network.
#[utoipa::path(
    get, path = "/metrics", operation_id = "read_metrics", responses((status = 200, body = String, content_type = "text/plain"), Problem)
)]
pub async fn show(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let gauges = app.read(scopes::gauges).await?;
    let text = app.http().metrics.text(&gauges, &app)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}
