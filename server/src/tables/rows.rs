//! Rows of a table become what they say, or faults.

use crate::store::{PlaceLine, StaffLine, clean, key};
use aralau_sync_core::{
    change::MAX_TEXT_BYTES,
    visit::Coordinates,
    vocabulary::{self, Language},
};

use super::{
    cell::{self, Expected, begins_as_total, names_several, says_nothing},
    column::{Column, Kind, Layout},
    fault::{Fault, FaultKind, Faults},
    table::{Row, Table},
};

/// A person's name.
pub const MAX_NAME_BYTES: usize = 200;
/// A beat's code.
pub const MAX_BEAT_CODE_BYTES: usize = 64;
/// A place's name in another register.
pub const MAX_EXTERNAL_CODE_BYTES: usize = 200;
/// A code of a list.
const MAX_CODE_BYTES: usize = 64;

/// A table with what is known about it.
pub struct Source<'a> {
    /// As faults name it.
    pub file: &'a str,
    /// Whether its encoding turns Kazakh letters into question marks.
    pub loses_letters: bool,
    /// The rows.
    pub table: &'a Table,
    /// Where the columns are.
    pub layout: &'a Layout,
    /// Whose columns.
    pub kind: Kind,
    /// The beat of all rows, where the sheet is called by it.
    pub beat: Option<&'a str>,
}

impl Source<'_> {
    /// Code and name of each beat, each with its row.
    pub fn beats(&self, faults: &mut Faults) -> Vec<(u32, (String, String))> {
        self.each(faults, |cells| {
            let code = cells.needed(0, MAX_BEAT_CODE_BYTES)?;
            Some((code, cells.text(1, MAX_NAME_BYTES)?))
        })
    }

    /// The places, each with its row.
    pub fn places(&self, faults: &mut Faults) -> Vec<(u32, PlaceLine)> {
        self.each(faults, |cells| {
            let beat = cells.beat(0);
            let address = cells.needed(1, MAX_TEXT_BYTES);
            let external_code = cells.text(2, MAX_EXTERNAL_CODE_BYTES);
            let place_type = cells.text(3, MAX_CODE_BYTES);
            let coordinates = cells.point(4, 5);
            Some(PlaceLine {
                beat: beat?,
                address: address?,
                external_code: filled(external_code?),
                place_type: filled(place_type?).map(place_type_code),
                coordinates: coordinates?,
            })
        })
    }

    /// People and beats, each pair with its row.
    pub fn staff(&self, faults: &mut Faults) -> Vec<(u32, StaffLine)> {
        self.each(faults, |cells| {
            let name = cells.name(0);
            // Several beats stand in one cell, perhaps each on a line of its own.
            let beat = match self.beat {
                Some(beat) => Some(beat.to_owned()),
                None => cells.needed_with(1, MAX_TEXT_BYTES, |cell| cell.trim().replace(['\n', '\r'], ";")),
            };
            Some(StaffLine { name: name?, beat: beat? })
        })
    }

    fn each<T>(&self, faults: &mut Faults, read: impl Fn(&mut Cells<'_>) -> Option<T>) -> Vec<(u32, T)> {
        let mut rows = Vec::with_capacity(self.table.len());
        for row in self.table.rows().filter(|row| !begins_as_total(*row)) {
            let mut cells = Cells { source: self, row, faults };
            if cells.end_under_the_header()
                && let Some(read) = read(&mut cells)
            {
                rows.push((row.number, read));
            }
        }
        rows
    }
}

/// The cells of one row. What is asked for and wrong becomes a fault and nothing.
struct Cells<'a> {
    source: &'a Source<'a>,
    row: Row<'a>,
    faults: &'a mut Faults,
}

