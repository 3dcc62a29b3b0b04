//! `/v1/places`: what is visited.

use axum::{Json, extract::State};

use aralau_sync_core::id::{DocumentId, Kind};

use super::{
    extract::{Named, OnMap, PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        document::locate,
        places::{self, PlaceFilter, PlaceKey, PlacePage},
        points::{self, PlacePoints, PointsWanted},
        visits::{self, VisitFilter, VisitKey, VisitPage},
    },
};

/// Places, by address.
#[utoipa::path(
    get, path = "/v1/places", operation_id = "list_places", params(PlaceFilter, PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = PlacePage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter, page }: Paged<PlaceFilter, PlaceKey>,
) -> Result<Json<PlacePage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let (now, interval_days) = (app.now(), app.settings().visit_interval_days);
    let page = app.read(move |connection| places::page(connection, &reach, &filter, &page, interval_days, now));
    Ok(Json(page.await??))
}

/// Places as points on a map. Takes the filters of `/v1/places`.
#[utoipa::path(
    get, path = "/v1/places/points", operation_id = "place_points", params(PlaceFilter, PointsWanted), security(("token" = []), ("session" = [])),
    responses((status = 200, body = PlacePoints), Problem)
)]
pub async fn points(
    State(app): State<App>,
    caller: Caller,
    OnMap(filter, wanted): OnMap<PlaceFilter>,
) -> Result<Json<PlacePoints>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let (now, interval_days) = (app.now(), app.settings().visit_interval_days);
    let points = app.read(move |connection| points::places(connection, &reach, &filter, &wanted, interval_days, now));
    Ok(Json(points.await??))
}

/// The visits to one place, newest first. Takes the filters of `/v1/visits`.
#[utoipa::path(
    get, path = "/v1/places/{id}/visits", params(("id" = Uuid, Path), VisitFilter, PageParameters),
    security(("token" = []), ("session" = [])), responses((status = 200, body = VisitPage), Problem)
)]
pub async fn visits(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DocumentId>,
    Paged { filter, page }: Paged<VisitFilter, VisitKey>,
) -> Result<Json<VisitPage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    if filter.place.is_some_and(|place| place != id) {
        return Err(Problem::BadParameter("place: the path names another one".into()));
    }
    let visits = app.read(move |connection| {
        let Some(_) = locate(connection, &reach, id, Kind::PLACE, filter.beat.as_deref())? else {
            return Ok(None);
        };
        let filter = VisitFilter { place: Some(id), ..filter };
        visits::page(connection, &reach, &filter, &page).map(Some)
    });
    Ok(Json(visits.await?.ok_or(Problem::NotFound)??))
}
