//! What a row of places is of those that are known.

use std::collections::{HashMap, HashSet};

use aralau_sync_core::{id::DocumentId, visit::ACTIVE};

use super::{
    super::{find::FoundPlace, identity::key, known::KnownPlace},
    places::Row,
};

/// The places that are known, by what they are compared by.
pub(super) struct Index<'a> {
    pub(super) places: &'a [KnownPlace],
    by_code: HashMap<String, Vec<usize>>,
    by_address: HashMap<(i64, String), Vec<usize>>,
    /// Those that turned out to be others, by what they were called.
    joined_by_code: HashMap<String, FoundPlace>,
    joined_by_address: HashMap<(i64, String), (bool, FoundPlace)>,
    claimed: HashSet<usize>,
}

/// What a row turns out to be.
pub(super) enum Found {
    /// A place of its beat.
    Same(usize),
    /// A place of another beat; perhaps it has been in this one before.
    Elsewhere { from: usize, back: Option<usize> },
    /// One that turned out to be another, which has its own name, and its own beat by now.
    Joined(FoundPlace),
    /// None that is known.
    New,
    /// Any of several.
    Ambiguous,
    /// One that was asked for by its id, and is not there.
    Unknown,
    /// One whose code another place has.
    CodeTaken,
}

impl<'a> Index<'a> {
    pub(super) fn of(places: &'a [KnownPlace]) -> Self {
        let mut index = Self {
            places,
            by_code: HashMap::new(),
            by_address: HashMap::with_capacity(places.len()),
            joined_by_code: HashMap::new(),
            joined_by_address: HashMap::new(),
            claimed: HashSet::new(),
        };
        for (at, KnownPlace { scope_no, place, goes_as, .. }) in places.iter().enumerate() {
            if let Some(goes_as) = goes_as {
                let code = place.external_code.as_deref().filter(|code| !code.is_empty());
                index.joined_by_code.extend(code.map(|code| (key(code), *goes_as)));
                if let Some(address) = &place.address {
                    let called = (code.is_some(), *goes_as);
                    index.joined_by_address.entry((goes_as.scope_no, key(address))).or_insert(called);
                    index.joined_by_address.insert((*scope_no, key(address)), called);
                }
                continue;
            }
            if let Some(code) = &place.external_code {
                index.by_code.entry(key(code)).or_default().push(at);
            }
            if let Some(address) = &place.address {
                index.by_address.entry((*scope_no, key(address))).or_default().push(at);
            }
        }
        index
    }

    /// What a row is whose place is known by its id, however it is called now.
    pub(super) fn find_id(&mut self, row: &Row, id: DocumentId) -> Found {
        let is_it = |at: &usize| self.places[*at].id == id;
        let is_here = |at: &usize| Some(self.places[*at].scope_no) == row.scope_no;
        let mut all = (0..self.places.len()).filter(is_it);
        let Some(at) = all.clone().find(is_here).or_else(|| all.next()) else { return Found::Unknown };
        if let Some(goes_as) = self.places[at].goes_as {
            return Found::Joined(goes_as);
        }
        let same_code = row.code.as_ref().and_then(|code| self.by_code.get(code)).map_or(&[][..], Vec::as_slice);
        if same_code.iter().any(|other| *other != at && self.is_active(*other)) {
            return Found::CodeTaken;
        }
        self.claimed.insert(at);
        if is_here(&at) { Found::Same(at) } else { Found::Elsewhere { from: at, back: self.withdrawn_here(row) } }
    }

    /// A place that a row moves back to: withdrawn in its beat, under its code.
    fn withdrawn_here(&self, row: &Row) -> Option<usize> {
        let same_code = row.code.as_ref().and_then(|code| self.by_code.get(code))?;
        same_code.iter().copied().find(|at| Some(self.places[*at].scope_no) == row.scope_no && !self.is_active(*at))
    }

    /// What a row is, and whether several known places may have been meant. What is found is claimed.
    pub(super) fn find(&mut self, row: &Row, may_give_code: bool) -> (Found, bool) {
        let (found, several) = match &row.code {
            Some(code) => self.by_code(row, code, may_give_code),
            None => self.by_address(row),
        };
        let found = match (found, self.joined(row)) {
            (Found::New, Some(goes_as)) => {
                let is_it = |place: &KnownPlace| (place.scope_no, place.id) == (goes_as.scope_no, goes_as.id);
                self.claimed.extend(self.places.iter().position(is_it));
                Found::Joined(goes_as)
            }
            (found, _) => found,
        };
        match &found {
            Found::Same(at) => drop(self.claimed.insert(*at)),
            Found::Elsewhere { from, back } => {
                self.claimed.insert(*from);
                self.claimed.extend(back);
            }
            Found::Joined(_) | Found::New | Found::Ambiguous | Found::Unknown | Found::CodeTaken => {}
        }
        (found, several)
    }

