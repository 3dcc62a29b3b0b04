//! An operator's own organisation, from tables as offices have them: text with delimiters or Excel workbooks, in whichever
//! encoding, with headers in three languages, and, if wanted, a map.
//!
//! ```text
//! bytes ── encoding, delimited ──┐
//!                                ├─► Table ── column (Layout) ── rows ──► Organisation, each line with where it stands
//! bytes ── workbook ─────────────┘                                        or Faults, all of them
//! bytes ── map ───────────────────────────────────────────────────────►
//! ```
//!
//! [`table`], [`header`], [`delimited`], [`workbook`] and [`encoding`] know nothing of organisations, and read any table.

pub mod cell;
pub mod column;
pub mod delimited;
pub mod encoding;
pub mod fault;
pub mod header;
mod map;
pub mod parts;
mod planned;
mod rows;
pub mod table;
pub mod workbook;

use std::collections::HashSet;

use crate::store::{Line, Organisation, Refusal, RefusalKind, Warning, key};
use serde::Serialize;

use cell::begins_as_total;
use column::{Column, Kind, Layout, LayoutError, Surplus};
use fault::{Fault, FaultKind, Faults, Hint};
use header::Header;
use rows::Source;
use table::Table;

pub use rows::place_type_code;
pub use rows::{MAX_BEAT_CODE_BYTES, MAX_EXTERNAL_CODE_BYTES, MAX_NAME_BYTES};

/// One file, at most.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// What a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// One table of this kind.
    One(Kind),
    /// Tables of any kind, told by the names of the sheets or by their headers.
    Any,
    /// A map.
    Areas,
}

/// A file that was handed in.
#[derive(Debug, Clone)]
pub struct File {
    /// As faults name it.
    pub name: String,
    /// What it is taken for.
    pub content: Content,
    /// What it holds, or why that is not known.
    pub bytes: Result<Vec<u8>, Fault>,
}

/// Where a line stands: a table, by its position in [`Tables::read`], and the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    table: usize,
    row: u32,
}

/// What the files say.
#[derive(Debug, Default)]
pub struct Tables {
    /// All that could be read.
    pub organisation: Organisation,
    /// What could not.
    pub faults: Faults,
    /// Each table and map that was read.
    pub read: Vec<ReadTable>,
    beats: Vec<Origin>,
    places: Vec<Origin>,
    staff: Vec<Origin>,
    areas: Vec<Origin>,
    /// Not all beats that the files name could be read.
    beats_are_missing: bool,
}

/// A table that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReadTable {
    /// The file, and its sheet where it has any.
    pub file: String,
    /// `beats`, `places`, `staff` or `areas`.
    pub kind: &'static str,
    /// Rows under the header that are not blank.
    pub rows: usize,
    /// Columns that are not read.
    pub columns_not_read: Vec<NotRead>,
    /// Sheets beside it that are not read.
    pub sheets_not_read: Vec<String>,
    /// Rows that are sums of others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub totals_not_read: Vec<u32>,
    /// The beat of all rows, where the sheet is called by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beat: Option<String>,
    /// The headers of the columns that are, each beside the column's own name.
    #[serde(skip)]
    headers: Vec<(&'static str, String)>,
}

/// A column that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NotRead {
    /// Its header; of a column without one, its letter.
    pub column: String,
    /// The column that may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meant: Option<&'static str>,
}

/// Something to look at, and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Stable.
    pub code: &'static str,
    /// The file, and its sheet where it has any.
    pub file: String,
    /// As a spreadsheet counts.
    pub row: u32,
    /// The header of the column.
    pub column: String,
    /// What is odd.
    pub value: String,
    /// Names that may be the same person's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
    /// Why.
    pub message: String,
}

impl Tables {
    /// Reads all files.
    pub fn of(files: &[File]) -> Self {
        let mut tables = Self::default();
        for file in files {
            tables.read_file(file);
        }
        tables
    }

    fn read_file(&mut self, file: &File) {
        let before = self.faults.count();
        match (&file.bytes, file.content) {
            (Err(fault), _) => self.faults.push(fault.clone()),
            (Ok(bytes), Content::Areas) => self.read_map(&file.name, bytes),
            (Ok(bytes), Content::One(kind)) => self.read_one(&file.name, bytes, kind),
            (Ok(bytes), Content::Any) => self.read_any(&file.name, bytes),
        }
        let may_name_beats = matches!(file.content, Content::One(Kind::Beats) | Content::Any);
        self.beats_are_missing |= may_name_beats && self.faults.count() > before;
    }

