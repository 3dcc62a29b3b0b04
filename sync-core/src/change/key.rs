//! The grammar of keys. Documents are flat, so structure lives in the names.

use uuid::Uuid;

use super::MAX_KEY_BYTES;
use crate::id::ReplicaId;

/// The collection whose items are written once and never edited, but for [`STATUS`].
pub const NOTES: &str = "notes";
/// The field by which anything is withdrawn: nothing is ever deleted.
pub const STATUS: &str = "status";
/// A first change that names no fresh item carries 16 random bytes under this key.
pub const NONCE: &str = "nonce";
/// What stands before the replica in the key of a witness.
pub const WITNESS: &str = "witness";
const MAX_NAME_BYTES: usize = 64;

/// A key, taken apart. Unknown names within the grammar are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPath<'a> {
    /// `field`
    Field(&'a str),
    /// `collection/<uuid>/field`
    Item {
        /// Such as `notes`.
        collection: &'a str,
        /// The item, named by whoever created it.
        id: Uuid,
        /// What of the item.
        field: &'a str,
    },
    /// `witness/<replica>/field`: what this replica alone knows, writable by it only.
    Witness {
        /// Whose observation.
        replica: ReplicaId,
        /// What was observed.
        field: &'a str,
    },
}

impl<'a> KeyPath<'a> {
    /// Takes `key` apart; `None` where it is outside of the grammar.
    pub fn parse(key: &'a str) -> Option<Self> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        let Some((first, rest)) = at_slash(key) else { return Some(Self::Field(name(key)?)) };
        // Any further slash is refused as part of the last name.
        let (second, field) = at_slash(rest)?;
        let field = name(field)?;
        Some(match first {
            WITNESS => Self::Witness { replica: lowercase_hex(second)?.parse().ok()?, field },
            collection => Self::Item { collection: name(collection)?, id: hyphenated(second)?, field },
        })
    }

    /// Whether it names an item by a UUIDv4: 122 bits that nobody can guess.
    pub fn is_random(&self) -> bool {
        matches!(self, Self::Item { id, .. } if is_random(id))
    }

    /// The key that [`Self::parse`] takes apart into this.
    pub fn to_key(&self) -> String {
        match self {
            Self::Field(field) => (*field).to_owned(),
            Self::Item { collection, id, field } => format!("{collection}/{id}/{field}"),
            Self::Witness { replica, field } => format!("{WITNESS}/{replica}/{field}"),
        }
    }
}

/// What stands before and behind the first slash. In names this short, looking at each byte beats a searcher.
fn at_slash(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b'/')?;
    Some((&text[..at], &text[at + 1..]))
}

fn name(text: &str) -> Option<&str> {
    let (first, rest) = text.as_bytes().split_first()?;
    let fits = text.len() <= MAX_NAME_BYTES
        && first.is_ascii_lowercase()
        && rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    fits.then_some(text)
}

fn lowercase_hex(text: &str) -> Option<&str> {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(text)
}

/// Whether an id is a UUIDv4.
pub(crate) fn is_random(id: &Uuid) -> bool {
    id.get_version_num() == 4 && id.get_variant() == uuid::Variant::RFC4122
}

/// One spelling only: two spellings of one id would be two keys.
pub(crate) fn hyphenated(text: &str) -> Option<Uuid> {
    let shape = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    shape.then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_parts() {
        for key in [
            "outcome",
            "notes/0f8fad5b-d9cb-469f-a165-70867728950e/text",
            "witness/0102030405060708090a0b0c0d0e/started_at",
        ] {
            assert_eq!(KeyPath::parse(key).unwrap().to_key(), key);
        }
    }

    #[test]
    fn a_key_outside_of_the_grammar_is_none() {
        let long = "a".repeat(65);
        for key in [
            "",
            "/",
            "Outcome",
            "_a",
            "1a",
            "a b",
            "é",
            "a/b",
            "a/b/c",
            "notes/0F8fad5b-d9cb-469f-a165-70867728950e/text",
            "notes/0f8fad5bd9cb469fa16570867728950e/text",
            "notes/0f8fad5b-d9cb-469f-a165-70867728950e/",
            "notes/0f8fad5b-d9cb-469f-a165-70867728950e/text/more",
            "witness/0f8fad5b-d9cb-469f-a165-70867728950e/text",
            "witness/0102030405060708090A0B0C0D0E/started_at",
            "witness/+102030405060708090a0b0c0d0e/started_at",
            &long,
        ] {
            assert_eq!(KeyPath::parse(key), None, "{key}");
        }
    }
}
