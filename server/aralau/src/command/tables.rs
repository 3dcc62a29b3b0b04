//! An operator's own organisation, from three CSV tables.

use std::path::Path;

use aralau_server::store::{Organisation, PlaceLine, StaffLine};
use serde::{Deserialize, de::DeserializeOwned};

use crate::failure::Failure;

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
}

#[derive(Deserialize)]
struct Staff {
    name: String,
    beat: String,
}

/// Rows of one table, at most.
const MAX_ROWS: usize = 1_000_000;

/// Reads all three, or says which line of which is wrong.
pub fn read(beats: &Path, places: &Path, staff: &Path) -> Result<Organisation, Failure> {
    let beats = rows::<BeatLine>(beats)?.into_iter().map(|line| {
        let name = if line.name.is_empty() { line.code.clone() } else { line.name };
        (line.code, name)
    });
    let places = rows::<Place>(places)?.into_iter().map(|line| PlaceLine {
        beat: line.beat,
        address: line.address,
        external_code: line.external_code.filter(|code| !code.is_empty()),
        place_type: line.place_type.filter(|kind| !kind.is_empty()),
    });
    let staff = rows::<Staff>(staff)?.into_iter().map(|line| StaffLine { name: line.name, beat: line.beat });
    Ok(Organisation { beats: beats.collect(), places: places.collect(), staff: staff.collect() })
}

fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Failure> {
    let wrong = |error: csv::Error| Failure::new("table", format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| Failure::new("table", format!("{}: {error}", path.display())))?;
    // Excel writes a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let rows: Vec<T> = reader.deserialize().take(MAX_ROWS + 1).collect::<Result<_, _>>().map_err(wrong)?;
    if rows.len() > MAX_ROWS {
        return Err(Failure::new("table", format!("{}: more than a million rows", path.display())));
    }
    Ok(rows)
}
