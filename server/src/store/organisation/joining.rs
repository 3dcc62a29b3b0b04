//! Places and people that an organisation has twice: found by whatever names them, made one, and told apart again.

use aralau_sync_core::{
    change::{STATUS, Value},
    collation::SortKey,
    directory::Control,
    id::{DocumentId, Kind, PersonId},
    time::Millis,
    visit::{ACTIVE, WITHDRAWN, field},
};
use rusqlite::{Connection, params};

use super::identity::key;
use crate::store::{
    BeatRow, Identity, StoreError, Transaction,
    custody::{self, Edit},
    directory::{self, HEADQUARTERS},
    joined, projection,
};

/// Something that may be meant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Named<T> {
    /// Its id.
    pub id: T,
    /// Its address, or their name.
    pub name: String,
    /// Its external code, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_code: Option<String>,
    /// The beat that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beat: Option<String>,
    #[serde(skip)]
    scope_no: i64,
    #[serde(skip)]
    status: Option<String>,
}

/// Why two are not made one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotJoined<T> {
    /// There is none of this name.
    Unknown(String),
    /// There are several.
    Ambiguous(String, Vec<Named<T>>),
    /// It is itself, or part of what is to become part of it.
    Itself,
    /// They are of two beats.
    TwoBeats,
    /// It is withdrawn: nobody would look there.
    Withdrawn,
    /// It is part of nothing.
    Apart,
    /// It is part of another already.
    Part,
}

/// What was made one, or is two again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MadeOne<T> {
    /// What was something of its own.
    pub was: Named<T>,
    /// What it goes as; nothing, if it is something of its own again.
    pub goes_as: Option<Named<T>>,
    /// Visits that say the first of the two themselves.
    pub visits: u64,
}

/// The places of a word: an id, which an index finds, or an external code or address, for which all are read. Whoever joins
/// types two words, and no index is kept up for that with each place.
pub fn places_called(
    connection: &Connection,
    beat: Option<&BeatRow>,
    word: &str,
) -> Result<Vec<Named<DocumentId>>, StoreError> {
    let (id, wanted) = (word.parse::<DocumentId>().ok(), key(word));
    let condition = match (id, beat) {
        (Some(_), _) => "d.document = ?1 AND (?2 IS NULL OR p.scope_no = ?2)",
        (None, Some(_)) => "?1 IS NULL AND p.scope_no = ?2",
        (None, None) => "?1 IS NULL AND ?2 IS NULL",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT d.document, p.address, p.external_code, b.code, p.scope_no, p.status
         FROM place p JOIN document d USING (document_no) LEFT JOIN beat b ON b.scope_no = p.scope_no
         WHERE {condition} ORDER BY p.document_no",
    ))?;
    let mut rows = statement.query(params![id.map(|id| *id.as_bytes()), beat.map(|beat| beat.scope_no)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let named = Named {
            id: DocumentId::from_bytes(row.get(0)?),
            name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            external_code: row.get(2)?,
            beat: row.get(3)?,
            scope_no: row.get(4)?,
            status: row.get(5)?,
        };
        let is_called = |text: &str| !text.is_empty() && key(text) == wanted;
        if id.is_some() || is_called(&named.name) || named.external_code.as_deref().is_some_and(is_called) {
            found.push(named);
        }
    }
    // As people look for them: the same address stands in several beats.
    found
        .sort_by_cached_key(|named| (SortKey::of(named.beat.as_deref().unwrap_or_default()), SortKey::of(&named.name)));
    Ok(found)
}

/// The people of a word: an id, or a name.
pub fn people_called(connection: &Connection, word: &str) -> Result<Vec<Named<PersonId>>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT person, name FROM person WHERE person <> ? ORDER BY person")?;
    let mut rows = statement.query([HEADQUARTERS.as_bytes()])?;
    let (id, wanted) = (word.parse::<PersonId>().ok(), key(word));
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (person, name) = (PersonId::from_bytes(row.get(0)?), row.get::<_, String>(1)?);
        if id.map_or_else(|| key(&name) == wanted, |id| person == id) {
            found.push(Named { id: person, name, external_code: None, beat: None, scope_no: 0, status: None });
        }
    }
    Ok(found)
}

