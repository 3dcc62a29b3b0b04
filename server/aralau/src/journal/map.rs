//! What a person says about a journal: which column is what, and what its words mean.

use std::collections::BTreeMap;

use aralau_server::store::{clean, key};
use aralau_sync_core::vocabulary::{self, Language};
use serde::Deserialize;

use super::{
    field::Field,
    moment::{Order, Zone},
};
use crate::codes::nearest;

/// A map, as its file is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// What names the visits: two journals with one register may not call two visits alike.
    pub register: String,
    /// Of a workbook, which sheet; else the first that has the columns.
    #[serde(default)]
    pub sheet: Option<String>,
    /// By whose clock times without an offset are; else by the deployment's.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The header of each field's column.
    pub columns: BTreeMap<Field, Headers>,
    /// How dates are written.
    #[serde(default)]
    pub dates: Dates,
    /// What a blank cell means.
    #[serde(default)]
    pub defaults: Defaults,
    /// What becomes of places.
    #[serde(default)]
    pub places: Places,
    /// What becomes of people.
    #[serde(default)]
    pub inspectors: Inspectors,
    /// Codes of beats, by the journal's word for each.
    #[serde(default)]
    pub beats: BTreeMap<String, String>,
    /// Codes of `visit_type`, by the journal's word for each.
    #[serde(default)]
    pub visit_types: BTreeMap<String, String>,
    /// Codes of `outcome`, by the journal's word for each.
    #[serde(default)]
    pub outcomes: BTreeMap<String, String>,
}

/// One header, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Headers {
    /// One column.
    One(String),
    /// Several columns.
    Several(Vec<String>),
}

impl Headers {
    /// The headers.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(header) => std::slice::from_ref(header),
            Self::Several(headers) => headers,
        }
    }
}

/// How dates are written.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// Which of two numbers before a year is the day.
    #[serde(default)]
    pub order: Order,
}

/// What a blank cell means.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// A beat's code.
    #[serde(default)]
    pub beat: String,
    /// A person's name.
    #[serde(default)]
    pub inspector: String,
    /// A code of `visit_type`.
    #[serde(default)]
    pub visit_type: String,
    /// A code of `outcome`.
    #[serde(default)]
    pub outcome: String,
}

/// What becomes of places.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// That the organisation does not have.
    #[serde(default)]
    pub unknown: Unknown,
}

/// What becomes of people.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspectors {
    /// Whom the directory does not have.
    #[serde(default)]
    pub unknown: Unknown,
    /// Names of the directory, by the journal's.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

/// What becomes of what is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Rows about it are rejected.
    #[default]
    Reject,
    /// It is made.
    Make,
}

/// Longest name of a register.
const MAX_REGISTER_BYTES: usize = 100;

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// Where and what is wrong, for the person who edits it.
    pub fn read(text: &str) -> Result<Self, String> {
        let map: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        map.check()?;
        Ok(map)
    }

    fn check(&self) -> Result<(), String> {
        let register = clean(&self.register);
        if register.is_empty() || register.len() > MAX_REGISTER_BYTES {
            return Err(format!(
                "`register` has 1 to {MAX_REGISTER_BYTES} bytes; name the journal that the rows are of"
            ));
        }
        if !self.columns.contains_key(&Field::StartedAt) {
            return Err("`columns` has no `started_at`; name the column of dates".to_owned());
        }
        for (field, headers) in &self.columns {
            match headers.all() {
                [] => return Err(format!("`columns.{}` names no column; take the line away", field.name())),
                [_, _, _, ..] if *field == Field::Position => {
                    return Err("`columns.position` is one column, or those of latitude and longitude".to_owned());
                }
                [_, _, ..] if !matches!(field, Field::Address | Field::Inspector | Field::Position | Field::Note) => {
                    return Err(format!(
                        "`columns.{}` names several columns; only `address`, `inspector`, `position` and `note` may",
                        field.name()
                    ));
                }
                _ => {}
            }
        }
        self.zone()?;
        for (table, words) in [
            ("visit_types", &self.visit_types),
            ("outcomes", &self.outcomes),
            ("beats", &self.beats),
            ("inspectors.names", &self.inspectors.names),
        ] {
            said_once(table, words)?;
        }
        for (list, words) in [("visit_type", &self.visit_types), ("outcome", &self.outcomes)] {
            for (word, code) in words {
                check_code(list, code)
                    .map_err(|why| format!("`{list}s` puts {word:?} for {code:?}, which is {why}"))?;
            }
        }
        for (list, code) in [("visit_type", &self.defaults.visit_type), ("outcome", &self.defaults.outcome)] {
            check_code(list, code).map_err(|why| format!("`defaults.{list}` is {code:?}, which is {why}"))?;
        }
        Ok(())
    }

    /// The zone that it names.
    ///
    /// # Errors
    /// A zone that is none.
    pub fn zone(&self) -> Result<Option<Zone>, String> {
        let Some(name) = &self.time_zone else { return Ok(None) };
        let zone = name.parse().map_err(|()| {
            format!("`time_zone` is {name:?}, which is no zone; write one such as \"Asia/Almaty\" or \"+06:00\"")
        });
        zone.map(Some)
    }

    /// Codes in it that no list has: they are carried, and shown as they stand.
    pub fn unlisted(&self) -> Vec<(&'static str, String)> {
        let of = |list: &'static str, words: &BTreeMap<String, String>, default: &String| {
            let codes = words.values().chain([default]).filter(|code| !code.is_empty());
            let is_listed = |code: &str| vocabulary::list(list).is_some_and(|list| list.code(code).is_some());
            let mut unlisted: Vec<_> = codes.filter(|code| !is_listed(code)).map(|code| (list, code.clone())).collect();
            unlisted.sort();
            unlisted.dedup();
            unlisted
        };
        let mut unlisted = of("visit_type", &self.visit_types, &self.defaults.visit_type);
        unlisted.extend(of("outcome", &self.outcomes, &self.defaults.outcome));
        unlisted
    }
}

