//! `/v1/events`: says only that there is something, and where.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::scopes::{self, Sizes},
    reach::Reach,
    store::{StoreError, live_credentials},
};

/// Listeners at once.
pub const MAX_SUBSCRIBERS: usize = 3072;
/// However much is written, a listener hears of it no more often than this.
const QUIET: Duration = Duration::from_millis(500);
/// An idle line is kept open by a comment.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who listens, and what they were last told: read once for all of them.
pub struct Events {
    seats: Arc<Semaphore>,
    known: Mutex<Option<Known>>,
}

/// What the store held at a tick or later.
#[derive(Clone)]
struct Known {
    tick: u64,
    sizes: Arc<Sizes>,
    /// A listener whose token or session has ended hears nothing more.
    credentials: Arc<BTreeSet<Uuid>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(MAX_SUBSCRIBERS)), known: Mutex::default() }
    }
}

impl Events {
    /// Who listens now.
    pub fn subscribers(&self) -> usize {
        MAX_SUBSCRIBERS - self.seats.available_permits()
    }

    async fn known(&self, app: &App, tick: u64) -> Result<Known, StoreError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.tick >= tick) {
            return Ok(known.clone());
        }
        let now = app.now();
        let read = app.read(move |connection| Ok((scopes::sizes(connection)?, live_credentials(connection, now)?)));
        let (sizes, credentials) = read.await?;
        Ok(known.insert(Known { tick, sizes: Arc::new(sizes), credentials: Arc::new(credentials) }).clone())
    }
}

/// The data of an event `changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Rows in the log of each scope within that has grown (in the first event: of every one), by beat code; `directory` is
    /// the organisation itself, of which only a token without a limit hears.
    pub scopes: BTreeMap<String, i64>,
}

/// Events named `changed` (Server-Sent Events), the first at once, later ones whenever a log has grown.
#[utoipa::path(
    get, path = "/v1/events", security(("token" = []), ("session" = [])),
    responses((status = 200, body = Changed, content_type = "text/event-stream"), Problem)
)]
pub async fn subscribe(
    State(app): State<App>,
    caller: Caller,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let seats = Arc::clone(&app.http().events.seats);
    let seat = seats.try_acquire_owned().map_err(|_| Problem::TooManySubscribers)?;
    let changes = app.changes();
    let mut stopping = app.stopping();
    let credential = caller.credential();
    let listener = Listener { app, credential, reach, changes, told: Arc::default(), _seat: seat };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    let events = events.take_until(async move { drop(stopping.wait_for(|stopping| *stopping).await) });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// One open line. Between two events it waits for a tick and holds nothing of the store.
struct Listener {
    app: App,
    credential: Uuid,
    reach: Reach,
    changes: watch::Receiver<u64>,
    told: Arc<Sizes>,
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; `None` where token or session has ended or the store fails, upon which the client connects again.
    async fn next(&mut self) -> Option<Event> {
        if !self.told.is_empty() {
            tokio::time::sleep(QUIET).await;
        }
        loop {
            let tick = *self.changes.borrow_and_update();
            let known = self.app.http().events.known(&self.app, tick).await.ok()?;
            if !known.credentials.contains(&self.credential) {
                return None;
            }
            let scopes = known.sizes.grown(&self.told, &self.reach);
            let is_elsewhere = scopes.is_empty() && known.sizes != self.told;
            self.told = known.sizes;
            if !scopes.is_empty() {
                return Event::default().event("changed").json_data(Changed { scopes }).ok();
            }
            self.changes.changed().await.ok()?;
            // What grows outside is looked at no more often than what grows within is told.
            if is_elsewhere {
                tokio::time::sleep(QUIET).await;
            }
        }
    }
}
