//! The visits that an organisation made before it used Aralau, from tables as offices kept them, and a map that a person
//! has looked through.
//!
//! ```text
//! bytes ── tables, ndjson ──► Journal ── propose ──► a map's text, for a person to edit
//!                                │
//!                       map ─────┴─ Layout ── line ──► Line or Faults, row by row ── find ──► OldVisit or Faults
//! ```
//!
//! A row is taken as a whole or rejected as a whole, with every reason; other rows do not suffer for it.

pub mod field;
pub mod find;
pub mod line;
pub mod map;
pub mod moment;
pub mod ndjson;
pub mod position;
pub mod propose;
pub mod rejected;

use std::collections::{BTreeMap, BTreeSet};

use crate::tables::{
    self, Sheet,
    column::normal,
    fault::{Fault, FaultKind, shortened},
    header::Header,
    table::Table,
};
use field::{Field, Part};
use map::Map;

/// A table of visits, and what lies beside it in its file.
#[derive(Debug)]
pub struct Journal {
    /// As faults name it: the file, and its sheet where it has any.
    pub file: String,
    /// The sheet; of text nothing.
    pub sheet: String,
    /// The rows.
    pub table: Table,
    /// Sheets that are not read.
    pub sheets_not_read: Vec<String>,
    /// Lines that are no rows.
    pub broken: Vec<Fault>,
    /// Whether its encoding turns Kazakh letters into question marks.
    pub loses_letters: bool,
}

/// Text has one table and no name for it: what a map says of sheets is of the workbook that its rejected rows came from.
fn is_named(sheet: &str, name: &str) -> bool {
    sheet.is_empty() || normal(sheet) == normal(name)
}

impl Journal {
    /// Reads a file by what a map says of it.
    ///
    /// # Errors
    /// Bytes that make no table.
    pub fn read(bytes: &[u8], file: &str, map: &Map) -> Result<Self, Fault> {
        let is_header = |header: &Header| Layout::of(map, &header.names).is_ok();
        let fits = |sheet: &Sheet| match &map.sheet {
            Some(name) => is_named(&sheet.name, name),
            None => Layout::of(map, sheet.table.headers()).is_ok(),
        };
        let journal = Self::of(bytes, file, &is_header, fits)?;
        if let Some(name) = map.sheet.as_deref().filter(|name| !is_named(&journal.sheet, name)) {
            let sheets = [vec![journal.sheet], journal.sheets_not_read].concat().join(", ");
            let message =
                format!("the map names the sheet {name:?}, which is not there or not shown; there are: {sheets}");
            return Err(Fault::new(FaultKind::SheetMissing, file, message));
        }
        Ok(journal)
    }

    /// Reads a file of which nobody has said anything yet: its first table whose header names a date and something more.
    ///
    /// # Errors
    /// Bytes that make no table.
    pub fn guess(bytes: &[u8], file: &str) -> Result<Self, Fault> {
        let of =
            |header: &Header, column| Field::of(header, column).or_else(|| Part::of(header, column).map(Part::field));
        let is_header = |header: &Header| {
            let known = (0..header.names.len()).filter_map(|column| Some((column, of(header, column)?)));
            let known: Vec<(usize, Field)> = known.collect();
            let is_in_a_group = |(column, _): &(usize, Field)| !header.groups[*column].is_empty();
            // A title over the whole of a header is no group.
            let is_sound = header.rows() == 1 || known.iter().any(is_in_a_group) && !known.iter().all(is_in_a_group);
            let fields: BTreeSet<Field> = known.iter().map(|(_, field)| *field).collect();
            is_sound && fields.len() >= 2 && fields.contains(&Field::StartedAt)
        };
        let fits = |Sheet { table, .. }: &Sheet| {
            (0..table.headers().len()).any(|column| Field::of(&table.header, column) == Some(Field::StartedAt))
        };
        Self::of(bytes, file, &is_header, fits)
    }

