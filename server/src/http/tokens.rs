//! `/v1/tokens`: who may ask here, until when, and how that ends.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::{id::TokenId, time::DAY_MS};

use super::{
    extract::{Body, Named},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{self, Caller},
    authorize::{Action, Role},
    query::{
        instant::Instant,
        tokens::{self, Token},
    },
    store,
};

/// Ten years.
const MOST_DAYS: i64 = 3_650;
/// In bytes.
const MAX_NAME: usize = 200;

/// Every token, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// Those that have ended as well.
    tokens: Vec<Token>,
}

/// Every token that there is or was; not the tokens themselves, which are nowhere.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "list_tokens", security(("token" = []), ("session" = [])),
    responses((status = 200, body = Tokens), Problem)
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Tokens>, Problem> {
    caller.may(Action::ManageTokens)?;
    let now = app.now();
    Ok(Json(Tokens { tokens: app.read(move |connection| tokens::all(connection, now)).await? }))
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// What its holder may do.
    role: Role,
    /// Who holds it, 1 to 200 bytes.
    name: String,
    /// The codes of the only beats that its holder reads. Of a supervisor they must be said, or `all_beats`; others read all
    /// unless some are named, and an administrator cannot be limited.
    beats: Option<Vec<String>>,
    /// Says that a supervisor leads all beats.
    #[serde(default)]
    all_beats: bool,
    /// After how many days it ends by itself, at most ten years.
    #[serde(default = "usual_days")]
    days: i64,
}

const fn usual_days() -> i64 {
    auth::LIFE_MS / DAY_MS
}

/// A token just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    /// The token itself. It is shown this once.
    token: String,
    /// When it ends by itself.
    expires_at: Instant,
}

/// Makes a token.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "make_token", request_body = Wanted, security(("token" = []), ("session" = [])),
    responses((status = 200, body = Made), Problem)
)]
pub async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(Wanted { role, name, beats, all_beats, days }): Body<Wanted>,
) -> Result<Json<Made>, Problem> {
    caller.may(Action::ManageTokens)?;
    let name = name.trim().to_owned();
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Problem::BadBody("name: 1 to 200 bytes".to_owned()));
    }
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::BadBody("days: from 1 to 3650".to_owned()));
    }
    if role == Role::Inspector {
        return Err(Problem::BadBody("role: an inspector reads through a phone, not with a token".to_owned()));
    }
    let now = app.now();
    let expires_at = now.plus(days * DAY_MS);
    let token = app.write_by(caller.by(), move |tx| {
        let reach = match auth::reach_of(tx, role, beats.as_deref(), all_beats)? {
            Ok(reach) => reach,
            Err(error) => return Ok(Err(error)),
        };
        let wanted = auth::Wanted { role, name: name.clone(), reach, expires_at };
        auth::mint_until(tx, &wanted, now, tx.random()?).map(Ok)
    });
    let token = token.await?.map_err(|error| Problem::BadBody(format!("beats: {error}")))?;
    Ok(Json(Made { token, expires_at: Instant(expires_at) }))
}

/// Ends a token, with every session that a browser began with it.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", operation_id = "end_token", params(("id" = Uuid, Path)),
    security(("token" = []), ("session" = [])), responses((status = 204), Problem)
)]
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    Named(TokenId(token)): Named<TokenId>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManageTokens)?;
    let now = app.now();
    let ended = app.write_by(caller.by(), move |tx| store::end_token(tx, token, now)).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::NotFound) }
}
