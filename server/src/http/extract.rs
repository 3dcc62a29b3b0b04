//! What handlers take from a request. Whatever does not fit is a [`Problem`].

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::{
    attempts::{self, Tried},
    problem::Problem,
    session,
};
use crate::{
    app::App,
    auth::{self, Caller},
    query::{page::Page, points::PointsWanted},
    session::Session,
};

/// A longer token is none of ours.
const MAX_TOKEN_BYTES: usize = 128;

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    /// By a token where the request brings one, and else by a session's cookie.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(session::of_cookie(parts, app).await?.caller);
        }
        let token = bearer(&parts.headers).ok_or(Problem::Unauthorized)?.to_owned();
        let now = app.now();
        match app.read(move |connection| auth::find(connection, &token, now)).await? {
            Some(caller) => Ok(caller),
            None => {
                let sender = parts.extensions.get().copied().unwrap_or_default();
                Err(attempts::failed(app, Tried::Token, &sender, Problem::Unauthorized).await)
            }
        }
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        session::of_cookie(parts, app).await
    }
}

/// The token that a head brings, whether or not it counts.
pub(super) fn bearer(head: &HeaderMap) -> Option<&str> {
    let (scheme, token) = head.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN_BYTES).then_some(token)
}

/// The parameters of a query string; unknown ones are refused by name.
pub struct Filter<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(filter) = Query::try_from_uri(&parts.uri).map_err(|rejection| bad_parameter(&rejection))?;
        Ok(Self(filter))
    }
}

/// The parameters of a list: its filter, and which page.
pub struct Paged<T, K: DeserializeOwned> {
    /// Which rows.
    pub filter: T,
    /// Which of them.
    pub page: Page<K>,
}

/// The parameters that every list takes beside its filter.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Paged` takes apart")]
pub struct PageParameters {
    /// Rows on a page: 1 to 1,000, and 100 unless given. Some lists give fewer.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl<T: DeserializeOwned, K: DeserializeOwned, S: Sync> FromRequestParts<S> for Paged<T, K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (page, filter) = apart(parts, &["limit", "cursor"])?;
        Ok(Self { filter, page })
    }
}

/// The parameters of a map: the list's filter, and where on the globe.
pub struct OnMap<T>(pub T, pub PointsWanted);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for OnMap<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (wanted, filter) = apart(parts, &["bbox", "limit"])?;
        Ok(Self(filter, wanted))
    }
}

/// Parameters that stand in a query string beside others.
pub trait Parameters: DeserializeOwned {
    /// What they are called.
    const NAMES: &'static [&'static str];
}

/// The parameters of a file: the list's filter, and how the file is written.
pub struct AsFile<T, P>(pub T, pub P);

impl<T: DeserializeOwned, P: Parameters, S: Sync> FromRequestParts<S> for AsFile<T, P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (style, filter) = apart(parts, P::NAMES)?;
        Ok(Self(filter, style))
    }
}

/// A query string that holds two things: the parameters of these names, and the others.
fn apart<A: DeserializeOwned, B: DeserializeOwned>(parts: &Parts, names: &[&str]) -> Result<(A, B), Problem> {
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    let (named, others): (Vec<_>, Vec<_>) =
        pairs.partition(|pair| pair.split('=').next().is_some_and(|name| names.contains(&name)));
    Ok((parse(&named)?, parse(&others)?))
}

fn parse<T: DeserializeOwned>(pairs: &[&str]) -> Result<T, Problem> {
    let unreadable = |_| Problem::BadParameter("the query string is not readable".into());
    let uri: Uri = format!("/?{}", pairs.join("&")).parse().map_err(unreadable)?;
    let Query(value) = Query::try_from_uri(&uri).map_err(|rejection| bad_parameter(&rejection))?;
    Ok(value)
}

fn bad_parameter(rejection: &QueryRejection) -> Problem {
    let text = rejection.body_text();
    let told = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    Problem::BadParameter(told.to_owned())
}

/// The ids in a path. One that is none names nothing.
pub struct Named<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(named) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::NotFound)?;
        Ok(Self(named))
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = <Json<T> as FromRequest<S>>::from_request(request, state).await.map_err(bad_body)?;
        Ok(Self(body))
    }
}

/// None where the request says of no body what it is.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let body = <Json<T> as OptionalFromRequest<S>>::from_request(request, state).await.map_err(bad_body)?;
        Ok(body.map(|Json(body)| Self(body)))
    }
}

fn bad_body(rejection: JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::UnsupportedMediaType,
        _ => Problem::BadBody(rejection.body_text()),
    }
}
