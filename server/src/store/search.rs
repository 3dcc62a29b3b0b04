//! The words of notes and addresses, as the search indexes know them.

use std::{
    collections::{BTreeMap, HashSet},
    ops::RangeInclusive,
};

use rusqlite::{Connection, params};

use super::StoreError;

/// Hours that the index tells apart: from 1970 to 2089. Whatever else a clock says stands with the first or the last.
const HOURS: i64 = 1 << 20;
const SCOPE_BITS: u32 = 17;
const SEQUENCE_BITS: u32 = 26;
const DOCUMENT_BITS: u32 = SCOPE_BITS + SEQUENCE_BITS;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// In SQL, the document of the row of `note_text` at hand.
pub const DOCUMENT_OF_ROWID: &str = "(((rowid >> 26) & 131071) << 40) | (rowid & 67108863)";

/// The keys in the search index of all visits that begin in the same hour. Later hours have lower keys.
pub fn keys_of_hour(started_at: i64) -> RangeInclusive<i64> {
    let hour = started_at.div_euclid(HOUR_MS).clamp(0, HOURS - 1);
    hour_of_key((HOURS - 1 - hour) << DOCUMENT_BITS)
}

/// The keys of the hour that a key is of.
pub fn hour_of_key(key: i64) -> RangeInclusive<i64> {
    let first = key >> DOCUMENT_BITS << DOCUMENT_BITS;
    first..=first | ((1 << DOCUMENT_BITS) - 1)
}

/// A visit's key in the search index; `None` for a scope, or a row of one, beyond what there is room for: more than a
/// hundred thousand scopes, or sixty million rows.
fn key_of(document_no: i64, started_at: i64) -> Option<i64> {
    let (scope_no, sequence) = (document_no >> 40, document_no & ((1 << 40) - 1));
    let fits = scope_no < 1 << SCOPE_BITS && sequence < 1 << SEQUENCE_BITS;
    fits.then(|| keys_of_hour(started_at).start() | scope_no << SEQUENCE_BITS | sequence)
}

/// The document that a key in the search index is of.
pub fn document_of_key(key: i64) -> i64 {
    scope_of_key(key) << 40 | key & ((1 << SEQUENCE_BITS) - 1)
}

/// The scope, by its number, of the document that a key is of.
pub fn scope_of_key(key: i64) -> i64 {
    (key >> SEQUENCE_BITS) & ((1 << SCOPE_BITS) - 1)
}

/// What the search indexes are to learn. FTS5 writes out and merges what it holds in memory at every savepoint, and each
/// statement that writes to it is one: kept here until all jobs of a transaction are done, the words of a busy morning go
/// into the indexes in few and large pieces.
#[derive(Debug, Default)]
pub struct Learned(Vec<Notice>);

#[derive(Debug)]
enum Notice {
    /// A visit's notes, by its key; without words the index forgets it.
    Notes(i64, Option<String>),
    /// A place's address, by its document.
    Address(i64, String),
}

impl Learned {
    /// From the next [`Self::write`] on, a visit is found by these words and no others. `before`: when it began by what the
    /// index knows, if it knows it.
    pub fn note(&mut self, document_no: i64, started_at: i64, before: Option<i64>, folded: String) {
        let key = key_of(document_no, started_at);
        let old = before.and_then(|before| key_of(document_no, before)).filter(|old| Some(*old) != key);
        self.0.extend(old.map(|old| Notice::Notes(old, None)));
        self.0.extend(key.map(|key| Notice::Notes(key, Some(folded))));
    }

    /// From the next [`Self::write`] on, a place is found by this address.
    pub fn address(&mut self, document_no: i64, folded: String) {
        self.0.push(Notice::Address(document_no, folded));
    }

    /// How many notices wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.len()
    }

    /// Takes back all notices but the first so many.
    pub(super) fn take_back(&mut self, but_the_first: usize) {
        self.0.truncate(but_the_first);
    }

    /// Brings all of it into the indexes. FTS5 also writes out wherever a row id is not above the one before: in their
    /// order.
    pub fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let (mut notes, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        for notice in self.0.drain(..) {
            match notice {
                Notice::Notes(key, folded) => drop(notes.insert(key, folded)),
                Notice::Address(document_no, folded) => drop(addresses.insert(document_no, folded)),
            }
        }
        write_notes(connection, &notes)?;
        write_addresses(connection, &addresses)
    }
}

fn write_notes(connection: &Connection, newest: &BTreeMap<i64, Option<String>>) -> Result<(), StoreError> {
    let mut write = connection.prepare_cached("INSERT OR REPLACE INTO note_text (rowid, folded) VALUES (?, ?)")?;
    let mut forget = connection.prepare_cached("DELETE FROM note_text WHERE rowid = ?")?;
    for (key, folded) in newest {
        match folded {
            Some(folded) => write.execute(params![key, folded])?,
            None => forget.execute([key])?,
        };
    }
    let words: HashSet<&str> = newest.values().flatten().flat_map(|folded| folded.split_ascii_whitespace()).collect();
    let mut note = connection.prepare_cached("INSERT OR IGNORE INTO note_word (word) VALUES (?)")?;
    words.into_iter().try_for_each(|word| Ok(note.execute([word]).map(drop)?))
}

fn write_addresses(connection: &Connection, newest: &BTreeMap<i64, String>) -> Result<(), StoreError> {
    // Hardly any job writes places.
    if newest.is_empty() {
        return Ok(());
    }
    let mut write = connection.prepare_cached("INSERT OR REPLACE INTO place_text (rowid, folded) VALUES (?, ?)")?;
    newest.iter().try_for_each(|(document_no, folded)| Ok(write.execute(params![document_no, folded]).map(drop)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_stand_in_the_order_of_the_list_and_tell_the_document(
            (scope_no, sequence) in (1_i64..1 << SCOPE_BITS, 1_i64..1 << SEQUENCE_BITS),
            (earlier, later) in (-1_i64..5_000_000_000_000, 0_i64..5_000_000_000_000),
        ) {
            let document_no = scope_no << 40 | sequence;
            let key = |at| key_of(document_no, at).expect("it fits");
            prop_assert_eq!(document_of_key(key(earlier)), document_no);
            prop_assert!(keys_of_hour(earlier).contains(&key(earlier)) && key(earlier) >= 0);
            let (earlier, later) = (earlier.min(later), earlier.max(later));
            prop_assert!(key(earlier) >= key(later));
            prop_assert!(key(earlier) > key(later) || later - earlier < HOUR_MS || later > 3_700_000_000_000);
        }
    }
}
