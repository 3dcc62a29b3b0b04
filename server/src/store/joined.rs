//! Places and people that turned out to be one. Their documents, devices and rights stay what they are: only what is told of
//! them is told of the one that remains, and everything can be told apart again.
//!
//! A row of `visit` names the place and the author that its own *go as*, so that no question has to know of any of this; what
//! the visit says itself is kept in `visit_said` where it differs.

use std::collections::BTreeSet;

use aralau_sync_core::id::{DocumentId, PersonId};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, coverage, follow_up};

/// A name of sixteen bytes.
type Id = [u8; 16];

/// The place that one goes as within its beat.
pub fn place(connection: &Connection, scope_no: i64, place: DocumentId) -> Result<DocumentId, StoreError> {
    Ok(DocumentId::from_bytes(Places(scope_no).goes_as(connection, *place.as_bytes())?))
}

/// The same, of whichever beat it is.
pub fn place_anywhere(connection: &Connection, place: DocumentId) -> Result<DocumentId, StoreError> {
    let mut statement = connection.prepare_cached("SELECT goes_as FROM joined_place WHERE place = ? LIMIT 1")?;
    let found = statement.query_row([place.as_bytes()], |row| Ok(DocumentId::from_bytes(row.get(0)?)));
    Ok(found.optional()?.unwrap_or(place))
}

/// The person that one goes as.
pub fn person(connection: &Connection, person: PersonId) -> Result<PersonId, StoreError> {
    Ok(PersonId::from_bytes(People.goes_as(connection, *person.as_bytes())?))
}

/// This person, and everybody who goes as them.
pub fn everybody_who_is(connection: &Connection, person: PersonId) -> Result<Vec<PersonId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT person FROM joined_person WHERE goes_as = ?1 AND person <> ?1")?;
    let others = statement.query_map([person.as_bytes()], |row| Ok(PersonId::from_bytes(row.get(0)?)))?;
    std::iter::once(Ok(person)).chain(others.map(|other| Ok(other?))).collect()
}

/// How many visits say this place themselves.
pub fn visits_of_place(connection: &Connection, scope_no: i64, place: DocumentId) -> Result<u64, StoreError> {
    Ok(Places(scope_no).visits(connection, *place.as_bytes())?.len() as u64)
}

/// How many visits are this person's by themselves.
pub fn visits_of_person(connection: &Connection, person: PersonId) -> Result<u64, StoreError> {
    Ok(People.visits(connection, *person.as_bytes())?.len() as u64)
}

/// Whether a place says that it is another.
pub fn is_part(connection: &Connection, scope_no: i64, place: DocumentId) -> Result<bool, StoreError> {
    Ok(Places(scope_no).row(connection, *place.as_bytes())?.is_some())
}

/// Whether the directory says that a person is another.
pub fn is_another(connection: &Connection, person: PersonId) -> Result<bool, StoreError> {
    Ok(People.row(connection, *person.as_bytes())?.is_some())
}

/// A place has become part of another one of its beat, or is itself again; or it `is_new`, and others named it before it was there.
pub(super) fn follow_place(
    tx: &Connection,
    scope_no: i64,
    place: DocumentId,
    into: Option<DocumentId>,
    is_new: bool,
) -> Result<(), StoreError> {
    follow(tx, &Places(scope_no), *place.as_bytes(), into.map(|into| *into.as_bytes()), is_new)
}

/// A person turned out to be another, or is themselves again.
pub(super) fn follow_person(tx: &Connection, person: PersonId, into: Option<PersonId>) -> Result<(), StoreError> {
    follow(tx, &People, *person.as_bytes(), into.map(|into| *into.as_bytes()), false)
}

/// What a visit says of its place and its author where it is found under others.
pub(super) fn note_said(
    tx: &Connection,
    document_no: i64,
    is_new: bool,
    place: Option<DocumentId>,
    author: Option<PersonId>,
) -> Result<(), StoreError> {
    if place.is_some() || author.is_some() {
        tx.prepare_cached("INSERT OR REPLACE INTO visit_said (document_no, place, author) VALUES (?, ?, ?)")?.execute(
            params![document_no, place.map(|place| *place.as_bytes()), author.map(|author| *author.as_bytes())],
        )?;
    } else if !is_new {
        tx.prepare_cached("DELETE FROM visit_said WHERE document_no = ?")?.execute([document_no])?;
    }
    Ok(())
}

