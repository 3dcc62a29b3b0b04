//! What headquarters asks of the store: SQL reads over the projections, and single documents read from the log.
//!
//! Every read is bounded: a list is one keyset page, a document has the limits of [`aralau_sync_core::document`]. The
//! structs here are the shapes that the API shows. Each takes the caller's [`Reach`], and finds nothing outside.

pub mod instant;
pub mod page;
pub mod text;

pub mod author;
pub mod document;

pub mod beats;
pub mod conflicts;
pub mod coverage;
pub mod devices;
pub mod export;
pub mod history;
pub mod more;
pub mod people;
pub mod period;
mod place_names;
pub mod places;
pub mod points;
pub mod proof;
pub mod quarantine;
pub mod repeats;
pub mod scopes;
pub mod standing;
pub mod suggestions;
pub mod tokens;
pub mod visit;
pub mod visits;

use rusqlite::{ToSql, types::ToSqlOutput};

use crate::reach::{MAX_MERGED, Reach};

/// Conditions joined by "and", each written here, with the values they bind. User text only ever becomes a value.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// None yet, in a statement that before them binds `values`, as `?1` and on.
    fn after<const N: usize>(values: [i64; N]) -> Self {
        let values = values.into_iter().map(|value| Box::new(value) as Box<dyn ToSql>);
        Self { sql: String::new(), values: values.collect() }
    }

    /// Adds a condition, in which `?` stands for `value`.
    fn and(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.also(condition);
        self.bind(value);
    }

    /// Adds a condition, in which two `?` stand for `first` and `second`.
    fn and_pair(&mut self, condition: &str, first: impl ToSql + 'static, second: impl ToSql + 'static) {
        self.and(condition, first);
        self.bind(second);
    }

    /// One value more for the condition that was added last.
    fn bind(&mut self, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
    }

    /// Adds a condition without a value.
    fn also(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE (" } else { " AND (" });
        self.sql.push_str(condition);
        self.sql.push(')');
    }

    /// Adds a condition where there is a value for it.
    fn and_some<T: ToSql + 'static>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Adds that `column`, the number of a scope, lies within.
    fn within(&mut self, column: &str, reach: &Reach) {
        match reach.scopes() {
            None => {}
            Some([scope_no]) => self.and(&format!("{column} = ?"), *scope_no),
            // Of so many the list of all is walked in its order. Without the plus SQLite reads the beats' indexes, and sorts all
            // that is in them: a million visits, 2.6 s for a page.
            Some(scopes) if scopes.len() > MAX_MERGED => {
                self.and(&format!("+{column} IN (SELECT value FROM json_each(?))"), reach.clone());
            }
            Some(_) => self.and(&format!("{column} IN (SELECT value FROM json_each(?))"), reach.clone()),
        }
    }

    fn values(&self) -> impl rusqlite::Params + '_ {
        rusqlite::params_from_iter(self.values.iter().map(|value| value.as_ref()))
    }
}

/// Bytes of a fixed length as a value.
struct Blob<const N: usize>([u8; N]);

impl<const N: usize> ToSql for Blob<N> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

/// How SQLite means to go about a question.
#[cfg(test)]
fn plan(
    connection: &rusqlite::Connection,
    sql: &str,
    conditions: &Conditions,
) -> Result<String, crate::store::StoreError> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let steps = statement.query_map(conditions.values(), |row| row.get::<_, String>("detail"))?;
    Ok(steps.collect::<Result<Vec<_>, _>>()?.join("\n"))
}