    fn read_map(&mut self, name: &str, bytes: &[u8]) {
        let areas = map::read(bytes, name, &mut self.faults);
        let table = self.note(name, "areas", areas.len(), Vec::new());
        for (row, area) in areas {
            self.areas.push(Origin { table, row });
            self.organisation.areas.push(area);
        }
    }

    /// A file that holds one table: of a workbook the sheet of that name, or else those that are called by beats, or the first.
    fn read_one(&mut self, file: &str, bytes: &[u8], kind: Kind) {
        let Some(mut sheets) = self.sheets(file, bytes, &|header| is_header(kind, header)) else { return };
        let named = sheets.named.iter().position(|sheet| Kind::of_sheet(&sheet.name) == Some(kind));
        let fitting = || sheets.named.iter().position(|sheet| Layout::of(kind, &sheet.table.header).is_ok());
        let of_beats =
            |sheet: &Sheet| sheet.beat().is_some() && Layout::kind_of_one_beat(&sheet.table.header) == Some(kind);
        let found = named.or_else(fitting);
        if found.is_none() && sheets.named.iter().any(of_beats) {
            let (of_beats, others): (Vec<_>, Vec<_>) = sheets.named.into_iter().partition(of_beats);
            let last = of_beats.into_iter().map(|sheet| self.read_sheet(sheet, kind)).max().unwrap_or_default();
            self.read[last].sheets_not_read = others.into_iter().map(|sheet| sheet.name).chain(sheets.hidden).collect();
            return;
        }
        let at = found.unwrap_or(0);
        if at >= sheets.named.len() {
            self.faults.push(Fault::new(FaultKind::TableEmpty, file, "there is no table in it"));
            return;
        }
        let sheet = sheets.named.swap_remove(at);
        let read = self.read_sheet(sheet, kind);
        let others = sheets.named.into_iter().map(|sheet| sheet.name).chain(sheets.hidden);
        self.read[read].sheets_not_read = others.collect();
    }

    /// A file with a sheet for each kind, or with one table that shows by itself what it is.
    fn read_any(&mut self, file: &str, bytes: &[u8]) {
        let any = |header: &Header| Kind::ALL.into_iter().any(|kind| is_header(kind, header));
        let Some(sheets) = self.sheets(file, bytes, &any) else { return };
        let (mut last, mut unread) = (None, sheets.hidden);
        for sheet in sheets.named {
            let kind = Kind::of_sheet(&sheet.name).or_else(|| Layout::kind_of(&sheet.table.header));
            match kind {
                Some(kind) => last = Some(self.read_sheet(sheet, kind)),
                None => unread.push(sheet.name),
            }
        }
        match last {
            Some(last) => self.read[last].sheets_not_read = unread,
            None => {
                let names = Kind::ALL.map(|kind| kind.sheet_names().join(", ")).join("; ");
                let message = format!("no sheet is of beats, places or staff; name one of: {names}");
                self.faults.push(Fault::new(FaultKind::SheetMissing, file, message));
            }
        }
    }

    /// The tables in a file, whatever its format; `None` after a fault.
    fn sheets(&mut self, file: &str, bytes: &[u8], is_header: &dyn Fn(&Header) -> bool) -> Option<Sheets> {
        let read = sheets(file, bytes, is_header);
        read.map_err(|fault| self.faults.push(fault)).ok()
    }

    fn read_sheet(&mut self, mut sheet: Sheet, kind: Kind) -> usize {
        sheet.table.drop_numbers_of_columns();
        let Sheet { file, table, .. } = &sheet;
        let whole = Layout::of(kind, &table.header);
        let beat = sheet.beat().filter(|_| whole.is_err() && Kind::of_sheet(&sheet.name).is_none());
        let layout = match beat {
            Some(_) => Layout::of_one_beat(kind, &table.header),
            None => whole,
        };
        let layout = match layout {
            Ok(layout) => layout,
            Err(errors) => {
                errors.into_iter().for_each(|error| self.faults.push(header_fault(&sheet, kind, &error)));
                return self.note(file, kind.name(), table.len(), Vec::new());
            }
        };
        let unread = layout.surplus.iter().filter(|surplus| is_written(table, surplus)).map(NotRead::of).collect();
        let at = self.note(file, kind.name(), table.len(), unread);
        let found = kind.columns().iter().zip(&layout.places);
        let header =
            |(column, places): (&Column, &Vec<usize>)| Some((column.name, table.headers()[*places.first()?].clone()));
        let read = &mut self.read[at];
        read.headers = found.filter_map(header).collect();
        read.totals_not_read = table.rows().filter(|row| begins_as_total(*row)).map(|row| row.number).collect();
        read.beat = beat.map(str::to_owned);
        let source = Source { file, loses_letters: sheet.loses_letters, table, layout: &layout, kind, beat };
        let faults = &mut self.faults;
        let organisation = &mut self.organisation;
        match kind {
            Kind::Beats => keep(source.beats(faults), at, &mut self.beats, &mut organisation.beats),
            Kind::Places => keep(source.places(faults), at, &mut self.places, &mut organisation.places),
            Kind::Staff => keep(source.staff(faults), at, &mut self.staff, &mut organisation.staff),
        }
        at
    }