impl Cells<'_> {
    fn fault(&mut self, kind: FaultKind, column: usize, value: &str, message: impl Into<String>) {
        self.fault_at(kind, column, self.source.layout.places[column].first().copied(), value, message);
    }

    fn fault_at(
        &mut self,
        kind: FaultKind,
        column: usize,
        place: Option<usize>,
        value: &str,
        message: impl Into<String>,
    ) {
        let Source { file, table, kind: of, .. } = self.source;
        let header = place.and_then(|place| table.headers().get(place));
        let header = header.map_or(of.columns()[column].name, String::as_str);
        let mut fault = Fault::new(kind, file, message).at(self.row.number).in_column(header);
        if !value.is_empty() {
            fault = fault.holding(value);
        }
        self.faults.push(fault);
    }

    /// Whether the row ends where the header does; an address with a comma, outside of quotation marks, makes it longer.
    fn end_under_the_header(&mut self) -> bool {
        let width = self.source.table.headers().len();
        let Some(beyond) = (width..self.row.len()).find(|place| !self.row.cell(*place).trim().is_empty()) else {
            return true;
        };
        let message = format!(
            "a cell beyond the {width} of the header; a cell with the delimiter in it must stand in quotation marks"
        );
        let fault = Fault::new(FaultKind::CellsBeyondHeader, self.source.file, message);
        self.faults.push(fault.at(self.row.number).holding(self.row.cell(beyond)));
        false
    }

    fn column(&self, column: usize) -> &'static Column {
        &self.source.kind.columns()[column]
    }

    /// A cell's text, cleaned; empty where there is none.
    fn text(&mut self, column: usize, max_bytes: usize) -> Option<String> {
        self.text_with(column, max_bytes, str::to_owned)
    }

    /// Of several columns those that are filled, in the order of the table.
    fn text_with(&mut self, column: usize, max_bytes: usize, ready: impl Fn(&str) -> String) -> Option<String> {
        let places = &self.source.layout.places[column];
        let parts: Vec<_> = places.iter().map(|place| self.text_at(column, *place, max_bytes, &ready)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<String>>>()?;
        // How a form is filled in where there is no flat.
        let is_said = |part: &String| !(part.is_empty() || says_nothing(part));
        let parts: Vec<String> = parts.into_iter().filter(is_said).collect();
        let text = parts.join(self.column(column).between);
        if text.len() > max_bytes {
            let message = format!("more than {max_bytes} bytes with the other columns; shorten it");
            self.fault(FaultKind::CellTooLong, column, &text, message);
            return None;
        }
        Some(text)
    }

    fn text_at(
        &mut self,
        column: usize,
        place: usize,
        max_bytes: usize,
        ready: &impl Fn(&str) -> String,
    ) -> Option<String> {
        let text = clean(&ready(self.row.cell(place)));
        let expected = Expected {
            max_bytes,
            is_code: self.column(column).is_code,
            is_time: false,
            loses_letters: self.source.loses_letters,
        };
        let Some((kind, message)) = cell::fault(self.row, place, &text, expected) else { return Some(text) };
        self.fault_at(kind, column, Some(place), &cell::visible(&text), message);
        None
    }

    /// The name of one person.
    fn name(&mut self, column: usize) -> Option<String> {
        let name = self.needed(column, MAX_NAME_BYTES)?;
        let (kind, message) = if !name.chars().any(char::is_alphabetic) {
            (FaultKind::CellMissing, "no name has no letters; write the person's, or take the row away")
        } else if names_several(&name) {
            (FaultKind::NamesSeveral, "several people stand in one cell; give each a row")
        } else {
            return Some(name);
        };
        self.fault(kind, column, &name, message);
        None
    }

    /// The code of the row's beat.
    fn beat(&mut self, column: usize) -> Option<String> {
        self.source.beat.map(str::to_owned).or_else(|| self.needed(column, MAX_BEAT_CODE_BYTES))
    }

    /// As [`Self::text`], of a cell that has to be filled.
    fn needed(&mut self, column: usize, max_bytes: usize) -> Option<String> {
        self.needed_with(column, max_bytes, str::to_owned)
    }

    fn needed_with(&mut self, column: usize, max_bytes: usize, ready: impl Fn(&str) -> String) -> Option<String> {
        let text = self.text_with(column, max_bytes, ready)?;
        if text.is_empty() {
            let message = format!("no {}; fill the cell, or take the row away", self.column(column).name);
            self.fault(FaultKind::CellMissing, column, "", message);
            return None;
        }
        Some(text)
    }

    /// A point, if the row has any: the outer option says whether it was read.
    fn point(&mut self, lat: usize, lon: usize) -> Option<Option<Coordinates>> {
        let (north, east) = (self.degrees(lat), self.degrees(lon));
        let point = match (north?, east?) {
            (None, None) => return Some(None),
            (Some(lat), Some(lon)) => Coordinates { lat, lon },
            (Some(_), None) => return self.half_a_point(lat, lon),
            (None, Some(_)) => return self.half_a_point(lon, lat),
        };
        // How devices write that they know nothing.
        if (point.lat, point.lon) == (0.0, 0.0) {
            return Some(None);
        }
        if point.is_on_globe() {
            return Some(Some(point));
        }
        let swapped = Coordinates { lat: point.lon, lon: point.lat }.is_on_globe();
        let hint = if swapped { "; are latitude and longitude exchanged?" } else { "" };
        let message = format!("lat is from -90 to 90 and lon from -180 to 180 degrees{hint}");
        self.fault(FaultKind::OffGlobe, lat, &format!("{}, {}", point.lat, point.lon), message);
        None
    }

    fn half_a_point<T>(&mut self, given: usize, blank: usize) -> Option<T> {
        let message = format!(
            "{} is given and {} is not; fill both, or neither",
            self.column(given).name,
            self.column(blank).name
        );
        self.fault(FaultKind::HalfAPoint, blank, "", message);
        None
    }

    fn degrees(&mut self, column: usize) -> Option<Option<f64>> {
        let text = self.text(column, MAX_CODE_BYTES)?;
        let bare = text.trim_end_matches('°').replace(',', ".");
        if bare.is_empty() {
            return Some(None);
        }
        match bare.parse::<f64>() {
            Ok(degrees) if degrees.is_finite() => Some(Some(degrees)),
            _ => {
                let message = "no number of degrees, such as 43.2565 or 43,2565";
                self.fault(FaultKind::NumberMalformed, column, &text, message);
                None
            }
        }
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The code of a type of place, where it is written as a code or in words; else what is written.
pub fn place_type_code(written: String) -> String {
    let wanted = key(&written);
    let is_meant = |code: &&vocabulary::Code| {
        code.code == wanted || Language::ALL.into_iter().any(|language| key(code.label(language).text) == wanted)
    };
    let list = vocabulary::list("place_type").map_or(&[][..], |list| list.codes);
    list.iter().find(is_meant).map_or(written, |code| code.code.to_owned())
}