/// Two lines that are one word to whoever reads the journal would leave it to chance which of them counts.
fn said_once(table: &str, words: &BTreeMap<String, String>) -> Result<(), String> {
    let mut said = BTreeMap::new();
    for (word, meaning) in words.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        let (other, its) = said.entry(key(word)).or_insert((word, meaning));
        if *its != meaning {
            return Err(format!(
                "`{table}` says {other:?} = {its:?} and {word:?} = {meaning:?}, which are one word; keep one of the lines"
            ));
        }
    }
    Ok(())
}

/// Codes that no list has are carried, and shown as they stand; one that is a slip away from a listed one is a slip.
fn check_code(list: &str, code: &str) -> Result<(), String> {
    if code.is_empty() {
        return Ok(());
    }
    if !is_code(code) {
        return Err("no code: a-z, 0-9 and _, a letter first".to_owned());
    }
    let listed = vocabulary::list(list).filter(|list| list.code(code).is_none());
    match listed.and_then(|list| nearest(list, code)) {
        Some(meant) => {
            Err(format!("not in the list `{list}`; write {meant:?} if that is meant, or a code less like it"))
        }
        None => Ok(()),
    }
}

fn is_code(code: &str) -> bool {
    const MAX_CODE_BYTES: usize = 64;
    code.len() <= MAX_CODE_BYTES
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Stands for every word that nothing else stands for.
const ANY_WORD: &str = "*";

/// A journal's words for the codes of a list.
#[derive(Debug)]
pub struct Words {
    codes: BTreeMap<String, String>,
}

impl Words {
    /// What a map says; beside it codes and wordings of the list itself.
    pub fn of(list: &str, said: &BTreeMap<String, String>) -> Self {
        let mut codes = BTreeMap::new();
        for code in vocabulary::list(list).map_or(&[][..], |list| list.codes) {
            codes.insert(key(code.code), code.code.to_owned());
            for language in Language::ALL {
                codes.insert(key(code.label(language).text), code.code.to_owned());
            }
        }
        let said = said.iter().filter(|(_, code)| !code.is_empty());
        codes.extend(said.map(|(word, code)| (key(word), code.clone())));
        Self { codes }
    }

    /// The code that a word stands for.
    pub fn code(&self, word: &str) -> Option<&str> {
        self.codes.get(&key(word)).or_else(|| self.codes.get(ANY_WORD)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_contradicts_itself_says_where() {
        let sound = "register = \"j\"\n[columns]\nstarted_at = \"Дата\"\nnote = [\"Меры\", \"Примечание\"]\n";
        assert!(Map::read(sound).is_ok());
        assert!(Map::read(&format!("{sound}[visit_types]\n\"Рейд\" = \"raid\"\n\"рейд\" = \"raid\"\n")).is_ok());
        for (text, told) in [
            ("", "register"),
            ("register = \"j\"\n[columns]\nid = \"№\"\n", "started_at"),
            ("register = \" \"\n[columns]\nstarted_at = \"Дата\"\n", "register"),
            ("register = \"j\"\n[columns]\nstarted_at = [\"a\", \"b\"]\n", "several"),
            ("register = \"j\"\n[columns]\nstarted_at = \"a\"\nposition = [\"x\", \"y\", \"z\"]\n", "longitude"),
            ("register = \"j\"\n[columns]\nstarted_at = \"a\"\naddress = []\n", "no column"),
            ("register = \"j\"\n[columns]\nphone = \"Телефон\"\n", "phone"),
            ("register = \"j\"\ncolour = 1\n[columns]\nstarted_at = \"a\"\n", "colour"),
            ("register = \"j\"\ntime_zone = \"Almaty\"\n[columns]\nstarted_at = \"a\"\n", "Asia/Almaty"),
            ("register = \"j\"\n[columns]\nstarted_at = \"a\"\n[outcomes]\nx = \"Не дома\"\n", "no code"),
            (
                "register = \"j\"\n[columns]\nstarted_at = \"a\"\n[visit_types]\nx = \"dor_to_door\"\n",
                "\"door_to_door\"",
            ),
            ("register = \"j\"\n[columns]\nstarted_at = \"a\"\n[defaults]\noutcome = \"contactd\"\n", "\"contacted\""),
            (
                "register = \"j\"\n[columns]\nstarted_at = \"a\"\n[outcomes]\n\"Дома\" = \"contacted\"\n\"дома \" = \"moved\"\n",
                "one word",
            ),
            (
                "register = \"j\"\n[columns]\nstarted_at = \"a\"\n[inspectors.names]\n\"Ким\" = \"Ким А.\"\n\"КИМ\" = \"Ким Б.\"\n",
                "one word",
            ),
        ] {
            let error = Map::read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn words_are_codes_wordings_or_what_the_map_says() {
        let said = [("Дверь закрыта".to_owned(), "no_access".to_owned()), ("Рейд".to_owned(), String::new())].into();
        let words = Words::of("outcome", &said);
        for (word, code) in [
            ("NOBODY_HOME", Some("nobody_home")),
            ("Никого  нет дома", Some("nobody_home")),
            ("дверь закрыта ", Some("no_access")),
            ("Рейд", None),
        ] {
            assert_eq!(words.code(word), code, "{word}");
        }
        let all = Words::of("outcome", &[("*".to_owned(), "other".to_owned())].into());
        assert_eq!((all.code("Рейд"), all.code("refused")), (Some("other"), Some("refused")));
    }
}
