//! What can be wrong with a cell or a row. Each flaw has a stable code; the cell itself is kept as it stands.

use chrono::{NaiveDate, NaiveTime};

/// One kind of flaw. The [`code`](Self::code)s appear in reports and in the documents themselves: never rename one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirt {
    /// No date.
    BlankDate,
    /// Not month/day/year.
    MalformedDate,
    /// No time.
    BlankTime,
    /// Not hours:minutes of one day, such as `1200:30:00` or `24:40:00`.
    MalformedTime,
    /// No precinct.
    BlankPrecinct,
    /// Neither one of the patrol boroughs' names, spelt as they spell it, nor the number of a precinct.
    UnknownPrecinct,
    /// No borough-block-lot.
    BlankBbl,
    /// Not exactly one borough-block-lot of the form `MN-00883-0068`.
    MalformedBbl,
    /// No address.
    BlankAddress,
    /// No zip code.
    BlankZip,
    /// Not five digits.
    MalformedZip,
    /// A spreadsheet took a range for a date: `3-Jan` for floors 1 to 3.
    FloorTurnedIntoDate,
    /// Nobody: the row goes to the inspector [`UNASSIGNED`](super::UNASSIGNED).
    BlankTeam,
    /// A word of the team that is not `Inspector-` and two digits. It gets a device of its own all the same.
    SuspiciousName,
    /// The same word twice in one team; counted once.
    RepeatedName,
    /// Not a whole number; kept as text.
    MalformedCount,
    /// Neither `Yes` nor `No`; kept as text.
    MalformedCitation,
    /// A line end inside a cell.
    LineBreakInCell,
    /// White space around the text; kept.
    SurroundingSpace,
    /// A control character other than a line end or a tab.
    ControlCharacter,
    /// UTF-8 that was read as Windows-1252 and saved again: `â‚¬` for a euro sign.
    GarbledText,
    /// Bytes that are not UTF-8; each byte of the cell was kept as the character of that number (Latin-1).
    NotUtf8,
    /// Fewer cells than the header has; the missing ones count as blank.
    MissingCells,
    /// More cells than the header has; kept as fields `column_<n>`.
    ExtraCells,
    /// Longer than a field or a note may be; the rest stands in further notes.
    OversizeCell,
    /// The file ends inside quotes, so this last row may have swallowed others.
    UnclosedQuote,
}

impl Dirt {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 26] = [
        Self::BlankDate,
        Self::MalformedDate,
        Self::BlankTime,
        Self::MalformedTime,
        Self::BlankPrecinct,
        Self::UnknownPrecinct,
        Self::BlankBbl,
        Self::MalformedBbl,
        Self::BlankAddress,
        Self::BlankZip,
        Self::MalformedZip,
        Self::FloorTurnedIntoDate,
        Self::BlankTeam,
        Self::SuspiciousName,
        Self::RepeatedName,
        Self::MalformedCount,
        Self::MalformedCitation,
        Self::LineBreakInCell,
        Self::SurroundingSpace,
        Self::ControlCharacter,
        Self::GarbledText,
        Self::NotUtf8,
        Self::MissingCells,
        Self::ExtraCells,
        Self::OversizeCell,
        Self::UnclosedQuote,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BlankDate => "blank_date",
            Self::MalformedDate => "malformed_date",
            Self::BlankTime => "blank_time",
            Self::MalformedTime => "malformed_time",
            Self::BlankPrecinct => "blank_precinct",
            Self::UnknownPrecinct => "unknown_precinct",
            Self::BlankBbl => "blank_bbl",
            Self::MalformedBbl => "malformed_bbl",
            Self::BlankAddress => "blank_address",
            Self::BlankZip => "blank_zip",
            Self::MalformedZip => "malformed_zip",
            Self::FloorTurnedIntoDate => "floor_turned_into_date",
            Self::BlankTeam => "blank_team",
            Self::SuspiciousName => "suspicious_name",
            Self::RepeatedName => "repeated_name",
            Self::MalformedCount => "malformed_count",
            Self::MalformedCitation => "malformed_citation",
            Self::LineBreakInCell => "line_break_in_cell",
            Self::SurroundingSpace => "surrounding_space",
            Self::ControlCharacter => "control_character",
            Self::GarbledText => "garbled_text",
            Self::NotUtf8 => "not_utf8",
            Self::MissingCells => "missing_cells",
            Self::ExtraCells => "extra_cells",
            Self::OversizeCell => "oversize_cell",
            Self::UnclosedQuote => "unclosed_quote",
        }
    }
}

/// What any cell can suffer from.
pub fn of_text(cell: &str) -> impl Iterator<Item = Dirt> {
    let control = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t');
    [
        (cell.contains(['\r', '\n']), Dirt::LineBreakInCell),
        (cell.trim() != cell, Dirt::SurroundingSpace),
        (cell.contains(control), Dirt::ControlCharacter),
        (["â€", "â‚¬", "Ã©", "Ã±"].iter().any(|garbled| cell.contains(garbled)), Dirt::GarbledText),
    ]
    .into_iter()
    .filter_map(|(found, dirt)| found.then_some(dirt))
}