type Both<T> = Result<(Named<T>, Named<T>), NotJoined<T>>;

fn both<T>(
    (was, into): (&str, &str),
    called: impl Fn(&str) -> Result<Vec<Named<T>>, StoreError>,
) -> Result<Both<T>, StoreError> {
    let (first, second) = (called(was)?, called(into)?);
    Ok(only(was, first).and_then(|was| Ok((was, only(into, second)?))))
}

fn only<T>(word: &str, mut found: Vec<Named<T>>) -> Result<Named<T>, NotJoined<T>> {
    match found.len() {
        0 => Err(NotJoined::Unknown(word.to_owned())),
        1 => Ok(found.remove(0)),
        _ => Err(NotJoined::Ambiguous(word.to_owned(), found)),
    }
}

/// Makes a place part of another one of its beat: it is withdrawn, and what was said of it is found under the other.
pub fn join_places(
    tx: &Transaction<'_>,
    identity: &Identity,
    beat: Option<&BeatRow>,
    (place, into): (&str, &str),
    now: Millis,
) -> Result<Result<MadeOne<DocumentId>, NotJoined<DocumentId>>, StoreError> {
    let (was, into) = match both((place, into), |word| places_called(tx, beat, word))? {
        Ok(both) => both,
        Err(not) => return Ok(Err(not)),
    };
    if was.scope_no != into.scope_no {
        return Ok(Err(NotJoined::TwoBeats));
    }
    if joined::is_part(tx, was.scope_no, was.id)? {
        return Ok(Err(NotJoined::Part));
    }
    if joined::place(tx, into.scope_no, into.id)? == was.id {
        return Ok(Err(NotJoined::Itself));
    }
    if joined::place(tx, into.scope_no, into.id)? == into.id && into.status.as_deref() != Some(ACTIVE) {
        return Ok(Err(NotJoined::Withdrawn));
    }
    let status = (was.status.as_deref() == Some(ACTIVE)).then_some(WITHDRAWN);
    let joined = Value::Text(into.id.to_string());
    say_joined(tx, identity, &was, (&Value::Null, joined), status, now)?;
    let visits = joined::visits_of_place(tx, was.scope_no, was.id)?;
    Ok(Ok(MadeOne { was, goes_as: Some(into), visits }))
}

/// Makes a place something of its own again.
pub fn part_place(
    tx: &Transaction<'_>,
    identity: &Identity,
    beat: Option<&BeatRow>,
    place: &str,
    now: Millis,
) -> Result<Result<MadeOne<DocumentId>, NotJoined<DocumentId>>, StoreError> {
    let mut found = places_called(tx, beat, place)?;
    // Of several of a name it is the one that is part of another.
    if found.len() > 1 {
        let mut parts = Vec::new();
        for named in found {
            if joined::is_part(tx, named.scope_no, named.id)? {
                parts.push(named);
            }
        }
        found = parts;
    }
    let was = match only(place, found) {
        Ok(was) => was,
        Err(not) => return Ok(Err(not)),
    };
    if !joined::is_part(tx, was.scope_no, was.id)? {
        return Ok(Err(NotJoined::Apart));
    }
    let Some((into, withdrew)) = joining(tx, &was)? else { return Ok(Err(NotJoined::Apart)) };
    say_joined(tx, identity, &was, (&into, Value::Null), withdrew.then_some(ACTIVE), now)?;
    let visits = joined::visits_of_place(tx, was.scope_no, was.id)?;
    Ok(Ok(MadeOne { was, goes_as: None, visits }))
}

