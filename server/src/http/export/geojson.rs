//! GeoJSON (RFC 7946): a collection of points. Properties are flat: a GIS shows what is nested as text.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{file::Format, table::Plain, unwritable, visits::COLUMNS};
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
    type Row = ExportedVisit;
    const CONTENT_TYPE: &'static str = "application/geo+json";
    const EXTENSION: &'static str = "geojson";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        Ok(br#"{"type":"FeatureCollection","features":["#.to_vec())
    }

    fn row(&self, visit: &ExportedVisit, first: bool, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        let feature = Feature {
            kind: "Feature",
            id: visit.head.id.to_string(),
            geometry: visit.head.position.as_ref().and_then(point),
            properties: Properties { visit, zone: self.zone },
        };
        bytes.extend_from_slice(if first { b"\n" } else { b",\n" });
        serde_json::to_writer(bytes, &feature).map_err(unwritable)
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
        let properties =
            COLUMNS.iter().map(|column| (column.property, value(column.data(self.visit, self.visit), self.zone)));
        serializer.collect_map(properties)
    }
}

fn value(cell: Plain<'_>, zone: Tz) -> Value {
    match cell {
        Plain::Empty => Value::Null,
        Plain::Text(text) => text.into(),
        Plain::Number(number) => number.into(),
        Plain::Whole(number) => number.into(),
        Plain::Flag(flag) => flag.into(),
        Plain::Instant(instant) => instant.local(zone).into(),
        Plain::Day(day) => day.text().into(),
    }
}

/// A position outside of the globe is shown among the properties only: a map could not place it.
fn point(position: &Position) -> Option<Value> {
    let on_globe = (-90.0..=90.0).contains(&position.lat) && (-180.0..=180.0).contains(&position.lon);
    on_globe.then(|| json!({ "type": "Point", "coordinates": [position.lon, position.lat] }))
}