pub fn parse_date(cell: &str) -> Result<NaiveDate, Dirt> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(Dirt::BlankDate);
    }
    // Two digits first: `%Y` would take "14" for the year 14.
    ["%m/%d/%y", "%m/%d/%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(cell, format).ok())
        .ok_or(Dirt::MalformedDate)
}

pub fn parse_time(cell: &str) -> Result<NaiveTime, Dirt> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(Dirt::BlankTime);
    }
    ["%H:%M", "%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(cell, format).ok())
        .ok_or(Dirt::MalformedTime)
}

pub fn of_precinct(cell: &str) -> Option<Dirt> {
    const PATROL_BOROUGHS: [&str; 8] = ["PBMS", "PBMN", "PBBX", "PBBS", "PBBN", "PBQS", "PBQN", "PBSI"];
    const HIGHEST_PRECINCT: u16 = 123;
    let cell = cell.trim();
    let numbered = |cell: &str| cell.parse::<u16>().is_ok_and(|number| (1..=HIGHEST_PRECINCT).contains(&number));
    match cell {
        "" => Some(Dirt::BlankPrecinct),
        known if PATROL_BOROUGHS.contains(&known) || numbered(known) => None,
        _ => Some(Dirt::UnknownPrecinct),
    }
}

pub fn of_bbl(cell: &str) -> Option<Dirt> {
    const BOROUGHS: [&str; 5] = ["MN", "BX", "BK", "QN", "SI"];
    let cell = cell.trim();
    if cell.is_empty() {
        return Some(Dirt::BlankBbl);
    }
    let parts: Vec<&str> = cell.split('-').collect();
    let whole = matches!(parts.as_slice(), [borough, block, lot]
        if BOROUGHS.contains(borough) && is_digits(block, 5) && is_digits(lot, 4));
    (!whole).then_some(Dirt::MalformedBbl)
}

pub fn of_zip(cell: &str) -> Option<Dirt> {
    match cell.trim() {
        "" => Some(Dirt::BlankZip),
        zip if is_digits(zip, 5) => None,
        _ => Some(Dirt::MalformedZip),
    }
}

pub fn of_floor(cell: &str) -> Option<Dirt> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (left, right) = cell.trim().split_once('-')?;
    let is_number = |part: &str| part.len() <= 2 && is_digits(part, part.len());
    let date = (is_number(left) && MONTHS.contains(&right)) || (MONTHS.contains(&left) && is_number(right));
    date.then_some(Dirt::FloorTurnedIntoDate)
}

pub fn of_name(word: &str) -> Option<Dirt> {
    let regular = word.strip_prefix("Inspector-").is_some_and(|number| is_digits(number, 2));
    (!regular).then_some(Dirt::SuspiciousName)
}

fn is_digits(text: &str, length: usize) -> bool {
    length > 0 && text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let codes: BTreeSet<&str> = Dirt::ALL.iter().map(|dirt| dirt.code()).collect();
        assert_eq!(codes.len(), Dirt::ALL.len());
        assert!(Dirt::ALL.is_sorted());
    }

    #[test]
    fn times_are_of_one_day() {
        assert!(parse_time("9:05").is_ok() && parse_time(" 23:59 ").is_ok() && parse_time("11:20:30").is_ok());
        for malformed in ["1200:30:00", "24:40:00", "noon", "11", "11:60"] {
            assert_eq!(parse_time(malformed), Err(Dirt::MalformedTime), "{malformed}");
        }
        assert_eq!(parse_time("  "), Err(Dirt::BlankTime));
    }

    #[test]
    fn a_year_has_two_digits_or_four() {
        assert_eq!(parse_date("6/6/14"), parse_date("06/06/2014"));
        assert_eq!(parse_date("13/6/14"), Err(Dirt::MalformedDate));
        assert_eq!(parse_date("6/31/14"), Err(Dirt::MalformedDate));
    }

    #[test]
    fn names_of_precincts_lots_floors_and_people_are_told_from_misspelt_ones() {
        assert_eq!(of_precinct("PBMS"), None);
        assert_eq!(of_precinct("109"), None);
        for misspelt in ["Pbms", "9PBMS", "125", "0"] {
            assert_eq!(of_precinct(misspelt), Some(Dirt::UnknownPrecinct), "{misspelt}");
        }
        assert_eq!(of_bbl("MN-00883-0068"), None);
        for malformed in ["MN", "MN-204-32", "0-01036-0047", "MN-00883-0068, MN-00883-0068"] {
            assert_eq!(of_bbl(malformed), Some(Dirt::MalformedBbl), "{malformed}");
        }
        assert_eq!(of_floor("3-Jan"), Some(Dirt::FloorTurnedIntoDate));
        assert_eq!(of_floor("Jan-12"), Some(Dirt::FloorTurnedIntoDate));
        assert_eq!(of_floor("4-Rear"), None);
        assert_eq!(of_name("Inspector-08"), None);
        for suspicious in ["Inspector-08.", "D.Inspector-11", "Inspector-1O", "Inspector-"] {
            assert_eq!(of_name(suspicious), Some(Dirt::SuspiciousName), "{suspicious}");
        }
    }
}
