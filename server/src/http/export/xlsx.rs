//! Workbooks of Excel. Such a file can only be sent once it is whole: it is made on disk, a batch at a time with memory
//! for one row, and then streamed. The file has no name and goes with its last handle.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek as _, Write as _},
    sync::Arc,
};

use axum::body::Bytes;
use chrono_tz::Tz;
use futures_util::{Stream, stream};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    cells::{COLUMNS, Cell},
    unwritable,
};
use crate::{
    app::App,
    http::problem::Problem,
    query::{
        export::{Export, ExportedVisit},
        instant::Instant,
    },
    store::StoreError,
};

pub(in crate::http) const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Visits of a sheet, at most: Excel's rows without the headings.
const MAX_VISITS: u32 = 1_048_575;
/// Text of a cell in UTF-16 units, at most; a longer one is cut.
const MAX_CELL_UNITS: usize = 32_767;
/// Workbooks made at once: each takes room on the disk.
const AT_ONCE: usize = 2;
const PIECE_BYTES: usize = 64 * 1024;

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

/// Makes the workbook of an export's visits. Returns it with its length in bytes.
pub(super) async fn make(app: &App, export: Export) -> Result<(Made, u64), Problem> {
    let turns = Arc::clone(&app.http().workbooks.0);
    let turn = turns.try_acquire_owned().map_err(|_| Problem::TooManyExports)?;
    let mut sheet = Sheet::new(export.zone).map_err(|error| unwritable(&error))?;
    let mut after = None;
    loop {
        let export = export.clone();
        let batch = app.read(move |connection| {
            let batch = export.batch(connection, after)?;
            batch.visits.iter().try_for_each(|visit| sheet.add(visit)).map_err(|error| unwritable(&error))?;
            Ok((sheet, batch.next))
        });
        (sheet, after) = batch.await?;
        if sheet.visits > MAX_VISITS {
            return Err(Problem::TooManyRows(MAX_VISITS));
        }
        if after.is_none() {
            break;
        }
    }
    let saved = tokio::task::spawn_blocking(move || sheet.save()).await;
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

/// A workbook of one sheet, being filled.
struct Sheet {
    workbook: Workbook,
    instants: Format,
    /// A time of Excel is what a clock on the wall showed: whose, the headings say.
    zone: Tz,
    visits: u32,
}

impl Sheet {
    fn new(zone: Tz) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("visits")?.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (number, column) in (0..).zip(&COLUMNS) {
            let zone = if column.is_time { format!(" ({zone})") } else { String::new() };
            sheet.write_string_with_format(0, number, format!("{}{zone}", column.heading), &bold)?;
        }
        Ok(Self { workbook, instants: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"), zone, visits: 0 })
    }

    /// Adds a row, or only counts it where the sheet is full.
    fn add(&mut self, visit: &ExportedVisit) -> Result<(), XlsxError> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return Ok(());
        }
        let (row, sheet) = (self.visits, self.workbook.worksheet_from_index(0)?);
        for (column, cell) in (0..).zip(COLUMNS.iter().map(|column| (column.cell)(visit))) {
            match cell {
                Cell::Empty => continue,
                Cell::Text(text) => sheet.write_string(row, column, short(&text))?,
                Cell::Number(number) => sheet.write_number(row, column, number)?,
                Cell::Count(count) => sheet.write_number(row, column, count as f64)?,
                Cell::Flag(flag) => sheet.write_boolean(row, column, flag)?,
                Cell::Instant(instant) => match excel_time(instant, self.zone) {
                    Some(time) => sheet.write_datetime_with_format(row, column, &time, &self.instants)?,
                    None => sheet.write_string(row, column, instant.local(self.zone))?,
                },
            };
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

/// What can go wrong with a temporary file is the disk's fault.
fn no_room(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("making a workbook: {error}"))
}

/// Excel counts from 1900; a clock that says otherwise is shown in words.
fn excel_time(instant: Instant, zone: Tz) -> Option<ExcelDateTime> {
    let (at, first) = (instant.on_the_wall(zone).and_utc().timestamp(), -2_208_988_800);
    (at >= first).then(|| ExcelDateTime::from_timestamp(at).ok()).flatten()
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
