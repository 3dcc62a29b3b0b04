//! Which beat, place and person a table speaks of that has them by the way: an old visit names where it was and whose.
//!
//! A load ([`Plan`](super::Plan)) makes each of its rows one place. Here many rows speak of one place, and nothing is made.

use std::collections::{HashMap, HashSet};

use aralau_sync_core::{
    id::{DocumentId, PersonId},
    visit::{ACTIVE, Coordinates},
};
use rusqlite::Connection;

use super::{
    identity::{clean, key},
    near::Names,
    region::{Region, is_swapped},
    remaining::remaining,
};
use crate::store::{BeatRow, HEADQUARTERS, StoreError, directory};

/// What is looked for, each by its [`key`]: a deployment may have millions of places.
#[derive(Debug, Default)]
pub struct Sought {
    /// External codes of places.
    pub codes: HashSet<String>,
    /// Addresses of places.
    pub addresses: HashSet<String>,
}

/// A place of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FoundPlace {
    /// The scope, by its number.
    pub scope_no: i64,
    /// The document.
    pub id: DocumentId,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    place: FoundPlace,
    /// The one that is called so: it may have turned out to be another, which may have moved since.
    called: FoundPlace,
    is_active: bool,
    has_code: bool,
}

impl Candidate {
    /// Whether a row of this beat may mean it.
    const fn is_of(&self, scope_no: i64) -> bool {
        self.place.scope_no == scope_no || self.called.scope_no == scope_no
    }

    /// What a visit is written down as being at: the place that its row names, so that it goes with that one if the two are
    /// parted again; but in the log where the one that remains is now.
    const fn written_as(&self) -> FoundPlace {
        if self.called.scope_no == self.place.scope_no { self.called } else { self.place }
    }
}

/// Why something is not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// There is none.
    Unknown,
    /// There are several, and nothing tells which is meant.
    Ambiguous,
}

/// Somebody by one of their names.
#[derive(Debug)]
struct Named {
    name: String,
    /// Who was called so first, and is named in what is written.
    person: PersonId,
    goes_as: PersonId,
}

/// One snapshot of what an organisation has, by the names under which it is looked for.
#[derive(Debug, Default)]
pub struct Lookup {
    beats: Vec<BeatRow>,
    beats_by_word: HashMap<String, Vec<usize>>,
    people: HashMap<String, Vec<Named>>,
    names: Names,
    by_code: HashMap<String, Vec<Candidate>>,
    by_address: HashMap<String, Vec<Candidate>>,
    region: Option<Region>,
}

impl Lookup {
    /// Reads beats, people and the places sought.
    pub fn read(connection: &Connection, sought: &Sought) -> Result<Self, StoreError> {
        let mut found =
            Self { beats: directory::beats(connection)?, region: Region::read(connection)?, ..Self::default() };
        for (at, beat) in found.beats.iter().enumerate() {
            found.beats_by_word.entry(key(&beat.code)).or_default().insert(0, at);
            if key(&beat.name) != key(&beat.code) {
                found.beats_by_word.entry(key(&beat.name)).or_default().push(at);
            }
        }
        for named in named(connection)? {
            found.names.add(&named.name);
            found.people.entry(key(&named.name)).or_default().push(named);
        }
        if !(sought.codes.is_empty() && sought.addresses.is_empty()) {
            found.read_places(connection, sought)?;
        }
        Ok(found)
    }

    /// A place that turned out to be another is that one, by what it was called as well.
    fn read_places(&mut self, connection: &Connection, sought: &Sought) -> Result<(), StoreError> {
        let mut statement = connection.prepare(
            "SELECT p.scope_no, d.document, p.address, p.external_code, p.status
             FROM place p JOIN document d USING (document_no) ORDER BY p.document_no",
        )?;
        let remaining = remaining(connection)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |at| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(at)?.map(|text| key(&text)));
            let (address, code) = (text(2)?, text(3)?.filter(|code| !code.is_empty()));
            let called = FoundPlace { scope_no: row.get(0)?, id: DocumentId::from_bytes(row.get(1)?) };
            let is_active = row.get_ref(4)?.as_str().unwrap_or_default() == ACTIVE;
            let goes_as = remaining.get(&called);
            let candidate = Candidate {
                place: goes_as.map_or(called, |remaining| remaining.place),
                called,
                is_active: goes_as.map_or(is_active, |remaining| remaining.is_active),
                has_code: code.is_some(),
            };
            if let Some(code) = code.filter(|code| sought.codes.contains(code)) {
                self.by_code.entry(code).or_default().push(candidate);
            }
            if let Some(address) = address.filter(|address| sought.addresses.contains(address)) {
                self.by_address.entry(address).or_default().push(candidate);
            }
        }
        Ok(())
    }

    /// The beat of a code, or of a name.
    pub fn beat(&self, word: &str) -> Result<&BeatRow, Lost> {
        match self.beats_by_word.get(&key(word)).map(Vec::as_slice) {
            Some([only]) => Ok(&self.beats[*only]),
            // A code stands before names, and there is one beat of a code.
            Some([first, ..]) if key(&self.beats[*first].code) == key(word) => Ok(&self.beats[*first]),
            Some([_, ..]) => Err(Lost::Ambiguous),
            Some([]) | None => Err(Lost::Unknown),
        }
    }

    /// The beat of a scope.
    pub fn beat_of(&self, scope_no: i64) -> Option<&BeatRow> {
        self.beats.iter().find(|beat| beat.scope_no == scope_no)
    }

    /// Whether a point has its latitude and longitude exchanged, as far as the places tell it.
    pub fn is_swapped(&self, point: Coordinates) -> bool {
        is_swapped(point, self.region)
    }

    /// The person of a name, however it is spaced and in whichever case. Of several, the one who is written just so.
    pub fn person(&self, name: &str) -> Result<PersonId, Lost> {
        let called = self.people.get(&key(name)).map_or(&[][..], Vec::as_slice);
        let cleaned = clean(name);
        let is_one = |called: &[&Named]| called.windows(2).all(|pair| pair[0].goes_as == pair[1].goes_as);
        let all: Vec<&Named> = called.iter().collect();
        let just_so: Vec<&Named> = called.iter().filter(|named| named.name == cleaned).collect();
        match [all, just_so].into_iter().find(|called| !called.is_empty() && is_one(called)) {
            // Whoever is called so and nothing else stands before those who turned out to be them.
            Some(one) => {
                let own = one.iter().find(|named| named.person == named.goes_as).or(one.first());
                own.map(|named| named.person).ok_or(Lost::Unknown)
            }
            None if called.is_empty() => Err(Lost::Unknown),
            None => Err(Lost::Ambiguous),
        }
    }

    /// Names that may have been meant.
    pub fn near(&self, name: &str) -> Vec<String> {
        self.names.near(name)
    }

    /// The place of an external code, within the whole deployment; else of an address, in its beat where that is known. A
    /// place that has another code is not meant by its address alone.
    pub fn place(&self, scope_no: Option<i64>, code: Option<&str>, address: Option<&str>) -> Result<FoundPlace, Lost> {
        if let Some(found) = code.and_then(|code| self.by_code.get(&key(code))) {
            return one_of(found.iter().copied(), scope_no, false);
        }
        let found = address.and_then(|address| self.by_address.get(&key(address))).map_or(&[][..], Vec::as_slice);
        let is_here = |candidate: &Candidate| scope_no.is_none_or(|scope_no| candidate.is_of(scope_no));
        let here = found.iter().copied().filter(is_here);
        match code {
            Some(_) => one_of(here.filter(|candidate| !candidate.has_code), scope_no, true),
            None => one_of(here, scope_no, true),
        }
    }
}

