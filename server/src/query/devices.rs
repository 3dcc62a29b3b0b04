//! The list of devices: whose they are, and how long they have been silent.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::{collation::SortKey, id::PersonId, time::Millis};

use super::{
    author::Person,
    coverage::SILENT_MS,
    instant::Instant,
    page::{Cursor, Limit, Page},
    people::{PersonKey, after, beats_of, codes, works_within},
};
use crate::{reach::Reach, store::StoreError};

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceShown {
    /// The device.
    pub id: Uuid,
    /// In whose hands it is.
    pub person: Person,
    /// The beats that its person may write in now, by code.
    pub beats: Vec<String>,
    /// Whether the server itself holds the key: headquarters' own edits.
    pub server_custody: bool,
    /// When it was enrolled.
    pub enrolled_at: Instant,
    /// When it last synced; null if never.
    pub last_sync_at: Option<Instant>,
    /// Entries of its own that had not come by the end of its last sync.
    pub unsent: Option<i64>,
    /// When the oldest was written that it had not sent before; null where all have come.
    pub oldest_unsent_at: Option<Instant>,
    /// How far its clock was ahead of the server's when it last synced, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// Version of its app.
    pub app: Option<String>,
    /// When it was shut out; null if it is not.
    pub revoked_at: Option<Instant>,
    /// Whether it waits, since this server was restored, for somebody to confirm it; until then it is served nothing.
    pub unconfirmed: bool,
}

impl DeviceShown {
    /// In a word, as the console shows it: what stands above all else about it.
    pub fn state(&self, now: Millis) -> &'static str {
        let is_silent = self.last_sync_at.is_none_or(|at| now.0 - at.0.0 > SILENT_MS);
        if self.server_custody {
            "server_custody"
        } else if self.revoked_at.is_some() {
            "revoked"
        } else if self.unconfirmed {
            "unconfirmed"
        } else if is_silent {
            "silent"
        } else {
            "active"
        }
    }
}

/// A page of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DevicePage {
    /// By the name of whoever has them.
    pub devices: Vec<DeviceShown>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<PersonKey>>,
}

/// All devices within, page by page.
pub fn all(connection: &Connection, reach: &Reach, now: Millis) -> Result<Vec<DeviceShown>, StoreError> {
    let mut asked = Page::first(Limit::BATCH);
    let mut devices = Vec::new();
    loop {
        let found = page(connection, reach, &asked, now)?;
        devices.extend(found.devices);
        match found.next {
            Some(next) => asked.cursor = Some(next),
            None => return Ok(devices),
        }
    }
}

/// One page of the devices of those who work a beat within.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    page: &Page<PersonKey>,
    now: Millis,
) -> Result<DevicePage, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "WITH listed AS (
             SELECT d.*, coalesce(p.name, '') AS name, coalesce(p.name_key, x'') AS name_key,
                 coalesce(j.goes_as, d.person) AS goes_as
             FROM device d LEFT JOIN joined_person j USING (person)
             LEFT JOIN person p ON p.person = coalesce(j.goes_as, d.person)
             WHERE (coalesce(p.name_key, x''), d.device) > (?1, ?2) AND {} ORDER BY name_key, d.device LIMIT ?4)
         SELECT d.*, d.unconfirmed AND d.revoked_at IS NULL AS waits, s.last_sync_at, s.unsent, s.oldest_unsent_at, s.clock_skew_ms, s.app, {} AS beats
         FROM listed d LEFT JOIN device_status s USING (device) ORDER BY d.name_key, d.device",
        works_within("d.person", "?3", "?5"),
        beats_of("d.person", "?3", "?5")
    ))?;
    let (name, id) = after(page);
    let rows = statement.query_map(params![name, id, now.0, page.and_one(), reach], |row| {
        let device = device(row)?;
        Ok(((SortKey::from_bytes(row.get("name_key")?), device.id), device))
    })?;
    let (devices, next) = page.cut(rows.collect::<Result<_, _>>()?);
    Ok(DevicePage { devices, next })
}

fn device(row: &Row<'_>) -> rusqlite::Result<DeviceShown> {
    let instant = |name| -> rusqlite::Result<_> { Ok(row.get::<_, Option<i64>>(name)?.map(Instant::from_ms)) };
    Ok(DeviceShown {
        id: Uuid::from_bytes(row.get("device")?),
        person: Person { id: PersonId::from_bytes(row.get("goes_as")?), name: row.get("name")? },
        beats: codes(row.get("beats")?),
        server_custody: row.get("server_custody")?,
        enrolled_at: Instant::from_ms(row.get("enrolled_at")?),
        last_sync_at: instant("last_sync_at")?,
        unsent: row.get("unsent")?,
        oldest_unsent_at: instant("oldest_unsent_at")?,
        clock_skew_ms: row.get("clock_skew_ms")?,
        app: row.get("app")?,
        revoked_at: instant("revoked_at")?,
        unconfirmed: row.get("waits")?,
    })
}
