//! The cells of a row, each as what its column says.

use aralau_server::store::{clean, key};
use aralau_sync_core::{change::MAX_TEXT_BYTES, time::Millis, visit::Coordinates};
use chrono::{Datelike as _, NaiveDate, TimeDelta};

use super::{
    super::{
        field::Field,
        map::Words,
        moment::{self, Moment, Time, Zone},
        position,
    },
    MAX_WORD_BYTES, Reader, filled,
};
use crate::tables::{
    MAX_NAME_BYTES,
    cell::{self, Expected, LETTERS_LOST, has_lost_letters, says_nothing},
    fault::{Fault, FaultKind},
    table::Row,
};

/// Longest name of a visit in its register.
const MAX_ID_BYTES: usize = 200;
/// Longest cell of notes: beyond, something else than a note went astray.
const MAX_NOTE_BYTES: usize = 256 << 10;
/// No visit of a journal is older.
const FIRST_YEAR: i32 = 1970;
/// A visit that ends by a time of day before it began went on past midnight, if it took no longer.
const MAX_PAST_MIDNIGHT: TimeDelta = TimeDelta::hours(12);

/// When a visit began.
pub(super) struct Began {
    pub(super) at: Millis,
    pub(super) date: NaiveDate,
    pub(super) time: Option<Time>,
    pub(super) text: String,
}

/// The cells of a row; what is asked for and wrong becomes a fault.
pub(super) struct Cells<'a, 'r> {
    pub(super) reader: &'r Reader<'a>,
    pub(super) row: Row<'a>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Cells<'a, '_> {
    pub(super) fn fault(&mut self, kind: FaultKind, field: Field, value: &str, message: impl Into<String>) {
        self.fault_at(kind, field, self.reader.layout.place(field), value, message);
    }

    fn fault_at(
        &mut self,
        kind: FaultKind,
        field: Field,
        place: Option<usize>,
        value: &str,
        message: impl Into<String>,
    ) {
        let journal = self.reader.journal;
        let header = place.and_then(|place| journal.table.headers().get(place));
        let fault = Fault::new(kind, &journal.file, message).at(self.row.number);
        let fault = fault.in_column(header.map_or(field.name(), |header| header.trim()));
        self.faults.push(if value.is_empty() { fault } else { fault.holding(value) });
    }

    pub(super) fn end_under_the_header(&mut self) {
        let width = self.reader.journal.table.headers().len();
        let Some(beyond) = (width..self.row.len()).find(|place| !self.row.cell(*place).trim().is_empty()) else {
            return;
        };
        let message = format!(
            "a cell beyond the {width} of the header; a cell with the delimiter in it must stand in quotation marks"
        );
        let fault = Fault::new(FaultKind::CellsBeyondHeader, &self.reader.journal.file, message);
        self.faults.push(fault.at(self.row.number).holding(self.row.cell(beyond)));
    }

    /// A cell's text, cleaned; `None` where it is blank or wrong.
    pub(super) fn text(&mut self, field: Field, max_bytes: usize) -> Option<String> {
        self.text_at(field, self.reader.layout.place(field)?, max_bytes)
    }

    /// The same of one of several columns.
    fn text_at(&mut self, field: Field, place: usize, max_bytes: usize) -> Option<String> {
        let text = clean(self.row.cell(place));
        let expected = Expected {
            max_bytes,
            is_code: is_code(field),
            is_time: is_of_time(field),
            loses_letters: self.reader.journal.loses_letters,
        };
        match cell::fault(self.row, place, &text, expected) {
            Some((kind, message)) => {
                self.fault_at(kind, field, Some(place), &cell::visible(&text), message);
                None
            }
            None if names_something(field) && says_nothing(&text) => None,
            None => filled(&text),
        }
    }

    /// Of several columns those that are filled, in the order of the map.
    pub(super) fn address(&mut self) -> Option<String> {
        let before = self.faults.len();
        let places = self.reader.layout.places(Field::Address);
        let parts = places.iter().filter_map(|place| self.text_at(Field::Address, *place, MAX_TEXT_BYTES));
        let address = parts.collect::<Vec<_>>().join(", ");
        if address.len() > MAX_TEXT_BYTES {
            let message = format!("more than {MAX_TEXT_BYTES} bytes with the other columns; shorten it");
            self.fault(FaultKind::CellTooLong, Field::Address, &address, message);
        }
        // Half of an address is another place.
        filled(&address).filter(|_| self.faults.len() == before)
    }

