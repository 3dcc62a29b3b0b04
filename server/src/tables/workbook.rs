//! Excel workbooks.
//!
//! A workbook is an archive, and a small one may unpack to anything. So it is unpacked once only to be measured, piece by
//! piece and into nothing; what then is read is known to be bounded. Values are streamed: a sheet with one cell in its last
//! corner costs nothing.

use std::{
    io::{BufRead as _, BufReader, Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Dimensions, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use super::{
    fault::{Fault, FaultKind},
    header::Header,
    table::{Builder, MAX_COLUMNS, MAX_ROWS, Table},
};

/// All sheets and texts of a workbook unpacked, at most: a million rows of six columns take two thirds.
pub const MAX_UNPACKED_BYTES: u64 = 512 << 20;
/// Everything else in it together: pictures, styles, properties.
const MAX_OTHER_BYTES: u64 = 64 << 20;
/// Different texts in all cells.
const MAX_STRINGS: usize = 4_000_000;
/// Merged cells in all sheets.
const MAX_MERGED: usize = 100_000;
/// Files in the archive.
const MAX_PARTS: usize = 10_000;
/// From one tag to the next: what the reader of XML holds at once.
const MAX_PIECE_BYTES: u64 = 1 << 20;

/// What opens every archive.
const MAGIC: &[u8] = b"PK\x03\x04";
/// What opens the workbooks of before 2007, and those with a password.
const OLD_MAGIC: &[u8] = b"\xd0\xcf\x11\xe0";
/// What follows a few bytes later in an OpenDocument file: its type stands first in it, and is not packed.
const OPEN_DOCUMENT: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.";
/// Bytes in which it stands, if it does: an archive's first header, of fixed length.
const OPEN_DOCUMENT_WITHIN: usize = 128;
/// What opens a PDF, whatever its name ends with.
const PDF_MAGIC: &[u8] = b"%PDF-";

/// The visible sheets with something in them, and the names of those that are hidden.
#[derive(Debug, Default)]
pub struct Workbook {
    /// Each with its name.
    pub sheets: Vec<(String, Table)>,
    /// Not read.
    pub hidden: Vec<String>,
}

/// Whether bytes are some workbook, or something else that is no text.
///
/// # Errors
/// A format that is told and not read.
pub fn is_workbook(bytes: &[u8], file: &str) -> Result<bool, Fault> {
    if bytes.starts_with(OLD_MAGIC) {
        let message = "an old Excel workbook (.xls), or one with a password; save it as .xlsx without a password";
        return Err(Fault::new(FaultKind::FormatUnknown, file, message));
    }
    if bytes.starts_with(PDF_MAGIC) {
        let message = "a PDF, which holds no table; hand in the table itself, as .xlsx or CSV";
        return Err(Fault::new(FaultKind::FormatUnknown, file, message));
    }
    let begins = &bytes[..bytes.len().min(OPEN_DOCUMENT_WITHIN)];
    if begins.windows(OPEN_DOCUMENT.len()).any(|part| part == OPEN_DOCUMENT) {
        let message = "an OpenDocument file (.ods); save it as an Excel workbook (.xlsx), or as CSV";
        return Err(Fault::new(FaultKind::FormatUnknown, file, message));
    }
    Ok(bytes.starts_with(MAGIC))
}

/// Reads a workbook. `is_header` knows a header's row when it sees it.
pub fn read(bytes: &[u8], file: &str, is_header: &dyn Fn(&Header) -> bool) -> Result<Workbook, Fault> {
    measure(bytes).map_err(|why| Fault::new(FaultKind::WorkbookBroken, file, why))?;
    // The reader is not ours, and what it reads is anybody's.
    let read = catch_unwind(AssertUnwindSafe(|| read_sheets(bytes, file, is_header)));
    read.unwrap_or_else(|_| Err(Fault::new(FaultKind::WorkbookBroken, file, DAMAGED)))
}

const DAMAGED: &str = "the workbook is damaged; open it in Excel and save it as .xlsx again";

/// Whether what a workbook unpacks to, pictures and the like aside, is at most so much; also where it is none.
pub fn unpacks_within(bytes: &[u8], most_bytes: u64) -> bool {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return true };
    let mut left_bytes = most_bytes;
    (0..archive.len()).all(|part| {
        let Ok(part) = archive.by_index(part) else { return true };
        if !part.name().is_ok_and(|name| name.ends_with(".xml")) {
            return true;
        }
        let unpacked = std::io::copy(&mut part.take(left_bytes + 1), &mut std::io::sink());
        // What is damaged is told by whoever reads it.
        let fits = left_bytes.checked_sub(unpacked.unwrap_or_default());
        left_bytes = fits.unwrap_or_default();
        fits.is_some()
    })
}

/// Unpacks everything into nothing.
fn measure(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| DAMAGED.to_owned())?;
    if archive.len() > MAX_PARTS {
        return Err("the workbook has more parts than any spreadsheet writes".to_owned());
    }
    let mut measured = Measured::default();
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|_| DAMAGED.to_owned())?;
        let name = part.name().map_err(|_| DAMAGED.to_owned())?.into_owned();
        let is_markup = name.ends_with(".xml") || name.ends_with(".rels");
        if is_markup { measured.markup(&mut BufReader::new(part)) } else { measured.other(part) }
            .map_err(|why| format!("{name}: {why}"))?;
    }
    match measured.formulas_alone {
        0 => Ok(()),
        cells => Err(format!(
            "a program wrote formulas into {cells} of its cells, and nobody has worked them out; open it in a spreadsheet and save it"
        )),
    }
}

