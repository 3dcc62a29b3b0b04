//! An operator's own organisation, from three CSV tables and, if wanted, a map.

use aralau_server::{
    area::{Area, AreaError},
    store::{Organisation, PlaceLine, StaffLine},
};
use aralau_sync_core::visit::Coordinates;
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct BeatLine {
    code: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Place {
    beat: String,
    address: String,
    #[serde(default)]
    external_code: Option<String>,
    #[serde(default)]
    place_type: Option<String>,
    #[serde(default)]
    lat: Option<f64>,
    #[serde(default)]
    lon: Option<f64>,
}

#[derive(Deserialize)]
struct Staff {
    name: String,
    beat: String,
}

/// A GeoJSON feature collection, as far as it is read.
#[derive(Deserialize)]
struct Map {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Area,
}

#[derive(Deserialize)]
struct Properties {
    beat: String,
}

/// Rows of one table, at most.
const MAX_ROWS: usize = 1_000_000;

/// Why a table gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A line that is not of the expected form.
    #[error(transparent)]
    Unreadable(#[from] csv::Error),
    /// A map that is not of the expected form.
    #[error("not a collection of polygons with the property `beat`: {0}")]
    NoMap(#[from] serde_json::Error),
    /// An outline that cannot be drawn.
    #[error("the outline of {beat:?}: {error}")]
    NoArea {
        /// The beat's code.
        beat: String,
        /// Why.
        error: AreaError,
    },
    /// A place that is nowhere.
    #[error("the place {address:?}: lat is from -90 to 90 and lon from -180 to 180 degrees, and neither stands alone")]
    OffGlobe {
        /// The place's address.
        address: String,
    },
    /// Larger than any organisation.
    #[error("more than a million rows")]
    TooManyRows,
}

/// Code and name of each beat. One without a name has its code for a name.
pub fn beats(table: &[u8]) -> Result<Vec<(String, String)>, TableError> {
    let beats = rows::<BeatLine>(table)?.into_iter().map(|line| {
        let name = if line.name.is_empty() { line.code.clone() } else { line.name };
        (line.code, name)
    });
    Ok(beats.collect())
}

/// The places of all beats.
pub fn places(table: &[u8]) -> Result<Vec<PlaceLine>, TableError> {
    let places = rows::<Place>(table)?.into_iter().map(|line| {
        let coordinates = line.lat.zip(line.lon).map(|(lat, lon)| Coordinates { lat, lon });
        if coordinates.is_some_and(|coordinates| !coordinates.is_on_globe()) || line.lat.is_some() != line.lon.is_some()
        {
            return Err(TableError::OffGlobe { address: line.address });
        }
        Ok(PlaceLine {
            beat: line.beat,
            address: line.address,
            external_code: line.external_code.filter(|code| !code.is_empty()),
            place_type: line.place_type.filter(|kind| !kind.is_empty()),
            coordinates,
        })
    });
    places.collect()
}

/// The people of all beats.
pub fn staff(table: &[u8]) -> Result<Vec<StaffLine>, TableError> {
    let staff = rows::<Staff>(table)?.into_iter().map(|line| StaffLine { name: line.name, beat: line.beat });
    Ok(staff.collect())
}

/// The outline of each beat, by code.
pub fn areas(map: &[u8]) -> Result<Vec<(String, Area)>, TableError> {
    let map: Map = serde_json::from_slice(map)?;
    let area = |Feature { properties: Properties { beat }, geometry }| match Area::check(&geometry) {
        Ok(()) => Ok((beat, geometry)),
        Err(error) => Err(TableError::NoArea { beat, error }),
    };
    map.features.into_iter().map(area).collect()
}

/// All three, or the first that is wrong, by its position.
pub fn organisation(tables: [&[u8]; 3]) -> Result<Organisation, (usize, TableError)> {
    let [of_beats, of_places, of_staff] = tables;
    Ok(Organisation {
        beats: beats(of_beats).map_err(|error| (0, error))?,
        places: places(of_places).map_err(|error| (1, error))?,
        staff: staff(of_staff).map_err(|error| (2, error))?,
        areas: Vec::new(),
    })
}

fn rows<T: DeserializeOwned>(table: &[u8]) -> Result<Vec<T>, TableError> {
    // Excel writes a byte order mark.
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
    let rows: Vec<T> = reader.deserialize().take(MAX_ROWS + 1).collect::<Result<_, _>>()?;
    if rows.len() > MAX_ROWS { Err(TableError::TooManyRows) } else { Ok(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tables_are_an_organisation_and_a_wrong_one_is_named() {
        let beats = "\u{feff}code,name\nb1,Участок 1\nb2,\n".as_bytes();
        let places = b"beat,address,place_type\nb1,\"Abay, 1\",house\nb2,Abay 2,\n";
        let staff = b"name,beat\n Aigul , b1\n";
        let read = organisation([beats, places, staff]).unwrap();
        assert_eq!(read.beats, [("b1", "Участок 1"), ("b2", "b2")].map(|(code, name)| (code.into(), name.into())));
        assert_eq!(
            read.places.iter().map(|place| place.place_type.as_deref()).collect::<Vec<_>>(),
            [Some("house"), None]
        );
        assert_eq!((read.staff[0].name.as_str(), read.staff[0].beat.as_str()), ("Aigul", "b1"));
        let (wrong, error) = organisation([beats, b"beat,address\nonly one\n", staff]).unwrap_err();
        assert_eq!(wrong, 1);
        assert!(error.to_string().contains("line: 2"), "{error}");
    }

    #[test]
    fn a_place_may_say_where_it_is() {
        let read = |line: &str| places(format!("beat,address,lat,lon\n{line}\n").as_bytes());
        let coordinates = |line| read(line).unwrap()[0].coordinates.map(|Coordinates { lat, lon }| (lat, lon));
        assert_eq!(coordinates("b1,Abay 1,43.25,76.9"), Some((43.25, 76.9)));
        assert_eq!(coordinates("b1,Abay 1,,"), None);
        for wrong in ["b1,Abay 1,76.9,", "b1,Abay 1,143.25,76.9", "b1,Abay 1,NaN,76.9"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.starts_with("the place \"Abay 1\": lat"), "{error}");
        }
    }

    #[test]
    fn a_map_outlines_beats_and_a_broken_outline_is_named() {
        let map = |ring: &str| {
            format!(
                r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"beat":"b1","colour":3}},
                "geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}]}}"#
            )
        };
        let read = areas(map("[[76.9,43.2],[77,43.2],[77,43.3],[76.9,43.2]]").as_bytes()).unwrap();
        assert_eq!(read[0].0, "b1");
        let error = areas(map("[[76.9,43.2],[77,43.2]]").as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("the outline of \"b1\": a ring"), "{error}");
        assert!(matches!(areas(b"{}"), Err(TableError::NoMap(_))));
    }
}
