//! `/v1/suggestions`: who and what may be meant by what somebody has typed so far.

use axum::{Json, extract::State};

use super::{extract::Filter, problem::Problem};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::suggestions::{self, PeopleSuggested, PeopleTyped, PlacesSuggested, PlacesTyped},
};

/// People whose names begin so, by name.
///
/// Each word that was typed begins a word of the name: in any case, ё as е, and Kazakh letters also as the Russian ones on
/// the same keys.
#[utoipa::path(
    get, path = "/v1/suggestions/people", operation_id = "suggest_people", params(PeopleTyped),
    security(("token" = []), ("session" = [])), responses((status = 200, body = PeopleSuggested), Problem)
)]
pub async fn people(
    State(app): State<App>,
    caller: Caller,
    Filter(typed): Filter<PeopleTyped>,
) -> Result<Json<PeopleSuggested>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| suggestions::people(connection, &reach, &typed.text)).await?))
}

/// Places whose addresses have words that begin so, by address.
#[utoipa::path(
    get, path = "/v1/suggestions/places", operation_id = "suggest_places", params(PlacesTyped),
    security(("token" = []), ("session" = [])), responses((status = 200, body = PlacesSuggested), Problem)
)]
pub async fn places(
    State(app): State<App>,
    caller: Caller,
    Filter(typed): Filter<PlacesTyped>,
) -> Result<Json<PlacesSuggested>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| suggestions::places(connection, &reach, &typed)).await?))
}
