//! The state that every handler shares: the store behind an async face, the clock, and word of new commits.

use std::sync::Arc;

use aralau_sync_core::{
    id::{DeploymentId, DeviceId},
    time::Millis,
};
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{
    http::Shared,
    settings::Settings,
    store::{Identity, Lane, Store, StoreError, Transaction},
};

/// Reads under way at once; more wait their turn, so that memory and open files stay bounded.
const CONCURRENT_READS: usize = 8;

/// Where `now` comes from.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// A cheap handle to everything.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    reads: Semaphore,
    commits: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
    settings: Settings,
    http: Shared,
}

impl App {
    /// Around an open store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self::with(store, clock, Settings::default())
    }

    /// The same, as the operator chose.
    pub fn with(store: Store, clock: Clock, settings: Settings) -> Self {
        let (commits, _) = watch::channel(0);
        Self(Arc::new(Inner {
            store,
            clock,
            reads: Semaphore::new(CONCURRENT_READS),
            commits,
            stopping: watch::Sender::new(false),
            settings,
            http: Shared::default(),
        }))
    }

    /// Reads from one consistent snapshot.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopping = |_| StoreError::Unavailable("shutting down".into());
        let _turn = self.0.reads.acquire().await.map_err(stopping)?;
        let store = self.0.store.clone();
        let read = tokio::task::spawn_blocking(move || store.read(job)).await;
        read.unwrap_or_else(|_| Err(StoreError::Internal("a read panicked".into())))
    }

    /// Does a job of the server's own in the next transaction; returns once it is on disk.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_by(None, job).await
    }

    /// As [`Self::write`], as a device's turn among all devices.
    pub async fn write_for<T: Send + 'static>(
        &self,
        device: DeviceId,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(Some(device), None, job).await
    }

    /// As [`Self::write`], for somebody: see [`Store::write_by`].
    pub async fn write_by<T: Send + 'static>(
        &self,
        by: Option<String>,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(None, by, job).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        by: Option<String>,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, committed) = oneshot::channel();
        self.0.store.submit(lane, by, job, move |result| drop(done.send(result)));
        let result = committed.await.unwrap_or_else(|_| Err(StoreError::Unavailable("shutting down".into())));
        if result.is_ok() {
            self.tick();
        }
        result
    }

    /// Says that the server stops: what would go on for ever ends.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Whether the server stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    /// The clock.
    pub fn now(&self) -> Millis {
        (self.0.clock)()
    }

    /// Which deployment this is.
    pub fn deployment(&self) -> DeploymentId {
        self.0.store.deployment()
    }

    /// The deployment's keys.
    pub fn identity(&self) -> &Identity {
        self.0.store.identity()
    }

    /// The store itself, for jobs that run outside of a request.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What the operator chose.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What the handlers share beside the store.
    pub fn http(&self) -> &Shared {
        &self.0.http
    }

    /// Reads under way now.
    pub fn reads_under_way(&self) -> usize {
        CONCURRENT_READS - self.0.reads.available_permits()
    }

    /// Ticks after each commit; says only that there is something.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.commits.subscribe()
    }

    /// Says that there is something: also when another process has written.
    pub fn tick(&self) {
        self.0.commits.send_modify(|ticks| *ticks += 1);
    }
}
