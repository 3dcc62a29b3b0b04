//! `/v1/devices.csv`, `.xlsx`: the list of devices as files.

use aralau_sync_core::time::Millis;
use axum::{extract::State, response::Response};
use rusqlite::Connection;

use super::{
    csv::CsvStyle,
    file::{Batch, List, Listing, Shown},
    table::{Cell, Column, Sheet, SheetOf, instant, number, owned, text, whole},
    words,
    xlsx::BookStyle,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    http::{devices::All, extract::AsFile, problem::Problem},
    query::{
        devices::{self, DeviceShown},
        page::{Cursor, Limit, Page},
        people::PersonKey,
        period::NoPeriod,
    },
    reach::Reach,
    store::StoreError,
};

/// A device, and how it stood when the file was asked for.
struct Listed {
    device: DeviceShown,
    state: &'static str,
}

type Of = Column<Listed, Listed>;

const DEVICES: Sheet<Listed, Listed> = Sheet {
    name: "devices",
    title: words::DEVICES,
    columns: &[
        Of::id("id", |listed, _| owned(listed.device.id.to_string())),
        Of::id("person_id", |listed, _| owned(listed.device.person.id.to_string())),
        Of::of("person", words::INSPECTOR, |listed, _| Cell::Person(&listed.device.person)),
        Of::of("beats", words::BEATS, |listed, _| Cell::Beats(&listed.device.beats)).coded(),
        Of::of("state", words::STATE, |listed, _| Cell::Word(listed.state)).coded(),
        Of::of("last_sync_at", words::LAST_SYNC, |listed, _| instant(listed.device.last_sync_at)).time(),
        Of::of("unsent", words::UNSENT, |listed, _| listed.device.unsent.map_or(Cell::EMPTY, whole)),
        Of::of("oldest_unsent_at", words::OLDEST_UNSENT, |listed, _| instant(listed.device.oldest_unsent_at)).time(),
        Of::of("clock_ahead_s", words::CLOCK_AHEAD_S, |listed, _| {
            number(listed.device.clock_skew_ms.map(|ms| ms as f64 / 1000.0))
        }),
        Of::of("app", words::APP, |listed, _| text(listed.device.app.as_deref())),
        Of::of("enrolled_at", words::ENROLLED_AT, |listed, _| instant(Some(listed.device.enrolled_at))).time(),
        Of::of("revoked_at", words::SHUT_OUT_AT, |listed, _| instant(listed.device.revoked_at)).time(),
    ],
    items: std::slice::from_ref,
};

#[derive(Clone)]
struct Devices {
    reach: Reach,
    now: Millis,
}

impl List for Devices {
    type Row = Listed;
    type Key = Cursor<PersonKey>;
    const NAME: &'static str = "devices";

    fn sheets(&self) -> Vec<&'static dyn SheetOf<Listed>> {
        vec![&DEVICES]
    }

    fn batch(
        &self,
        connection: &Connection,
        after: Option<Self::Key>,
    ) -> Result<Result<Batch<Self>, NoPeriod>, StoreError> {
        let page = Page { limit: Limit::MOST, cursor: after };
        let page = devices::page(connection, &self.reach, &page, self.now)?;
        let listed = |device: DeviceShown| Listed { state: device.state(self.now), device };
        Ok(Ok((page.devices.into_iter().map(listed).collect(), page.next)))
    }
}

impl Shown for Devices {
    type Filter = All;
    const READ: Action = Action::ReadDevices;

    fn within(reach: Reach, All {}: All, app: &App) -> Self {
        Self { reach, now: app.now() }
    }
}

/// Devices as CSV, in the order of the page and with its filter.
#[utoipa::path(
    get, path = "/v1/devices.csv", operation_id = "export_devices_csv", params(CsvStyle), security(("token" = []), ("session" = [])),
    responses((status = 200, body = String, content_type = "text/csv"), Problem)
)]
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<All, CsvStyle>,
) -> Result<Response, Problem> {
    Listing::<Devices>::of(&app, &caller, filter, style.language).await?.csv(app, style).await
}

/// Devices as a workbook of Excel, likewise.
#[utoipa::path(
    get, path = "/v1/devices.xlsx", operation_id = "export_devices_xlsx", params(BookStyle), security(("token" = []), ("session" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Problem
    )
)]
pub async fn xlsx(
    State(app): State<App>,
    caller: Caller,
    AsFile(filter, style): AsFile<All, BookStyle>,
) -> Result<Response, Problem> {
    Listing::<Devices>::of(&app, &caller, filter, style.language).await?.xlsx(app).await
}
