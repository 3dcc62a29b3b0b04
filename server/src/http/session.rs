//! `/v1/session`: how a browser signs in, and out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse},
};
use chrono_tz::Tz;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    attempts::{self, Tried},
    extract::{Body, bearer},
    limits::Guess,
    origin,
    peer::Sender,
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::{Action, Role},
    query::{beats, instant::Instant},
    session::{self, Credential, LIFE_MS, Session},
    store::{self, StoreError},
};

/// The cookie that holds a session's secret.
pub(super) const COOKIE: &str = "aralau_session";
/// A longer value is none of ours.
const MAX_SECRET_BYTES: usize = 128;

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// What they may do, by name.
    pub role: Role,
    /// What that comes to. What is not listed is refused by the server; a page need not offer it.
    pub may: Vec<Action>,
    /// Who, in the words of whoever minted the token.
    pub label: String,
    /// The codes of the only beats that they read, by name; null for all.
    pub beats: Option<Vec<String>>,
    /// When the session ends by itself.
    pub expires_at: Instant,
    /// By whose days the deployment counts, as the IANA names it.
    #[schema(example = "Asia/Almaty")]
    pub time_zone: String,
    /// Whether `/basemap.pmtiles` holds tiles for a map.
    pub basemap: bool,
}

impl SignedIn {
    fn of(session: Session, Deployed { time_zone, beats }: Deployed, app: &App) -> Self {
        let role = session.caller.role;
        let may = Action::ALL.into_iter().filter(|action| session.caller.may(*action).is_ok()).collect();
        let (label, expires_at) = (session.caller.name, Instant(session.expires_at));
        let basemap = app.settings().basemap.is_some();
        Self { role, may, label, beats, expires_at, time_zone: time_zone.name().to_owned(), basemap }
    }
}

/// What the store says of the deployment to somebody.
struct Deployed {
    time_zone: Tz,
    beats: Option<Vec<String>>,
}

impl Deployed {
    fn read(connection: &Connection, caller: &Caller) -> Result<Self, StoreError> {
        Ok(Self { time_zone: store::time_zone(connection)?, beats: beats::codes(connection, &caller.reach)? })
    }
}

/// Begins a session: the answer sets the cookie `aralau_session`, which every route takes in a token's place.
#[utoipa::path(
    post, path = "/v1/session", request_body = Credential,
    responses((status = 200, body = SignedIn, headers(("set-cookie" = String))), Problem)
)]
pub async fn sign_in(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    Body(credential): Body<Credential>,
) -> Result<impl IntoResponse, Problem> {
    // Nobody is signed in by another site as somebody else.
    if origin::names_another(&headers) {
        return Err(Problem::CrossSite);
    }
    let Credential::Token(token) = &credential;
    let guess = Guess::of(&app, &sender, token);
    guess.admit()?;
    let now = app.now();
    let asked = credential.clone();
    if app.read(move |connection| session::caller(connection, &asked, now)).await?.is_none() {
        guess.charge(true);
        return Err(attempts::failed(&app, Tried::Token, &sender, Problem::Unauthorized).await);
    }
    let begun = app.write(move |tx| {
        let Some((secret, session)) = session::begin(tx, &credential, now)? else { return Ok(None) };
        let deployed = Deployed::read(tx, &session.caller)?;
        Ok(Some((secret, session, deployed)))
    });
    let (secret, session, deployed) = begun.await?.ok_or(Problem::Unauthorized)?;
    let cookie = set_cookie(&app, &sender, &secret, LIFE_MS / 1000);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(SignedIn::of(session, deployed, &app))))
}

/// Who is signed in by the cookie of this request.
#[utoipa::path(
    get, path = "/v1/session", operation_id = "read_session", security(("session" = [])), responses((status = 200, body = SignedIn), Problem)
)]
pub async fn show(State(app): State<App>, session: Session) -> Result<Json<SignedIn>, Problem> {
    let caller = session.caller.clone();
    let deployed = app.read(move |connection| Deployed::read(connection, &caller)).await?;
    Ok(Json(SignedIn::of(session, deployed, &app)))
}

/// Ends the session of this request's cookie, here and in the browser.
#[utoipa::path(
    delete, path = "/v1/session", security(("session" = [])), responses((status = 204), Problem)
)]
pub async fn sign_out(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if let Some(secret) = secret(&headers).map(str::to_owned) {
        if !origin::is_same(&headers) {
            return Err(Problem::CrossSite);
        }
        app.write(move |tx| session::end(tx, &secret)).await?;
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, set_cookie(&app, &sender, "", 0))])))
}

/// A session comes with a cookie, and changes something only for a page of this server.
pub(super) async fn of_cookie(parts: &Parts, app: &App) -> Result<Session, Problem> {
    let secret = secret(&parts.headers).ok_or(Problem::Unauthorized)?.to_owned();
    if !parts.method.is_safe() && !origin::is_same(&parts.headers) {
        return Err(Problem::CrossSite);
    }
    let now = app.now();
    app.read(move |connection| session::find(connection, &secret, now)).await?.ok_or(Problem::Unauthorized)
}

/// What a head brings of a token or a session, whether or not it counts.
pub(super) fn presented(head: &HeaderMap) -> Option<&str> {
    if head.contains_key(header::AUTHORIZATION) { bearer(head) } else { secret(head) }
}

fn secret(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == COOKIE)?;
    (!secret.is_empty() && secret.len() <= MAX_SECRET_BYTES).then_some(secret)
}

fn set_cookie(app: &App, sender: &Sender, secret: &str, seconds: i64) -> String {
    let secure = if origin::is_https(app, sender) { "; Secure" } else { "" };
    format!("{COOKIE}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
}
