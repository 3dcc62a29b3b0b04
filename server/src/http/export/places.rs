//! `/v1/places.csv`, `.xlsx`: the list of places as files.

use aralau_sync_core::time::Millis;
use axum::{extract::State, response::Response};
use rusqlite::Connection;

use super::{
    csv::CsvStyle,
    file::{Batch, List, Listing, Shown},
    table::{Cell, Column, Sheet, SheetOf, code, instant, number, of, owned, text},
    words,
    xlsx::BookStyle,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    http::{extract::AsFile, problem::Problem},
    query::{
        page::{Cursor, Limit, Page},
        period::NoPeriod,
        places::{self, PlaceFilter, PlaceKey, PlaceRow},
        standing::Standing,
    },
    reach::Reach,
    store::StoreError,
};

type Of = Column<PlaceRow, PlaceRow>;

const PLACES: Sheet<PlaceRow, PlaceRow> = Sheet {
    name: "places",
    title: words::PLACES,
    columns: &[
        Of::id("id", |place, _| owned(place.id.to_string())),
        Of::of("beat", words::BEAT, |place, _| of(place.beat.as_deref(), Cell::Beat)).coded(),
        Of::field("address", "address", |place, _| text(place.address.as_deref())),
        Of::field("external_code", "external_code", |place, _| text(place.external_code.as_deref())),
        Of::field("type", "place_type", |place, _| code("place_type", place.place_type.as_deref())).coded(),
        Of::field("status", "status", |place, _| code("status", Some(&place.status))).coded(),
        Of::of("standing", words::STANDING, |place, _| {
            place.standing.map_or(Cell::EMPTY, |standing: Standing| Cell::Word(standing.code()))
        })
        .coded(),
        Of::of("due_at", words::DUE_AT, |place, _| instant(place.due_at)).time(),
        Of::of("contacted_at", words::LAST_MET, |place, _| instant(place.contacted_at)).time(),
        Of::of("attempted_at", words::LAST_TRIED, |place, _| instant(place.attempted_at)).time(),
        Of::of("last_visit_at", words::LAST_VISIT, |place, _| instant(place.last_visit_at)).time(),
        Of::field("lat", "lat_e7", |place, _| number(place.lat)),
        Of::field("lon", "lon_e7", |place, _| number(place.lon)),
    ],
    items: std::slice::from_ref,
};

#[derive(Clone)]
struct Places {
    reach: Reach,
    filter: PlaceFilter,
    visit_interval_days: u32,
    now: Millis,
}

impl List for Places {
    type Row = PlaceRow;
    type Key = Cursor<PlaceKey>;
    const NAME: &'static str = "places";

    fn sheets(&self) -> Vec<&'static dyn SheetOf<PlaceRow>> {
        vec![&PLACES]
    }

    fn batch(
        &self,
        connection: &Connection,
        after: Option<Self::Key>,
    ) -> Result<Result<Batch<Self>, NoPeriod>, StoreError> {
        let page = Page { limit: Limit::MOST, cursor: after };
        let page = places::page(connection, &self.reach, &self.filter, &page, self.visit_interval_days, self.now)?;
        Ok(page.map(|page| (page.places, page.next)))
    }
}

impl Shown for Places {
    type Filter = PlaceFilter;
    const READ: Action = Action::ReadVisits;

    fn within(reach: Reach, filter: PlaceFilter, app: &App) -> Self {
        Self { reach, filter, visit_interval_days: app.settings().visit_interval_days, now: app.now() }
    }
}

/// Places as CSV, in the order of the page and with its filter.
#[utoipa::path(
    get, path = "/v1/places.csv", operation_id = "export_places_csv", params(PlaceFilter, CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<PlaceFilter, CsvStyle>,
) -> Result<Response, Problem> {
    Listing::<Places>::of(&app, &caller, filter, style.language).await?.csv(app, style).await
}

/// Places as a workbook of Excel, likewise.
#[utoipa::path(
    get, path = "/v1/places.xlsx", operation_id = "export_places_xlsx", params(PlaceFilter, BookStyle), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<PlaceFilter, BookStyle>,
) -> Result<Response, Problem> {
    Listing::<Places>::of(&app, &caller, filter, style.language).await?.xlsx(app).await
}
