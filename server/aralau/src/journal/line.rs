//! A row of a journal becomes what it says, or every reason why it does not.

mod cells;

use std::collections::HashMap;

use aralau_server::store::{clean, key};
use aralau_sync_core::{change::MAX_TEXT_BYTES, time::Millis, visit::Coordinates};
use uuid::Uuid;

use super::{
    Journal, Layout,
    field::Field,
    map::{Map, Words},
    moment::{self, Zone},
    rejected::OWN_COLUMNS,
};
use crate::tables::{
    MAX_BEAT_CODE_BYTES, MAX_EXTERNAL_CODE_BYTES, MAX_NAME_BYTES,
    cell::begins_as_total,
    fault::{Fault, FaultKind},
    place_type_code,
    table::Row,
};
use cells::{Began, Cells};

/// Longest word for a code, or for a date.
const MAX_WORD_BYTES: usize = 200;

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

fn filled(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}
