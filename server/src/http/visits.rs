//! `/v1/visits`: the merged history.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::id::{ChangeHash, DocumentId, Kind};

use super::{
    extract::{Body, Filter, Named, OnMap, PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        conflicts,
        document::locate,
        history::{self, HistoryPage},
        points::{self, PointsWanted, VisitPoints},
        proof::{self, ProofWanted, VisitProof},
        visit::{self, VisitDetail},
        visits::{self, VisitCount, VisitFilter, VisitKey, VisitPage},
    },
    store::{self, EditError},
};

/// Which of several documents of one id.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichBeat {
    /// The code of the beat that holds the document. Needed only where two beats hold the same id; without it, the one
    /// known longest is meant.
    pub beat: Option<String>,
}

/// Visits, newest first.
#[utoipa::path(
    get, path = "/v1/visits", operation_id = "list_visits", params(VisitFilter, PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = VisitPage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter, page }: Paged<VisitFilter, VisitKey>,
) -> Result<Json<VisitPage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| visits::page(connection, &reach, &filter, &page)).await??))
}

/// How many visits pass the filters of `/v1/visits`: what a list has on all its pages, and what an export brings.
#[utoipa::path(
    get, path = "/v1/visits/count", operation_id = "count_visits", params(VisitFilter), security(("token" = []), ("session" = [])),
    responses((status = 200, body = VisitCount), Problem)
)]
pub async fn count(
    State(app): State<App>,
    caller: Caller,
    Filter(filter): Filter<VisitFilter>,
) -> Result<Json<VisitCount>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| visits::count(connection, &reach, &filter)).await??))
}

/// Visits as points on a map, the newest first. Takes the filters of `/v1/visits`.
#[utoipa::path(
    get, path = "/v1/visits/points", params(VisitFilter, PointsWanted), security(("token" = []), ("session" = [])),
    responses((status = 200, body = VisitPoints), Problem)
)]
pub async fn points(
    State(app): State<App>,
    caller: Caller,
    OnMap(filter, wanted): OnMap<VisitFilter>,
) -> Result<Json<VisitPoints>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    Ok(Json(app.read(move |connection| points::visits(connection, &reach, &filter, &wanted)).await??))
}

/// One visit with its notes, its conflicts and its place in the log.
#[utoipa::path(
    get, path = "/v1/visits/{id}", params(("id" = Uuid, Path), WhichBeat), security(("token" = []), ("session" = [])),
    responses((status = 200, body = VisitDetail), Problem)
)]
pub async fn detail(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DocumentId>,
    Filter(WhichBeat { beat }): Filter<WhichBeat>,
) -> Result<Json<VisitDetail>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let detail = app.read(move |connection| visit::detail(connection, &reach, id, beat.as_deref())).await?;
    detail.map(Json).ok_or(Problem::NotFound)
}

/// Who changed what about a visit, and when, by the device's clock and by the server's; at most 200 rows
/// on a page.
#[utoipa::path(
    get, path = "/v1/visits/{id}/history", params(("id" = Uuid, Path), WhichBeat, PageParameters),
    security(("token" = []), ("session" = [])), responses((status = 200, body = HistoryPage), Problem)
)]
pub async fn history(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DocumentId>,
    Paged { filter, page }: Paged<WhichBeat, i64>,
) -> Result<Json<HistoryPage>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let sees_held = caller.may(Action::ReadQuarantine).is_ok();
    let history = app.read(move |connection| {
        let located = locate(connection, &reach, id, Kind::VISIT, filter.beat.as_deref())?;
        located.map(|located| history::page(connection, &located, sees_held, &page)).transpose()
    });
    history.await?.map(Json).ok_or(Problem::NotFound)
}

/// What shows that the log holds a visit, and that it has only grown, under a root that the server signs. Reads every row of
/// the beat's log: to be asked for by a person, not for each row of a list.
#[utoipa::path(
    get, path = "/v1/visits/{id}/proof", operation_id = "prove_visit", params(("id" = Uuid, Path), ProofWanted),
    security(("token" = []), ("session" = [])), responses((status = 200, body = VisitProof), Problem)
)]
pub async fn proof(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DocumentId>,
    Filter(wanted): Filter<ProofWanted>,
) -> Result<Json<VisitProof>, Problem> {
    let reach = caller.may(Action::ReadVisits)?;
    let (handle, now) = (app.clone(), app.now());
    let proof =
        app.read(move |connection| proof::of_visit(connection, &reach, handle.identity(), id, &wanted, now)).await?;
    proof.map(Json).ok_or(Problem::NotFound)
}

/// How a conflict is settled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The field in conflict, by its key.
    pub field: String,
    /// One of its values, or another one.
    pub value: serde_json::Value,
    /// The change of an earlier settlement that this one is to take the place of: as long as nobody has written to the field since.
    #[schema(value_type = Option<String>)]
    pub instead_of: Option<ChangeHash>,
}

/// A conflict settled.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resolved {
    /// The change by which headquarters settled it; in hex.
    #[schema(value_type = Option<String>)]
    pub change: Option<ChangeHash>,
}

/// Settles a conflict: an edit like any other, in headquarters' name, which replaces all the values known now. With `instead_of`
/// it takes an earlier settlement back: by one edit more, for what is written stays written.
#[utoipa::path(
    post, path = "/v1/visits/{id}/resolve", params(("id" = Uuid, Path), WhichBeat), security(("token" = []), ("session" = [])),
    request_body = Resolution, responses((status = 200, body = Resolved), Problem)
)]
pub async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DocumentId>,
    Filter(WhichBeat { beat }): Filter<WhichBeat>,
    Body(Resolution { field, value, instead_of }): Body<Resolution>,
) -> Result<Json<Resolved>, Problem> {
    let reach = caller.may(Action::Resolve)?;
    let (now, identity) = (app.now(), app.clone());
    let resolved = app.write(move |tx| {
        let Some(located) = locate(tx, &reach, id, Kind::VISIT, beat.as_deref())? else {
            return Ok(Err(Problem::NotFound));
        };
        let value = match conflicts::value_for(tx, &located, &field, &value, instead_of)? {
            Ok(value) => value,
            Err(problem) => return Ok(Err(problem.into())),
        };
        let document = (located.scope, located.document);
        Ok(store::resolve_visit(tx, identity.identity(), document, &field, value, &caller.name, now)?
            .map_err(Problem::from))
    });
    Ok(Json(Resolved { change: resolved.await?? }))
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Unknown => Self::NotFound,
            EditError::Refused(why) => Self::BadValue(why),
        }
    }
}

impl From<conflicts::Unsettled> for Problem {
    fn from(error: conflicts::Unsettled) -> Self {
        match error {
            conflicts::Unsettled::NotInConflict => Self::NotInConflict,
            conflicts::Unsettled::SettledSince => Self::SettledSince,
            conflicts::Unsettled::NotAScalar => Self::BadValue("send text, a number, true, false or null".into()),
        }
    }
}
