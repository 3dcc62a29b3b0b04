//! The list of places.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::id::DocumentId;

use super::{
    Conditions,
    instant::Instant,
    page::{Cursor, Page},
};
use crate::store::StoreError;

/// Which places. Everything given must hold.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlaceFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
    /// A code of the list `place_type`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub place_type: Option<String>,
    /// The place's name in another register.
    pub external_code: Option<String>,
    /// `active` or `withdrawn`.
    pub status: Option<String>,
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlaceRow {
    /// The place.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Its beat's code.
    pub beat: Option<String>,
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    #[serde(rename = "type")]
    pub place_type: Option<String>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// When the latest visit to it began.
    pub last_visit_at: Option<Instant>,
}

/// A page of places.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlacePage {
    /// In the order in which the server came to know them.
    pub places: Vec<PlaceRow>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<i64>>,
}

/// One page of the places that pass the filter.
pub fn page(connection: &Connection, filter: &PlaceFilter, page: &Page<i64>) -> Result<PlacePage, StoreError> {
    let mut conditions = Conditions::default();
    conditions.and_some("d.scope_no = (SELECT scope_no FROM beat WHERE code = ?)", filter.beat.clone());
    conditions.and_some("p.place_type = ?", filter.place_type.clone());
    conditions.and_some("p.external_code = ?", filter.external_code.clone());
    conditions.and_some("p.status = ?", filter.status.clone());
    conditions.and_some("p.document_no > ?", page.after().copied());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT p.document_no, d.document, b.code, p.address, p.external_code, p.place_type, p.status, p.lat, p.lon,
             (SELECT max(v.started_at) FROM visit v WHERE v.place = d.document AND v.scope_no = d.scope_no)
         FROM place p JOIN document d USING (document_no) LEFT JOIN beat b ON b.scope_no = d.scope_no{}
         ORDER BY p.document_no LIMIT {}",
        conditions.sql,
        page.and_one()
    ))?;
    let rows = statement.query_map(conditions.values(), |row| Ok((row.get(0)?, place_row(row)?)))?;
    let (places, next) = page.cut(rows.collect::<Result<_, _>>()?);
    Ok(PlacePage { places, next })
}

fn place_row(row: &Row<'_>) -> rusqlite::Result<PlaceRow> {
    Ok(PlaceRow {
        id: DocumentId::from_bytes(row.get(1)?),
        beat: row.get(2)?,
        address: row.get(3)?,
        external_code: row.get(4)?,
        place_type: row.get(5)?,
        status: row.get(6)?,
        lat: row.get(7)?,
        lon: row.get(8)?,
        last_visit_at: row.get::<_, Option<i64>>(9)?.map(Instant::from_ms),
    })
}
