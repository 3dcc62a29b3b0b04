//! GeoJSON (RFC 7946): a collection of points.

use serde_json::{Value, json};

use super::{Format, unwritable};
use crate::{
    query::{export::ExportedVisit, visits::Position},
    store::StoreError,
};

pub(super) struct GeoJson;

impl Format for GeoJson {
    const CONTENT_TYPE: &'static str = "application/geo+json";
    const FILE_NAME: &'static str = "visits.geojson";

    fn begin() -> Vec<u8> {
        br#"{"type":"FeatureCollection","features":["#.to_vec()
    }

    fn visit(visit: &ExportedVisit, first: bool) -> Result<Vec<u8>, StoreError> {
        let feature = json!({
            "type": "Feature",
            "id": visit.head.id.to_string(),
            "geometry": visit.head.position.as_ref().and_then(point),
            "properties": serde_json::to_value(visit).map_err(unwritable)?,
        });
        let mut bytes = if first { b"\n".to_vec() } else { b",\n".to_vec() };
        serde_json::to_writer(&mut bytes, &feature).map_err(unwritable)?;
        Ok(bytes)
    }

    fn end() -> Vec<u8> {
        b"\n]}\n".to_vec()
    }
}

/// A position outside of the globe is shown among the properties only: a map could not place it.
fn point(position: &Position) -> Option<Value> {
    let on_globe = (-90.0..=90.0).contains(&position.lat) && (-180.0..=180.0).contains(&position.lon);
    on_globe.then(|| json!({ "type": "Point", "coordinates": [position.lon, position.lat] }))
}
