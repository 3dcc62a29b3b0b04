//! The people of the directory.

use rusqlite::{Connection, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::{collation::SortKey, id::PersonId, time::Millis};

use super::page::{Cursor, Page};
use crate::{
    reach::Reach,
    store::{HEADQUARTERS, StoreError},
};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonShown {
    /// In the directory.
    #[schema(value_type = Uuid)]
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The beats that they may write in now, by code.
    pub beats: Vec<String>,
}

/// The order of lists of people, and of what is theirs: by name, namesakes in no meaningful one.
pub type PersonKey = (SortKey, Uuid);

/// A page of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeoplePage {
    /// By name.
    pub people: Vec<PersonShown>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<PersonKey>>,
}

/// One page of all people who work a beat within; headquarters' own hand is nobody.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    page: &Page<PersonKey>,
    now: Millis,
) -> Result<PeoplePage, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT p.person, p.name, p.name_key, {} AS beats
         FROM person p WHERE p.person <> ?2 AND (p.name_key, p.person) > (?3, ?4)
             AND p.person NOT IN (SELECT person FROM joined_person WHERE goes_as <> person) AND {}
         ORDER BY p.name_key, p.person LIMIT ?5",
        beats_of("p.person", "?1", "?6"),
        works_within("p.person", "?1", "?6")
    ))?;
    let (name, id) = after(page);
    let rows =
        statement.query_map(params![now.0, HEADQUARTERS.as_bytes(), name, id, page.and_one(), reach], |row| {
            let person = PersonShown {
                person: PersonId::from_bytes(row.get("person")?),
                name: row.get("name")?,
                beats: codes(row.get("beats")?),
            };
            let key = SortKey::from_bytes(row.get("name_key")?);
            Ok(((key, Uuid::from_bytes(*person.person.as_bytes())), person))
        })?;
    let (people, next) = page.cut(rows.collect::<Result<_, _>>()?);
    Ok(PeoplePage { people, next })
}

/// Where a page begins: before everybody, unless it has a cursor.
pub(super) fn after(page: &Page<PersonKey>) -> (&[u8], &[u8]) {
    page.after().map_or((&[], &[]), |(name, id)| (name.as_bytes(), id.as_bytes()))
}

/// SQL for the codes of the beats within that a person may write in at a time, all given as SQL; read by [`codes`].
pub(super) fn beats_of(person: &'static str, at: &'static str, reach: &'static str) -> String {
    format!(
        "(SELECT group_concat(b.code, char(10)) FROM beat b WHERE b.scope_no IN
             (SELECT g.scope_no FROM granted g WHERE g.person = {person} AND in_force(g.from_ms, g.until_ms, {at}))
         AND ({reach} IS NULL OR b.scope_no IN (SELECT value FROM json_each({reach}))))"
    )
}

/// SQL for whether a person may write in a beat within at a time, all given as SQL.
pub(super) fn works_within(person: &'static str, at: &'static str, reach: &'static str) -> String {
    format!(
        "({reach} IS NULL OR {person} IN
             (SELECT g.person FROM granted g WHERE g.scope_no IN (SELECT value FROM json_each({reach}))
              AND in_force(g.from_ms, g.until_ms, {at})))"
    )
}

/// What [`beats_of`] found.
pub(super) fn codes(joined: Option<String>) -> Vec<String> {
    let mut codes: Vec<_> = joined.iter().flat_map(|codes| codes.split('\n')).map(str::to_owned).collect();
    codes.sort_by_cached_key(|code| SortKey::of(code));
    codes
}
