//! `/v1/backup`: how old the last copy of the store is.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::{app::App, auth::Caller, authorize::Action, query::instant::Instant, store};

/// The last copy of the store.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupShown {
    /// When it was made; null where none was.
    made_at: Option<Instant>,
    /// Rows of all logs that are in no copy.
    rows_since: u64,
}

/// When the store was last backed up, by `aralau backup`, and how much has come since.
#[utoipa::path(
    get, path = "/v1/backup", operation_id = "read_backup", security(("token" = []), ("session" = [])),
    responses((status = 200, body = BackupShown), Problem)
)]
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Json<BackupShown>, Problem> {
    caller.may(Action::Administer)?;
    let store::BackedUp { at, rows_since } = app.read(store::backed_up).await?;
    Ok(Json(BackupShown { made_at: at.map(Instant), rows_since }))
}
