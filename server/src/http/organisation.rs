//! `/v1/organisation`: an operator's tables become a plan, which is looked at and then done.
//!
//! Nothing is kept between the two: whoever has a plan done sends the same tables again, with its name. The plan is made anew where
//! it is written, and done only if it still goes by that name.

mod shown;

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::State,
};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use aralau_sync_core::id::DocumentId;

use super::{
    extract::{Filter, Named},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    store::{self, LoadOptions, StoreError},
    tables::{
        Content, File, Tables,
        fault::{Fault, FaultKind, shortened},
        workbook,
    },
};
use shown::{Loaded, Planned};

/// A file, at most. Larger ones are the command line's.
const MAX_FILE_BYTES: usize = 16 << 20;
/// What a workbook unpacks to, at most.
const MAX_UNPACKED_BYTES: u64 = 128 << 20;
/// Rows of all tables in a file, at most.
const MAX_LINES: usize = 200_000;
/// Tables read at once: the largest takes some 250 MiB until its plan is shown, and 450 MiB while it is done.
const AT_ONCE: usize = 1;
/// How long a request waits for others' tables to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose tables are being read.
pub struct Loads(Semaphore);

impl Default for Loads {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Loads {
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(PATIENCE, self.0.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(Problem::TooManyLoads)
    }
}

/// What is chosen about a load, beside its file.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Choices {
    /// What the file is called, for whoever reads its faults.
    #[param(required = false)]
    file: String,
    /// A listed person keeps the beats beside which they stand in the table, and no others.
    #[param(required = false)]
    replace_grants: bool,
    /// The table names what is no more: its places are withdrawn, and the rights of its staff end.
    #[param(required = false)]
    retire: bool,
    /// The table's one row is about this place, whatever it was called so far and wherever it was.
    #[param(value_type = Option<uuid::Uuid>)]
    place: Option<DocumentId>,
}

impl Default for Choices {
    fn default() -> Self {
        Self { file: "table".to_owned(), replace_grants: false, retire: false, place: None }
    }
}

impl Choices {
    const fn options(&self) -> LoadOptions {
        LoadOptions { replace_grants: self.replace_grants, retire: self.retire, place: self.place }
    }
}

/// What would become of the organisation by a file's tables; changes nothing. The body is the file as it is: an Excel workbook
/// (.xlsx), CSV, or a GeoJSON of beats' outlines; its bytes tell. At most 16 MiB and 200,000 rows.
#[utoipa::path(
    post, path = "/v1/organisation/plans", operation_id = "plan_load", params(Choices), security(("token" = []), ("session" = [])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = Planned), Problem)
)]
pub async fn plan(
    State(app): State<App>,
    caller: Caller,
    Filter(choices): Filter<Choices>,
    body: Body,
) -> Result<Json<Planned>, Problem> {
    allowed(&caller)?;
    let _turn = app.http().loads.turn().await?;
    let (options, now) = (choices.options(), app.now());
    let (tables, file) = read(choices.file, body).await?;
    let planned = app.read(move |connection| {
        let known = tables.known(connection, options, now)?;
        Ok(Planned::of(&tables, &file, tables.plan(&known, options)))
    });
    Ok(Json(planned.await?))
}

/// Does what a plan says, in one transaction: all of it, and nothing where it would do something else by now (`plan_stale`). The
/// body and the choices are those of the plan.
#[utoipa::path(
    post, path = "/v1/organisation/plans/{plan}/apply", operation_id = "apply_plan", params(("plan" = String, Path), Choices),
    security(("token" = []), ("session" = [])), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Loaded), Problem)
)]
pub async fn apply(
    State(app): State<App>,
    caller: Caller,
    Named(plan): Named<String>,
    Filter(choices): Filter<Choices>,
    body: Body,
) -> Result<Json<Loaded>, Problem> {
    allowed(&caller)?;
    let _turn = app.http().loads.turn().await?;
    let (options, now) = (choices.options(), app.now());
    let (tables, _) = read(choices.file, body).await?;
    let (tables, handle) = (Arc::new(tables), app.clone());
    let loaded = app.write_by(caller.by(), move |tx| {
        let known = tables.known(tx, options, now)?;
        let Ok(planned) = tables.plan(&known, options) else { return Ok(None) };
        drop(known);
        if shown::name_of(&planned) != plan {
            return Ok(None);
        }
        store::apply(tx, handle.identity(), &planned, now, &|_, _| {})?;
        Loaded::of(tx, &planned).map(Some)
    });
    Ok(Json(loaded.await?.ok_or(Problem::PlanStale)?))
}

