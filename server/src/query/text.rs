//! Full-text search: what a person typed, as a query that cannot be a syntax error.

use aralau_sync_core::fold::fold;
use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::store::StoreError;

/// Words of one search, at most: a longer expression would be too deep for the index.
pub const MAX_WORDS: usize = 32;

/// Known words with one beginning, beyond which it is searched for as such.
const MAX_ENDINGS: usize = 64;

/// Words to find, all of them, the last one as a beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Search(Vec<String>);

/// A search of too many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has more than {MAX_WORDS} words")]
pub struct TooManyWords;

impl TryFrom<String> for Search {
    type Error = TooManyWords;
    fn try_from(text: String) -> Result<Self, TooManyWords> {
        let words: Vec<_> = fold(&text).split_ascii_whitespace().map(str::to_owned).collect();
        if words.len() > MAX_WORDS { Err(TooManyWords) } else { Ok(Self(words)) }
    }
}

impl Search {
    /// The search in FTS5's syntax; `None` where nothing can match it.
    ///
    /// The last word is given as every known word that begins so: FTS5 then goes through what they have in common in the
    /// order of its keys, where for a beginning it gathers all of it first. Of too many, the beginning is given.
    pub fn expression(&self, connection: &Connection) -> Result<Option<String>, StoreError> {
        let Some((last, others)) = self.0.split_last() else { return Ok(None) };
        let mut statement = connection
            .prepare_cached("SELECT word FROM note_word WHERE word >= ? AND word < ? ORDER BY word LIMIT ?")?;
        let beyond = format!("{last}{}", char::MAX);
        let known = statement.query_map(params![last, beyond, MAX_ENDINGS as i64 + 1], |row| row.get(0))?;
        let known: Vec<String> = known.collect::<Result<_, _>>()?;
        if known.is_empty() {
            return Ok(None);
        }
        // Words hold letters and digits only, so that quotes make any of them a string, AND, OR and NEAR included.
        let quoted = |word: &String| format!("\"{word}\"");
        let last = match known.len() > MAX_ENDINGS {
            true => format!("{}*", quoted(last)),
            false => format!("({})", known.iter().map(quoted).collect::<Vec<_>>().join(" OR ")),
        };
        let all: Vec<_> = others.iter().map(quoted).chain([last]).collect();
        Ok(Some(all.join(" AND ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Option<String> {
        let connection = Connection::open_in_memory().unwrap();
        let known = "CREATE TABLE note_word (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
            WITH RECURSIVE n (n) AS (VALUES (100) UNION ALL SELECT n + 1 FROM n WHERE n < 200)
            INSERT INTO note_word SELECT 'n' || n FROM n UNION VALUES ('and'), ('шу'), ('шум'), ('шумно'), ('шурин')";
        connection.execute_batch(known).unwrap();
        Search::try_from(text.to_owned()).unwrap().expression(&connection).unwrap()
    }

    #[test]
    fn whatever_is_typed_becomes_quoted_words() {
        assert_eq!(expression("Ёлка шум").as_deref(), Some(r#""елка" AND ("шум" OR "шумно")"#));
        assert_eq!(
            expression(r#"NEAR(a "b"*, 5) AND"#).as_deref(),
            Some(r#""near" AND "a" AND "b" AND "5" AND ("and")"#)
        );
        assert_eq!(expression("n1").as_deref(), Some(r#""n1"*"#), "of too many");
        assert_eq!(expression("елка никогда"), None);
        assert_eq!(expression("\" * ( ) : ^ - +"), None);
        assert_eq!(Search::try_from("слово ".repeat(33)), Err(TooManyWords));
    }
}