    fn note(&mut self, file: &str, kind: &'static str, rows: usize, columns_not_read: Vec<NotRead>) -> usize {
        self.read.push(ReadTable { file: file.to_owned(), kind, rows, columns_not_read, ..ReadTable::default() });
        self.read.len() - 1
    }

    fn origin(&self, line: Line) -> Option<(&ReadTable, u32)> {
        let origin = match line {
            Line::Beat(at) => self.beats.get(at),
            Line::Place(at) => self.places.get(at),
            Line::Staff(at) => self.staff.get(at),
            Line::Area(at) => self.areas.get(at),
        };
        origin.map(|origin| (&self.read[origin.table], origin.row))
    }

    /// The faults of the files and those that a plan found, each with where it stands. Where beats could not be read, that
    /// others do not find them is no news.
    pub fn with_refusals(&self, refusals: &[Refusal]) -> Faults {
        let mut faults = self.faults.clone();
        let mut told_of_sheets = HashSet::new();
        for refusal in refusals {
            if matches!(refusal.kind, RefusalKind::BeatUnknown { .. }) {
                // All rows of a sheet that is called by a beat say the same of it.
                let sheet = self.origin(refusal.line).filter(|(table, _)| table.beat.is_some());
                let is_news = sheet.is_none_or(|(table, _)| told_of_sheets.insert(&table.file));
                if self.beats_are_missing || !is_news {
                    continue;
                }
            }
            self.refused(refusal).into_iter().for_each(|fault| faults.push(fault));
        }
        let file = |fault: &Fault| self.read.iter().position(|table| table.file == fault.file);
        faults.faults.sort_by_key(|fault| (file(fault), fault.row));
        faults
    }

    fn refused(&self, Refusal { line, other, kind }: &Refusal) -> Option<Fault> {
        let (table, row) = self.origin(*line)?;
        let message = match other.and_then(|other| self.origin(other)) {
            Some((other, at)) if other.file == table.file => format!("{kind}; see row {at}"),
            Some((other, at)) => format!("{kind}; see {}, row {at}", other.file),
            None => kind.to_string(),
        };
        let mut fault = Fault::new(FaultKind::Refused(kind.code()), &table.file, message).at(row);
        let other = other.and_then(|other| self.origin(other)).filter(|(other, _)| other.file == table.file);
        let hint = Hint { meant: kind.meant().map(fault::shortened), see_row: other.map(|(_, row)| row) };
        fault.hint = Some(Box::new(hint)).filter(|hint| **hint != Hint::default());
        Some(fault.in_column(table.header(kind.column())).holding(kind.value()))
    }

    /// A plan's warning, with where it stands.
    pub fn notice(&self, Warning { line, kind }: &Warning) -> Option<Notice> {
        let (table, row) = self.origin(*line)?;
        Some(Notice {
            code: kind.code(),
            file: table.file.clone(),
            row,
            column: table.header(kind.column()).to_owned(),
            value: fault::shortened(kind.value()),
            near: kind.near().to_vec(),
            message: kind.to_string(),
        })
    }
}

impl ReadTable {
    /// The header of a column, as the file has it.
    fn header<'a>(&'a self, column: &'a str) -> &'a str {
        self.headers.iter().find(|(name, _)| *name == column).map_or(column, |(_, header)| header)
    }
}

fn keep<T>(rows: Vec<(u32, T)>, table: usize, origins: &mut Vec<Origin>, lines: &mut Vec<T>) {
    for (row, line) in rows {
        origins.push(Origin { table, row });
        lines.push(line);
    }
}