    pub(super) fn position(&mut self) -> Option<Coordinates> {
        let before = self.faults.len();
        let places = self.reader.layout.places(Field::Position);
        let cells = places.iter().map(|place| (*place, self.text_at(Field::Position, *place, MAX_WORD_BYTES)));
        let cells: Vec<(usize, Option<String>)> = cells.collect();
        if self.faults.len() > before {
            return None;
        }
        let numbers: Vec<(usize, String)> = match &cells[..] {
            [(place, Some(cell))] => position::numbers(cell).into_iter().map(|number| (*place, number)).collect(),
            _ => cells.iter().filter_map(|(place, cell)| Some((*place, cell.clone()?))).collect(),
        };
        let malformed = "no degrees, such as 43.2565 or 43,2565; of both in one column: 43,2565; 76,9284";
        let mut point = Vec::new();
        for (place, number) in numbers {
            match position::degrees(&number) {
                Some(degrees) => point.push(degrees),
                None => self.fault_at(FaultKind::NumberMalformed, Field::Position, Some(place), &number, malformed),
            }
        }
        if self.faults.len() > before {
            return None;
        }
        let written = || cells.iter().filter_map(|(_, cell)| cell.clone()).collect::<Vec<_>>().join("; ");
        match point[..] {
            [] => None,
            // How devices write that they know nothing.
            [0.0, 0.0] => None,
            [lat, lon] => {
                let (point, swapped) = (Coordinates { lat, lon }, Coordinates { lat: lon, lon: lat });
                if point.is_on_globe() {
                    return Some(point);
                }
                let hint = if swapped.is_on_globe() { "; are latitude and longitude exchanged?" } else { "" };
                let message = format!("latitude is from -90 to 90 and longitude from -180 to 180 degrees{hint}");
                self.fault(FaultKind::OffGlobe, Field::Position, &written(), message);
                None
            }
            [_] => {
                let blank = cells.iter().find(|(_, cell)| cell.is_none()).or(cells.first()).map(|(place, _)| *place);
                let message = "one of latitude and longitude; fill both, or neither";
                self.fault_at(FaultKind::HalfAPoint, Field::Position, blank, &written(), message);
                None
            }
            [..] => {
                self.fault(FaultKind::NumberMalformed, Field::Position, &written(), malformed);
                None
            }
        }
    }

    pub(super) fn id(&mut self) -> String {
        if !self.reader.layout.has(Field::Id) {
            return self.reader.name_by_words(self.row);
        }
        let before = self.faults.len();
        let id = self.text(Field::Id, MAX_ID_BYTES);
        if id.is_none() && self.faults.len() == before {
            self.fault(
                FaultKind::CellMissing,
                Field::Id,
                "",
                "no id; fill the cell, or take `columns.id` out of the map",
            );
        }
        id.unwrap_or_default()
    }

    pub(super) fn began(&mut self) -> Option<Began> {
        let before = self.faults.len();
        let cell = self.text(Field::StartedAt, MAX_WORD_BYTES);
        let time_cell = self.text(Field::Time, MAX_WORD_BYTES);
        let Some(cell) = cell else {
            if self.faults.len() == before {
                self.fault(
                    FaultKind::CellMissing,
                    Field::StartedAt,
                    "",
                    "no date; fill the cell, or take the row away",
                );
            }
            return None;
        };
        let moment = moment::read(&cell, self.reader.map.dates.order);
        let Some(Moment { date: Some(date), time, offset }) = moment else {
            let message = "no date, such as 12.03.2023, 12.03.2023 14:05 or 2023-03-12T14:05:00+06:00; or there is no such day; an end has a column of its own";
            self.fault(FaultKind::DateMalformed, Field::StartedAt, &cell, message);
            return None;
        };
        let time_of_its_own = match &time_cell {
            Some(cell) => match moment::read_time(cell) {
                Some(time) => Some(time),
                None => {
                    let message =
                        "no time of day, such as 14:05; 9.3 may be 9:03 or 9:30, and an end has a column of its own";
                    self.fault(FaultKind::DateMalformed, Field::Time, cell, message);
                    return None;
                }
            },
            None => None,
        };
        // A day that a spreadsheet counts begins at midnight, and says nothing by it.
        let of_the_date = time.filter(|time| *time != Time::MIDNIGHT);
        if let (Some(one), Some(other), Some(written)) = (of_the_date, time_of_its_own, &time_cell)
            && !one.is_about(other)
        {
            let message = format!("the date is of another time of day, {cell:?}; correct one of them");
            self.fault(FaultKind::TimesDiffer, Field::Time, written, message);
            return None;
        }
        let time = time_of_its_own.or(time);
        let shown = time.unwrap_or(Time::MIDNIGHT).on(date);
        let at = offset.map_or(self.reader.zone, Zone::Offset).instant(shown);
        if date.year() < FIRST_YEAR || at > self.reader.tomorrow {
            let message =
                format!("no day from {FIRST_YEAR} to today; are day, month and year in the order that the map says?");
            self.fault(FaultKind::DateImplausible, Field::StartedAt, &cell, message);
            return None;
        }
        let text = [Some(cell), time_cell].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Some(Began { at, date, time, text })
    }