#[derive(Default)]
struct Measured {
    markup_bytes: u64,
    other_bytes: u64,
    strings: usize,
    merged: usize,
    /// The cell at hand.
    cell: MeasuredCell,
    /// Cells whose formula nobody has worked out.
    formulas_alone: usize,
}

#[derive(Default)]
struct MeasuredCell {
    is_text: bool,
    has_formula: bool,
    has_value: bool,
}

impl Measured {
    fn other(&mut self, part: impl Read) -> Result<(), &'static str> {
        let mut part = part.take(MAX_OTHER_BYTES - self.other_bytes + 1);
        self.other_bytes += std::io::copy(&mut part, &mut std::io::sink()).map_err(|_| DAMAGED)?;
        if self.other_bytes > MAX_OTHER_BYTES { Err(TOO_LARGE) } else { Ok(()) }
    }

    /// Tag by tag, so that none is longer than what may be held.
    fn markup(&mut self, part: &mut BufReader<impl Read>) -> Result<(), &'static str> {
        let mut piece = Vec::new();
        let mut is_first = true;
        loop {
            piece.clear();
            let read = part.by_ref().take(MAX_PIECE_BYTES).read_until(b'<', &mut piece).map_err(|_| DAMAGED)?;
            if read == 0 {
                return Ok(());
            }
            self.markup_bytes += read as u64;
            if self.markup_bytes > MAX_UNPACKED_BYTES || read as u64 == MAX_PIECE_BYTES {
                return Err(TOO_LARGE);
            }
            // What would not end with its piece: comments, which no spreadsheet writes, and tags that are none.
            let is_open = piece.starts_with(b"?") && !piece.windows(2).any(|pair| pair == b"?>");
            if piece.starts_with(b"!") || is_open || !is_first && !piece.contains(&b'>') || piece.contains(&0) {
                return Err("it holds what no spreadsheet writes");
            }
            is_first = false;
            self.tag(&piece)?;
        }
    }

    fn tag(&mut self, piece: &[u8]) -> Result<(), &'static str> {
        let end = piece.iter().position(|byte| b" \t\r\n/>".contains(byte)).unwrap_or(piece.len());
        let name = piece[..end].rsplit(|byte| *byte == b':').next().unwrap_or_default();
        match name {
            b"si" => self.strings += 1,
            b"c" => {
                let is_text = piece[..piece.len().min(MAX_TAG_BYTES)].windows(7).any(|pair| pair == b"t=\"str\"");
                self.cell = MeasuredCell { is_text, ..MeasuredCell::default() };
            }
            b"f" => self.cell.has_formula = true,
            b"v" => self.cell.has_value = text_after(piece).is_some_and(|text| !text.is_empty()),
            b"" if ends_cell(piece) => {
                let MeasuredCell { is_text, has_formula, has_value } = std::mem::take(&mut self.cell);
                self.formulas_alone += usize::from(has_formula && !has_value && !is_text);
            }
            b"mergeCell" => self.merged += 1,
            // Room is made for as many as are announced.
            b"sst" if announced(piece) > MAX_STRINGS => return Err(TOO_LARGE),
            _ => {}
        }
        if self.strings > MAX_STRINGS || self.merged > MAX_MERGED { Err(TOO_LARGE) } else { Ok(()) }
    }
}

