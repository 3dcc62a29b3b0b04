//! `/v1/coverage`: where the beats were walked, and where not.

use axum::{Json, extract::State};

use super::{extract::Filter, problem::Problem};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::coverage::{self, Coverage, CoverageFilter},
};

/// Visits of each beat over time, the standing of its places, and what may still be missing.
#[utoipa::path(
    get, path = "/v1/coverage", operation_id = "read_coverage", params(CoverageFilter), security(("token" = []), ("session" = [])),
    responses((status = 200, body = Coverage), Problem)
)]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Filter(filter): Filter<CoverageFilter>,
) -> Result<Json<Coverage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let (now, interval_days) = (app.now(), app.settings().visit_interval_days);
    let coverage = app.read(move |connection| coverage::read(connection, &reach, &filter, interval_days, now));
    Ok(Json(coverage.await??))
}
