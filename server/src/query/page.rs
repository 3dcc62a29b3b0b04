//! Keyset pages: how many rows at most, and where the next page begins.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _};

/// Rows on a page, unless asked for otherwise.
pub const DEFAULT_LIMIT: u32 = 100;
/// Rows on a page, at most.
pub const MAX_LIMIT: u32 = 1_000;

/// Rows on a page: 1 to [`MAX_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Limit(u32);

/// A limit outside of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {MAX_LIMIT}")]
pub struct LimitError;

impl TryFrom<u32> for Limit {
    type Error = LimitError;
    fn try_from(rows: u32) -> Result<Self, LimitError> {
        if (1..=MAX_LIMIT).contains(&rows) { Ok(Self(rows)) } else { Err(LimitError) }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl Limit {
    /// As many as there can be.
    pub const MOST: Self = Self(MAX_LIMIT);
    /// Rows read at once by an export.
    pub(super) const BATCH: Self = Self(500);

    /// At most `rows`, for what costs more than a row of a table.
    pub fn at_most(self, rows: u32) -> Self {
        Self(self.0.min(rows))
    }

    /// What to ask of the store: one row more than the page holds tells whether there is a next one.
    pub(super) fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }

    pub(super) const fn rows(self) -> usize {
        self.0 as usize
    }
}

/// Where a page begins: the key of the last row before it, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

impl<K: Serialize> Serialize for Cursor<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = serde_json::to_vec(&self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&BASE64URL.encode(key))
    }
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Cursor<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = BASE64URL.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        key.map(Self).ok_or_else(|| D::Error::custom("not a cursor of this list"))
    }
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(bound = "K: DeserializeOwned")]
pub struct Page<K> {
    /// Rows at most.
    #[serde(default)]
    pub limit: Limit,
    /// After which row; from the beginning if absent.
    pub cursor: Option<Cursor<K>>,
}

impl<K> Page<K> {
    /// The first page.
    pub fn first(limit: Limit) -> Self {
        Self { limit, cursor: None }
    }

    /// The key of the last row before the page.
    pub fn after(&self) -> Option<&K> {
        self.cursor.as_ref().map(|cursor| &cursor.0)
    }

    pub(super) fn and_one(&self) -> i64 {
        self.limit.and_one()
    }

    /// Takes the page's rows out of those read with [`Self::and_one`], and the cursor of the next page.
    pub(super) fn cut<T>(&self, mut rows: Vec<(K, T)>) -> (Vec<T>, Option<Cursor<K>>) {
        let more = rows.len() > self.limit.rows();
        rows.truncate(self.limit.rows());
        let mut last = None;
        let rows = rows.into_iter().map(|(key, row)| {
            last = Some(key);
            row
        });
        let rows = rows.collect();
        (rows, last.filter(|_| more).map(Cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_foreign_text_does_not() {
        let cursor = Cursor((1_700_000_000_000i64, 42i64));
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor<(i64, i64)>>(&text).unwrap(), cursor);
        assert!(serde_json::from_str::<Cursor<(i64, String)>>(&text).is_err());
        assert!(serde_json::from_str::<Cursor<i64>>("\"§\"").is_err());
    }

    #[test]
    fn a_page_has_a_next_one_only_where_there_is_a_row_for_it() {
        let page = Page::first(Limit(2));
        let row = |n: i64| (n, n);
        assert_eq!(page.cut(vec![row(1), row(2), row(3)]), (vec![1, 2], Some(Cursor(2))));
        assert_eq!(page.cut(vec![row(1), row(2)]), (vec![1, 2], None));
        assert_eq!(page.cut(Vec::<(i64, i64)>::new()), (vec![], None));
    }
}
