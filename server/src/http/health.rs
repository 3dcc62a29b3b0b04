//! Probes. Open to all: they say nothing of anybody.

use std::time::Duration;

use axum::extract::State;

use super::problem::Problem;
use crate::{app::App, query::scopes, store::StoreError};

/// A store that needs longer is not ready.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// Whether the process runs.
#[utoipa::path(get, path = "/livez", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether the store answers. (A store that is behind what this server has acknowledged is never served at all.)
#[utoipa::path(
    get, path = "/readyz", responses((status = 200, body = String, content_type = "text/plain"), Problem)
)]
pub async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    match tokio::time::timeout(READY_WITHIN, app.read(scopes::answers)).await {
        Ok(answer) => Ok(answer.map(|()| "ok\n")?),
        Err(_) => Err(Problem::Unavailable(StoreError::Unavailable("no answer in time".into()))),
    }
}
