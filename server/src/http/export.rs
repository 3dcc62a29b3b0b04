//! Lists as files: `/v1/export.*`, all of a filter's visits, and the other lists by their own addresses.
//!
//! A file is streamed batch by batch, each a keyset page of its own: memory stays bounded by one batch, and no
//! connection to the store is held while the client is slow. A failure on the way breaks the stream off, which no client
//! takes for a whole file. The batches are not one snapshot: what arrives meanwhile may or may not be in it.

mod table;
mod words;

mod csv;
mod file;
mod geojson;
mod ndjson;
mod xlsx;

mod disputed;

pub mod conflicts;
pub mod coverage;
pub mod devices;
pub mod places;
mod visits;

pub use csv::CsvStyle;
pub use visits::{Detail, VisitBookStyle};
pub(super) use xlsx::CONTENT_TYPE as XLSX;
pub use xlsx::{BookStyle, Workbooks};

use axum::{extract::State, response::Response};

use aralau_sync_core::vocabulary::Language;

use super::{
    extract::{AsFile, Filter},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        export::{Export, ExportedVisit},
        page::Cursor,
        period::NoPeriod,
        visits::{VisitFilter, VisitKey},
    },
    store::StoreError,
};
use file::{Batch, List, Listing};
use table::{Reader, SheetOf};

impl List for Export {
    type Row = ExportedVisit;
    type Key = Cursor<VisitKey>;
    const NAME: &'static str = "visits";

    fn sheets(&self) -> Vec<&'static dyn SheetOf<ExportedVisit>> {
        if self.is_with_more() { visits::ALL.to_vec() } else { vec![&visits::VISITS] }
    }

    fn exceeds(&self, connection: &rusqlite::Connection, most: u32) -> Result<bool, StoreError> {
        Ok(self.count(connection)? > u64::from(most))
    }

    fn batch(
        &self,
        connection: &rusqlite::Connection,
        after: Option<Self::Key>,
    ) -> Result<Result<Batch<Self>, NoPeriod>, StoreError> {
        let batch = self.batch(connection, after)?;
        Ok(Ok((batch.visits, batch.next)))
    }
}

/// Visits as CSV for spreadsheets: UTF-8 with a byte order mark, times by the deployment's clock, and no cell that a spreadsheet
/// would take for a formula.
#[utoipa::path(
    get, path = "/v1/export.csv", params(VisitFilter, CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<VisitFilter, CsvStyle>,
) -> Result<Response, Problem> {
    begun(&app, &caller, filter, style.language, Detail::Visits).await?.csv(app, style).await
}

/// Visits as a workbook of Excel, with numbers as such and times by the deployment's clock, whose zone the headings name; at most
/// 1,048,575 rows a sheet. The answer begins once the whole file is made.
#[utoipa::path(
    get, path = "/v1/export.xlsx", params(VisitFilter, VisitBookStyle), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<VisitFilter, VisitBookStyle>,
) -> Result<Response, Problem> {
    begun(&app, &caller, filter, style.language, style.sheets).await?.xlsx(app).await
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
    let Listing { list, reader } = begun(&app, &caller, filter, None, Detail::Visits).await?;
    file::stream(app, geojson::GeoJson { zone: reader.zone }, list).await
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
    let Listing { list, .. } = begun(&app, &caller, filter, None, Detail::Visits).await?;
    file::stream(app, ndjson::NdJson, list).await
}

async fn begun(
    app: &App,
    caller: &Caller,
    filter: VisitFilter,
    language: Option<Language>,
    detail: Detail,
) -> Result<Listing<Export>, Problem> {
    let reach = caller.may(Action::Export)?;
    let begun = app.read(move |connection| {
        let reader = Reader::of(connection, &reach, language)?;
        let export = Export::of(connection, reach, filter)?;
        Ok(export.map(|export| Listing { list: export.with_more(detail == Detail::All), reader }))
    });
    Ok(begun.await??)
}

/// A row that cannot be written: a fault of this build.
fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(format!("writing an export: {error}"))
}
