//! Full-text search: what a person typed, as a query that cannot be a syntax error.

use serde::Deserialize;

use crate::store::fold;

/// Words of one search, at most: a longer expression would be too deep for the index.
pub const MAX_WORDS: usize = 32;

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
    /// The search in FTS5's syntax; `None` where there is no word in it, which nothing matches.
    pub fn expression(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        // Words hold letters and digits only, so that quotes make any of them a string, AND, OR and NEAR included.
        Some(format!("\"{}\"*", self.0.join("\" \"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Option<String> {
        Search::try_from(text.to_owned()).unwrap().expression()
    }

    #[test]
    fn whatever_is_typed_becomes_quoted_words() {
        assert_eq!(expression("Ёлка шум").as_deref(), Some(r#""елка" "шум"*"#));
        assert_eq!(expression(r#"NEAR(a "b"*, 5) AND"#).as_deref(), Some(r#""near" "a" "b" "5" "and"*"#));
        assert_eq!(expression("\" * ( ) : ^ - +"), None);
        assert_eq!(Search::try_from("слово ".repeat(33)), Err(TooManyWords));
    }
}
