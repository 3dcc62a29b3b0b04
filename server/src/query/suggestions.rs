//! Who and what may be meant by the beginning of a name: for fields that help whoever types.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    collation::SortKey,
    fold::fold,
    id::{DocumentId, PersonId},
    visit::ACTIVE,
};

use super::{Conditions, author::Person, text::MAX_WORDS};
use crate::{
    reach::Reach,
    store::{HEADQUARTERS, StoreError},
};

/// Suggestions of one answer, at most: more than fit a screen are no help.
pub const MAX_SUGGESTIONS: usize = 20;

/// Matches of which the suggestions are chosen, at most: whoever typed the letters as they are written comes first.
const MAX_CANDIDATES: usize = 200;

/// What was typed so far, in its words, each of which is the beginning of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Typed {
    /// As the search indexes have words.
    folded: Vec<String>,
    /// As they were typed, but for the case.
    exact: Vec<String>,
}

/// Too many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text: has more than {MAX_WORDS} words")]
pub struct TooManyWords;

impl TryFrom<String> for Typed {
    type Error = TooManyWords;
    fn try_from(text: String) -> Result<Self, TooManyWords> {
        let words: Vec<_> = fold(&text).split_ascii_whitespace().map(str::to_owned).collect();
        if words.len() > MAX_WORDS { Err(TooManyWords) } else { Ok(Self { folded: words, exact: words_of(&text) }) }
    }
}

impl Typed {
    /// Whether it may mean this name: whatever the case, ё as е, and Kazakh letters as Russian ones.
    pub fn finds(&self, name: &str) -> bool {
        let folded = fold(name);
        begins_words(&self.folded, folded.split_ascii_whitespace())
    }

    /// Whether it is spelt as this name is, whatever the case: қ is not к then.
    fn spells(&self, name: &str) -> bool {
        begins_words(&self.exact, words_of(name).iter().map(String::as_str))
    }

    /// As FTS5 is asked; `None` where nothing was typed. Words hold letters and digits only, so that quotes make strings
    /// of them.
    fn expression(&self) -> Option<String> {
        let words: Vec<_> = self.folded.iter().map(|word| format!("\"{word}\"*")).collect();
        (!words.is_empty()).then(|| words.join(" AND "))
    }
}

/// Whether each beginning is one of some word.
fn begins_words<'a>(beginnings: &[String], words: impl Iterator<Item = &'a str> + Clone) -> bool {
    beginnings.iter().all(|typed| words.clone().any(|word| word.starts_with(typed.as_str())))
}

/// The words as they are written, in lower case.
fn words_of(text: &str) -> Vec<String> {
    let composed: String = text.nfc().flat_map(char::to_lowercase).collect();
    let words = composed.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The first twenty, those that are spelt as was typed before the others.
fn chosen<T>(mut candidates: Vec<T>, is_spelt: impl Fn(&T) -> bool) -> Vec<T> {
    candidates.sort_by_cached_key(|candidate| !is_spelt(candidate));
    candidates.truncate(MAX_SUGGESTIONS);
    candidates
}

/// Whom to suggest.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleTyped {
    /// What was typed: each of its words begins one of the name's.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub text: Typed,
}

/// Which places to suggest.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlacesTyped {
    /// What was typed: each of its words begins one of the address's.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub text: Typed,
    /// A beat's code, such as `beat-01`; all beats unless given.
    pub beat: Option<String>,
}

/// People who may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeopleSuggested {
    /// The first twenty, by name, those that are spelt as was typed before the others.
    pub people: Vec<Person>,
}

/// A place that may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceSuggested {
    /// The place.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Its beat's code.
    pub beat: Option<String>,
    /// As written on the door.
    pub address: String,
}

/// Places that may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlacesSuggested {
    /// Twenty active ones, by address, those that are spelt as was typed before the others.
    pub places: Vec<PlaceSuggested>,
}

/// The people who may be meant: of a limited reach, whoever works or has worked a beat within. An organisation has some
/// thousands, whose names are read until there are enough.
pub fn people(connection: &Connection, reach: &Reach, typed: &Typed) -> Result<PeopleSuggested, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT person, name FROM person
         WHERE person <> ?1 AND person NOT IN (SELECT person FROM joined_person WHERE goes_as <> person) AND (?2 IS NULL OR person IN
             (SELECT coalesce(j.goes_as, g.person) FROM granted g LEFT JOIN joined_person j USING (person)
              WHERE g.scope_no IN (SELECT value FROM json_each(?2))))
         ORDER BY name_key, person",
    )?;
    let mut rows = statement.query(params![HEADQUARTERS.as_bytes(), reach])?;
    let mut people = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        if typed.finds(&name) {
            people.push(Person { id: PersonId::from_bytes(row.get(0)?), name });
        }
        if people.len() == MAX_CANDIDATES {
            break;
        }
    }
    Ok(PeopleSuggested { people: chosen(people, |person| typed.spells(&person.name)) })
}