/// One kind of thing that can turn out to be another of its kind.
trait Joined {
    /// What it goes as: itself, unless it is joined.
    fn goes_as(&self, connection: &Connection, id: Id) -> Result<Id, StoreError> {
        Ok(self.row(connection, id)?.map_or(id, |(_, goes_as)| goes_as))
    }

    /// What it is part of, and what that goes as.
    fn row(&self, connection: &Connection, id: Id) -> Result<Option<(Id, Id)>, StoreError>;

    fn parts(&self, connection: &Connection, of: Id) -> Result<Vec<Id>, StoreError>;

    fn write(&self, tx: &Connection, id: Id, into: Option<(Id, Id)>) -> Result<(), StoreError>;

    /// Whether there is one to go as: nothing is found under a name that means nothing here.
    fn is_there(&self, connection: &Connection, id: Id) -> Result<bool, StoreError>;

    /// The visits that say this one themselves.
    fn visits(&self, connection: &Connection, id: Id) -> Result<Vec<i64>, StoreError>;

    /// Visits that say `id` are found under `goes_as` from now on.
    fn find_under(&self, tx: &Connection, visits: &[i64], id: Id, goes_as: Id) -> Result<(), StoreError>;
}

fn follow(tx: &Connection, kind: &impl Joined, id: Id, into: Option<Id>, is_new: bool) -> Result<(), StoreError> {
    // Nothing is part of itself.
    let into = into.filter(|into| *into != id);
    let is_same = kind.row(tx, id)?.map(|(into, _)| into) == into;
    if is_same && (!is_new || kind.parts(tx, id)?.is_empty()) {
        return Ok(());
    }
    if !is_same {
        kind.write(tx, id, into.map(|into| (into, into)))?;
    }
    let (mut all, mut at) = (vec![id], 0);
    while let Some(one) = all.get(at).copied() {
        at += 1;
        for part in kind.parts(tx, one)? {
            if !all.contains(&part) {
                all.push(part);
            }
        }
    }
    for part in all {
        let goes_as = end_of_chain(tx, kind, part)?;
        if let Some((into, _)) = kind.row(tx, part)? {
            kind.write(tx, part, Some((into, goes_as)))?;
        }
        let visits = kind.visits(tx, part)?;
        kind.find_under(tx, &visits, part, goes_as)?;
    }
    Ok(())
}

/// Where the chain ends that begins here. Two servers may each have joined one into the other: of such a ring the lowest name
/// remains, by which all agree.
fn end_of_chain(connection: &Connection, kind: &impl Joined, from: Id) -> Result<Id, StoreError> {
    let (mut seen, mut at) = (Vec::new(), from);
    loop {
        if let Some(begins) = seen.iter().position(|known| *known == at) {
            return Ok(seen[begins..].iter().min().copied().unwrap_or(at));
        }
        seen.push(at);
        match kind.row(connection, at)? {
            Some((into, _)) if kind.is_there(connection, into)? => at = into,
            Some(_) | None => return Ok(at),
        }
    }
}

/// Of one beat, by the number of its scope.
struct Places(i64);

impl Joined for Places {
    fn row(&self, connection: &Connection, id: Id) -> Result<Option<(Id, Id)>, StoreError> {
        let mut statement = connection
            .prepare_cached("SELECT into_place, goes_as FROM joined_place WHERE place = ? AND scope_no = ?")?;
        Ok(statement.query_row(params![id, self.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn parts(&self, connection: &Connection, of: Id) -> Result<Vec<Id>, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT place FROM joined_place WHERE into_place = ? AND scope_no = ?")?;
        let parts = statement.query_map(params![of, self.0], |row| row.get(0))?;
        Ok(parts.collect::<Result<_, _>>()?)
    }

    fn write(&self, tx: &Connection, id: Id, into: Option<(Id, Id)>) -> Result<(), StoreError> {
        match into {
            Some((into, goes_as)) => tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO joined_place (place, scope_no, into_place, goes_as) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![id, self.0, into, goes_as])?,
            None => tx
                .prepare_cached("DELETE FROM joined_place WHERE place = ? AND scope_no = ?")?
                .execute(params![id, self.0])?,
        };
        Ok(())
    }

    fn visits(&self, connection: &Connection, id: Id) -> Result<Vec<i64>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT document_no FROM visit_said JOIN visit v USING (document_no)
             WHERE visit_said.place = ?1 AND v.scope_no = ?2
             UNION SELECT document_no FROM visit v WHERE place = ?1 AND scope_no = ?2 AND NOT EXISTS
                 (SELECT 1 FROM visit_said s WHERE s.document_no = v.document_no AND s.place IS NOT NULL)",
        )?;
        let visits = statement.query_map(params![id, self.0], |row| row.get(0))?;
        Ok(visits.collect::<Result<_, _>>()?)
    }

