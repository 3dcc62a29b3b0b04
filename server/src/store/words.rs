//! The words of notes, as the search index knows them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use unicode_normalization::char::{compose, decompose_canonical, is_combining_mark};

use super::StoreError;

/// What the search index is to learn. FTS5 writes out and merges what it holds in memory at every savepoint: kept here
/// until all jobs of a transaction are done, the words of a busy morning go into the index in few and large pieces.
#[derive(Debug, Default)]
pub struct Words(Vec<(i64, String)>);

impl Words {
    /// From the next [`Self::write`] on, a document is found by these words and no others.
    pub fn note(&mut self, document_no: i64, folded: String) {
        self.0.push((document_no, folded));
    }

    /// How many notices wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.len()
    }

    /// Takes back all notices but the first so many.
    pub(super) fn take_back(&mut self, but_the_first: usize) {
        self.0.truncate(but_the_first);
    }

    /// Brings all of it into the index. FTS5 also writes out wherever a row id is not above the one before: in their order.
    pub fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let newest: BTreeMap<i64, String> = self.0.drain(..).collect();
        let mut write = connection.prepare_cached("INSERT OR REPLACE INTO note_text (rowid, folded) VALUES (?, ?)")?;
        newest.iter().try_for_each(|document| Ok(write.execute(document).map(drop)?))
    }
}

/// The words of a text, each followed by a space, in lower case, ё as е and Latin letters without their accents: what
/// people type is found however it was written.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 1);
    fold_into(&mut folded, text);
    folded
}

/// As [`fold`], after what is there already.
pub fn fold_into(folded: &mut String, text: &str) {
    let begin = folded.len();
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' | 'а'..='я' => folded.push(c),
            'A'..='Z' => folded.push(c.to_ascii_lowercase()),
            'ё' | 'Ё' => folded.push('е'),
            // The two rows of the alphabet stand one behind the other: most letters are told without a table.
            'А'..='Я' => folded.extend(char::from_u32(u32::from(c) + ROW)),
            _ if c.is_alphanumeric() => c.to_lowercase().for_each(|c| fold_letter(folded, c)),
            _ if is_combining_mark(c) => fold_mark(folded, begin, c),
            _ => end_word(folded, begin),
        }
    }
    end_word(folded, begin);
}

/// From А to а.
const ROW: u32 = 0x20;

fn end_word(folded: &mut String, begin: usize) {
    if folded.len() > begin && !folded.ends_with(' ') {
        folded.push(' ');
    }
}

/// A letter in lower case.
fn fold_letter(folded: &mut String, c: char) {
    let mut base = None;
    decompose_canonical(c, |part| base = base.or(Some(part)));
    match base.filter(char::is_ascii) {
        Some(latin) => folded.push(latin),
        None if c == 'ё' => folded.push('е'),
        // Lower case of a few letters is a letter and a mark.
        None => folded.extend(Some(c).filter(|c| c.is_alphanumeric())),
    }
}

/// An accent that follows its letter: with it, it is one of the alphabet's, as й is, or goes.
fn fold_mark(folded: &mut String, begin: usize, mark: char) {
    let letter = folded.get(begin..).and_then(|written| written.chars().next_back());
    if let Some(whole) = letter.and_then(|letter| compose(letter, mark)) {
        folded.pop();
        fold_letter(folded, whole);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_however_they_were_written() {
        for (text, folded) in [
            ("Ёлка, ЕЛЬ — 2 шт.", "елка ель 2 шт "),
            ("Қазақстан ӘЖЕ Үй Ілгері", "қазақстан әже үй ілгері "),
            ("Café NAÏVE İstanbul", "cafe naive istanbul "),
            ("мои\u{306} е\u{308}лка cafe\u{301} x\u{306}", "мой елка cafe x "),
            ("\u{301}a -- ", "a "),
            ("№5/7 кв.12", "5 7 кв 12 "),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_folded_text_is_words_and_single_spaces(text in ".{0,60}") {
            let folded = fold(&text);
            prop_assert!(folded.chars().all(|c| c == ' ' || c.is_alphanumeric()), "{folded:?}");
            prop_assert!(!folded.starts_with(' ') && !folded.contains("  "));
            prop_assert_eq!(fold(&folded), folded.clone());
        }
    }
}
