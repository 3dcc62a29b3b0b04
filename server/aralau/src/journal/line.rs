//! A row of a journal becomes what it says, or every reason why it does not.

use std::collections::HashMap;

use aralau_server::store::{clean, key};
use aralau_sync_core::{change::MAX_TEXT_BYTES, time::Millis, visit::Coordinates};
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{
    Journal, Layout,
    field::Field,
    map::{Map, Words},
    moment::{self, Moment, Time, Zone},
    position,
    rejected::OWN_COLUMNS,
};
use crate::tables::{
    MAX_BEAT_CODE_BYTES, MAX_EXTERNAL_CODE_BYTES, MAX_NAME_BYTES,
    cell::{self, Expected, LETTERS_LOST, begins_as_total, has_lost_letters, says_nothing},
    fault::{Fault, FaultKind},
    place_type_code,
    table::Row,
};

/// Longest name of a visit in its register.
const MAX_ID_BYTES: usize = 200;
/// Longest word for a code, or for a date.
const MAX_WORD_BYTES: usize = 200;
/// Longest cell of notes: beyond, something else than a note went astray.
const MAX_NOTE_BYTES: usize = 256 << 10;
/// No visit of a journal is older.
const FIRST_YEAR: i32 = 1970;
/// A visit that ends by a time of day before it began went on past midnight, if it took no longer.
const MAX_PAST_MIDNIGHT: TimeDelta = TimeDelta::hours(12);

/// Namespace of the names of rows that have none of their own.
const ROW_NAMESPACE: Uuid = Uuid::from_u128(0x8f0a_63d5_1e2b_5b97_a4c6_70d8_3b19_ee54);

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'t> {
    /// As a spreadsheet counts.
    pub row: u32,
    /// What the visit is called in its register.
    pub id: String,
    /// When it began.
    pub started_at: Millis,
    /// The same as written.
    pub started_at_text: String,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// The journal's word for a beat.
    pub beat: Option<String>,
    /// The place's name in another register.
    pub external_code: Option<String>,
    /// The place's address.
    pub address: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// A name.
    pub inspector: Option<String>,
    /// A code of `visit_type`.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// Where it was made.
    pub position: Option<Coordinates>,
    /// Cells of notes, each with its header where there are several columns.
    notes: Vec<(Option<&'t str>, &'t str)>,
}

impl Line<'_> {
    /// Whether it is said of one visit, and in the same words.
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { row: other.row, ..self.clone() } == *other
    }

    /// The notes, each short enough for a text.
    pub fn notes(&self) -> Vec<String> {
        let whole = self.notes.iter().map(|(header, cell)| {
            let words = words_of(cell);
            header.map_or(words.clone(), |header| format!("{}: {words}", clean(header)))
        });
        whole.flat_map(|note| pieces(&note)).collect()
    }
}

/// The words of a note: lines stay lines, and what nobody can see becomes a space.
fn words_of(cell: &str) -> String {
    let words = cell.trim().replace("\r\n", "\n").replace('\r', "\n");
    words.replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ")
}

/// Parts a text where it is longer than one may be, between words if it has any.
fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while rest.len() > MAX_TEXT_BYTES {
        let most = rest.floor_char_boundary(MAX_TEXT_BYTES);
        let end = rest[..most].rfind(char::is_whitespace).filter(|end| *end > MAX_TEXT_BYTES / 2).unwrap_or(most);
        pieces.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

/// What rows are read by.
#[derive(Debug)]
pub struct Reader<'a> {
    journal: &'a Journal,
    layout: &'a Layout,
    map: &'a Map,
    zone: Zone,
    visit_types: Words,
    outcomes: Words,
    /// Who is meant by a name, by its key.
    names: HashMap<String, String>,
    /// The day after today, by the clock of the zone: what is later has not happened.
    tomorrow: Millis,
    /// Columns that belong to the row's own words: not those in which a rejected row was sent back with its reasons.
    own: Vec<usize>,
}

