//! GeoJSON (RFC 7946): a collection of points. Properties are flat: a GIS shows what is nested as text.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    Format,
    cells::{COLUMNS, Cell},
    unwritable,
};
use crate::{
    query::{export::ExportedVisit, visits::Position},
    store::StoreError,
};

/// Points whose times are those of a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct GeoJson {
    pub zone: Tz,
}

impl Format for GeoJson {
    const CONTENT_TYPE: &'static str = "application/geo+json";
    const FILE_NAME: &'static str = "visits.geojson";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        Ok(br#"{"type":"FeatureCollection","features":["#.to_vec())
    }

    fn visit(&self, visit: &ExportedVisit, first: bool) -> Result<Vec<u8>, StoreError> {
        let feature = Feature {
            kind: "Feature",
            id: visit.head.id.to_string(),
            geometry: visit.head.position.as_ref().and_then(point),
            properties: Properties { visit, zone: self.zone },
        };
        let mut bytes = if first { b"\n".to_vec() } else { b",\n".to_vec() };
        serde_json::to_writer(&mut bytes, &feature).map_err(unwritable)?;
        Ok(bytes)
    }

    fn end(&self) -> Vec<u8> {
        b"\n]}\n".to_vec()
    }
}

#[derive(Serialize)]
struct Feature<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    geometry: Option<Value>,
    properties: Properties<'a>,
}

/// The columns of the table.
struct Properties<'a> {
    visit: &'a ExportedVisit,
    zone: Tz,
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(COLUMNS.iter().map(|column| (column.property, value((column.cell)(self.visit), self.zone))))
    }
}

fn value(cell: Cell<'_>, zone: Tz) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(text) => text.into(),
        Cell::Number(number) => number.into(),
        Cell::Count(count) => count.into(),
        Cell::Flag(flag) => flag.into(),
        Cell::Instant(instant) => instant.local(zone).into(),
    }
}

/// A position outside of the globe is shown among the properties only: a map could not place it.
fn point(position: &Position) -> Option<Value> {
    let on_globe = (-90.0..=90.0).contains(&position.lat) && (-180.0..=180.0).contains(&position.lon);
    on_globe.then(|| json!({ "type": "Point", "coordinates": [position.lon, position.lat] }))
}
