//! When two spellings name the same thing. What was written is kept; what is compared is its [`key`].

use std::collections::HashSet;

use aralau_sync_core::{collation::SortKey, id::PersonId};
use rusqlite::Connection;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::super::{HEADQUARTERS, StoreError};

/// A text as it is kept: composed (NFC), each run of white space one space and none at the ends, without what nobody sees,
/// such as the zero-width spaces that come along from web pages.
pub fn clean(text: &str) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => fold_spaces(text.chars(), text.len()),
        IsNormalized::No | IsNormalized::Maybe => fold_spaces(text.nfc(), text.len()),
    }
}

/// What a text is compared by: cleaned, and in lower case.
pub fn key(text: &str) -> String {
    clean(text).to_lowercase()
}

/// Whether a cleaned text holds what no keyboard writes.
pub fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// Whether a word is of two alphabets, of which some letters look alike: `5A` with a Latin letter is another house than `5А`,
/// and nobody sees it. A letter behind a number is of the alphabet of the rest.
pub fn mixes_alphabets(text: &str) -> bool {
    let is_cyrillic = |c: char| matches!(c, '\u{400}'..='\u{52f}');
    let looks_cyrillic = |c: char| "ABCEHKMOPTXYaceopxyi".contains(c);
    let has_cyrillic = text.chars().any(is_cyrillic);
    has_cyrillic
        && text.split(|c: char| !c.is_alphanumeric()).any(|word| {
            let latin = word.chars().filter(char::is_ascii_alphabetic).count();
            let is_mixed = latin > 0 && word.chars().any(is_cyrillic);
            is_mixed || latin == 1 && word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(looks_cyrillic)
        })
}

fn fold_spaces(chars: impl Iterator<Item = char>, bytes: usize) -> String {
    let mut cleaned = String::with_capacity(bytes);
    let mut space = false;
    for c in chars.filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() {
            space = !cleaned.is_empty();
        } else {
            if std::mem::take(&mut space) {
                cleaned.push(' ');
            }
            cleaned.push(c);
        }
    }
    cleaned
}

/// Soft hyphens, zero-width spaces and joiners, marks of direction, the byte order mark.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Everybody in the directory but headquarters' own hand, by name; somebody of several names by each that differs in more than
/// its spelling.
pub fn people(connection: &Connection) -> Result<Vec<(PersonId, String)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(goes_as, p.person), name FROM person p LEFT JOIN joined_person j USING (person)
         WHERE p.person <> ? ORDER BY goes_as IS NOT NULL, name, p.person",
    )?;
    let people = statement.query_map([HEADQUARTERS.as_bytes()], |row| {
        Ok((PersonId::from_bytes(row.get(0)?), row.get::<_, String>(1)?))
    })?;
    let mut people: Vec<_> = people.collect::<Result<_, _>>()?;
    let mut known = HashSet::new();
    people.retain(|(person, name)| known.insert((*person, key(name))));
    people.sort_by_cached_key(|(person, name)| (SortKey::of(name), *person));
    Ok(people)
}

/// The person of a name, however it is spaced and in whichever case. Of several, the one who is written just so.
pub fn person_named(connection: &Connection, name: &str) -> Result<Option<PersonId>, StoreError> {
    let people = people(connection)?;
    let (wanted, cleaned) = (key(name), clean(name));
    let mut same = people.iter().filter(|(_, known)| key(known) == wanted).peekable();
    let first = same.peek().map(|(person, _)| *person);
    Ok(same.find(|(_, known)| *known == cleaned).map(|(person, _)| *person).or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_another_alphabet_among_a_words_own_are_seen() {
        for (text, mixes) in [
            ("Серик \u{41}хметов", true),
            ("ул. Абая, 5\u{41}", true),
            ("ул. Абая, 5А", false),
            ("Abay 5A", false),
            ("ТРЦ MEGA", false),
            ("ул. Абая, блок B", false),
            ("ул. Абая, 5W", false),
            ("Тө\u{6c}е би 1", true),
        ] {
            assert_eq!(mixes_alphabets(text), mixes, "{text}");
        }
    }

    #[test]
    fn spaces_case_and_what_nobody_sees_make_no_difference() {
        for (written, cleaned) in [
            ("  Болат \u{a0} С. ", "Болат С."),
            ("Болат\tС.\r\n", "Болат С."),
            ("мои\u{306}\u{200b}ка", "мойка"),
            ("\u{feff}Абая\u{ad} 10", "Абая 10"),
            ("\u{a0}", ""),
        ] {
            assert_eq!(clean(written), cleaned);
            assert_eq!(key(&cleaned.to_uppercase()), key(written));
        }
        assert!(has_control(&clean("a\u{7}b")) && !has_control(&clean("a\nb")));
    }
}
