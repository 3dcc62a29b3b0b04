//! Sockets: the whole router, the listener, and the small jobs that run beside them.

use std::{future::Future, io, time::Duration};

use axum::{Router, extract::DefaultBodyLimit};
use tokio::net::TcpListener;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    http,
    store::{total_rows, write_high_water},
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
    let mut known_rows = 0;
    loop {
        let finished = tokio::time::timeout(HOUSEKEEPING, stopped.wait_for(|stopped| *stopped)).await.is_ok();
        match app.read(|connection| Ok(total_rows(connection)?)).await {
            Ok(rows) if rows == known_rows => {}
            Ok(rows) => {
                let place = app.store().place().clone();
                let written = tokio::task::spawn_blocking(move || write_high_water(place, rows)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, "the high-water file cannot be written");
                }
                // Perhaps another process wrote; one word too many does no harm.
                app.tick();
                known_rows = rows;
            }
            Err(error) => tracing::warn!(%error, "housekeeping cannot read the store"),
        }
        if finished {
            return;
        }
    }
}
