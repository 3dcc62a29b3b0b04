//! How far a caller's rights reach: over every beat, or over those that the token was made for.
//!
//! Whatever lies outside looks absent. Each query of headquarters takes a [`Reach`], and [`Caller::may`] is what gives one: so
//! no handler can ask without having been allowed to, and no query can forget for whom it reads.
//!
//! [`Caller::may`]: crate::auth::Caller::may

use std::{cmp::Ordering, sync::Arc};

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, Value},
};

use crate::store::{self, StoreError};

/// The scopes that somebody may read, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach(Option<Arc<[i64]>>);

/// Beats whose lists are merged; of more the list of all is walked, in which theirs are then a good part.
pub const MAX_MERGED: usize = 64;

impl Reach {
    /// Over everything: the operator at the command line, and tokens without a limit.
    pub const EVERYWHERE: Self = Self(None);

    /// Over these scopes and no other.
    pub fn within(scopes: impl IntoIterator<Item = i64>) -> Self {
        let mut scopes: Vec<i64> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(Some(scopes.into()))
    }

    /// The scopes, ascending; `None`: all of them.
    pub fn scopes(&self) -> Option<&[i64]> {
        self.0.as_deref()
    }

    /// Whether there is no limit.
    pub const fn is_everywhere(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a scope lies within.
    pub fn holds(&self, scope_no: i64) -> bool {
        self.scopes().is_none_or(|scopes| scopes.binary_search(&scope_no).is_ok())
    }

    /// What of it a filter leaves: the beat of this code, and nothing where there is none of that code within.
    pub fn of_beat(&self, connection: &Connection, code: Option<&str>) -> Result<Self, StoreError> {
        let Some(code) = code else { return Ok(self.clone()) };
        let beat = store::beat(connection, code)?.map(|beat| beat.scope_no);
        Ok(Self::within(beat.filter(|scope_no| self.holds(*scope_no))))
    }

    /// The first `most` rows of what `list` finds, in the order of their keys. The rows of one beat stand in an index in their
    /// order, and so do those of all, but those of several do not: each beat's first rows are read, and put together.
    pub fn merge<K, T>(
        &self,
        most: usize,
        order: impl Fn(&K, &K) -> Ordering,
        mut list: impl FnMut(&Self) -> Result<Vec<(K, T)>, StoreError>,
    ) -> Result<Vec<(K, T)>, StoreError> {
        let Some(scopes @ ([] | [_, _, ..])) = self.scopes().filter(|scopes| scopes.len() <= MAX_MERGED) else {
            return list(self);
        };
        let mut rows = Vec::new();
        for scope_no in scopes {
            rows.extend(list(&Self::within([*scope_no]))?);
        }
        rows.sort_by(|(a, _), (b, _)| order(a, b));
        rows.truncate(most);
        Ok(rows)
    }
}

/// NULL where there is no limit, else a JSON list of the scopes.
impl ToSql for Reach {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let list = self.scopes().map(|scopes| {
            let numbers: Vec<_> = scopes.iter().map(ToString::to_string).collect();
            format!("[{}]", numbers.join(","))
        });
        Ok(ToSqlOutput::Owned(list.map_or(Value::Null, Value::Text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_is_not_held() {
        assert!(Reach::EVERYWHERE.holds(7));
        let reach = Reach::within([9, 2, 9]);
        assert_eq!(reach.scopes(), Some(&[2, 9][..]));
        assert!(reach.holds(2) && reach.holds(9) && !reach.holds(7));
        assert!(!Reach::within([]).holds(2), "a limit to nothing is one");
    }

    #[test]
    fn the_rows_of_several_beats_come_in_one_order() {
        let rows = |reach: &Reach| {
            let numbers: Vec<i64> = vec![1, 12, 21, 22, 31, 33];
            let found = numbers.into_iter().filter(|number| reach.holds(number / 10)).take(3);
            Ok(found.map(|number| (number % 10, number)).collect())
        };
        let merged = |reach: Reach| {
            let rows = reach.merge(3, Ord::cmp, rows).unwrap();
            rows.into_iter().map(|(_, number)| number).collect::<Vec<_>>()
        };
        assert_eq!(merged(Reach::within([1, 2, 3])), [21, 31, 12]);
        assert_eq!(merged(Reach::within([3])), [31, 33]);
        assert_eq!(merged(Reach::within([])), [] as [i64; 0]);
        assert_eq!(merged(Reach::EVERYWHERE), [1, 12, 21], "asked once, and taken as it comes");
    }
}