/// What stands between a tag and the next.
fn text_after(piece: &[u8]) -> Option<&[u8]> {
    let end = piece.iter().position(|byte| *byte == b'>')?;
    let text = &piece[end + 1..];
    Some(text.strip_suffix(b"<").unwrap_or(text))
}

fn ends_cell(piece: &[u8]) -> bool {
    let Some(name) = piece.strip_prefix(b"/").and_then(|tag| tag.split(|byte| *byte == b'>').next()) else {
        return false;
    };
    name.rsplit(|byte| *byte == b':').next() == Some(&b"c"[..])
}

/// Of a cell's tag, with all its attributes.
const MAX_TAG_BYTES: usize = 256;

const TOO_LARGE: &str = "it unpacks to more than a table may hold; split it, or save each sheet as CSV UTF-8";

/// How many texts a list says that it has.
fn announced(tag: &[u8]) -> usize {
    const NAME: &[u8] = b"uniqueCount";
    let Some(at) = tag.windows(NAME.len()).position(|window| window == NAME) else { return 0 };
    let digits = tag[at + NAME.len()..].iter().skip_while(|byte| !byte.is_ascii_digit());
    let digits = digits.take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: usize, digit| number.saturating_mul(10).saturating_add(usize::from(digit - b'0')))
}

type Excel<'a> = Xlsx<Cursor<&'a [u8]>>;

fn read_sheets(bytes: &[u8], file: &str, is_header: &dyn Fn(&Header) -> bool) -> Result<Workbook, Fault> {
    let broken =
        |error: XlsxError| Fault::new(FaultKind::WorkbookBroken, file, format!("no Excel workbook (.xlsx): {error}"));
    let mut excel: Excel<'_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let mut workbook = Workbook::default();
    for sheet in excel.sheets_metadata().to_vec() {
        if sheet.typ != SheetType::WorkSheet {
            continue;
        }
        if sheet.visible != SheetVisible::Visible {
            workbook.hidden.push(sheet.name);
            continue;
        }
        let shown = format!("{file}, sheet {:?}", sheet.name);
        let merged = excel.merge_cells_by_sheet_name(&sheet.name).map_err(broken)?;
        let mut sheet_reader = SheetReader::new(&shown, merged);
        let mut cells = excel.worksheet_cells_reader(&sheet.name).map_err(broken)?;
        while let Some(cell) = cells.next_cell().map_err(broken)? {
            sheet_reader.cell(cell.get_position(), cell.get_value())?;
        }
        let table = sheet_reader.finish(is_header)?;
        if !table.headers().is_empty() {
            workbook.sheets.push((sheet.name, table));
        }
    }
    Ok(workbook)
}

/// A cell's text, and what a spreadsheet takes it for.
type CellText = (String, Taken);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Taken {
    #[default]
    Text,
    Date,
    /// Of so many digits that it does not keep all.
    LargeNumber,
}

struct SheetReader<'a> {
    file: &'a str,
    builder: Builder,
    /// The row at hand, from 0, with its cells so far.
    row: u32,
    cells: Vec<CellText>,
    widest: usize,
    /// Those that begin below the row at hand, the next one last.
    below: Vec<Dimensions>,
    /// Those that the row at hand is part of.
    merged: Vec<Merged>,
}

/// Cells of one column that are merged: what the first holds is said of all rows.
struct Merged {
    area: Dimensions,
    value: CellText,
}

