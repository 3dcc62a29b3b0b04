//! CSV for spreadsheets.

use std::borrow::Cow;

use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    Format,
    cells::{COLUMNS, Cell},
    unwritable,
};
use crate::{query::export::ExportedVisit, store::StoreError};

/// Without it, Excel takes UTF-8 for the system's old code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a CSV is written: as the spreadsheet's own country writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CsvStyle {
    /// What stands between two cells. Excel in Russian or Kazakh takes a semicolon only.
    #[serde(default)]
    #[param(inline)]
    pub delimiter: Delimiter,
    /// What stands before the decimals of a number. Excel in Russian or Kazakh takes a comma only.
    #[serde(default)]
    #[param(inline)]
    pub decimal: Decimal,
}

/// What stands between two cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// `43.25`
    #[default]
    Point,
    /// `43,25`
    Comma,
}

impl Delimiter {
    const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// A CSV whose times are those of a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    pub zone: Tz,
    pub style: CsvStyle,
}

impl Format for Csv {
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";
    const FILE_NAME: &'static str = "visits.csv";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = BYTE_ORDER_MARK.as_bytes().to_vec();
        bytes.extend(self.line(COLUMNS.iter().map(|column| column.heading.into()))?);
        Ok(bytes)
    }

    fn visit(&self, visit: &ExportedVisit, _: bool) -> Result<Vec<u8>, StoreError> {
        self.line(COLUMNS.iter().map(|column| self.written((column.cell)(visit))))
    }

    fn end(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Csv {
    fn line<'a>(&self, mut cells: impl Iterator<Item = Cow<'a, str>>) -> Result<Vec<u8>, StoreError> {
        let mut writer = csv::WriterBuilder::new();
        writer.terminator(csv::Terminator::CRLF).delimiter(self.style.delimiter.byte());
        let mut writer = writer.from_writer(Vec::new());
        cells.try_for_each(|cell| writer.write_field(cell.as_bytes())).map_err(unwritable)?;
        writer.write_record(None::<&[u8]>).map_err(unwritable)?;
        writer.into_inner().map_err(unwritable)
    }

    /// A cell as a spreadsheet reads it back from text.
    fn written<'a>(&self, cell: Cell<'a>) -> Cow<'a, str> {
        match cell {
            Cell::Empty => "".into(),
            Cell::Text(text) => guarded(text),
            Cell::Number(number) => self.number(number).into(),
            Cell::Count(count) => count.to_string().into(),
            Cell::Flag(flag) => flag.to_string().into(),
            Cell::Instant(instant) => instant.local(self.zone).into(),
        }
    }

    fn number(&self, number: f64) -> String {
        match self.style.decimal {
            Decimal::Point => number.to_string(),
            Decimal::Comma => number.to_string().replace('.', ","),
        }
    }
}

/// Text that a spreadsheet will not run: a formula is one only at the beginning of a cell, where an apostrophe hides it.
fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(FORMULA) {
        Cow::Owned(format!("'{text}"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_as_a_formula() {
        for text in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r\n=1"] {
            assert_eq!(guarded(text.into()), format!("'{text}"), "{text:?}");
        }
        for text in ["", "шум = громко", "1-2", "'"] {
            assert_eq!(guarded(text.into()), text);
        }
    }
}
