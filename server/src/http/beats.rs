//! `/v1/beats`: how the territory is divided.

use axum::{Json, extract::State};

use super::problem::Problem;
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::beats::{self, BeatList},
};

/// All beats, by name, with their outlines where the operator gave some.
#[utoipa::path(
    get, path = "/v1/beats", operation_id = "list_beats", security(("token" = []), ("session" = [])),
    responses((status = 200, body = BeatList), Problem)
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<BeatList>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| beats::all(connection, &reach)).await?))
}