    pub(super) fn ended(&mut self, began: &Began) -> Option<Millis> {
        let cell = self.text(Field::EndedAt, MAX_WORD_BYTES)?;
        let moment = moment::read(&cell, self.reader.map.dates.order);
        let moment = moment.or_else(|| {
            let time = moment::read_time(&cell)?;
            Some(Moment { date: None, time: Some(time), offset: None })
        });
        // An empty cell of times that Excel counts is the first hour of 1899 or 1900.
        let is_of_excel = |date: &NaiveDate| date.year() <= 1900;
        let Some(Moment { date, time, offset }) = moment else {
            self.fault(FaultKind::DateMalformed, Field::EndedAt, &cell, "no time, such as 14:35 or 12.03.2023 14:35");
            return None;
        };
        let date = date.filter(|date| !is_of_excel(date));
        let mut shown = time.unwrap_or(Time::MIDNIGHT).on(date.unwrap_or(began.date));
        let first = began.time.unwrap_or(Time::MIDNIGHT).on(began.date);
        let a_day_later = shown + TimeDelta::days(1);
        if date.is_none() && shown < first && a_day_later - first <= MAX_PAST_MIDNIGHT {
            shown = a_day_later;
        }
        let at = offset.map_or(self.reader.zone, Zone::Offset).instant(shown);
        // A day without a time of day ends when it will.
        if at < began.at && time.is_some() {
            self.fault(
                FaultKind::EndBeforeStart,
                Field::EndedAt,
                &cell,
                "it ends before it begins; correct one of them",
            );
            return None;
        }
        time.map(|_| at)
    }

    pub(super) fn inspector(&mut self) -> Option<String> {
        let before = self.faults.len();
        let parts = self.reader.layout.places(Field::Inspector).iter();
        let parts = parts.filter_map(|place| self.text_at(Field::Inspector, *place, MAX_NAME_BYTES));
        let name = parts.collect::<Vec<_>>().join(" ");
        if name.len() > MAX_NAME_BYTES {
            let message = format!("more than {MAX_NAME_BYTES} bytes with the other columns; shorten it");
            self.fault(FaultKind::CellTooLong, Field::Inspector, &name, message);
        }
        let name = filled(&name).or_else(|| filled(&self.reader.map.defaults.inspector));
        if name.is_none() && self.reader.layout.has(Field::Inspector) && self.faults.len() == before {
            let message =
                "nobody says whose visit it was; fill the cell, or name somebody as `defaults.inspector` in the map";
            self.fault(FaultKind::CellMissing, Field::Inspector, "", message);
        }
        name.map(|name| {
            let meant = self.reader.names.get(&key(&name)).filter(|meant| !meant.is_empty());
            meant.cloned().unwrap_or(name)
        })
    }

    pub(super) fn code(&mut self, field: Field, words: &Words, default: &str) -> Option<String> {
        let Some(word) = self.text(field, MAX_WORD_BYTES) else { return filled(default) };
        if let Some(code) = words.code(&word) {
            return Some(code.to_owned());
        }
        let message = format!("the map does not say which code this is; write it under `{}s`", field.name());
        self.fault(FaultKind::WordUnknown, field, &word, message);
        None
    }

    pub(super) fn notes(&mut self) -> Vec<(Option<&'a str>, &'a str)> {
        let (table, places) = (&self.reader.journal.table, self.reader.layout.places(Field::Note));
        let mut notes = Vec::new();
        for place in places {
            let cell = self.row.cell(*place);
            if cell.len() > MAX_NOTE_BYTES {
                let message = format!("more than {MAX_NOTE_BYTES} bytes; shorten it");
                self.fault(FaultKind::CellTooLong, Field::Note, cell, message);
            } else if self.reader.journal.loses_letters && has_lost_letters(cell) {
                self.fault_at(FaultKind::LettersLost, Field::Note, Some(*place), cell, LETTERS_LOST);
            } else if !cell.trim().is_empty() {
                let header = (places.len() > 1).then(|| &*table.headers()[*place]);
                notes.push((header, cell));
            }
        }
        notes
    }
}

/// Whether a spreadsheet may hold a date there.
const fn is_of_time(field: Field) -> bool {
    matches!(field, Field::StartedAt | Field::Time | Field::EndedAt)
}

/// Whether a cell is the name of something, which a form that has to be filled leaves blank with a dash or a word.
const fn names_something(field: Field) -> bool {
    matches!(field, Field::Beat | Field::ExternalCode | Field::Address | Field::Inspector)
}

/// Whether it is a name in a register, of which no digit may be lost.
const fn is_code(field: Field) -> bool {
    matches!(field, Field::Id | Field::Beat | Field::ExternalCode)
}
