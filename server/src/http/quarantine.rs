//! `/v1/quarantine`: what is held, and what a person decides about it.

pub mod many;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::{
    id::{ReplicaId, ScopeId},
    reconcile::RejectedPast,
};

use super::{
    extract::{Body, Named, PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::quarantine::{self, HeldFilter, QuarantinePage},
    store::{self, HeldKey, HoldError, Said},
};

/// A note of whoever decides, in characters at most.
const MAX_NOTE_CHARS: usize = 2_000;

/// Held entries with their words, in the order of the log; at most 100 on a page.
#[utoipa::path(
    get, path = "/v1/quarantine", operation_id = "list_quarantine", params(HeldFilter, PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = QuarantinePage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter, page }: Paged<HeldFilter, i64>,
) -> Result<Json<QuarantinePage>, Problem> {
    let reach = caller.may(Action::ReadQuarantine)?;
    let now = app.now();
    Ok(Json(app.read(move |connection| quarantine::page(connection, &reach, &filter, &page, now)).await?))
}

/// What a release let in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Released {
    /// Entries that became part of their document: this one, and those that were held only because of it. 0 where it
    /// now waits for something that has not arrived.
    pub filled: usize,
}

/// How an entry is released.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Release {
    /// For whoever reads the history; at most 2,000 characters.
    pub note: String,
    /// Whether what it builds on goes in as well, where that was rejected.
    pub with_rejected: bool,
}

const fn past(with_rejected: bool) -> RejectedPast {
    if with_rejected { RejectedPast::GoesIn } else { RejectedPast::Stays }
}

/// Lets a held entry into its document, with everything that was held only because of it.
#[utoipa::path(
    post, path = "/v1/quarantine/{replica}/{scope}/{index}/release", security(("token" = []), ("session" = [])),
    params(("replica" = String, Path), ("scope" = Uuid, Path), ("index" = u64, Path)),
    request_body = Option<Release>, responses((status = 200, body = Released), Problem)
)]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Named((replica, scope, index)): Named<(ReplicaId, ScopeId, u64)>,
    release: Option<Body<Release>>,
) -> Result<Json<Released>, Problem> {
    let reach = caller.may(Action::JudgeQuarantine)?;
    let Release { note, with_rejected } = release.map(|Body(release)| release).unwrap_or_default();
    bounded(&note)?;
    let (key, now) = (HeldKey { replica, scope, index }, app.now());
    let released = app.write(move |tx| match quarantine::reaches(tx, &reach, &key)? {
        true => store::release_held(tx, key, past(with_rejected), Said::by(&caller.name).noting(&note), now),
        false => Ok(Err(HoldError::Unknown)),
    });
    Ok(Json(Released { filled: released.await?? }))
}

/// Why an entry is rejected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// For whoever reads the history; at most 2,000 characters.
    pub note: String,
}

/// What is left to say of a rejected entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// Always true.
    pub rejected: bool,
}

/// Refuses a held entry for good. Its words stay in the log.
#[utoipa::path(
    post, path = "/v1/quarantine/{replica}/{scope}/{index}/reject", security(("token" = []), ("session" = [])),
    params(("replica" = String, Path), ("scope" = Uuid, Path), ("index" = u64, Path)),
    request_body = Rejection, responses((status = 200, body = Rejected), Problem)
)]
pub async fn reject(
    State(app): State<App>,
    caller: Caller,
    Named((replica, scope, index)): Named<(ReplicaId, ScopeId, u64)>,
    Body(Rejection { note }): Body<Rejection>,
) -> Result<Json<Rejected>, Problem> {
    let reach = caller.may(Action::JudgeQuarantine)?;
    bounded(&note)?;
    let (key, now) = (HeldKey { replica, scope, index }, app.now());
    let rejected = app.write(move |tx| match quarantine::reaches(tx, &reach, &key)? {
        true => store::reject_held(tx, key, Said::by(&caller.name).noting(&note), now),
        false => Ok(Err(HoldError::Unknown)),
    });
    rejected.await??;
    Ok(Json(Rejected { rejected: true }))
}

fn bounded(note: &str) -> Result<(), Problem> {
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(Problem::BadBody(format!("note: at most {MAX_NOTE_CHARS} characters")));
    }
    Ok(())
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Unknown => Self::NotFound,
            HoldError::Decided => Self::AlreadyDecided,
            HoldError::NotReleasable(reason) => Self::NotReleasable(reason.code().to_owned()),
            HoldError::OnRejected => Self::BaseRejected,
        }
    }
}