    fn of(
        bytes: &[u8],
        file: &str,
        is_header: &dyn Fn(&Header) -> bool,
        fits: impl Fn(&Sheet) -> bool,
    ) -> Result<Self, Fault> {
        if ndjson::is_json(bytes) {
            let (table, broken) = ndjson::read(bytes, file)?;
            let (sheet, sheets_not_read) = (String::new(), Vec::new());
            return Ok(Self { file: file.to_owned(), sheet, table, sheets_not_read, broken, loses_letters: false });
        }
        let mut sheets = tables::sheets(file, bytes, is_header)?;
        let at = sheets.named.iter().position(fits).unwrap_or(0);
        if at >= sheets.named.len() {
            return Err(Fault::new(FaultKind::TableEmpty, file, "there is no table in it"));
        }
        let Sheet { file, name, mut table, loses_letters } = sheets.named.remove(at);
        table.drop_numbers_of_columns();
        let others = sheets.named.into_iter().map(|sheet| sheet.name);
        let sheets_not_read = others.chain(sheets.hidden).collect();
        Ok(Self { file, sheet: name, table, sheets_not_read, broken: Vec::new(), loses_letters })
    }
}

/// Where the columns of a map are in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The place of each field's column, from 0.
    places: BTreeMap<Field, Vec<usize>>,
    /// Headers of columns that the map does not name: they are not imported.
    pub surplus: Vec<String>,
}

impl Layout {
    /// Finds the columns under a header.
    ///
    /// # Errors
    /// Each column that is not there, or there twice, by what the map calls it.
    pub fn of(map: &Map, headers: &[String]) -> Result<Self, Vec<String>> {
        let (mut places, mut taken, mut errors) = (BTreeMap::<Field, Vec<usize>>::new(), Vec::new(), Vec::new());
        for (field, named) in &map.columns {
            for header in named.all() {
                let is_meant = |(place, written): &(usize, &String)| {
                    let written = written.trim();
                    if written.is_empty() { tables::letter(*place) == *header } else { is_one(written, header) }
                };
                let found: Vec<usize> = headers.iter().enumerate().filter(is_meant).map(|(place, _)| place).collect();
                match found[..] {
                    [place] => {
                        places.entry(*field).or_default().push(place);
                        taken.push(place);
                    }
                    [] => errors
                        .push(format!("the map's `columns.{}` is {header:?}, which no column is called", field.name())),
                    [_, _, ..] => errors.push(format!(
                        "the map's `columns.{}` is {header:?}, which several columns are called; rename all but one",
                        field.name()
                    )),
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let is_left = |(place, header): &(usize, &String)| !taken.contains(place) && !header.trim().is_empty();
        let surplus = headers.iter().enumerate().filter(is_left).map(|(_, header)| shortened(header.trim())).collect();
        Ok(Self { places, surplus })
    }

    /// Whether the map names a column for it.
    pub fn has(&self, field: Field) -> bool {
        self.places.contains_key(&field)
    }

    fn place(&self, field: Field) -> Option<usize> {
        self.places.get(&field).and_then(|places| places.first()).copied()
    }

    fn places(&self, field: Field) -> &[usize] {
        self.places.get(&field).map_or(&[], Vec::as_slice)
    }

    /// The fault of a table that has not the columns of a map.
    pub fn faults(journal: &Journal, errors: Vec<String>) -> Vec<Fault> {
        let found =
            journal.table.headers().iter().map(|header| shortened(header.trim())).collect::<Vec<_>>().join(", ");
        let fault = |error| {
            let message = format!("{error}; its header is: {}", shortened(&found));
            let fault = Fault::new(FaultKind::ColumnMissing, &journal.file, message);
            // Objects of JSON have no row of headers.
            if journal.table.header.row == 0 { fault } else { fault.at(journal.table.header.row) }
        };
        errors.into_iter().map(fault).collect()
    }
}

/// What is longer is no header: rows are looked at that may hold anything.
const MAX_HEADER_BYTES: usize = 1_024;

/// Whether two headers are one. What stands in brackets counts, for two columns may differ in nothing else.
fn is_one(written: &str, header: &str) -> bool {
    if written.len() > MAX_HEADER_BYTES {
        return false;
    }
    let bare = |text: &str| normal(&text.replace(['(', '[', ')', ']'], " "));
    bare(written) == bare(header)
}

#[cfg(test)]
mod tests;
