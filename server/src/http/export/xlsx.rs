//! Workbooks of Excel. Such a file can only be sent once it is whole: it is made on disk, a batch at a time with memory
//! for one row of each sheet, and then streamed. The file has no name and goes with its last handle.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek as _, Write as _},
    sync::Arc,
};

use axum::body::Bytes;
use chrono_tz::Tz;
use futures_util::{Stream, stream};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::IntoParams;

use aralau_sync_core::vocabulary::Language;

use super::{
    file::{List, Listing},
    table::{Head, Plain, Reader, SheetOf},
    unwritable,
};
use crate::{
    app::App,
    http::{extract::Parameters, problem::Problem},
    query::instant::Instant,
    store::StoreError,
};

pub(in crate::http) const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Rows of a sheet, at most: Excel's rows without the headings.
pub(super) const MAX_ROWS: u32 = 1_048_575;
/// Text of a cell in UTF-16 units, at most; a longer one is cut.
const MAX_CELL_UNITS: usize = 32_767;
/// Workbooks made at once: each takes room on the disk.
const AT_ONCE: usize = 2;
const PIECE_BYTES: usize = 64 * 1024;
/// How wide a column of a reader's is at least, in digits: what is read, and what is only joined.
const READ_WIDTH: usize = 20;
const JOINED_WIDTH: usize = 12;
const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// How a workbook is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BookStyle {
    /// For a reader of this language, `ru`, `kk` or `en`, as in a CSV: also the sheets are called in it.
    #[param(value_type = Option<String>, pattern = "^(ru|kk|en)$")]
    pub language: Option<Language>,
}

impl Parameters for BookStyle {
    const NAMES: &'static [&'static str] = &["language"];
}

/// Who has a workbook made.
pub struct Workbooks(Arc<Semaphore>);

impl Default for Workbooks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A file on disk, and the right to have it there.
pub(super) struct Made {
    file: File,
    _turn: OwnedSemaphorePermit,
}

/// Makes the workbook of a list. Returns it with its length in bytes.
pub(super) async fn make<L: List>(app: &App, listing: Listing<L>) -> Result<(Made, u64), Problem> {
    let turns = Arc::clone(&app.http().workbooks.0);
    let turn = turns.try_acquire_owned().map_err(|_| Problem::TooManyExports)?;
    let Listing { list, reader } = listing;
    let asked = list.clone();
    if app.read(move |connection| asked.exceeds(connection, MAX_ROWS)).await? {
        return Err(Problem::TooManyRows(MAX_ROWS));
    }
    let mut book = Book::new(reader, list.sheets()).map_err(unwritable)?;
    let mut after = None;
    loop {
        let list = list.clone();
        let batch = app.read(move |connection| {
            let (rows, rest) = match list.batch(connection, after)? {
                Ok(batch) => batch,
                Err(no_period) => return Ok(Err(no_period)),
            };
            rows.iter().try_for_each(|row| book.add(row))?;
            Ok(Ok((book, rest)))
        });
        (book, after) = batch.await??;
        if book.is_full {
            return Err(Problem::TooManyRows(MAX_ROWS));
        }
        if after.is_none() {
            break;
        }
    }
    let saved = tokio::task::spawn_blocking(move || book.save()).await;
    let saved = saved.unwrap_or_else(|_| Err(StoreError::Internal("making a workbook panicked".into())));
    let (file, bytes) = saved?;
    Ok((Made { file, _turn: turn }, bytes))
}

/// The file, piece by piece.
pub(super) fn pieces(made: Made) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(made), |made| async move {
        let mut made = made?;
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            Read::by_ref(&mut made.file).take(PIECE_BYTES as u64).read_to_end(&mut piece).map(|_| (piece, made))
        });
        match read.await.unwrap_or_else(|_| Err(io::Error::other("reading a workbook panicked"))) {
            Ok((piece, _)) if piece.is_empty() => None,
            Ok((piece, made)) => Some((Ok(Bytes::from(piece)), Some(made))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// A workbook, being filled.
struct Book<R: 'static> {
    workbook: Workbook,
    sheets: Vec<Filled<R>>,
    /// A time of Excel is what a clock on the wall showed: whose, the headings say.
    reader: Reader,
    formats: Formats,
    /// Whether there is no room for a row.
    is_full: bool,
}

struct Filled<R: 'static> {
    sheet: &'static dyn SheetOf<R>,
    rows: u32,
}

struct Formats {
    instants: Format,
    days: Format,
    headings: Format,
}

