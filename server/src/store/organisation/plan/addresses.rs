//! Where a place comes to an address that another one has: perhaps they are one.

use std::collections::HashMap;

use super::{
    super::identity::key,
    Line, Planning, WarningKind,
    index::{Found, Index},
    places::Row,
};

/// A place at an address of a beat, once the plan is done.
struct Neighbour<'a> {
    beat: &'a str,
    address: &'a str,
    /// `None`: of a place that no row is about.
    row: Option<&'a Row>,
    code: Option<&'a str>,
    /// Whether it was not there before.
    is_new_here: bool,
}

impl Planning<'_> {
    /// Those that have a code each, and a row each, are told apart by them: flats of one house.
    pub(super) fn warn_of_shared_addresses(&mut self, found: &[(&Row, Found)], index: &Index<'_>) {
        let beats: HashMap<i64, &str> = self.known.beats.iter().map(|beat| (beat.scope_no, &*beat.code)).collect();
        let left = index.left().filter_map(|place| {
            let (beat, address) = (beats.get(&place.scope_no)?, place.place.address.as_deref()?);
            Some((*beat, key(address), place.place.external_code.as_deref()))
        });
        let left: Vec<_> = left.collect();
        let rows = found.iter().filter_map(|(row, found)| neighbour(row, found, index));
        let left = left.iter().map(|(beat, address, code)| Neighbour {
            beat,
            address,
            row: None,
            code: *code,
            is_new_here: false,
        });
        // One list in order, and no map of half a million addresses.
        let mut all: Vec<Neighbour<'_>> = rows.chain(left).collect();
        all.sort_by_key(|one| (one.beat, one.address));
        let sharing = all.chunk_by(|one, next| (one.beat, one.address) == (next.beat, next.address));
        let mut told: Vec<(usize, WarningKind)> = sharing.filter(|at| at.len() > 1).flat_map(shared).collect();
        told.sort_by_key(|(line, _)| *line);
        told.into_iter().for_each(|(line, kind)| self.warn(Line::Place(line), kind));
    }
}

/// Where a row's place is to be; `None`: nowhere, or as another one.
fn neighbour<'a>(row: &'a Row, found: &Found, index: &Index<'a>) -> Option<Neighbour<'a>> {
    let known = match found {
        Found::New => None,
        Found::Same(at) | Found::Elsewhere { from: at, .. } => Some(&index.places[*at].place),
        Found::Joined(_) | Found::Ambiguous | Found::Unknown | Found::CodeTaken => return None,
    };
    let was_at = known.filter(|_| matches!(found, Found::Same(_))).and_then(|known| known.address.as_deref());
    Some(Neighbour {
        beat: &row.beat,
        address: &row.address,
        row: Some(row),
        code: row.place.external_code.as_deref().or_else(|| known?.external_code.as_deref()),
        is_new_here: was_at.map(key).as_ref() != Some(&row.address),
    })
}

/// What is to be told of the places at one address, each by its line.
fn shared(neighbours: &[Neighbour<'_>]) -> Vec<(usize, WarningKind)> {
    if neighbours.iter().all(|one| one.row.is_some() && one.code.is_some_and(|code| !code.is_empty())) {
        return Vec::new();
    }
    let news = neighbours.iter().enumerate().filter(|(_, one)| one.is_new_here);
    let told = news.filter_map(|(number, one)| {
        let others = neighbours.iter().enumerate().filter(|(other, _)| *other != number);
        let code = others.filter_map(|(_, other)| other.code).max().unwrap_or_default();
        let (row, code) = (one.row?, code.to_owned());
        let address = row.place.address.clone().unwrap_or_default();
        Some((row.line, WarningKind::AddressTaken { address, code }))
    });
    told.collect()
}
