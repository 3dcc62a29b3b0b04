//! Decisions about many held entries at once: each is a row of its own, as if it had been asked for alone.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::{
    id::{ReplicaId, ScopeId},
    time::Millis,
};

use super::{
    super::{extract::Body, problem::Problem},
    bounded, past,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    calendar,
    query::{
        page::{Cursor, Limit, Page},
        quarantine::{self, HeldFilter},
    },
    reach::Reach,
    store::{self, HeldKey, HoldError, Said, StoreError, Transaction},
};

/// Entries that one request decides about, at most.
const MAX_ENTRIES: u32 = 200;
/// Entries decided in one turn of the writer: others write in between.
const TURN_ENTRIES: usize = 16;

/// A held entry's name.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryName {
    /// Whose stream.
    #[schema(value_type = String)]
    pub replica: ReplicaId,
    /// In which scope.
    #[schema(value_type = Uuid)]
    pub scope: ScopeId,
    /// Index there.
    pub index: u64,
}

/// All held entries that pass.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllHeld {
    /// A beat's code.
    pub beat: Option<String>,
    /// A stable code of why they are held.
    pub reason: Option<String>,
    /// What was received up to then, RFC 3339: `as_of` of the page that somebody has looked at. What has come since stays.
    pub until: String,
    /// The `next` of the answer before.
    #[schema(value_type = Option<String>)]
    pub cursor: Option<Cursor<i64>>,
}

/// Which held entries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// These, at most 200.
    Entries(Vec<EntryName>),
    /// All that pass, 200 at a time.
    All(AllHeld),
}

/// Many entries to be released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyReleased {
    /// Which.
    pub which: Which,
    /// For whoever reads the history; at most 2,000 characters.
    pub note: String,
    /// Whether what they build on goes in as well, where that was rejected.
    #[serde(default)]
    pub with_rejected: bool,
}

/// Many entries to be rejected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyRejected {
    /// Which.
    pub which: Which,
    /// For whoever reads the history; at most 2,000 characters.
    pub note: String,
}

/// An entry that stays as it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptShown {
    /// Whose stream.
    #[schema(value_type = String)]
    pub replica: ReplicaId,
    /// In which scope.
    #[schema(value_type = Uuid)]
    pub scope: ScopeId,
    /// Index there.
    pub index: u64,
    /// Why, a stable code: `not_releasable`, `base_rejected`, `not_found`.
    pub code: &'static str,
}

/// What came of it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Judged {
    /// Entries decided: what goes in with another one counts too.
    pub decided: usize,
    /// Those asked for that stay as they were. What somebody has decided before is not among them.
    pub kept: Vec<KeptShown>,
    /// Where the next request begins; null once all that pass were looked at.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<i64>>,
}

/// Releases many held entries, at most 200 at once, each by a row of its own.
#[utoipa::path(
    post, path = "/v1/quarantine/release", operation_id = "release_many", security(("token" = []), ("session" = [])),
    request_body = ManyReleased, responses((status = 200, body = Judged), Problem)
)]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Body(ManyReleased { which, note, with_rejected }): Body<ManyReleased>,
) -> Result<Json<Judged>, Problem> {
    let reach = caller.may(Action::JudgeQuarantine)?;
    bounded(&note)?;
    let judged = judge(&app, reach, caller.name, note, which, move |tx, key, said, now| {
        store::release_held(tx, key, past(with_rejected), said, now)
    });
    judged.await.map(Json)
}

/// Rejects many held entries, at most 200 at once, each by a row of its own.
#[utoipa::path(
    post, path = "/v1/quarantine/reject", operation_id = "reject_many", security(("token" = []), ("session" = [])),
    request_body = ManyRejected, responses((status = 200, body = Judged), Problem)
)]
pub async fn reject(
    State(app): State<App>,
    caller: Caller,
    Body(ManyRejected { which, note }): Body<ManyRejected>,
) -> Result<Json<Judged>, Problem> {
    let reach = caller.may(Action::JudgeQuarantine)?;
    bounded(&note)?;
    let judged = judge(&app, reach, caller.name, note, which, |tx, key, said, now| {
        Ok(store::reject_held(tx, key, said, now)?.map(|()| 1))
    });
    judged.await.map(Json)
}

/// How many entries a decision about one has decided.
type Decided = Result<usize, HoldError>;

async fn judge(
    app: &App,
    reach: Reach,
    by: String,
    note: String,
    which: Which,
    decide: impl Fn(&mut Transaction<'_>, HeldKey, Said<'_>, Millis) -> Result<Decided, StoreError> + Copy + Send + 'static,
) -> Result<Judged, Problem> {
    let (keys, next) = keys(app, &reach, which).await?;
    let (now, mut judged) = (app.now(), Judged { next, ..Judged::default() });
    for turn in keys.chunks(TURN_ENTRIES) {
        let (turn, reach, by, note) = (turn.to_vec(), reach.clone(), by.clone(), note.clone());
        let decided = app.write(move |tx| {
            let mut decided = Vec::with_capacity(turn.len());
            for &key in &turn {
                let one = match quarantine::reaches(tx, &reach, &key)? {
                    true => decide(tx, key, Said::by(&by).noting(&note), now)?,
                    false => Err(HoldError::Unknown),
                };
                decided.push((key, one));
            }
            Ok(decided)
        });
        for (key, decided) in decided.await? {
            judged.count(key, decided);
        }
    }
    Ok(judged)
}

impl Judged {
    fn count(&mut self, HeldKey { replica, scope, index }: HeldKey, decided: Decided) {
        let code = match decided {
            Ok(0) | Err(HoldError::NotReleasable(_)) => "not_releasable",
            Ok(decided) => return self.decided += decided,
            Err(HoldError::Decided) => return,
            Err(HoldError::OnRejected) => "base_rejected",
            Err(HoldError::Unknown) => "not_found",
        };
        self.kept.push(KeptShown { replica, scope, index, code });
    }
}

/// The entries meant, those of one stream in its order.
async fn keys(app: &App, reach: &Reach, which: Which) -> Result<(Vec<HeldKey>, Option<Cursor<i64>>), Problem> {
    match which {
        Which::Entries(entries) if entries.len() > MAX_ENTRIES as usize => {
            Err(Problem::BadBody(format!("entries: at most {MAX_ENTRIES}")))
        }
        Which::Entries(mut entries) => {
            entries.sort_by_key(|entry| (entry.scope, entry.replica, entry.index));
            let key = |EntryName { replica, scope, index }| HeldKey { replica, scope, index };
            Ok((entries.into_iter().map(key).collect(), None))
        }
        Which::All(AllHeld { beat, reason, until, cursor }) => {
            let unreadable = |_| Problem::BadBody("until: an RFC 3339 instant with its offset".into());
            let until = calendar::instant(&until).map_err(unreadable)?;
            let (reach, filter) = (reach.clone(), HeldFilter { beat, reason, state: None });
            let page = Page { limit: Limit::MOST.at_most(MAX_ENTRIES), cursor };
            Ok(app.read(move |connection| quarantine::keys(connection, &reach, &filter, until, &page)).await?)
        }
    }
}