impl<R> Book<R> {
    fn new(reader: Reader, sheets: Vec<&'static dyn SheetOf<R>>) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let formats = Formats {
            instants: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            days: Format::new().set_num_format("yyyy-mm-dd"),
            headings: Format::new().set_bold(),
        };
        for sheet in &sheets {
            let made = workbook.add_worksheet_with_constant_memory()?;
            made.set_name(sheet.name(&reader))?.set_freeze_panes(1, 0)?;
            for (number, head) in (0..).zip(sheet.heads(&reader)) {
                let text = if head.is_time { format!("{} ({})", head.text, reader.zone) } else { head.text.clone() };
                if reader.is_person() {
                    made.set_column_width(number, width(&head, &text))?;
                }
                made.write_string_with_format(0, number, text, &formats.headings)?;
            }
        }
        let sheets = sheets.into_iter().map(|sheet| Filled { sheet, rows: 0 }).collect();
        Ok(Self { workbook, sheets, reader, formats, is_full: false })
    }

    /// Adds a row to each sheet that has items of it.
    fn add(&mut self, row: &R) -> Result<(), StoreError> {
        for (number, Filled { sheet, rows }) in self.sheets.iter_mut().enumerate() {
            let made = self.workbook.worksheet_from_index(number).map_err(unwritable)?;
            sheet.write(row, &self.reader, &mut |cells| {
                if *rows == MAX_ROWS {
                    self.is_full = true;
                    return Ok(());
                }
                *rows += 1;
                let mut cells = (0..).zip(cells);
                cells.try_for_each(|(column, cell)| write(made, (*rows, column), cell, self.reader.zone, &self.formats))
            })?;
        }
        Ok(())
    }

    fn save(mut self) -> Result<(File, u64), StoreError> {
        let mut file = tempfile::tempfile().map_err(|error| no_room(&error))?;
        let mut writer = BufWriter::new(&mut file);
        self.workbook.save_to_writer(&mut writer).map_err(|error| no_room(&error))?;
        writer.flush().map_err(|error| no_room(&error))?;
        drop(writer);
        let bytes = file.stream_position().map_err(|error| no_room(&error))?;
        file.rewind().map_err(|error| no_room(&error))?;
        Ok((file, bytes))
    }
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Plain<'_>,
    zone: Tz,
    formats: &Formats,
) -> Result<(), StoreError> {
    let written = match cell {
        Plain::Empty => return Ok(()),
        Plain::Text(text) => sheet.write_string(row, column, short(&text)),
        Plain::Number(number) => sheet.write_number(row, column, number),
        Plain::Whole(number) => sheet.write_number(row, column, number as f64),
        Plain::Flag(flag) => sheet.write_boolean(row, column, flag),
        Plain::Instant(instant) => match excel_time(instant, zone) {
            Some(time) => sheet.write_datetime_with_format(row, column, &time, &formats.instants),
            None => sheet.write_string(row, column, instant.local(zone)),
        },
        Plain::Day(day) => match since_1900(day.number().saturating_mul(SECONDS_A_DAY)) {
            Some(time) => sheet.write_datetime_with_format(row, column, &time, &formats.days),
            None => sheet.write_string(row, column, day.text()),
        },
    };
    written.map(|_| ()).map_err(unwritable)
}

/// In which a reader sees heading and times whole.
fn width(head: &Head, heading: &str) -> f64 {
    heading.chars().count().max(if head.is_read { READ_WIDTH } else { JOINED_WIDTH }) as f64
}

/// What can go wrong with a temporary file is the disk's fault.
fn no_room(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("making a workbook: {error}"))
}

/// Excel counts from 1900; a clock that says otherwise is shown in words.
fn excel_time(instant: Instant, zone: Tz) -> Option<ExcelDateTime> {
    since_1900(instant.on_the_wall(zone).and_utc().timestamp())
}

fn since_1900(seconds: i64) -> Option<ExcelDateTime> {
    (seconds >= -2_208_988_800).then(|| ExcelDateTime::from_timestamp(seconds).ok()).flatten()
}

/// Text that fits into a cell.
fn short(text: &str) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, letter)| {
        units += letter.len_utf16();
        units > MAX_CELL_UNITS
    });
    end.map_or(text, |(end, _)| text.split_at(end).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_cut_between_letters() {
        let long = "😀".repeat(20_000);
        assert_eq!(short(&long).encode_utf16().count(), MAX_CELL_UNITS - 1);
        assert_eq!(short("шум"), "шум");
    }

    #[test]
    fn a_clock_outside_of_excels_years_is_none_of_its_times() {
        let almaty = chrono_tz::Asia::Almaty;
        assert!(excel_time(Instant::from_ms(0), almaty).is_some());
        for absurd in [i64::MIN, -2_300_000_000_000, i64::MAX] {
            assert!(excel_time(Instant::from_ms(absurd), almaty).is_none(), "{absurd}");
        }
    }
}
