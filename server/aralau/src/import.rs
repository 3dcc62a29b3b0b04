//! Turns the demo's CSV file into a plan: which inspectors there are, and which visits each logs and edits. Pure.
//!
//! One row is one inspection. Each distinct word of `team` is an inspector with a device of its own, and every member
//! of a row's team logs that visit offline alone: the same document ([`ImportVisit::id`]), created concurrently. A
//! further row of the same id is an edit ([`ImportRow::edit_since`]). The row's note is written by the first of the
//! team only. An exact duplicate row changes nothing, and is counted.
//!
//! Nothing is cleaned: cells are kept verbatim, and what looks wrong with them is said beside ([`Dirt`]), also in the
//! document itself (field `import_dirt`). The cells' local time is of an unnamed zone, so it stays a wall clock.

mod cells;
mod dirt;
mod meaning;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use csv::ByteRecord;
use uuid::Uuid;

use cells::{Cells, Column, Header};
pub use dirt::Dirt;

/// Whose rows have no team.
pub const UNASSIGNED: &str = "unassigned";

/// Namespace of visit ids: UUIDv5 of `date|time|bbl|address|floor`, surrounding white space trimmed.
pub const VISIT_NAMESPACE: Uuid = Uuid::from_u128(0x2f6b_3a0e_9d51_4c37_8e64_1b7a_c05d_92f3);
/// Namespace of place ids: UUIDv5 of `bbl|address`, surrounding white space trimmed.
pub const PLACE_NAMESPACE: Uuid = Uuid::from_u128(0x7c1d_e8a4_0b26_4f9b_a3d8_5e92_64f7_1b0c);

/// More rows than this are refused.
pub const MAX_ROWS: usize = 1_000_000;
/// More distinct inspectors than this are refused: each becomes a device.
pub const MAX_INSPECTORS: usize = 10_000;
/// More columns than this are refused, in the header as in a row.
pub const MAX_COLUMNS: usize = 64;
/// A row with more text than this is rejected: it would not leave room in its document.
pub const MAX_ROW_BYTES: usize = 1 << 20;
/// Longest name of an inspector.
pub const MAX_NAME_BYTES: usize = 128;
/// Longest team.
pub const MAX_TEAM: usize = 64;
/// A longer note is split.
pub const MAX_NOTE_BYTES: usize = 32 << 10;
/// Longest value of any other field; the rest of the cell goes into further notes. All fields of a row and one note
/// together stay well below the 64 KiB that a change may have.
pub const MAX_FIELD_BYTES: usize = 256;

/// Everything the file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Rows read, rejected ones included, the header not.
    pub rows: usize,
    /// Rows equal, cell by cell, to an earlier one.
    pub duplicate_rows: usize,
    /// Rows over a limit.
    pub rejected: Vec<RejectedRow>,
    /// Every distinct word of `team`, sorted; [`UNASSIGNED`] among them if a row has no team.
    pub inspectors: Vec<String>,
    /// In the order in which the file names them.
    pub places: Vec<ImportPlace>,
    /// In the order in which the file names them.
    pub visits: Vec<ImportVisit>,
}

impl Import {
    /// How many rows show each flaw.
    pub fn dirt_counts(&self) -> BTreeMap<Dirt, usize> {
        let mut counts = BTreeMap::new();
        for dirt in self.visits.iter().flat_map(|visit| &visit.rows).flat_map(|row| &row.dirt) {
            *counts.entry(*dirt).or_default() += 1;
        }
        counts
    }
}

/// A row that became nothing, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedRow {
    /// Where it starts in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: Rejection,
}

/// Limits only: no cell's content is a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum Rejection {
    #[error("more than {MAX_COLUMNS} cells")]
    TooManyCells,
    #[error("more than {MAX_ROW_BYTES} bytes of text")]
    TooLong,
    #[error("a team of more than {MAX_TEAM}")]
    TeamTooLarge,
    #[error("a name of more than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
}

/// An address. Occupancy and zip are those of the first row that gives any; over-long cells are cut, whole in the visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlace {
    /// The same for every row of one address.
    pub id: Uuid,
    /// As the source spells it.
    pub address: String,
    /// The source's borough-block-lot.
    pub external_code: String,
    /// Empty where no row gives any.
    pub zip: String,
    /// Empty where no row gives any.
    pub occupancy: String,
    /// A code of the list `place_type`.
    pub place_type: Option<&'static str>,
}

/// One document, and all rows that speak of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportVisit {
    /// The same for every row about it.
    pub id: Uuid,
    /// Nothing where both `bbl` and `address` are blank.
    pub place: Option<Uuid>,
    /// In the file's order, never empty.
    pub rows: Vec<ImportRow>,
}

/// What one row adds.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    /// Where it starts in the file, from 1.
    pub line: u64,
    /// Never empty; the first writes the notes.
    pub team: Vec<String>,
    /// Where the date is well formed.
    pub visited_on: Option<NaiveDate>,
    /// Where date and time are both well formed. Wall clock of the source.
    pub visited_at: Option<NaiveDateTime>,
    /// All values of the row by flat document key, in column order; blank cells have none.
    pub fields: Vec<(String, FieldValue)>,
    /// The row's note; more than one only where a cell was over its limit, none in a duplicate row.
    pub notes: Vec<String>,
    /// Each once, in the order of [`Dirt`].
    pub dirt: Vec<Dirt>,
    /// Equal to an earlier row, cell by cell.
    pub duplicate: bool,
}

