//! CSV for spreadsheets.

use std::borrow::Cow;

use super::{
    Format,
    cells::{Cell, HEADINGS, cells},
    unwritable,
};
use crate::{query::export::ExportedVisit, store::StoreError};

/// Without it, Excel takes UTF-8 for the system's old code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) struct Csv;

impl Format for Csv {
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";
    const FILE_NAME: &'static str = "visits.csv";

    fn begin() -> Vec<u8> {
        format!("{BYTE_ORDER_MARK}{}\r\n", HEADINGS.join(",")).into_bytes()
    }

    fn visit(visit: &ExportedVisit, _: bool) -> Result<Vec<u8>, StoreError> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(cells(visit).map(written)).map_err(unwritable)?;
        writer.into_inner().map_err(unwritable)
    }

    fn end() -> Vec<u8> {
        Vec::new()
    }
}

/// A cell as a spreadsheet reads it back from text.
fn written(cell: Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => guarded(&text).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Instant(instant) => instant.to_string(),
    }
}

/// Text that a spreadsheet will not run: a formula is one only at the beginning of a cell, where an apostrophe hides it.
fn guarded(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(FORMULA) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_as_a_formula() {
        for text in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r\n=1"] {
            assert_eq!(guarded(text), format!("'{text}"), "{text:?}");
        }
        for text in ["", "шум = громко", "1-2", "'"] {
            assert_eq!(guarded(text), text);
        }
    }
}
