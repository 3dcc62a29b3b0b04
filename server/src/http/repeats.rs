//! `/v1/repeat-problems`: what comes up at a place again.

use axum::{Json, extract::State};

use super::{
    extract::{PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::repeats::{self, RepeatFilter, RepeatKey, RepeatPage},
};

/// Kinds of concern that came up at a place in the period, within 90 days of the time before; the latest first.
#[utoipa::path(
    get, path = "/v1/repeat-problems", operation_id = "list_repeat_problems", params(RepeatFilter, PageParameters),
    security(("token" = []), ("session" = [])), responses((status = 200, body = RepeatPage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter, page }: Paged<RepeatFilter, RepeatKey>,
) -> Result<Json<RepeatPage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let now = app.now();
    Ok(Json(app.read(move |connection| repeats::page(connection, &reach, &filter, &page, now)).await??))
}
