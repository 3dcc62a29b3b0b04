//! What a cell holds that is no value, whichever table it is of.

use super::{fault::FaultKind, table::Row};
use crate::store::{has_control, key};

/// What a cell may hold.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// What it becomes may not be longer.
    pub max_bytes: usize,
    /// A name in a register, of which no digit may be lost.
    pub is_code: bool,
    /// A day or a time of day, as which a spreadsheet may hold it.
    pub is_time: bool,
    /// Its encoding turns Kazakh letters into question marks.
    pub loses_letters: bool,
}

/// What is wrong with the cleaned text of a cell, and what to do about it.
pub fn fault(row: Row<'_>, place: usize, text: &str, expected: Expected) -> Option<(FaultKind, String)> {
    let Expected { max_bytes, is_code, is_time, loses_letters } = expected;
    let (kind, message) = match () {
        () if text.len() > max_bytes => {
            return Some((FaultKind::CellTooLong, format!("more than {max_bytes} bytes; shorten it")));
        }
        () if has_control(text) => {
            (FaultKind::ControlCharacter, "a control character in the cell, which nobody sees; write the cell anew")
        }
        // A house number 5/12, for instance.
        () if !is_time && row.is_date(place) => {
            (FaultKind::CellIsDate, "Excel took it for a date; format the column as text, and write the cell anew")
        }
        () if FORMULA_ERRORS.contains(&text) => {
            (FaultKind::FormulaError, "the formula in this cell gives no value; mend it")
        }
        () if loses_letters && has_lost_letters(text) => (FaultKind::LettersLost, LETTERS_LOST),
        () if is_code && (is_scientific(text) || row.is_large_number(place)) => (
            FaultKind::DigitsLost,
            "a spreadsheet took it for a number and kept fifteen of its digits; format the column as text, and write the code anew",
        ),
        () => return None,
    };
    Some((kind, message.to_owned()))
}

/// The text as a fault shows it.
pub fn visible(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// What is wrong with text in which letters became question marks.
pub const LETTERS_LOST: &str = "Kazakh letters became question marks when the file was saved; save it as CSV UTF-8";

/// What spreadsheets show where a formula fails.
const FORMULA_ERRORS: [&str; 14] = [
    "#N/A",
    "#REF!",
    "#DIV/0!",
    "#VALUE!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#Н/Д",
    "#ССЫЛКА!",
    "#ДЕЛ/0!",
    "#ЗНАЧ!",
    "#ИМЯ?",
    "#ПУСТО!",
    "#ЧИСЛО!",
];

/// Whether a question mark stands inside of a word, or at its beginning.
pub fn has_lost_letters(text: &str) -> bool {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '?' && letters.peek().is_some_and(|next| next.is_alphabetic()) {
            return true;
        }
    }
    false
}

/// `2,2E+17`, as which a spreadsheet writes a number of many digits.
fn is_scientific(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((number, power)) = text.split_once(['E', 'e']) else { return false };
    let power = power.strip_prefix('+').filter(|power| power.len() >= 2 && is_digits(power));
    let number = number.split_once([',', '.']).filter(|(whole, part)| is_digits(whole) && is_digits(part));
    power.is_some() && number.is_some()
}

/// Whether a cell is filled only because a form wants it filled: a dash, or a word for nothing.
pub fn says_nothing(text: &str) -> bool {
    const WORDS: [&str; 18] = [
        "нет",
        "нет данных",
        "не указан",
        "не указана",
        "не указано",
        "неизвестно",
        "н/д",
        "б/н",
        "вакант",
        "вакантно",
        "вакансия",
        "жоқ",
        "бос орын",
        "белгісіз",
        "none",
        "n/a",
        "unknown",
        "null",
    ];
    !text.chars().any(char::is_alphanumeric) || WORDS.contains(&&*key(text))
}

/// What stands between two names in one cell.
pub const BETWEEN_NAMES: [char; 5] = [';', ',', '/', '&', '+'];

/// Whether a cell names several people: something stands between what are names by themselves.
pub fn names_several(text: &str) -> bool {
    let text = key(text).replace(" и ", ";").replace(" және ", ";").replace(" and ", ";");
    let names: Vec<&str> = text.split(BETWEEN_NAMES).map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_whole = |name: &&str| name.split([' ', '.']).filter(|word| !word.is_empty()).count() >= 2;
    names.len() >= 2 && names.iter().filter(|name| is_whole(name)).count() >= 2
}

/// Whether a row is the sum of others, and nothing by itself.
pub fn begins_as_total(row: Row<'_>) -> bool {
    const TOTALS: [&str; 8] = ["итого", "всего", "сумма", "барлығы", "жиыны", "қорытынды", "total", "sum"];
    let first = (0..row.len()).map(|place| key(row.cell(place))).find(|cell| !cell.is_empty());
    let is_total = |first: &str| {
        let rest = TOTALS.iter().find_map(|total| first.strip_prefix(total));
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    first.is_some_and(|first| is_total(&first))
}
