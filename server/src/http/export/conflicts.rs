//! `/v1/conflicts.csv`, `.xlsx`: what waits for someone to choose, each value with whoever wrote it.

use axum::{extract::State, response::Response};
use rusqlite::Connection;

use super::{
    csv::CsvStyle,
    disputed,
    file::{Batch, List, Listing, Shown},
    table::{Cell, Column, Sheet, SheetOf, code, instant, of, owned, text},
    words,
    xlsx::BookStyle,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    http::{extract::AsFile, problem::Problem},
    query::{
        conflicts::{self, ConflictFilter, ConflictKey, ConflictRow},
        more::Disputed,
        page::{Cursor, Limit, Page},
        period::NoPeriod,
        visit::Conflict,
        visits::PlaceName,
    },
    reach::Reach,
    store::StoreError,
};

/// A field in conflict, and its values.
struct Queued {
    row: ConflictRow,
    values: Vec<Disputed>,
}

impl Queued {
    /// Of a page's row and places.
    fn of(mut row: ConflictRow, places: &[PlaceName]) -> Result<Self, StoreError> {
        let conflict = Conflict { values: std::mem::take(&mut row.conflict.values), field: row.conflict.field.clone() };
        let values = Disputed::each(conflict, |_, value| {
            let named = |id| places.iter().find(|place| place.id.to_string() == id).cloned();
            Ok(value.as_text().and_then(named))
        });
        Ok(Self { row, values: values? })
    }
}

type Of = Column<Queued, Disputed>;

const CONFLICTS: Sheet<Queued, Disputed> = Sheet {
    name: "conflicts",
    title: words::CONFLICTS,
    columns: &[
        Of::id("visit_id", |queued, _| owned(queued.row.visit.to_string())),
        Of::of("beat", words::BEAT, |queued, _| of(queued.row.beat.as_deref(), Cell::Beat)).coded(),
        Of::field("address", "address", |queued, _| {
            of(queued.row.place.as_ref(), |place| text(place.address.as_deref()))
        }),
        Of::of("author", words::INSPECTOR, |queued, _| of(queued.row.inspector.as_ref(), Cell::Person)),
        Of::field("type", "visit_type", |queued, _| code("visit_type", queued.row.visit_type.as_deref())).coded(),
        Of::of("started_at", words::VISIT_BEGAN, |queued, _| instant(Some(queued.row.started_at))).time(),
        disputed::field(),
        disputed::value(),
        disputed::is_shown(),
        disputed::written_by(),
        disputed::written_at(),
        disputed::also_by(),
    ],
    items: |queued| &queued.values,
};

#[derive(Clone)]
struct Conflicts {
    reach: Reach,
    filter: ConflictFilter,
}

impl List for Conflicts {
    type Row = Queued;
    type Key = Cursor<ConflictKey>;
    const NAME: &'static str = "conflicts";

    fn sheets(&self) -> Vec<&'static dyn SheetOf<Queued>> {
        vec![&CONFLICTS]
    }

    fn batch(
        &self,
        connection: &Connection,
        after: Option<Self::Key>,
    ) -> Result<Result<Batch<Self>, NoPeriod>, StoreError> {
        let page = Page { limit: Limit::MOST, cursor: after };
        let page = conflicts::page(connection, &self.reach, &self.filter, &page)?;
        let queued = page.conflicts.into_iter().map(|row| Queued::of(row, &page.places));
        Ok(Ok((queued.collect::<Result<_, _>>()?, page.next)))
    }
}

impl Shown for Conflicts {
    type Filter = ConflictFilter;
    const READ: Action = Action::ReadVisits;

    fn within(reach: Reach, filter: ConflictFilter, _: &App) -> Self {
        Self { reach, filter }
    }
}

/// Conflicts as CSV, in the order of the page and with its filter.
#[utoipa::path(
    get, path = "/v1/conflicts.csv", operation_id = "export_conflicts_csv", params(ConflictFilter, CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<ConflictFilter, CsvStyle>,
) -> Result<Response, Problem> {
    Listing::<Conflicts>::of(&app, &caller, filter, style.language).await?.csv(app, style).await
}

/// Conflicts as a workbook of Excel, likewise.
#[utoipa::path(
    get, path = "/v1/conflicts.xlsx", operation_id = "export_conflicts_xlsx", params(ConflictFilter, BookStyle), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<ConflictFilter, BookStyle>,
) -> Result<Response, Problem> {
    Listing::<Conflicts>::of(&app, &caller, filter, style.language).await?.xlsx(app).await
}