impl<'a> SheetReader<'a> {
    fn new(file: &'a str, merged: Vec<Dimensions>) -> Self {
        let (mut below, across): (Vec<_>, Vec<_>) = merged.into_iter().partition(|area| area.end.0 > area.start.0);
        below.sort_by_key(|area| std::cmp::Reverse(area.start));
        let mut builder = Builder::default();
        for area in across.into_iter().filter(|area| (area.end.1 as usize) < MAX_COLUMNS) {
            builder.merged_across(area.start.0 + 1, area.start.1 as usize..area.end.1 as usize + 1);
        }
        Self { file, builder, row: 0, cells: Vec::new(), widest: 0, below, merged: Vec::new() }
    }

    fn cell(&mut self, (row, column): (u32, u32), value: &DataRef<'_>) -> Result<(), Fault> {
        let (text, taken) = match text_of(value) {
            (text, _) if text.is_empty() => return Ok(()),
            written => written,
        };
        if row != self.row {
            self.end_row()?;
            if row < self.row {
                return Err(Fault::new(FaultKind::WorkbookBroken, self.file, DAMAGED));
            }
            self.row = row;
        }
        let column = column as usize;
        if column >= MAX_COLUMNS {
            let message = format!("more than {MAX_COLUMNS} columns");
            return Err(Fault::new(FaultKind::TooManyColumns, self.file, message).at(row + 1));
        }
        if self.cells.len() <= column {
            self.cells.resize_with(column + 1, CellText::default);
        }
        self.cells[column] = (text, taken);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.fill_merged();
        self.widest = self.widest.max(self.cells.len());
        for (text, taken) in self.cells.drain(..) {
            match taken {
                Taken::Text => self.builder.cell(&text),
                Taken::Date => self.builder.date(&text),
                Taken::LargeNumber => self.builder.large_number(&text),
            }
        }
        if self.builder.end_row(self.row + 1) {
            return Ok(());
        }
        Err(Fault::new(FaultKind::TooManyRows, self.file, format!("more than {MAX_ROWS} rows; split the sheet")))
    }

    fn fill_merged(&mut self) {
        self.merged.retain(|merged| merged.area.end.0 >= self.row);
        while let Some(area) = self.below.pop_if(|area| area.start.0 <= self.row) {
            let first = self.cells.get(area.start.1 as usize).filter(|_| area.start.0 == self.row);
            self.merged.extend(first.map(|value| Merged { area, value: value.clone() }));
        }
        for Merged { area, value } in &self.merged {
            let column = area.start.1 as usize;
            if column < MAX_COLUMNS && self.cells.len() <= column {
                self.cells.resize_with(column + 1, CellText::default);
            }
            if let Some(cell) = self.cells.get_mut(column).filter(|cell| cell.0.is_empty()) {
                cell.clone_from(value);
            }
        }
    }

    fn finish(mut self, is_header: &dyn Fn(&Header) -> bool) -> Result<Table, Fault> {
        self.end_row()?;
        let mut table = self.builder.finish(is_header);
        // A remark beside the table is a column without a name, and not a row that is too long.
        if !table.header.names.is_empty() && table.header.names.len() < self.widest {
            table.header.names.resize(self.widest, String::new());
        }
        Ok(table)
    }
}

/// What a cell shows, as far as it is told without its format: a number as it stands, a date by ISO 8601.
fn text_of(value: &DataRef<'_>) -> CellText {
    /// From here on numbers have more than fifteen digits.
    const LARGE: f64 = 1e15;
    let text = match value {
        DataRef::DateTime(date) if date.is_datetime() => return (date_text(*date), Taken::Date),
        DataRef::DateTime(date) => date_text(*date),
        DataRef::DateTimeIso(date) | DataRef::DurationIso(date) => return (date.clone(), Taken::Date),
        DataRef::Int(number) if *number as f64 >= LARGE => return (number.to_string(), Taken::LargeNumber),
        DataRef::Float(number) if *number >= LARGE => return (number.to_string(), Taken::LargeNumber),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // 101.0 is written as 101.
        DataRef::Float(number) => number.to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    };
    (text, Taken::Text)
}

fn date_text(date: ExcelDateTime) -> String {
    if !date.is_datetime() {
        return date.as_f64().to_string();
    }
    let (year, month, day, hours, minutes, seconds, _) = date.to_ymd_hms_milli();
    if (hours, minutes, seconds) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}")
    }
}
