//! Sockets: the whole router, the listener, and the small jobs that run beside them.

mod listen;
mod pace;
mod paced_writer;
pub mod tls;

pub use listen::Door;

use std::{collections::BTreeSet, future::Future, time::Duration};

use aralau_sync_core::time::{DAY_MS, Millis};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use tokio::net::TcpListener;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    http,
    store::{SEGMENT_ROWS, StoreError, live_credentials, next_checkpoint, next_sealed, total_rows, write_high_water},
};

/// Connections at once, unless the system allows fewer: each costs up to some 70 KiB beside its request (13 KiB
/// while it idles; 19 under TLS).
pub const MAX_CONNECTIONS: usize = 4096;
/// How long requests under way may take after the server was told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How often the high-water file is brought up, other processes' commits are looked for, and the disk is looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How often it is looked whether something has become old enough to be compacted.
const COMPACT_INTERVAL: Duration = Duration::from_secs(3600);
/// Between two segments.
const COMPACT_PAUSE: Duration = Duration::from_millis(50);

/// Everything this server answers.
pub fn router(app: &App) -> Router {
    let enrolling = OpenApiRouter::new()
        .routes(routes!(http::enroll::deployment))
        .routes(routes!(http::enroll::enroll))
        .layer(DefaultBodyLimit::max(http::MAX_BODY_BYTES));
    // Bounds its body by itself, piece by piece.
    let syncing = OpenApiRouter::new().routes(routes!(http::sync::sync)).layer(DefaultBodyLimit::disable());
    let service = http::service(app.clone(), http::headquarters().merge(enrolling).merge(syncing));
    service.layer(middleware::from_fn(pace::pace))
}

/// Serves plain HTTP until `shutdown`, so many connections at once, then lets requests under way finish.
pub async fn serve(
    app: App,
    listener: TcpListener,
    connections: usize,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    serve_behind(app, listener, Door { connections, tls: None }, shutdown).await;
}

/// The same, where connections come in by this door.
pub async fn serve_behind(
    app: App,
    listener: TcpListener,
    door: Door,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let keeping = tokio::spawn(keep_house(app.clone()));
    let compacting = tokio::spawn(compact(app.clone()));
    let checkpointing = tokio::spawn(checkpoint(app.clone()));
    let certifying = door.tls.clone().map(|tls| tokio::spawn(tls.keep_fresh(app.clone())));
    let listening = listen::listen(listener, router(&app), door, app.clone());
    let deadline = async {
        shutdown.await;
        app.stop();
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        () = listening => {}
        () = deadline => tracing::warn!("requests under way were given up"),
    }
    drop(keeping.await);
    drop(compacting.await);
    drop(checkpointing.await);
    if let Some(certifying) = certifying {
        drop(certifying.await);
    }
}

/// Seals what has become old, as it becomes old, at a pace that leaves the machine to others.
async fn compact(app: App) {
    let mut stopped = app.stopping();
    let mut from = 0;
    loop {
        let before = app.now().plus(-i64::from(app.settings().compact_after_days) * DAY_MS);
        let wait = match seal_next(&app, from, before).await {
            Ok(Some(scope_no)) => {
                from = scope_no;
                COMPACT_PAUSE
            }
            Ok(None) => {
                from = 0;
                COMPACT_INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, "nothing can be compacted now");
                COMPACT_INTERVAL
            }
        };
        if tokio::time::timeout(wait, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            return;
        }
    }
}

/// Writes what the log of an older version lacks, a piece at a time.
async fn checkpoint(app: App) {
    let stopped = app.stopping();
    let one = async || match app.read(next_checkpoint).await? {
        Some(checkpoint) => app.write(move |tx| checkpoint.store(tx)).await.map(|()| true),
        None => Ok(false),
    };
    while !*stopped.borrow() {
        match one().await {
            Ok(true) => tokio::time::sleep(COMPACT_PAUSE).await,
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "no checkpoint can be written now"),
        }
    }
}

/// Seals one segment. Returns its scope, from which to go on.
async fn seal_next(app: &App, from: i64, before: Millis) -> Result<Option<i64>, StoreError> {
    let Some((scope_no, sealed)) =
        app.read(move |connection| next_sealed(connection, from, before, SEGMENT_ROWS)).await?
    else {
        return Ok(None);
    };
    app.write(move |tx| sealed.store(tx)).await?;
    Ok(Some(scope_no))
}

/// Notes how much of the disk is left, and says when that becomes too little.
async fn watch_disk(app: &App) {
    let folder = app.store().folder().clone();
    let looked = tokio::task::spawn_blocking(move || folder.disk().available_bytes(folder.path())).await;
    let Ok(Ok(Some(available))) = looked else { return };
    let (quotas, settings) = (&app.http().quotas, app.settings());
    let before = quotas.is_reserve_touched(settings);
    quotas.set_available(available);
    match (before, quotas.is_reserve_touched(settings)) {
        (false, true) => tracing::error!(
            available,
            reserve = settings.reserve_bytes,
            "the disk is nearly full: nothing is taken from devices until there is room"
        ),
        (true, false) => tracing::warn!(available, "there is room on the disk again"),
        (false, false) | (true, true) => {}
    }
}

async fn keep_house(app: App) {
    let mut stopped = app.stopping();
    let (mut known_rows, mut known_credentials) = (0, BTreeSet::new());
    watch_disk(&app).await;
    loop {
        let finished = tokio::time::timeout(HOUSEKEEPING, stopped.wait_for(|stopped| *stopped)).await.is_ok();
        watch_disk(&app).await;
        let now = app.now();
        let read = app.read(move |connection| Ok((total_rows(connection)?, live_credentials(connection, now)?)));
        match read.await {
            Ok((rows, credentials)) if (rows, &credentials) == (known_rows, &known_credentials) => {}
            Ok((rows, credentials)) => {
                let folder = app.store().folder().clone();
                let written = tokio::task::spawn_blocking(move || write_high_water(folder, rows)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, "the high-water file cannot be written");
                }
                // Perhaps another process wrote; one word too many does no harm.
                app.tick();
                (known_rows, known_credentials) = (rows, credentials);
            }
            Err(error) => tracing::warn!(%error, "housekeeping cannot read the store"),
        }
        if finished {
            return;
        }
    }
}
