//! Which letters the bytes of a text file are.
//!
//! UTF-8 and UTF-16 are told from the bytes alone. What Excel writes in Kazakhstan and Russia as "CSV" is Windows-1251, or
//! KZ-1048, which has Kazakh letters in place of some Serbian, Belarusian and Ukrainian ones. Either is taken only where no
//! other reading makes sense; else the file is refused, because a wrong letter in a name is found too late.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1251};

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// Either byte order.
    Utf16,
    /// One byte a letter; what Excel calls ANSI on a Russian or Kazakh Windows.
    Windows1251,
    /// One byte a letter, with the Kazakh ones.
    Kz1048,
}

impl Encoding {
    /// Whether it cannot write all Kazakh letters: Windows puts a question mark in place of each.
    pub const fn loses_kazakh_letters(self) -> bool {
        matches!(self, Self::Windows1251)
    }
}

/// Why the letters cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Zero bytes, as no text has them.
    #[error("this is no text; save the table as CSV UTF-8 or as an Excel workbook (.xlsx)")]
    NoText,
    /// A byte order is announced and not kept.
    #[error("the file says that it is UTF-16 and is not; save it as CSV UTF-8")]
    BrokenUtf16,
    /// No encoding that makes sense of it.
    #[error("row {row} is not in UTF-8, nor plainly in Windows-1251; save the file as CSV UTF-8")]
    Unknown {
        /// The line, from 1.
        row: u32,
    },
    /// Two encodings make sense, and differ.
    #[error("row {row} reads {kazakh:?} in KZ-1048 and {other:?} in Windows-1251; save the file as CSV UTF-8")]
    Either {
        /// The line, from 1.
        row: u32,
        /// The word in one.
        kazakh: String,
        /// And in the other.
        other: String,
    },
}

/// The text of a file, without its byte order mark.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), EncodingError> {
    if let Some(bytes) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        let text = std::str::from_utf8(bytes).map_err(|error| unknown(bytes, error.valid_up_to()))?;
        return Ok((text.into(), Encoding::Utf8));
    }
    if let Some(encoding) = utf16(bytes)? {
        let bytes = bytes.strip_prefix(b"\xff\xfe").or_else(|| bytes.strip_prefix(b"\xfe\xff")).unwrap_or(bytes);
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
        return Ok((text.ok_or(EncodingError::BrokenUtf16)?, Encoding::Utf16));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text.into(), Encoding::Utf8)),
        Err(error) => single_byte(bytes, error.valid_up_to()),
    }
}

/// Which UTF-16 it is, if it is: by its mark, or by the zero bytes that every digit, comma and line end then has.
fn utf16(bytes: &[u8]) -> Result<Option<&'static encoding_rs::Encoding>, EncodingError> {
    match bytes {
        [0xff, 0xfe, ..] => return Ok(Some(UTF_16LE)),
        [0xfe, 0xff, ..] => return Ok(Some(UTF_16BE)),
        _ => {}
    }
    let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match (even, odd) {
        // A stray one in another text is a cell's own fault.
        _ if (even + odd) * UTF16_HAS_A_ZERO_WITHIN_BYTES < bytes.len() => Ok(None),
        (0, 0) => Ok(None),
        (0, _) => Ok(Some(UTF_16LE)),
        (_, 0) => Ok(Some(UTF_16BE)),
        _ => Err(EncodingError::NoText),
    }
}

/// Digits, spaces and punctuation are much more frequent than that in any register.
const UTF16_HAS_A_ZERO_WITHIN_BYTES: usize = 40;

/// Where KZ-1048 differs from Windows-1251: the byte, and the Kazakh letter.
const KAZAKH: [(u8, char); 16] = [
    (0x8d, 'Қ'),
    (0x8e, 'Һ'),
    (0x9d, 'қ'),
    (0x9e, 'һ'),
    (0xa1, 'Ұ'),
    (0xa2, 'ұ'),
    (0xa3, 'Ә'),
    (0xa5, 'Ө'),
    (0xaa, 'Ғ'),
    (0xaf, 'Ү'),
    (0xb4, 'ө'),
    (0xba, 'ғ'),
    (0xbc, 'ә'),
    (0xbd, 'Ң'),
    (0xbe, 'ң'),
    (0xbf, 'ү'),
];

/// Of these bytes, those that are Serbian or Macedonian in Windows-1251: nobody writes a Kazakh register with them, and hardly
/// a Kazakh text is without one. The others are Ukrainian or Belarusian there, which names may be.
const PLAINLY_KAZAKH: [u8; 8] = [0x8d, 0x8e, 0x9d, 0x9e, 0xa3, 0xbc, 0xbd, 0xbe];

fn kazakh(byte: u8) -> Option<char> {
    KAZAKH.iter().find(|(known, _)| *known == byte).map(|(_, letter)| *letter)
}

fn single_byte(bytes: &[u8], first_high: usize) -> Result<(Cow<'_, str>, Encoding), EncodingError> {
    if !is_plainly_cyrillic(bytes) {
        return Err(unknown(bytes, first_high));
    }
    let (text, _) = WINDOWS_1251.decode_without_bom_handling(bytes);
    let Some(first) = bytes.iter().position(|byte| kazakh(*byte).is_some()) else {
        return Ok((text, Encoding::Windows1251));
    };
    if bytes.iter().any(|byte| PLAINLY_KAZAKH.contains(byte)) {
        return Ok((in_kz1048(bytes).into(), Encoding::Kz1048));
    }
    let is_apart = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let begin = bytes[..first].iter().rposition(is_apart).map_or(0, |at| at + 1);
    let end = bytes[first..].iter().position(is_apart).map_or(bytes.len(), |at| first + at);
    let word = &bytes[begin..end];
    let (other, _) = WINDOWS_1251.decode_without_bom_handling(word);
    let shown = super::fault::shortened;
    Err(EncodingError::Either { row: row_of(bytes, first), kazakh: shown(&in_kz1048(word)), other: shown(&other) })
}