/// What headquarters last joined a place into, and whether that also withdrew it.
fn joining(tx: &Transaction<'_>, place: &Named<DocumentId>) -> Result<Option<(Value, bool)>, StoreError> {
    let (ground, _) = projection::load(tx, place.scope_no, place.id)?;
    for change in ground.document.changes().iter().rev() {
        let into = change.puts().iter().find(|put| put.key == field::JOINED_INTO && put.value.as_text().is_some());
        let Some(into) = into else { continue };
        if directory::is_headquarters(tx, change.actor().replica)? {
            return Ok(Some((into.value.clone(), change.puts().iter().any(|put| put.key == STATUS))));
        }
    }
    Ok(None)
}

/// Puts what a place is, or that it is itself. Where a phone put the same already that would be no change, and nobody's word: then
/// what it is `before` is put first.
fn say_joined(
    tx: &Transaction<'_>,
    identity: &Identity,
    place: &Named<DocumentId>,
    (before, now_is): (&Value, Value),
    status: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    let (ground, _) = projection::load(tx, place.scope_no, place.id)?;
    let live = ground.document.live_of(field::JOINED_INTO);
    if !live.is_empty() && live.iter().all(|(_, value)| **value == now_is) {
        edit(tx, identity, place, vec![(field::JOINED_INTO.to_owned(), before.clone())], now)?;
    }
    let status = status.map(|status| (STATUS.to_owned(), Value::Text(status.to_owned())));
    let joined = (field::JOINED_INTO.to_owned(), now_is);
    edit(tx, identity, place, std::iter::once(joined).chain(status).collect(), now)
}

fn edit(
    tx: &Transaction<'_>,
    identity: &Identity,
    place: &Named<DocumentId>,
    puts: Vec<(String, Value)>,
    now: Millis,
) -> Result<(), StoreError> {
    let edits = [Edit { kind: Kind::PLACE, id: place.id, puts }];
    let written = custody::author_all(tx, identity, place.scope_no, &edits, tx.by(), now, &|_| {})?;
    written.map_err(|error| StoreError::Internal(format!("a place was refused: {error:?}")))
}

/// Makes two names in the directory one person: what was written under the first is found under the second, and from now on either
/// may do what both may. The phones of either go on as they are.
pub fn join_people(
    tx: &Transaction<'_>,
    (person, into): (&str, &str),
    now: Millis,
) -> Result<Result<MadeOne<PersonId>, NotJoined<PersonId>>, StoreError> {
    let (was, into) = match both((person, into), |word| people_called(tx, word))? {
        Ok(both) => both,
        Err(not) => return Ok(Err(not)),
    };
    if joined::is_another(tx, was.id)? {
        return Ok(Err(NotJoined::Part));
    }
    let goes_as = joined::person(tx, into.id)?;
    if goes_as == was.id {
        return Ok(Err(NotJoined::Itself));
    }
    directory::record(tx, &Control::PersonJoined { person: was.id, into: Some(into.id) }, now)?;
    // Under each of the names, for the phones that enrolled as either.
    for beat in [directory::beats_of(tx, was.id, now)?, directory::beats_of(tx, goes_as, now)?].concat() {
        directory::grant(tx, goes_as, beat.scope, now)?;
    }
    let visits = joined::visits_of_person(tx, was.id)?;
    Ok(Ok(MadeOne { was, goes_as: Some(into), visits }))
}

/// Makes a name in the directory somebody of their own again. What the other was given with it stays given.
pub fn part_person(
    tx: &Transaction<'_>,
    person: &str,
    now: Millis,
) -> Result<Result<MadeOne<PersonId>, NotJoined<PersonId>>, StoreError> {
    let mut found = people_called(tx, person)?;
    if found.len() > 1 {
        let mut others = Vec::new();
        for named in found {
            if joined::is_another(tx, named.id)? {
                others.push(named);
            }
        }
        found = others;
    }
    let was = match only(person, found) {
        Ok(was) => was,
        Err(not) => return Ok(Err(not)),
    };
    if !joined::is_another(tx, was.id)? {
        return Ok(Err(NotJoined::Apart));
    }
    directory::record(tx, &Control::PersonJoined { person: was.id, into: None }, now)?;
    let visits = joined::visits_of_person(tx, was.id)?;
    Ok(Ok(MadeOne { was, goes_as: None, visits }))
}