/// The one that counts; else the one that was withdrawn. `by_address`: those without a code stand first.
fn one_of(
    candidates: impl Iterator<Item = Candidate>,
    scope_no: Option<i64>,
    by_address: bool,
) -> Result<FoundPlace, Lost> {
    let rank = |candidate: &Candidate| {
        let is_here = scope_no.is_some_and(|scope_no| candidate.is_of(scope_no));
        (!candidate.is_active, !is_here, by_address && candidate.has_code)
    };
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_by_key(|candidate| (rank(candidate), candidate.called != candidate.place));
    let mut known = HashSet::new();
    candidates.retain(|candidate| known.insert(candidate.place));
    match candidates[..] {
        [] => Err(Lost::Unknown),
        [first, second, ..] if rank(&first) == rank(&second) => Err(Lost::Ambiguous),
        [first, ..] => Ok(first.written_as()),
    }
}

/// Everybody but headquarters' own hand, by each of their names.
fn named(connection: &Connection) -> Result<Vec<Named>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT p.person, coalesce(goes_as, p.person), name FROM person p LEFT JOIN joined_person j USING (person)
         WHERE p.person <> ? ORDER BY name, p.person",
    )?;
    let named = statement.query_map([HEADQUARTERS.as_bytes()], |row| {
        Ok(Named {
            person: PersonId::from_bytes(row.get(0)?),
            goes_as: PersonId::from_bytes(row.get(1)?),
            name: row.get(2)?,
        })
    })?;
    Ok(named.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(number: u128, scope_no: i64, is_active: bool, has_code: bool) -> Candidate {
        let place = FoundPlace { scope_no, id: DocumentId(uuid::Uuid::from_u128(number)) };
        Candidate { place, called: place, is_active, has_code }
    }

    fn number(found: Result<FoundPlace, Lost>) -> Result<u128, Lost> {
        found.map(|place| place.id.0.as_u128())
    }

    #[test]
    fn a_place_is_found_by_its_code_wherever_it_is_and_by_its_address_in_its_beat() {
        let mut lookup = Lookup::default();
        let places = [
            ("a-1", "абая 1", candidate(1, 7, false, true)),
            ("a-1", "абая 1", candidate(2, 8, true, true)),
            ("", "абая 2", candidate(3, 7, true, false)),
            ("a-3", "абая 2", candidate(4, 7, true, true)),
            ("", "абая 3", candidate(5, 7, true, false)),
            ("", "абая 3", candidate(6, 8, true, false)),
        ];
        for (code, address, candidate) in places {
            lookup.by_code.entry(code.to_owned()).or_default().push(candidate);
            lookup.by_address.entry(address.to_owned()).or_default().push(candidate);
        }
        let found = |scope_no, code, address| number(lookup.place(scope_no, code, address));
        assert_eq!(found(Some(7), Some("A-1"), None), Ok(2), "where it counts now");
        assert_eq!(found(Some(7), Some("A-3"), Some("Абая 9")), Ok(4));
        assert_eq!(found(Some(7), Some("new"), Some("Абая 2")), Ok(3), "the one without a code");
        assert_eq!(found(Some(7), None, Some(" абая  2")), Ok(3));
        assert_eq!(found(Some(8), None, Some("Абая 3")), Ok(6));
        assert_eq!(found(None, None, Some("Абая 3")), Err(Lost::Ambiguous));
        assert_eq!(found(Some(7), Some("new"), Some("Абая 1")), Err(Lost::Unknown));
        assert_eq!(found(Some(9), None, Some("Абая 1")), Err(Lost::Unknown));
    }
}
