//! `/v1/devices`: whose they are, how long they have been silent, how to shut one out, and how to confirm one after a restore.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::id::DeviceId;

use super::{
    extract::{Named, PageParameters, Paged},
    problem::Problem,
};
use crate::{
    app::App,
    auth::Caller,
    authorize::Action,
    query::{
        devices::{self, DevicePage},
        instant::Instant,
        people::PersonKey,
    },
    store::{self, Transaction},
};

/// No filter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct All {}

/// All devices, by the name of whoever has them.
#[utoipa::path(
    get, path = "/v1/devices", operation_id = "list_devices", params(PageParameters), security(("token" = []), ("session" = [])),
    responses((status = 200, body = DevicePage), Problem)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Paged { filter: All {}, page }: Paged<All, PersonKey>,
) -> Result<Json<DevicePage>, Problem> {
    let reach = caller.may(Action::ReadDevices)?;
    let now = app.now();
    Ok(Json(app.read(move |connection| devices::page(connection, &reach, &page, now)).await?))
}

/// A device shut out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {
    /// Since when. What was not received before is held.
    pub revoked_at: Instant,
}

/// Shuts a device out, from now on.
#[utoipa::path(
    post, path = "/v1/devices/{id}/revoke", params(("id" = Uuid, Path)), security(("token" = []), ("session" = [])),
    responses((status = 200, body = Revoked), Problem)
)]
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DeviceId>,
) -> Result<Json<Revoked>, Problem> {
    caller.may(Action::RevokeDevice)?;
    let now = app.now();
    let known = app.write_by(caller.by(), move |tx| store::revoke_device(tx, id, now)).await?;
    if known { Ok(Json(Revoked { revoked_at: Instant(now) })) } else { Err(Problem::NotFound) }
}

/// A device confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Confirmed {
    /// Whether it is served from now on; not, if it was shut out.
    pub served: bool,
}

/// Devices confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllConfirmed {
    /// How many waited for it.
    pub confirmed: usize,
}

/// Stands up for every device that waits for it since this server was restored.
#[utoipa::path(
    post, path = "/v1/devices/confirm-all", security(("token" = []), ("session" = [])),
    responses((status = 200, body = AllConfirmed), Problem)
)]
pub async fn confirm_all(State(app): State<App>, caller: Caller) -> Result<Json<AllConfirmed>, Problem> {
    caller.may(Action::Enroll)?;
    let now = app.now();
    let confirm = move |tx: &mut Transaction<'_>| {
        let devices = store::unconfirmed_devices(tx)?;
        for device in &devices {
            store::confirm_device(tx, *device, now)?;
        }
        Ok(devices.len())
    };
    Ok(Json(AllConfirmed { confirmed: app.write_by(caller.by(), confirm).await? }))
}

/// Stands up for a device that a restored server does not know enough of: it is served again from now on.
#[utoipa::path(
    post, path = "/v1/devices/{id}/confirm", params(("id" = Uuid, Path)), security(("token" = []), ("session" = [])),
    responses((status = 200, body = Confirmed), Problem)
)]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named<DeviceId>,
) -> Result<Json<Confirmed>, Problem> {
    caller.may(Action::Enroll)?;
    let now = app.now();
    let confirm = move |tx: &mut Transaction<'_>| match store::confirm_device(tx, id, now)? {
        true => store::device(tx, id),
        false => Ok(None),
    };
    let device = app.write_by(caller.by(), confirm).await?.ok_or(Problem::NotFound)?;
    Ok(Json(Confirmed { served: device.revoked_at.is_none() }))
}
