//! CSV for spreadsheets.

use std::borrow::Cow;

use chrono::SubsecRound as _;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::vocabulary::Language;

use super::{
    file::Format,
    table::{Plain, Reader, SheetOf},
    unwritable,
};
use crate::{http::extract::Parameters, query::instant::Instant, store::StoreError};

/// Without it, Excel takes UTF-8 for the system's old code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a CSV is written: as the spreadsheet's own country writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CsvStyle {
    /// For a reader of this language: `ru`, `kk` or `en`. Then what is read comes first, under headings and with labels in the language, and behind it
    /// ids and codes by the names that they always have. Without it: codes alone.
    #[param(value_type = Option<String>, pattern = "^(ru|kk|en)$")]
    pub language: Option<Language>,
    /// What stands between two cells. Excel in Russian or Kazakh takes a semicolon only.
    #[serde(default)]
    #[param(inline)]
    pub delimiter: Delimiter,
    /// What stands before the decimals of a number. Excel in Russian or Kazakh takes a comma only.
    #[serde(default)]
    #[param(inline)]
    pub decimal: Decimal,
}

impl Parameters for CsvStyle {
    const NAMES: &'static [&'static str] = &["language", "delimiter", "decimal"];
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

/// A table as CSV.
pub(super) struct Csv<R: 'static> {
    pub sheet: &'static dyn SheetOf<R>,
    pub reader: Reader,
    pub style: CsvStyle,
}

impl<R> Format for Csv<R> {
    type Row = R;
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";
    const EXTENSION: &'static str = "csv";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        let zone = self.reader.zone;
        let headings = self.sheet.heads(&self.reader).into_iter().map(|head| {
            // As data, each time brings its offset.
            if head.is_time && self.reader.is_person() { format!("{} ({zone})", head.text) } else { head.text }
        });
        let mut bytes = BYTE_ORDER_MARK.as_bytes().to_vec();
        self.line(&mut bytes, &mut headings.map(Cow::Owned))?;
        Ok(bytes)
    }

    fn row(&self, row: &R, _: bool, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        self.sheet.write(row, &self.reader, &mut |cells| self.line(bytes, &mut cells.map(|cell| self.written(cell))))
    }

    fn end(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl<R> Csv<R> {
    fn line<'a>(&self, bytes: &mut Vec<u8>, cells: &mut dyn Iterator<Item = Cow<'a, str>>) -> Result<(), StoreError> {
        let mut writer = csv::WriterBuilder::new();
        writer.terminator(csv::Terminator::CRLF).delimiter(self.style.delimiter.byte());
        let mut writer = writer.from_writer(bytes);
        for cell in cells {
            writer.write_field(cell.as_bytes()).map_err(unwritable)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritable)?;
        writer.flush().map_err(unwritable)
    }

    /// A cell as a spreadsheet reads it back from text.
    fn written<'a>(&self, cell: Plain<'a>) -> Cow<'a, str> {
        match cell {
            Plain::Empty => "".into(),
            Plain::Text(text) => guarded(text),
            Plain::Number(number) => self.number(number).into(),
            Plain::Whole(number) => number.to_string().into(),
            Plain::Flag(flag) => flag.to_string().into(),
            Plain::Instant(instant) => self.time(instant).into(),
            Plain::Day(day) => day.text().into(),
        }
    }

    /// A spreadsheet of whatever country takes `2026-05-10 01:30:00` for a time, and one with its offset for text.
    fn time(&self, instant: Instant) -> String {
        let zone = self.reader.zone;
        if self.reader.is_person() {
            instant.on_the_wall(zone).trunc_subsecs(0).to_string()
        } else {
            instant.local(zone)
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
