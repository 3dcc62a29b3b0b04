//! CSV for spreadsheets.

use std::borrow::Cow;

use super::{Format, unwritable};
use crate::{
    query::{export::ExportedVisit, instant::Instant},
    store::StoreError,
};

/// Without it, Excel takes UTF-8 for the system's old code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const HEADINGS: [&str; 20] = [
    "id",
    "beat",
    "place_id",
    "address",
    "author_id",
    "author",
    "type",
    "outcome",
    "status",
    "started_at",
    "ended_at",
    "received_at",
    "late",
    "conflicts",
    "lat",
    "lon",
    "accuracy_m",
    "mock",
    "notes",
    "text",
];

pub(super) struct Csv;

impl Format for Csv {
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";
    const FILE_NAME: &'static str = "visits.csv";

    fn begin() -> Vec<u8> {
        format!("{BYTE_ORDER_MARK}{}\r\n", HEADINGS.join(",")).into_bytes()
    }

    fn visit(visit: &ExportedVisit, _: bool) -> Result<Vec<u8>, StoreError> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(cells(visit).iter().map(|cell| cell.as_bytes())).map_err(unwritable)?;
        writer.into_inner().map_err(unwritable)
    }

    fn end() -> Vec<u8> {
        Vec::new()
    }
}

fn cells(visit: &ExportedVisit) -> [String; HEADINGS.len()] {
    let head = &visit.head;
    let text = |text: Option<&str>| guarded(text.unwrap_or_default()).into_owned();
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let instant = |instant: Option<Instant>| instant.map(|instant| instant.to_string()).unwrap_or_default();
    let (place, author, position) = (head.place.as_ref(), head.author.as_ref(), head.position.as_ref());
    let words = visit.notes.iter().filter(|note| note.status != "withdrawn").map(|note| note.text.as_str());
    let words = words.collect::<Vec<_>>().join("\n");
    [
        head.id.to_string(),
        text(head.beat.as_deref()),
        place.map(|place| place.id.to_string()).unwrap_or_default(),
        text(place.and_then(|place| place.address.as_deref())),
        author.map(|author| author.id.to_string()).unwrap_or_default(),
        text(author.map(|author| author.name.as_str())),
        text(head.visit_type.as_deref()),
        text(head.outcome.as_deref()),
        text(Some(&head.status)),
        head.started_at.to_string(),
        instant(head.ended_at),
        head.received_at.to_string(),
        head.late.to_string(),
        visit.conflicts.to_string(),
        number(position.map(|position| position.lat)),
        number(position.map(|position| position.lon)),
        number(position.and_then(|position| position.accuracy_m)),
        position.and_then(|position| position.mock).map(|mock| mock.to_string()).unwrap_or_default(),
        visit.notes.len().to_string(),
        text(Some(&words)),
    ]
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
