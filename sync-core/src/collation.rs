//! The order in which people read lists: the letters of the Kazakh alphabet, each in its place, and numbers by what they
//! count, whatever language the reader has chosen.
//!
//! It is that of CLDR for Kazakh with numeric ordering (a test compares it with ICU4X), as a table of our own: what a key
//! is must not change with a library's data, because keys are stored; browsers lack the data for Kazakh; and the table is
//! a few lines where the library's is hundreds of kilobytes. The console has the same table in
//! `client-sdk/ui/format/collation.ts`, and both pass the same cases, `sync-core/tests/collation/cases.json`.
//!
//! Beside CLDR's order, № is a sign and not the letters "No", ґ is a letter and curly quotes are signs of their own, and
//! scripts other than Cyrillic and Latin follow both by their code points.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _,
    char::{decompose_canonical, is_combining_mark},
    is_nfc_quick,
};

/// Letters of a text that count, at most: a key is bounded, and what is alike for so long is read as alike.
pub const MAX_CHARS: usize = 128;

const SIGNS: &str = "_-‐‑–—,;:!?.…·'‘’\"“”„«»()[]{}§@*/\\&#%‰`´^°©®+±÷×<=>|~¢$£¥₸№";
/// Letters made of another and an accent stand with that other, but for those that Kazakh takes for letters: ё and й.
const CYRILLIC: &str = "аәӕбвгґғӻҕӷдԁђԃҙеёєжԫҗзԅԑѕӡԇиҋйјкқӄҡҟҝԟԛлӆԯԓԡљԉԕмӎнԩӊңӈԣҥњԋоөпԥҧҁрҏԗсԍҫтԏҭћуұүѹфхӽӿҳһԧѡѿѽѻцҵчԭҷӌҹҽҿџшщъыіьҍѣэюяԙѥѧѫѩѭѯѱѳѵҩԝӏ";
const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";

/// Between the three parts of a key, below whatever stands in them.
const END: u8 = 0;
const SPACE: u8 = 1;
const FIRST_SIGN: u8 = 2;
const NUMBER: u8 = 0x40;
const FIRST_LETTER: u8 = 0x50;
/// Before a code point.
const OTHER: u8 = 0xf0;
/// A letter, sign or number among the accents.
const PLAIN: u8 = 1;
/// Before the code point of an accent.
const ACCENT: u8 = 2;

/// Bytes whose order is that of the texts they are made of: first letters and numbers, where these are alike accents, and
/// last capitals, which come after small letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SortKey(Vec<u8>);

impl SortKey {
    /// The key of a text.
    pub fn of(text: &str) -> Self {
        let mut units = Units::default();
        match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => units.read(text.chars()),
            IsNormalized::No | IsNormalized::Maybe => units.read(text.nfc()),
        }
        units.key()
    }

    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// From where it was stored.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SortKey({})", hex::encode(&self.0))
    }
}

impl Serialize for SortKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for SortKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

/// A text as what is compared: letters, signs, and numbers of any length.
#[derive(Default)]
struct Units {
    count: usize,
    primary: Vec<u8>,
    /// Each after so many units.
    accents: Vec<(usize, char)>,
    capitals: Vec<usize>,
}

impl Units {
    fn read(&mut self, text: impl Iterator<Item = char>) {
        let mut chars = text.take(MAX_CHARS).peekable();
        while let Some(c) = chars.next() {
            if c.is_ascii_digit() {
                let mut digits = vec![c as u8];
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit as u8);
                }
                self.number(&digits);
            } else if c.is_whitespace() {
                self.unit(&[SPACE]);
            } else if !is_ignored(c) {
                let before = self.count;
                c.to_lowercase().for_each(|small| self.letter(small));
                if self.count > before && !c.to_lowercase().eq([c]) {
                    self.capitals.push(before);
                }
            }
        }
    }

    /// The number of digits before the digits: a longer number is a larger one.
    fn number(&mut self, digits: &[u8]) {
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count().min(digits.len() - 1);
        let significant = &digits[zeros..];
        self.unit(&[NUMBER, u8::try_from(significant.len()).unwrap_or(u8::MAX)]);
        self.primary.extend_from_slice(significant);
    }

    fn letter(&mut self, c: char) {
        if is_combining_mark(c) {
            return self.accent(c);
        }
        let mut parts = Vec::new();
        match weight(c) {
            Some(weight) => self.unit(&[weight]),
            None => decompose_canonical(c, |part| parts.push(part)),
        }
        if let Some((&base, accents)) = parts.split_first() {
            match weight(base) {
                Some(weight) => self.unit(&[weight]),
                None => {
                    self.unit(&[OTHER]);
                    self.primary.extend(code_point(base));
                }
            }
            accents.iter().for_each(|&accent| self.accent(accent));
        }
    }

    fn unit(&mut self, primary: &[u8]) {
        self.count += 1;
        self.primary.extend_from_slice(primary);
    }

    fn accent(&mut self, c: char) {
        self.accents.push((self.count, c));
    }

    fn key(self) -> SortKey {
        let mut key = self.primary;
        if self.accents.is_empty() && self.capitals.is_empty() {
            return SortKey(key);
        }
        key.push(END);
        let mut passed = 0;
        for (units, accent) in self.accents {
            key.extend(std::iter::repeat_n(PLAIN, units - passed));
            passed = units;
            key.push(ACCENT);
            key.extend(code_point(accent));
        }
        key.push(END);
        // One bit a unit, the first one highest, without the zeros at the end.
        let begin = key.len();
        for unit in self.capitals {
            key.resize(key.len().max(begin + unit / 8 + 1), 0);
            key[begin + unit / 8] |= 0x80 >> (unit % 8);
        }
        SortKey(key)
    }
}

/// What is written for machines: controls, joiners, marks of direction.
fn is_ignored(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A code point in three bytes of seven bits, none of them low.
fn code_point(c: char) -> [u8; 3] {
    [14, 7, 0].map(|shift| 0x80 | (u32::from(c) >> shift & 0x7f) as u8)
}

/// Where a sign or a small letter of the tables stands.
fn weight(c: char) -> Option<u8> {
    const KNOWN: usize = 0x530;
    static WEIGHTS: LazyLock<[u8; KNOWN]> = LazyLock::new(|| {
        let mut weights = [END; KNOWN];
        let letters = CYRILLIC.chars().chain(LATIN.chars()).zip(FIRST_LETTER..);
        for (c, weight) in SIGNS.chars().zip(FIRST_SIGN..).chain(letters) {
            if let Some(place) = weights.get_mut(c as usize) {
                *place = weight;
            }
        }
        weights
    });
    match WEIGHTS.get(c as usize) {
        Some(&END) => None,
        Some(&weight) => Some(weight),
        None => SIGNS.chars().zip(FIRST_SIGN..).find(|(sign, _)| *sign == c).map(|(_, weight)| weight),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_fit_between_their_marks() {
        assert!(SIGNS.chars().count() <= usize::from(NUMBER - FIRST_SIGN));
        assert!(CYRILLIC.chars().chain(LATIN.chars()).count() <= usize::from(OTHER - FIRST_LETTER));
    }

    #[test]
    fn a_key_is_short_and_bounded() {
        assert_eq!(SortKey::of("ул. Абая, 12").as_bytes().len(), 17);
        for text in ["ю", "Ё", "界", "e\u{301}", "7", "\u{301}"] {
            let longest = MAX_CHARS * (4 + 4) + MAX_CHARS / 8 + 2;
            assert!(SortKey::of(&text.repeat(100_000)).as_bytes().len() <= longest, "{text}");
        }
    }
}