impl<'a> Reader<'a> {
    /// Of a journal, by its map. `zone`: the deployment's.
    pub fn new(journal: &'a Journal, layout: &'a Layout, map: &'a Map, zone: Zone, now: Millis) -> Self {
        const DAY_MS: i64 = 86_400_000;
        let headers = journal.table.headers().iter().enumerate();
        Self {
            journal,
            layout,
            map,
            zone: map.zone().ok().flatten().unwrap_or(zone),
            visit_types: Words::of("visit_type", &map.visit_types),
            outcomes: Words::of("outcome", &map.outcomes),
            names: map.inspectors.names.iter().map(|(name, meant)| (key(name), clean(meant))).collect(),
            tomorrow: now.plus(DAY_MS),
            own: headers.filter(|(_, header)| !OWN_COLUMNS.contains(&header.trim())).map(|(place, _)| place).collect(),
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn line(&self, row: Row<'a>) -> Result<Line<'a>, Vec<Fault>> {
        let mut cells = Cells { reader: self, row, faults: Vec::new() };
        cells.end_under_the_header();
        let began = cells.began();
        let ended_at = began.as_ref().and_then(|began| cells.ended(began));
        let id = cells.id();
        let beat = cells.text(Field::Beat, MAX_BEAT_CODE_BYTES.max(MAX_NAME_BYTES));
        let external_code = cells.text(Field::ExternalCode, MAX_EXTERNAL_CODE_BYTES);
        let address = cells.address();
        let place_type = cells.text(Field::PlaceType, MAX_WORD_BYTES).map(place_type_code);
        let inspector = cells.inspector();
        let visit_type = cells.code(Field::VisitType, &self.visit_types, &self.map.defaults.visit_type);
        let outcome = cells.code(Field::Outcome, &self.outcomes, &self.map.defaults.outcome);
        let position = cells.position();
        let notes = cells.notes();
        if external_code.is_none() && address.is_none() && cells.faults.is_empty() && self.has_places() {
            let message = "neither an address nor a code of a place; fill one of them";
            cells.fault(FaultKind::CellMissing, Field::Address, "", message);
        }
        let faults = cells.faults;
        match began {
            Some(Began { at, text, .. }) if faults.is_empty() => Ok(Line {
                row: row.number,
                id,
                started_at: at,
                started_at_text: text,
                ended_at,
                beat: beat.or_else(|| filled(&self.map.defaults.beat)),
                external_code,
                address,
                place_type,
                inspector,
                visit_type,
                outcome,
                position,
                notes,
            }),
            _ if self.is_total(row) => {
                let message = "a row of totals is no visit; nothing is lost by it";
                Err(vec![Fault::new(FaultKind::TotalRow, &self.journal.file, message).at(row.number)])
            }
            _ => Err(faults),
        }
    }

    fn has_places(&self) -> bool {
        self.layout.has(Field::Address) || self.layout.has(Field::ExternalCode)
    }

    fn is_total(&self, row: Row<'_>) -> bool {
        let date = self.layout.place(Field::StartedAt).map_or("", |place| row.cell(place).trim());
        let is_dated = moment::read(date, self.map.dates.order).is_some_and(|moment| moment.date.is_some());
        !is_dated && begins_as_total(row)
    }

    /// What a row is called that has no name: all its words, under whatever headers stand over them.
    fn name_by_words(&self, row: Row<'_>) -> String {
        let headers = self.journal.table.headers();
        let words = self.own.iter().map(|place| (clean(&headers[*place]), clean(row.cell(*place))));
        let mut words: Vec<_> = words.filter(|(_, cell)| !cell.is_empty()).collect();
        words.sort_unstable();
        let all = words.iter().map(|(header, cell)| format!("{header}\u{1f}{cell}")).collect::<Vec<_>>().join("\u{1e}");
        Uuid::new_v5(&ROW_NAMESPACE, all.as_bytes()).to_string()
    }
}

/// When a visit began.
struct Began {
    at: Millis,
    date: NaiveDate,
    time: Option<Time>,
    text: String,
}

/// The cells of a row; what is asked for and wrong becomes a fault.
struct Cells<'a, 'r> {
    reader: &'r Reader<'a>,
    row: Row<'a>,
    faults: Vec<Fault>,
}

impl<'a> Cells<'a, '_> {
    fn fault(&mut self, kind: FaultKind, field: Field, value: &str, message: impl Into<String>) {
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

    fn end_under_the_header(&mut self) {
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
    fn text(&mut self, field: Field, max_bytes: usize) -> Option<String> {
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
    fn address(&mut self) -> Option<String> {
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

    fn position(&mut self) -> Option<Coordinates> {
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

    fn id(&mut self) -> String {
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

    fn began(&mut self) -> Option<Began> {
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

    fn ended(&mut self, began: &Began) -> Option<Millis> {
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

    fn inspector(&mut self) -> Option<String> {
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

    fn code(&mut self, field: Field, words: &Words, default: &str) -> Option<String> {
        let Some(word) = self.text(field, MAX_WORD_BYTES) else { return filled(default) };
        if let Some(code) = words.code(&word) {
            return Some(code.to_owned());
        }
        let message = format!("the map does not say which code this is; write it under `{}s`", field.name());
        self.fault(FaultKind::WordUnknown, field, &word, message);
        None
    }

    fn notes(&mut self) -> Vec<(Option<&'a str>, &'a str)> {
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

fn filled(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}