/// One table of a file.
pub struct Sheet {
    /// The file, and the sheet where it has any.
    pub file: String,
    /// The sheet's name; of text nothing.
    pub name: String,
    /// What it holds.
    pub table: Table,
    /// Whether its encoding turns Kazakh letters into question marks.
    pub loses_letters: bool,
}

impl Sheet {
    /// The beat that it may be called by: its own name, unless a spreadsheet gave it that.
    fn beat(&self) -> Option<&str> {
        const GIVEN: [&str; 5] = ["лист", "sheet", "парақ", "table", "таблица"];
        let name = key(&self.name);
        let is_given = GIVEN.iter().any(|given| {
            name.strip_prefix(given).is_some_and(|rest| rest.chars().all(|c| c.is_numeric() || c.is_whitespace()))
        });
        Some(self.name.trim()).filter(|name| !name.is_empty() && !is_given)
    }
}

/// The tables of a file.
pub struct Sheets {
    /// Those that are shown.
    pub named: Vec<Sheet>,
    /// The names of those that are not.
    pub hidden: Vec<String>,
}

/// Reads the tables of a file, whatever its format. `is_header` knows a header's row when it sees it.
pub fn sheets(file: &str, bytes: &[u8], is_header: &dyn Fn(&Header) -> bool) -> Result<Sheets, Fault> {
    if workbook::is_workbook(bytes, file)? {
        let read = workbook::read(bytes, file, is_header)?;
        let named = read.sheets.into_iter().map(|(name, table)| Sheet {
            file: format!("{file}, sheet {name:?}"),
            name,
            table,
            loses_letters: false,
        });
        return Ok(Sheets { named: named.collect(), hidden: read.hidden });
    }
    let (text, encoding) =
        encoding::decode(bytes).map_err(|error| Fault::new(FaultKind::EncodingUnknown, file, error.to_string()))?;
    let table = delimited::read(&text, file, is_header)?;
    if table.headers().is_empty() {
        return Ok(Sheets { named: Vec::new(), hidden: Vec::new() });
    }
    let loses_letters = encoding.loses_kazakh_letters();
    let sheet = Sheet { file: file.to_owned(), name: String::new(), table, loses_letters };
    Ok(Sheets { named: vec![sheet], hidden: Vec::new() })
}

fn is_header(kind: Kind, header: &Header) -> bool {
    Layout::of(kind, header).is_ok() || Layout::kind_of_one_beat(header) == Some(kind)
}

fn header_fault(Sheet { file, table, .. }: &Sheet, kind: Kind, error: &LayoutError) -> Fault {
    match error {
        LayoutError::Missing(column, meant) => {
            let found = table.headers().iter().map(|header| fault::shortened(header)).collect::<Vec<_>>().join(", ");
            let meant = meant.as_ref().map(|header| format!("; is {:?} meant?", fault::shortened(header)));
            let message = format!(
                "the table of {} has no column {:?} (or {}){}; its header is: {}",
                kind.name(),
                column.name,
                column.synonyms.join(", "),
                meant.unwrap_or_default(),
                fault::shortened(&found),
            );
            Fault::new(FaultKind::ColumnMissing, file, message).at(table.header.row).in_column(column.name)
        }
        LayoutError::Twice(column, headers) => {
            let message = format!("{:?} and {:?} are both {}; keep one of them", headers[0], headers[1], column.name);
            Fault::new(FaultKind::ColumnTwice, file, message).at(table.header.row).in_column(&headers[1])
        }
    }
}

/// Whether a column that is not read holds anything, so that somebody may miss it.
fn is_written(table: &Table, surplus: &Surplus) -> bool {
    !surplus.header.trim().is_empty() || table.rows().any(|row| !row.cell(surplus.place).trim().is_empty())
}

impl NotRead {
    fn of(surplus: &Surplus) -> Self {
        let column = match surplus.header.trim() {
            "" => letter(surplus.place),
            header => fault::shortened(header),
        };
        Self { column, meant: surplus.meant }
    }
}

/// What a spreadsheet calls a column without a header.
pub fn letter(place: usize) -> String {
    let letter = |place: usize| char::from(b'A' + u8::try_from(place % 26).unwrap_or_default());
    match place / 26 {
        0 => letter(place).to_string(),
        more => format!("{}{}", letter(more - 1), letter(place)),
    }
}

#[cfg(test)]
mod tests;
