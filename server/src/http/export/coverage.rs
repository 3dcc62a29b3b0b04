//! `/v1/coverage.csv`, `.xlsx`: the figures of the beats, over time as well where there is room for a second sheet.

use aralau_sync_core::time::Millis;
use axum::{extract::State, response::Response};
use rusqlite::Connection;

use super::{
    csv::CsvStyle,
    file::{Batch, List, Listing, Shown},
    table::{Cell, Column, Plain, Sheet, SheetOf, instant, text, whole},
    words,
    xlsx::BookStyle,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    calendar::Day,
    http::{extract::AsFile, problem::Problem},
    query::{
        coverage::{self, BeatFigures, Coverage, CoverageFilter, Point},
        period::NoPeriod,
    },
    reach::Reach,
    store::StoreError,
};

type OfBeat = Column<Coverage, BeatFigures>;
type OfPoint = Column<Coverage, Point>;
type Of = Column<Coverage, Coverage>;

const BEATS: Sheet<Coverage, BeatFigures> = Sheet {
    name: "beats",
    title: words::BY_BEAT,
    columns: &[
        OfBeat::of("from", words::FROM, |coverage, _| day(coverage.from)),
        OfBeat::of("to", words::TO, |coverage, _| day(coverage.to)),
        OfBeat::of("beat", words::BEAT, |_, figures| Cell::Beat(&figures.beat)).coded(),
        OfBeat::of("places", words::PLACE_COUNT, |_, figures| whole(figures.places)),
        OfBeat::of("contacted_places", words::CONTACTED, |_, figures| whole(figures.contacted_places)),
        OfBeat::of("attempted_places", words::ATTEMPTED, |_, figures| whole(figures.attempted_places)),
        OfBeat::of("due_places", words::DUE, |_, figures| whole(figures.due_places)),
        OfBeat::of("overdue_places", words::OVERDUE, |_, figures| whole(figures.overdue_places)),
        OfBeat::of("commitments_open", words::PROMISES_OPEN, |_, figures| whole(figures.commitments_open)),
        OfBeat::of("commitments_overdue", words::PROMISES_OVERDUE, |_, figures| whole(figures.commitments_overdue)),
        OfBeat::of("repeat_problems", words::REPEATS, |_, figures| whole(figures.repeat_problems)),
        OfBeat::of("visits", words::VISIT_COUNT, |coverage, figures| {
            whole(coverage.points_of(&figures.beat).iter().map(|point| point.visits).sum())
        }),
        OfBeat::of("late", words::LATE_COUNT, |coverage, figures| {
            whole(coverage.points_of(&figures.beat).iter().map(|point| point.late).sum())
        }),
    ],
    items: |coverage| &coverage.beats,
};

const OVER_TIME: Sheet<Coverage, Point> = Sheet {
    name: "over_time",
    title: words::OVER_TIME,
    columns: &[
        OfPoint::of("beat", words::BEAT, |_, point| Cell::Beat(&point.beat)).coded(),
        OfPoint::of("start", words::STRETCH, |_, point| day(point.start)),
        OfPoint::of("visits", words::VISIT_COUNT, |_, point| whole(point.visits)),
        OfPoint::of("contacted", words::CONTACTED, |_, point| whole(point.contacted)),
        OfPoint::of("attempted", words::ATTEMPTED, |_, point| whole(point.attempted)),
        OfPoint::of("late", words::LATE_COUNT, |_, point| whole(point.late)),
    ],
    items: |coverage| &coverage.series,
};

/// What may still be missing.
const AS_OF: Sheet<Coverage, Coverage> = Sheet {
    name: "as_of",
    title: words::AS_OF,
    columns: &[
        Of::of("from", words::FROM, |coverage, _| day(coverage.from)),
        Of::of("to", words::TO, |coverage, _| day(coverage.to)),
        Of::of("as_of", words::AS_OF, |coverage, _| instant(Some(coverage.freshness.as_of))).time(),
        Of::of("devices", words::DEVICE_COUNT, |coverage, _| whole(coverage.freshness.devices)),
        Of::of("silent_devices", words::SILENT_COUNT, |coverage, _| whole(coverage.freshness.silent_devices)),
        Of::of("oldest_unsent_at", words::OLDEST_UNSENT, |coverage, _| instant(coverage.freshness.oldest_unsent_at))
            .time(),
        Of::id("time_zone", |coverage, _| text(Some(&coverage.time_zone))),
    ],
    items: std::slice::from_ref,
};

fn day(day: Day) -> Cell<'static> {
    Cell::Plain(Plain::Day(day))
}

#[derive(Clone)]
struct Figures {
    reach: Reach,
    filter: CoverageFilter,
    visit_interval_days: u32,
    now: Millis,
}

impl List for Figures {
    type Row = Coverage;
    type Key = ();
    const NAME: &'static str = "coverage";

    fn sheets(&self) -> Vec<&'static dyn SheetOf<Coverage>> {
        vec![&BEATS, &OVER_TIME, &AS_OF]
    }

    fn batch(&self, connection: &Connection, _: Option<()>) -> Result<Result<Batch<Self>, NoPeriod>, StoreError> {
        let read = coverage::read(connection, &self.reach, &self.filter, self.visit_interval_days, self.now)?;
        Ok(read.map(|coverage| (vec![coverage], None)))
    }
}

impl Shown for Figures {
    type Filter = CoverageFilter;
    const READ: Action = Action::ReadVisits;

    fn within(reach: Reach, filter: CoverageFilter, app: &App) -> Self {
        Self { reach, filter, visit_interval_days: app.settings().visit_interval_days, now: app.now() }
    }
}

/// Coverage as CSV, in the order of the page and with its filter.
#[utoipa::path(
    get, path = "/v1/coverage.csv", operation_id = "export_coverage_csv", params(CoverageFilter, CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<CoverageFilter, CsvStyle>,
) -> Result<Response, Problem> {
    Listing::<Figures>::of(&app, &caller, filter, style.language).await?.csv(app, style).await
}

/// Coverage as a workbook of Excel, likewise.
#[utoipa::path(
    get, path = "/v1/coverage.xlsx", operation_id = "export_coverage_xlsx", params(CoverageFilter, BookStyle), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<CoverageFilter, BookStyle>,
) -> Result<Response, Problem> {
    Listing::<Figures>::of(&app, &caller, filter, style.language).await?.xlsx(app).await
}