    /// What a row goes as that names a place by what it was called before it turned out to be another.
    fn joined(&self, row: &Row) -> Option<FoundPlace> {
        let by_code = row.code.as_ref().and_then(|code| self.joined_by_code.get(code).copied());
        by_code.or_else(|| {
            let (has_code, goes_as) = self.joined_by_address.get(&(row.scope_no?, row.address.clone()))?;
            // A row of another code is of another place at that address.
            (row.code.is_none() || !has_code).then_some(*goes_as)
        })
    }

    fn by_code(&self, row: &Row, code: &str, may_give_code: bool) -> (Found, bool) {
        let candidates = self.by_code.get(code).map_or(&[][..], Vec::as_slice);
        let is_here = |at: &usize| Some(self.places[*at].scope_no) == row.scope_no;
        let (active, withdrawn): (Vec<usize>, Vec<usize>) = candidates.iter().partition(|at| self.is_active(**at));
        let back = withdrawn.iter().copied().find(is_here);
        match (active.iter().copied().find(is_here), active.first(), back) {
            (Some(here), ..) => (Found::Same(here), active.len() > 1),
            (None, Some(&from), back) => (Found::Elsewhere { from, back }, active.len() > 1),
            (None, None, Some(back)) => (Found::Same(back), false),
            // It is of a place that turned out to be another, and of no other house.
            (None, None, None) if self.joined_by_code.contains_key(code) => (Found::New, false),
            (None, None, None) => {
                let without = self.at_address(row, |at| self.is_active(at) && !self.has_code(at));
                match without.first() {
                    Some(&at) if may_give_code => (Found::Same(at), without.len() > 1),
                    _ => (Found::New, false),
                }
            }
        }
    }

    fn by_address(&self, row: &Row) -> (Found, bool) {
        let without = self.at_address(row, |at| self.is_active(at) && !self.has_code(at));
        if let Some(&first) = without.first() {
            let is_just_so = |at: &usize| self.places[*at].place.address == row.place.address;
            let at = without.iter().copied().find(is_just_so).unwrap_or(first);
            return (Found::Same(at), without.len() > 1);
        }
        match self.at_address(row, |at| self.is_active(at))[..] {
            [only] => return (Found::Same(only), false),
            [_, _, ..] => return (Found::Ambiguous, false),
            [] => {}
        }
        match self.at_address(row, |at| !self.is_active(at) && !self.has_code(at)).first() {
            Some(&withdrawn) => (Found::Same(withdrawn), false),
            None => (Found::New, false),
        }
    }

    /// The places at a row's address in its beat that no other row has claimed.
    fn at_address(&self, row: &Row, is_meant: impl Fn(usize) -> bool) -> Vec<usize> {
        let Some(scope_no) = row.scope_no else { return Vec::new() };
        let places = self.by_address.get(&(scope_no, row.address.clone())).map_or(&[][..], Vec::as_slice);
        places.iter().copied().filter(|at| !self.claimed.contains(at) && is_meant(*at)).collect()
    }

    /// The places that count and that no row is about.
    pub(super) fn left(&self) -> impl Iterator<Item = &KnownPlace> {
        let is_left =
            |at: &usize| self.is_active(*at) && !self.claimed.contains(at) && self.places[*at].goes_as.is_none();
        (0..self.places.len()).filter(is_left).map(|at| &self.places[at])
    }

    pub(super) fn is_active(&self, at: usize) -> bool {
        self.places[at].place.status == ACTIVE
    }

    fn has_code(&self, at: usize) -> bool {
        self.places[at].place.external_code.as_deref().is_some_and(|code| !code.is_empty())
    }

    pub(super) fn not_claimed(&self, beats: &HashSet<i64>) -> usize {
        let is_left = |at: &usize| {
            beats.contains(&self.places[*at].scope_no) && self.is_active(*at) && !self.claimed.contains(at)
        };
        (0..self.places.len()).filter(is_left).count()
    }
}