fn in_kz1048(bytes: &[u8]) -> String {
    let in_windows_1251 = |byte| WINDOWS_1251.decode_without_bom_handling(&[byte]).0.chars().next();
    let letter = |byte| kazakh(byte).or_else(|| in_windows_1251(byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let letters: Vec<char> = (0..=u8::MAX).map(letter).collect();
    bytes.iter().map(|byte| letters[usize::from(*byte)]).collect()
}

/// Signs other than letters that registers in Windows-1251 have: quotation marks, dashes, №, §, ° and the like, the no-break
/// space, and the letters Ё and І.
const SIGNS: [u8; 24] = [
    0x82, 0x84, 0x85, 0x8b, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x9b, 0xa0, 0xa7, 0xa8, 0xab, 0xad, 0xb0, 0xb1,
    0xb2, 0xb3, 0xb8, 0xb9, 0xbb,
];

/// Whether text reads as Cyrillic in Windows-1251: not as the consonants that KOI8 would be there, nor with the signs that
/// letters of CP866, MacCyrillic or a Western encoding would be.
fn is_plainly_cyrillic(bytes: &[u8]) -> bool {
    const VOWELS: &str = "аеёиоуыэюяіәөүұАЕЁИОУЫЭЮЯІӘӨҮҰ";
    let high = || bytes.iter().filter(|byte| !byte.is_ascii());
    let is_known = |byte: &u8| *byte >= 0xc0 || SIGNS.contains(byte) || kazakh(*byte).is_some();
    if !high().all(is_known) {
        return false;
    }
    let text = in_kz1048(&bytes[..bytes.len().min(SEEN_BYTES)]);
    let (mut letters, mut vowels, mut jumps) = (0_usize, 0, 0);
    let mut before = ' ';
    for letter in text.chars() {
        if letter.is_alphabetic() && !letter.is_ascii() {
            letters += 1;
            vowels += usize::from(VOWELS.contains(letter));
            jumps += usize::from(before.is_lowercase() && letter.is_uppercase());
        }
        before = letter;
    }
    // Of Russian and Kazakh letters two in five are vowels; KOI8 read as this has one in ten, and capitals inside of words.
    letters > 0 && vowels * 4 >= letters && jumps * 20 <= letters
}

/// So much is looked at to tell whether text makes sense.
const SEEN_BYTES: usize = 1 << 20;

fn unknown(bytes: &[u8], at: usize) -> EncodingError {
    EncodingError::Unknown { row: row_of(bytes, at) }
}

fn row_of(bytes: &[u8], at: usize) -> u32 {
    let lines = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Участок;Адрес\nуч-7;«Абая», № 10 – двор\n";

    fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    fn in_windows_1251(text: &str) -> Vec<u8> {
        WINDOWS_1251.encode(text).0.into_owned()
    }

    fn in_kz(text: &str) -> Vec<u8> {
        let byte = |c: char| match KAZAKH.iter().find(|(_, letter)| *letter == c) {
            Some((byte, _)) => vec![*byte],
            None => in_windows_1251(&c.to_string()),
        };
        text.chars().flat_map(byte).collect()
    }

    #[test]
    fn the_same_text_is_read_however_it_is_written() {
        let marked = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8),
            (marked(b"\xef\xbb\xbf", TEXT.into()), Encoding::Utf8),
            (marked(b"\xff\xfe", utf16(TEXT, u16::to_le_bytes)), Encoding::Utf16),
            (marked(b"\xfe\xff", utf16(TEXT, u16::to_be_bytes)), Encoding::Utf16),
            (utf16(TEXT, u16::to_le_bytes), Encoding::Utf16),
            (utf16(TEXT, u16::to_be_bytes), Encoding::Utf16),
            (in_windows_1251(TEXT), Encoding::Windows1251),
        ] {
            assert_eq!(decode(&bytes), Ok((TEXT.into(), encoding)));
        }
        let kazakh = "Учаске;Мекенжай\nуч-7;Қонаев көшесі, 10\n";
        assert_eq!(decode(&in_kz(kazakh)), Ok((kazakh.into(), Encoding::Kz1048)));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused_with_both() {
        let bytes = in_kz("Аты-жөні;Учаске\nҒани;уч-7\n");
        let either = decode(&bytes);
        assert_eq!(
            either.unwrap_err().to_string(),
            "row 1 reads \"жөні\" in KZ-1048 and \"жґні\" in Windows-1251; save the file as CSV UTF-8"
        );
    }

    #[test]
    fn other_encodings_are_refused_with_the_row() {
        let encoded =
            |encoding: &'static encoding_rs::Encoding| encoding.encode("code;name\nуч-7;улица Абая\n").0.into_owned();
        for encoding in [encoding_rs::KOI8_R, encoding_rs::IBM866, encoding_rs::X_MAC_CYRILLIC, encoding_rs::ISO_8859_5]
        {
            assert_eq!(decode(&encoded(encoding)), Err(EncodingError::Unknown { row: 2 }), "{}", encoding.name());
        }
        assert_eq!(decode(b"code;name\nb1;Stra\xdfe\n"), Err(EncodingError::Unknown { row: 2 }));
        assert_eq!(decode(b"\0\0\x01\0\x02"), Err(EncodingError::NoText));
        let stray = format!("beat,address\n{}\0", "b1,Abay 1\n".repeat(10));
        assert_eq!(decode(stray.as_bytes()), Ok((stray.as_str().into(), Encoding::Utf8)));
        assert_eq!(decode(b"\xff\xfea"), Err(EncodingError::BrokenUtf16));
    }
}
