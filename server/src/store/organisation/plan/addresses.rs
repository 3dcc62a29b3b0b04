//! Where a place comes to an address that another one has: perhaps they are one.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::identity::key,
    Line, Planning, WarningKind,
    places::{Found, Index, Row},
};

/// A place at an address, once the plan is done.
struct Neighbour<'a> {
    /// `None`: of a place that no row is about.
    row: Option<&'a Row>,
    code: Option<&'a str>,
    /// Whether it was not there before.
    is_new_here: bool,
}

impl Planning<'_> {
    /// Those that have a code each, and a row each, are told apart by them: flats of one house.
    pub(super) fn warn_of_shared_addresses(&mut self, found: &[(&Row, Found)], index: &Index<'_>) {
        let mut at: BTreeMap<(&str, String), Vec<Neighbour<'_>>> = BTreeMap::new();
        for (row, found) in found {
            let known = match found {
                Found::New => None,
                Found::Same(at) | Found::Elsewhere { from: at, .. } => Some(&index.places[*at].place),
                Found::Joined(_) | Found::Ambiguous | Found::Unknown | Found::CodeTaken => continue,
            };
            let stays = matches!(found, Found::Same(_));
            let address = known.filter(|_| stays).and_then(|known| known.address.as_deref()).map(key);
            let code = row.place.external_code.as_deref();
            let neighbour = Neighbour {
                row: Some(row),
                code: code.or_else(|| known.and_then(|known| known.external_code.as_deref())),
                is_new_here: address.as_ref() != Some(&row.address),
            };
            at.entry((&row.beat, row.address.clone())).or_default().push(neighbour);
        }
        let beats: HashMap<i64, &str> = self.known.beats.iter().map(|beat| (beat.scope_no, &*beat.code)).collect();
        for place in index.left() {
            if let (Some(beat), Some(address)) = (beats.get(&place.scope_no), &place.place.address)
                && let Some(neighbours) = at.get_mut(&(*beat, key(address)))
            {
                let code = place.place.external_code.as_deref();
                neighbours.push(Neighbour { row: None, code, is_new_here: false });
            }
        }
        let mut told: Vec<(usize, WarningKind)> = at.values().flat_map(|neighbours| shared(neighbours)).collect();
        told.sort_by_key(|(line, _)| *line);
        told.into_iter().for_each(|(line, kind)| self.warn(Line::Place(line), kind));
    }
}

/// What is to be told of the places at one address, each by its line.
fn shared(neighbours: &[Neighbour<'_>]) -> Vec<(usize, WarningKind)> {
    let are_told_apart =
        neighbours.iter().all(|one| one.row.is_some() && one.code.is_some_and(|code| !code.is_empty()));
    if neighbours.len() < 2 || are_told_apart {
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