    fn is_there(&self, connection: &Connection, id: Id) -> Result<bool, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT 1 FROM document d JOIN place p USING (document_no) WHERE d.document = ? AND d.scope_no = ?",
        )?;
        Ok(statement.exists(params![id, self.0])?)
    }

    /// What is counted by day or by what was promised stays as it is; how the places stand is asked again, once for each.
    fn find_under(&self, tx: &Connection, visits: &[i64], id: Id, goes_as: Id) -> Result<(), StoreError> {
        let mut places = BTreeSet::new();
        let mut concerns = BTreeSet::new();
        for document_no in visits {
            let found_under: Id = tx
                .prepare_cached("SELECT place FROM visit WHERE document_no = ?")?
                .query_row([document_no], |row| row.get(0))?;
            if found_under == goes_as {
                continue;
            }
            places.extend([found_under, goes_as]);
            for category in follow_up::written_categories(tx, *document_no)? {
                concerns.insert((found_under, category.clone()));
                concerns.insert((goes_as, category));
            }
            tx.prepare_cached("UPDATE visit SET place = ? WHERE document_no = ?")?
                .execute(params![goes_as, document_no])?;
            say(tx, *document_no, "place", (id != goes_as).then_some(id))?;
        }
        places.iter().try_for_each(|place| coverage::ask_again(tx, self.0, place))?;
        concerns.iter().try_for_each(|(place, category)| follow_up::ask_again(tx, self.0, place, category))
    }
}

/// Of the directory.
struct People;

impl Joined for People {
    fn row(&self, connection: &Connection, id: Id) -> Result<Option<(Id, Id)>, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT into_person, goes_as FROM joined_person WHERE person = ?")?;
        Ok(statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn parts(&self, connection: &Connection, of: Id) -> Result<Vec<Id>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT person FROM joined_person WHERE into_person = ?")?;
        let parts = statement.query_map([of], |row| row.get(0))?;
        Ok(parts.collect::<Result<_, _>>()?)
    }

    fn write(&self, tx: &Connection, id: Id, into: Option<(Id, Id)>) -> Result<(), StoreError> {
        match into {
            Some((into, goes_as)) => tx
                .prepare_cached("INSERT OR REPLACE INTO joined_person (person, into_person, goes_as) VALUES (?, ?, ?)")?
                .execute(params![id, into, goes_as])?,
            None => tx.prepare_cached("DELETE FROM joined_person WHERE person = ?")?.execute([id])?,
        };
        Ok(())
    }

    fn visits(&self, connection: &Connection, id: Id) -> Result<Vec<i64>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT document_no FROM visit_said WHERE author = ?1
             UNION SELECT document_no FROM visit v WHERE author = ?1 AND NOT EXISTS
                 (SELECT 1 FROM visit_said s WHERE s.document_no = v.document_no AND s.author IS NOT NULL)",
        )?;
        let visits = statement.query_map([id], |row| row.get(0))?;
        Ok(visits.collect::<Result<_, _>>()?)
    }

    fn is_there(&self, connection: &Connection, id: Id) -> Result<bool, StoreError> {
        Ok(connection.prepare_cached("SELECT 1 FROM person WHERE person = ?")?.exists([id])?)
    }

    fn find_under(&self, tx: &Connection, visits: &[i64], id: Id, goes_as: Id) -> Result<(), StoreError> {
        for document_no in visits {
            tx.prepare_cached("UPDATE visit SET author = ? WHERE document_no = ?")?
                .execute(params![goes_as, document_no])?;
            say(tx, *document_no, "author", (id != goes_as).then_some(id))?;
        }
        Ok(())
    }
}

/// Notes what a visit says of one thing, and nothing at all where it says nothing else.
fn say(tx: &Connection, document_no: i64, column: &str, said: Option<Id>) -> Result<(), StoreError> {
    tx.prepare_cached(&format!(
        "INSERT INTO visit_said (document_no, {column}) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET {column} = ?2"
    ))?
    .execute(params![document_no, said])?;
    tx.prepare_cached("DELETE FROM visit_said WHERE document_no = ? AND place IS NULL AND author IS NULL")?
        .execute([document_no])?;
    Ok(())
}