/// The places that may be meant.
pub fn places(
    connection: &Connection,
    reach: &Reach,
    PlacesTyped { text, beat }: &PlacesTyped,
) -> Result<PlacesSuggested, StoreError> {
    let reach = reach.of_beat(connection, beat.as_deref())?;
    let mut places = match text.expression() {
        // Of what the words find the longest known are taken: to sort a million that begin alike would take seconds.
        Some(expression) => {
            let mut conditions = Conditions::default();
            conditions.and("place_text MATCH ?", expression);
            conditions.within("f.rowid >> 40", &reach);
            let source = "place_text f JOIN place p ON p.document_no = f.rowid";
            suggested(connection, source, conditions, "f.rowid", MAX_CANDIDATES)?
        }
        None => reach.merge(MAX_SUGGESTIONS, Ord::cmp, |reach| {
            let mut conditions = Conditions::default();
            conditions.within("p.scope_no", reach);
            suggested(connection, "place p", conditions, "p.address_key", MAX_SUGGESTIONS)
        })?,
    };
    places.sort_by(|(a, _), (b, _)| a.cmp(b));
    let places = places.into_iter().map(|(_, place)| place).collect();
    Ok(PlacesSuggested { places: chosen(places, |place: &PlaceSuggested| text.spells(&place.address)) })
}

/// The first active places of a source, with what they are sorted by.
fn suggested(
    connection: &Connection,
    source: &str,
    mut conditions: Conditions,
    order: &str,
    most: usize,
) -> Result<Vec<(SortKey, PlaceSuggested)>, StoreError> {
    conditions.also(&format!("p.status = '{ACTIVE}' AND p.address <> ''"));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT d.document, b.code, p.address, p.address_key FROM {source} JOIN document d ON d.document_no = p.document_no
         LEFT JOIN beat b ON b.scope_no = p.scope_no{} ORDER BY {order} LIMIT {most}",
        conditions.sql
    ))?;
    let rows = statement.query_map(conditions.values(), |row| {
        let place = PlaceSuggested { id: DocumentId::from_bytes(row.get(0)?), beat: row.get(1)?, address: row.get(2)? };
        Ok((SortKey::from_bytes(row.get(3)?), place))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Cases {
        found: Vec<Found>,
    }

    #[derive(Deserialize)]
    struct Found {
        typed: String,
        finds: Vec<String>,
        passes: Vec<String>,
    }

    #[test]
    fn a_name_is_found_by_its_beginnings_however_they_are_typed() {
        let cases: Cases = serde_json::from_str(include_str!("../../../sync-core/tests/collation/cases.json")).unwrap();
        for Found { typed, finds, passes } in cases.found {
            let words = Typed::try_from(typed.clone()).unwrap();
            assert!(finds.iter().all(|name| words.finds(name)), "{typed:?} finds {finds:?}");
            assert!(!passes.iter().any(|name| words.finds(name)), "{typed:?} does not find {passes:?}");
        }
    }

    #[test]
    fn what_is_spelt_as_it_was_typed_comes_first() {
        let first = |typed: &str| {
            let typed = Typed::try_from(typed.to_owned()).unwrap();
            let names =
                ["Кабанов", "Қабдеш", "Улыбина", "Ұлықбек"].into_iter().filter(|name| typed.finds(name)).collect();
            chosen(names, |name: &&str| typed.spells(name))
        };
        assert_eq!(first("каб"), ["Кабанов", "Қабдеш"]);
        assert_eq!(first("ҚАБ"), ["Қабдеш", "Кабанов"]);
        assert_eq!(first("ұлы"), ["Ұлықбек", "Улыбина"]);
        assert_eq!(first("Улы"), ["Улыбина", "Ұлықбек"]);
    }

    #[test]
    fn a_text_of_too_many_words_is_refused() {
        assert_eq!(Typed::try_from("а ".repeat(MAX_WORDS + 1)), Err(TooManyWords));
    }
}
