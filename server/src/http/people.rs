//! `/v1/people`: whoever works the beats, and how their phones are let in.

use axum::{Json, extract::State, http::HeaderMap};
use serde::Serialize;
use utoipa::ToSchema;

use aralau_sync_core::id::{Fingerprint, PersonId};

use super::{
    devices::All,
    extract::{Named, PageParameters, Paged},
    origin,
    peer::Sender,
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        instant::Instant,
        people::{self, PeoplePage, PersonKey},
    },
    store,
};

/// How long a code is good for, in milliseconds: the phone is at hand.
const CODE_LIFE_MS: i64 = 15 * 60 * 1000;

/// People, by name.
#[utoipa::path(
    get, path = "/v1/people", operation_id = "list_people", params(PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = PeoplePage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter: All {}, page }: Paged<All, PersonKey>,
) -> Result<Json<PeoplePage>, Problem> {
    let reach = caller.may(Action::Enroll)?;
    let now = app.now();
    Ok(Json(app.read(move |connection| people::page(connection, &reach, &page, now)).await?))
}

/// What a phone needs to be let in; shown once, as a QR code.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrollmentCode {
    /// Works once.
    pub code: String,
    /// When it stops to.
    pub expires_at: Instant,
    /// Where the phone is to bring it.
    pub server_url: String,
    /// What the server's certificate is known by, hex; null where browsers vouch for it. A phone that was given it takes no
    /// other certificate.
    #[schema(value_type = Option<String>)]
    pub fingerprint: Option<Fingerprint>,
}

/// Makes a one-time code by which a phone enrolls as this person's.
#[utoipa::path(
    post, path = "/v1/people/{person}/codes", params(("person" = Uuid, Path)),
    security(("token" = []), ("session" = [])), responses((status = 200, body = EnrollmentCode), Problem)
)]
pub async fn make_code(
    State(app): State<App>,
    caller: Caller,
    sender: Sender,
    headers: HeaderMap,
    Named(person): Named<PersonId>,
) -> Result<Json<EnrollmentCode>, Problem> {
    caller.may(Action::Enroll)?;
    let now = app.now();
    let code = app.write_by(caller.by(), move |tx| match store::has_phones(tx, person)? {
        true => store::make_code(tx, person, CODE_LIFE_MS, now).map(Some),
        false => Ok(None),
    });
    let code = code.await?.ok_or(Problem::NotFound)?;
    let (server_url, fingerprint) = (origin::server_url(&app, &sender, &headers), app.settings().fingerprint);
    Ok(Json(EnrollmentCode { code, expires_at: Instant(now.plus(CODE_LIFE_MS)), server_url, fingerprint }))
}
