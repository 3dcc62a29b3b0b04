//! `/v1/export.*`: all of a filter's visits in one file.
//!
//! A file is streamed batch by batch, each a keyset page of its own: memory stays bounded by one batch, and no
//! connection to the store is held while the client is slow. A failure on the way breaks the stream off, which no client
//! takes for a whole file. The batches are not one snapshot: what arrives meanwhile may or may not be in it.

mod cells;
mod csv;
mod geojson;
mod ndjson;
mod xlsx;

pub use csv::CsvStyle;
pub(super) use xlsx::CONTENT_TYPE as XLSX;
pub use xlsx::Workbooks;

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::{Stream, StreamExt as _, stream};

use super::{
    extract::{AsCsv, Filter},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        export::{Export, ExportedVisit},
        page::Cursor,
        visits::{VisitFilter, VisitKey},
    },
    store::StoreError,
};

/// How a file is written.
trait Format: Copy + Send + Sync + 'static {
    const CONTENT_TYPE: &'static str;
    const FILE_NAME: &'static str;
    /// What stands before the first visit.
    fn begin(&self) -> Result<Vec<u8>, StoreError>;
    /// One visit. `first`: nothing but [`Self::begin`] stands before it.
    fn visit(&self, visit: &ExportedVisit, first: bool) -> Result<Vec<u8>, StoreError>;
    /// What stands after the last visit.
    fn end(&self) -> Vec<u8>;
}

/// Visits as CSV for spreadsheets: UTF-8 with a byte order mark, times by the deployment's clock with their offset, and no cell
/// that a spreadsheet would take for a formula.
#[utoipa::path(
    get, path = "/v1/export.csv", params(VisitFilter, CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsCsv(filter, style): AsCsv<VisitFilter>,
) -> Result<Response, Problem> {
    let export = begun(&app, &caller, filter).await?;
    file(app, csv::Csv { zone: export.zone, style }, export).await
}

/// Visits as a workbook of Excel, with numbers as such and times by the deployment's clock, whose zone the headings name; at most
/// 1,048,575 of them. The answer begins once the whole file is made.
#[utoipa::path(
    get, path = "/v1/export.xlsx", params(VisitFilter), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    Filter(filter): Filter<VisitFilter>,
) -> Result<Response, Problem> {
    let export = begun(&app, &caller, filter).await?;
    let (file, bytes) = xlsx::make(&app, export).await?;
    let mut response = attached(xlsx::CONTENT_TYPE, "visits.xlsx", xlsx::pieces(file));
    response.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
    Ok(response)
}

/// Visits as GeoJSON (RFC 7946), with flat properties and times by the deployment's clock with their offset; those without a
/// position have no geometry.
#[utoipa::path(
    get, path = "/v1/export.geojson", params(VisitFilter), security(("token" = []), ("session" = [])),
    responses((status = 200, body = Object, content_type = "application/geo+json"), Problem)
)]
pub async fn geojson(
    State(app): State<App>,
    caller: Caller,
    Filter(filter): Filter<VisitFilter>,
) -> Result<Response, Problem> {
    let export = begun(&app, &caller, filter).await?;
    file(app, geojson::GeoJson { zone: export.zone }, export).await
}

/// Visits as JSON, one a line, with all notes; times in UTC, as everywhere in the API.
#[utoipa::path(
    get, path = "/v1/export.ndjson", params(VisitFilter), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Problem)
)]
pub async fn ndjson(
    State(app): State<App>,
    caller: Caller,
    Filter(filter): Filter<VisitFilter>,
) -> Result<Response, Problem> {
    let export = begun(&app, &caller, filter).await?;
    file(app, ndjson::NdJson, export).await
}

async fn begun(app: &App, caller: &Caller, filter: VisitFilter) -> Result<Export, Problem> {
    let reach = caller.may(Action::Export)?;
    Ok(app.read(move |connection| Export::of(connection, reach, filter)).await??)
}

async fn file<F: Format>(app: App, format: F, export: Export) -> Result<Response, Problem> {
    // The first piece is read before the answer begins, so that a failure there is still a problem and not a torn file.
    let (first, rest) = piece(&app, format, &export, None).await?;
    let pieces = stream::unfold(Next { app, export, rest, ready: Some(first) }, move |mut next| async move {
        let bytes = match (next.ready.take(), next.rest.take()) {
            (Some(ready), rest) => {
                next.rest = rest;
                Ok(ready)
            }
            (None, Some(after)) => match piece(&next.app, format, &next.export, Some(after)).await {
                Ok((bytes, rest)) => {
                    next.rest = rest;
                    Ok(bytes)
                }
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    Err(io::Error::other("the export broke off"))
                }
            },
            (None, None) => return None,
        };
        Some((bytes, next))
    });
    Ok(attached(F::CONTENT_TYPE, F::FILE_NAME, pieces))
}

/// A file to be saved, not shown.
fn attached(
    content_type: &str,
    name: &str,
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    // What compresses it asks again after its end.
    let body = Body::from_stream(pieces.fuse());
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, disposition.as_str())];
    (headers, body).into_response()
}

/// Where a file stands.
struct Next {
    app: App,
    export: Export,
    rest: Option<Cursor<VisitKey>>,
    ready: Option<Bytes>,
}

/// Reads and writes one batch; the second part says where the rest begins.
async fn piece<F: Format>(
    app: &App,
    format: F,
    export: &Export,
    after: Option<Cursor<VisitKey>>,
) -> Result<(Bytes, Option<Cursor<VisitKey>>), StoreError> {
    let export = export.clone();
    app.read(move |connection| {
        let mut first = after.is_none();
        let batch = export.batch(connection, after)?;
        let mut bytes = if first { format.begin()? } else { Vec::new() };
        for visit in &batch.visits {
            bytes.extend(format.visit(visit, first)?);
            first = false;
        }
        if batch.next.is_none() {
            bytes.extend(format.end());
        }
        Ok((Bytes::from(bytes), batch.next))
    })
    .await
}

/// A visit that cannot be written: a fault of this build.
fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(format!("writing an export: {error}"))
}
