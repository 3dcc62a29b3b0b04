//! The rows that were not taken, as a table to correct and hand in again.

use std::{borrow::Cow, collections::BTreeMap, io};

use super::Journal;
use crate::tables::fault::Fault;

/// What is written beside the columns of the journal itself.
pub const OWN_COLUMNS: [&str; 3] = ["rejected_row", "rejected_code", "rejected_reason"];

/// Without it, Excel takes UTF-8 for the system's old code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Writes the rows of a journal that are rejected, each with all its reasons, as CSV.
///
/// # Errors
/// Those of the writer.
pub fn write(journal: &Journal, rejected: &BTreeMap<u32, Vec<Fault>>, mut out: impl io::Write) -> io::Result<()> {
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(out);
    let own: Vec<usize> = (0..journal.table.headers().len())
        .filter(|place| !OWN_COLUMNS.contains(&journal.table.headers()[*place].trim()))
        .collect();
    let headers = own.iter().map(|place| guarded(&journal.table.headers()[*place]));
    record(&mut writer, headers.chain(OWN_COLUMNS.map(Cow::Borrowed)))?;
    let reasons = |row: u32, faults: &[Fault]| {
        let codes = faults.iter().map(|fault| fault.code).collect::<Vec<_>>().join(" ");
        let told = faults.iter().map(told).collect::<Vec<_>>().join("; ");
        [Cow::Owned(row.to_string()), codes.into(), told.into()]
    };
    for row in journal.table.rows() {
        let Some(faults) = rejected.get(&row.number) else { continue };
        let cells = own.iter().map(|place| guarded(row.cell(*place)));
        record(&mut writer, cells.chain(reasons(row.number, faults)))?;
    }
    for fault in &journal.broken {
        let row = fault.row.unwrap_or_default();
        let blank = own.iter().map(|_| Cow::Borrowed(""));
        record(&mut writer, blank.chain(reasons(row, std::slice::from_ref(fault))))?;
    }
    writer.flush()
}

fn record<'a>(writer: &mut csv::Writer<impl io::Write>, cells: impl Iterator<Item = Cow<'a, str>>) -> io::Result<()> {
    for cell in cells {
        writer.write_field(cell.as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)?;
    Ok(())
}

/// A reason without the row's number, and with the words of a line that has no cells to show them.
fn told(Fault { column, value, message, .. }: &Fault) -> String {
    let column = column.as_ref().map(|column| format!("column {column:?}"));
    let value = value.as_ref().map(|value| format!("{value:?}"));
    match (column, value) {
        (Some(column), Some(value)) => format!("{column}, {value}: {message}"),
        (Some(one), None) | (None, Some(one)) => format!("{one}: {message}"),
        (None, None) => message.to_string(),
    }
}

/// Text that a spreadsheet will not run: an apostrophe hides a formula. A number with its sign is none.
fn guarded(cell: &str) -> Cow<'_, str> {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let begins = cell.trim_start();
    let is_number = || begins.len() > 1 && begins.chars().skip(1).all(|c| c.is_ascii_digit() || " .,()-".contains(c));
    if begins.starts_with(FORMULA) && !is_number() { format!("'{cell}").into() } else { cell.into() }
}
