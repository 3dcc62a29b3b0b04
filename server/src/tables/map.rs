//! Outlines of beats, from GeoJSON.

use crate::{area::Area, store::clean};
use serde::Deserialize;
use serde_json::Value;

use super::{
    column::normal,
    fault::{Fault, FaultKind, Faults},
};

/// A GeoJSON feature collection, as far as it is read.
#[derive(Deserialize)]
struct Map {
    features: Vec<Value>,
}

/// What the property that names the beat may be called.
const BEAT_NAMES: [&str; 5] = ["beat", "code", "Участок", "Код", "Учаске"];

/// The outline of each beat, by code, with the number of its feature.
pub fn read(bytes: &[u8], file: &str, faults: &mut Faults) -> Vec<(u32, (String, Area))> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let map: Map = match serde_json::from_slice(bytes) {
        Ok(map) => map,
        Err(error) => {
            let message = format!("not a GeoJSON collection of features: {error}");
            faults.push(Fault::new(FaultKind::MapMalformed, file, message));
            return Vec::new();
        }
    };
    let mut areas = Vec::with_capacity(map.features.len());
    for (number, feature) in (1..).zip(map.features) {
        match outline(feature) {
            Ok(area) => areas.push((number, area)),
            Err((kind, message)) => faults.push(Fault::new(kind, file, message).at(number)),
        }
    }
    areas
}

fn outline(mut feature: Value) -> Result<(String, Area), (FaultKind, String)> {
    let properties = feature.get("properties").and_then(Value::as_object);
    let is_beat = |(name, _): &(&String, &Value)| BEAT_NAMES.iter().any(|known| normal(known) == normal(name));
    let beat = match properties.and_then(|properties| properties.iter().find(is_beat)) {
        Some((_, Value::String(beat))) => clean(beat),
        Some((_, Value::Number(beat))) => beat.to_string(),
        _ => return Err((FaultKind::MapMalformed, "the feature has no property `beat` with a beat's code".to_owned())),
    };
    let geometry = feature.get_mut("geometry").map(Value::take).unwrap_or_default();
    let area: Area = serde_json::from_value(geometry)
        .map_err(|_| (FaultKind::MapMalformed, format!("the outline of {beat:?} is no Polygon and no MultiPolygon")))?;
    match area.check() {
        Ok(()) => Ok((beat, area)),
        Err(error) => Err((FaultKind::OutlineMalformed, format!("the outline of {beat:?}: {error}"))),
    }
}