/// A plan compares with all that there is: whoever reads a part of it would learn of the rest.
fn allowed(caller: &Caller) -> Result<(), Problem> {
    let reach = caller.may(Action::Administer)?;
    if reach.is_everywhere() { Ok(()) } else { Err(Problem::Forbidden) }
}

/// The tables in a body, and what their file is called.
async fn read(file: String, body: Body) -> Result<(Tables, String), Problem> {
    let bytes = to_bytes(body, MAX_FILE_BYTES).await.map_err(|error| unreadable(error.into_inner()))?;
    let name = shortened(&file);
    let read = tokio::task::spawn_blocking(move || (tables(&name, bytes), name)).await;
    read.map_err(|_| StoreError::Internal("reading tables panicked".into()).into())
}

fn unreadable(error: axum::BoxError) -> Problem {
    if error.is::<http_body_util::LengthLimitError>() { Problem::BodyTooLarge } else { Problem::BodyIncomplete }
}

fn tables(name: &str, bytes: Bytes) -> Tables {
    let content = Content::told_by(&bytes);
    let bytes = if bytes.is_empty() {
        Err(Fault::new(FaultKind::TableEmpty, name, "the file is empty"))
    } else if !workbook::unpacks_within(&bytes, MAX_UNPACKED_BYTES) {
        let message = format!("it unpacks to more than {} MiB; load it by the command line", MAX_UNPACKED_BYTES >> 20);
        Err(Fault::new(FaultKind::FileTooLarge, name, message))
    } else {
        Ok(bytes.into())
    };
    let mut tables = Tables::of(&[File { name: name.to_owned(), content, bytes }]);
    if tables.lines() > MAX_LINES {
        let message = format!("more than {MAX_LINES} rows; split the file, or load it by the command line");
        tables = Tables::default();
        tables.faults.push(Fault::new(FaultKind::TooManyRows, name, message));
    }
    tables
}

#[cfg(test)]
mod tests {
    /// What only journals of visits are told.
    const OF_JOURNALS: [&str; 8] = [
        "json_malformed",
        "date_malformed",
        "times_differ",
        "date_implausible",
        "end_before_start",
        "word_unknown",
        "id_twice",
        "total_row",
    ];

    #[test]
    fn the_console_words_every_code_in_three_languages() {
        let sources = [include_str!("../tables/fault.rs"), include_str!("../store/organisation/plan/said.rs")];
        let arms = sources.iter().flat_map(|source| source.lines()).map(str::trim);
        let arms = arms.filter(|line| line.starts_with("Self::") && line.contains("=> \"") && line.contains('_'));
        let codes: Vec<_> = arms.filter_map(|arm| arm.split('"').nth(1)).filter(|code| code.contains('_')).collect();
        assert!(codes.len() > 40, "{codes:?}");
        for words in [
            include_str!("../../../client-sdk/console/src/i18n/en.json"),
            include_str!("../../../client-sdk/console/src/i18n/ru.json"),
            include_str!("../../../client-sdk/console/src/i18n/kk.json"),
        ] {
            for code in codes.iter().filter(|code| !OF_JOURNALS.contains(code)) {
                // Of `external_code` and the like, columns are meant.
                let is_column = ["external_code", "place_type"].contains(code);
                assert!(is_column || words.contains(&format!("\"fault.{code}\"")), "{code}");
            }
        }
    }
}