impl ImportRow {
    /// What someone who logged `earlier` puts to log this row too. A value that is blank now becomes empty text.
    pub fn edit_since(&self, earlier: &Self) -> Vec<(String, FieldValue)> {
        let old: BTreeMap<_, _> = earlier.fields.iter().map(|(key, value)| (key, value)).collect();
        let new: BTreeSet<_> = self.fields.iter().map(|(key, _)| key).collect();
        let changed = self.fields.iter().filter(|(key, value)| old.get(key) != Some(&value)).cloned();
        let emptied = old.keys().filter(|key| !new.contains(*key));
        changed.chain(emptied.map(|key| ((*key).clone(), FieldValue::Text(String::new())))).collect()
    }

    fn flag(&mut self, dirt: Dirt) {
        self.dirt.push(dirt);
        self.dirt.sort_unstable();
        self.fields.retain(|(key, _)| key != row::DIRT_KEY);
        self.fields.extend(row::dirt_field(&self.dirt));
    }
}

/// A scalar of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// As it stands in the cell.
    Text(String),
    /// A count.
    Int(i64),
    /// An answer.
    Bool(bool),
}

/// A file that gives no plan at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum ImportError {
    #[error("the file is empty")]
    Empty,
    #[error("the header lacks: {}", .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    #[error("the header has more than {MAX_COLUMNS} columns")]
    TooManyColumns,
    #[error("more than {MAX_ROWS} rows")]
    TooManyRows,
    #[error("more than {MAX_INSPECTORS} inspectors")]
    TooManyInspectors,
    #[error("line {line} cannot be read as CSV")]
    Unreadable { line: u64 },
}

/// Reads the whole file. The text should be UTF-8, with or without a byte order mark, under a header line.
pub fn read(file: &[u8]) -> Result<Import, ImportError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut record = ByteRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err(ImportError::Empty);
    }
    let header = Header::parse(&record)?;
    let mut plan = Plan::default();
    while next(&mut reader, &mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        plan.add(&header, &record, line)?;
    }
    // Inside a cell a line end is common and harmless; in the last row of a file whose quotes do not pair up it is not.
    if !file.iter().filter(|byte| **byte == b'"').count().is_multiple_of(2) {
        plan.flag_last_row();
    }
    Ok(plan.finish())
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, ImportError> {
    let line = reader.position().line();
    reader.read_byte_record(record).map_err(|_| ImportError::Unreadable { line })
}

/// The import while it grows.
#[derive(Default)]
struct Plan {
    rows: usize,
    duplicate_rows: usize,
    rejected: Vec<RejectedRow>,
    inspectors: BTreeSet<String>,
    places: Vec<ImportPlace>,
    place_indexes: BTreeMap<Uuid, usize>,
    visits: Vec<ImportVisit>,
    visit_indexes: BTreeMap<Uuid, usize>,
    /// Every row's cells.
    seen: BTreeSet<Vec<Vec<u8>>>,
    /// The visit of the row added last, unless that was rejected.
    last_visit: Option<usize>,
}

impl Plan {
    fn add(&mut self, header: &Header, record: &ByteRecord, line: u64) -> Result<(), ImportError> {
        if self.rows == MAX_ROWS {
            return Err(ImportError::TooManyRows);
        }
        self.rows += 1;
        self.last_visit = None;
        let read = Cells::parse(header, record).and_then(|cells| Ok((row::read(line, &cells)?, cells)));
        let (mut row, cells) = match read {
            Ok(read) => read,
            Err(reason) => {
                self.rejected.push(RejectedRow { line, reason });
                return Ok(());
            }
        };
        if !self.seen.insert(record.iter().map(<[u8]>::to_vec).collect()) {
            self.duplicate_rows += 1;
            row.duplicate = true;
            row.notes.clear();
        }
        self.inspectors.extend(row.team.iter().cloned());
        if self.inspectors.len() > MAX_INSPECTORS {
            return Err(ImportError::TooManyInspectors);
        }
        let place = self.add_place(&cells);
        self.add_row(cells.visit_id(), place, row);
        Ok(())
    }

    fn add_place(&mut self, cells: &Cells) -> Option<Uuid> {
        let id = cells.place_id()?;
        let places = &mut self.places;
        let index = *self.place_indexes.entry(id).or_insert_with(|| {
            places.push(ImportPlace {
                id,
                address: row::bounded(cells.get(Column::Address)).to_owned(),
                external_code: row::bounded(cells.get(Column::Bbl)).to_owned(),
                zip: String::new(),
                occupancy: String::new(),
                place_type: None,
            });
            places.len() - 1
        });
        let place = &mut places[index];
        if place.zip.is_empty() {
            row::bounded(cells.get(Column::Zip)).clone_into(&mut place.zip);
        }
        if place.occupancy.is_empty() {
            row::bounded(cells.get(Column::Occupancy)).clone_into(&mut place.occupancy);
            place.place_type = meaning::place_type(&place.occupancy);
        }
        Some(id)
    }

    fn add_row(&mut self, id: Uuid, place: Option<Uuid>, row: ImportRow) {
        let index = *self.visit_indexes.entry(id).or_insert_with(|| {
            self.visits.push(ImportVisit { id, place, rows: Vec::new() });
            self.visits.len() - 1
        });
        self.visits[index].rows.push(row);
        self.last_visit = Some(index);
    }

    fn flag_last_row(&mut self) {
        let last = self.last_visit.and_then(|index| self.visits[index].rows.last_mut());
        if let Some(row) = last.filter(|row| row.dirt.contains(&Dirt::LineBreakInCell)) {
            row.flag(Dirt::UnclosedQuote);
        }
    }

    fn finish(self) -> Import {
        Import {
            rows: self.rows,
            duplicate_rows: self.duplicate_rows,
            rejected: self.rejected,
            inspectors: self.inspectors.into_iter().collect(),
            places: self.places,
            visits: self.visits,
        }
    }
}

#[cfg(test)]
mod tests;
