//! `/v1/conflicts`: what waits for someone to choose.

use axum::{Json, extract::State};

use super::{
    extract::{PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::conflicts::{self, ConflictFilter, ConflictKey, ConflictPage},
};

/// Fields with two or more different values, the longest known visit first; at most 200 on a page.
#[utoipa::path(
    get, path = "/v1/conflicts", operation_id = "list_conflicts", params(ConflictFilter, PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = ConflictPage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter, page }: Paged<ConflictFilter, ConflictKey>,
) -> Result<Json<ConflictPage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| conflicts::page(connection, &reach, &filter, &page)).await?))
}
