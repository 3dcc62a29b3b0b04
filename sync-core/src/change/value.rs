//! What a key may be put to.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use super::{MAX_BYTES, MAX_TEXT_BYTES};

/// A scalar. Serializes to natural JSON: bytes as lowercase hex, a timestamp as its milliseconds.
///
/// Equality and order are exact (floats by their bits), so that equal means "the same bytes on the wire".
#[derive(Debug, Clone)]
pub enum Value {
    /// Known to be nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A finite float.
    Float(f64),
    /// At most [`MAX_TEXT_BYTES`] of UTF-8.
    Text(String),
    /// At most [`MAX_BYTES`].
    Bytes(Vec<u8>),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl Value {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn is_allowed(&self) -> bool {
        match self {
            Self::Null | Self::Boolean(_) | Self::Int(_) | Self::Uint(_) | Self::Timestamp(_) => true,
            Self::Float(float) => float.is_finite(),
            Self::Text(text) => text.len() <= MAX_TEXT_BYTES,
            Self::Bytes(bytes) => bytes.len() <= MAX_BYTES,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Int(_) => 2,
            Self::Uint(_) => 3,
            Self::Float(_) => 4,
            Self::Text(_) => 5,
            Self::Bytes(_) => 6,
            Self::Timestamp(_) => 7,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Uint(a), Self::Uint(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

/// Beyond it readers of JSON that hold numbers as floats, as browsers do, read another number than is written.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// As JSON shows it: bytes in hexadecimal, and whole numbers that not every reader holds exactly as their digits.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(flag) => serializer.serialize_bool(*flag),
            Self::Int(number) | Self::Timestamp(number) if number.unsigned_abs() > MAX_EXACT => {
                serializer.collect_str(number)
            }
            Self::Uint(number) if *number > MAX_EXACT => serializer.collect_str(number),
            Self::Int(number) | Self::Timestamp(number) => serializer.serialize_i64(*number),
            Self::Uint(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.collect_str(&Hex(bytes)),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Uint(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_equal_by_their_bits_and_kinds_are_never_equal() {
        assert_ne!(Value::Float(0.0), Value::Float(-0.0));
        assert_eq!(Value::Float(1.5), Value::Float(1.5));
        assert_ne!(Value::Int(1), Value::Timestamp(1));
        assert_ne!(Value::Int(1), Value::Uint(1));
    }

    #[test]
    fn what_not_every_reader_holds_exactly_is_shown_by_its_digits() {
        for (value, shown) in [
            (Value::Int(9_007_199_254_740_991), "9007199254740991"),
            (Value::Int(-9_007_199_254_740_992), "\"-9007199254740992\""),
            (Value::Timestamp(i64::MIN), "\"-9223372036854775808\""),
            (Value::Uint(10_000_000_000_000_000_000), "\"10000000000000000000\""),
            (Value::Uint(7), "7"),
            (Value::Bytes(vec![0, 255]), "\"00ff\""),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), shown);
        }
    }
}
