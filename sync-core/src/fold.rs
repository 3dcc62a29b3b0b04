//! What people look for, however it was written: names, addresses and the words of notes.

use unicode_normalization::char::{compose, decompose_canonical, is_combining_mark};

/// The words of a text, each followed by a space: in lower case, ё as е, Latin letters without their accents, the letters of
/// Kazakh as what stands under the same keys of a Russian keyboard, and apostrophes gone. So a word is found by who has no
/// other keyboard. The browser's lists fold so too (`client-sdk/ui/format/fold.ts`); both pass the cases of
/// `sync-core/tests/collation/cases.json`.
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
            // о’қу is a word, and so is оқу.
            '\'' | '’' | '‘' | 'ʼ' | '`' | '´' => {}
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
    let russian = match c {
        'ә' => 'а',
        'ғ' => 'г',
        'ё' => 'е',
        'қ' => 'к',
        'ң' => 'н',
        'ө' => 'о',
        'ұ' | 'ү' => 'у',
        'һ' => 'х',
        'і' => 'и',
        other => other,
    };
    let mut base = None;
    decompose_canonical(c, |part| base = base.or(Some(part)));
    // Lower case of a few letters is a letter and a mark.
    folded.extend(base.filter(char::is_ascii).or(Some(russian)).filter(|c| c.is_alphanumeric()));
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
            ("Қазақстан ӘЖЕ Үй Ілгері Һәм", "казакстан аже уй илгери хам "),
            ("о’қу, О'ҚУ; оʼқу 'шум' ’", "оку оку оку шум "),
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
