//! Sockets: the whole router, the listener, and the small jobs that run beside them.

use std::{future::Future, io, time::Duration};

use aralau_sync_core::stream::SignDevice as _;
use axum::{Router, extract::DefaultBodyLimit};
use tokio::net::TcpListener;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    http,
    store::{StoreError, total_rows, write_high_water},
};

/// How long requests under way may take after the server was told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How often the high-water file is brought up, and other processes' commits are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Everything this server answers.
pub fn router(app: &App) -> Router {
    let enrolling = OpenApiRouter::new()
        .routes(routes!(http::enroll::deployment))
        .routes(routes!(http::enroll::enroll))
        .layer(DefaultBodyLimit::max(http::MAX_BODY_BYTES));
    // Bounds its body by itself, piece by piece.
    let syncing = OpenApiRouter::new().routes(routes!(http::sync::sync)).layer(DefaultBodyLimit::disable());
    http::service(app.clone(), http::headquarters().merge(enrolling).merge(syncing))
}

/// Serves until `shutdown`, then lets requests under way finish.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let keeping = tokio::spawn(keep_house(app.clone(), stop.subscribe()));
    let router = router(&app);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        stop.send_replace(true);
    });
    let deadline = async move {
        if stopped.wait_for(|stopped| *stopped).await.is_ok() {
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        }
    };
    let result = tokio::select! {
        result = serving => result,
        () = deadline => Ok(()),
    };
    drop(keeping.await);
    result
}

async fn keep_house(app: App, mut stopped: tokio::sync::watch::Receiver<bool>) {
    let (mut known_rows, mut known_version) = (0, 0);
    loop {
        let finished = tokio::time::timeout(HOUSEKEEPING, stopped.wait_for(|stopped| *stopped)).await.is_ok();
        let looked = app.read(|connection| Ok((total_rows(connection)?, data_version(connection)?))).await;
        match looked {
            Ok((rows, version)) => {
                if rows != known_rows {
                    let folder = app.folder().to_owned();
                    let written = tokio::task::spawn_blocking(move || write_high_water(&folder, rows)).await;
                    if let Ok(Err(error)) = written {
                        tracing::warn!(%error, "the high-water file cannot be written");
                    }
                    if known_version != version {
                        app.tick();
                    }
                }
                (known_rows, known_version) = (rows, version);
            }
            Err(error) => tracing::warn!(%error, "housekeeping cannot read the store"),
        }
        if finished {
            return;
        }
    }
}

fn data_version(connection: &rusqlite::Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

/// A word for logs: which deployment and which key this server signs with.
pub fn describe(app: &App) -> String {
    format!("deployment {}, custody key {}", app.deployment(), app.identity().custody_key.public_key())
}
