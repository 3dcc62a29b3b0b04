//! Which beats are made, renamed and outlined; and which one a cell names.

use std::collections::HashMap;

use aralau_sync_core::visit::Coordinates;

use super::{
    super::identity::{key, mixes_alphabets},
    BeatAdded, BeatRenamed, Line, PlannedBeat, Planning, RefusalKind, WarningKind,
};
use crate::{area::Area, store::BeatRow};

/// Unknown codes for which a known one is looked for, at most.
const MOST_MEANT: usize = 100;
/// What stands between the beats of a cell that names several.
const BETWEEN_BEATS: [&str; 8] = [",", ";", "/", "+", " и ", " және ", " мен ", " and "];
/// Letters by which a code that was meant may differ.
const MEANT_SLIPS: usize = 1;

impl<'a> Planning<'a> {
    pub(super) fn index_beats(&mut self) {
        for beat in &self.known.beats {
            self.beats.entry(key(&beat.code)).or_insert(PlannedBeat::Known(beat));
        }
        // An earlier build told codes apart by their case: the code as it is written comes first.
        self.beats.extend(self.known.beats.iter().map(|beat| (beat.code.clone(), PlannedBeat::Known(beat))));
    }

    pub(super) fn beats(&mut self) {
        let mut said: HashMap<String, usize> = HashMap::new();
        for (at, (code, name)) in self.wanted.beats.iter().enumerate() {
            let key = key(code);
            if let Some(&first) = said.get(&key) {
                if self.wanted.beats[first].1 == *name {
                    self.plan.left.repeated_rows += 1;
                } else {
                    self.refuse(Line::Beat(at), Some(Line::Beat(first)), RefusalKind::BeatTwice { code: code.clone() });
                }
                continue;
            }
            said.insert(key.clone(), at);
            match self.beat_called(code) {
                Some(PlannedBeat::Known(beat)) if beat.name == *name || name.is_empty() => self.plan.left.beats += 1,
                Some(PlannedBeat::Known(beat)) => {
                    let (code, scope, from) = (beat.code.clone(), beat.scope, beat.name.clone());
                    self.plan.beats_renamed.push(BeatRenamed { code, scope, from, to: name.clone() });
                }
                Some(PlannedBeat::Added { .. }) | None => {
                    for (column, text) in [("code", code), ("name", name)] {
                        if mixes_alphabets(text) {
                            self.warn(Line::Beat(at), WarningKind::AlphabetsMixed { column, text: text.clone() });
                        }
                    }
                    if let Some(near) = self.beat_near(code, name) {
                        self.warn(Line::Beat(at), WarningKind::BeatNear { code: code.clone(), near });
                    }
                    let name = if name.is_empty() { code } else { name }.clone();
                    self.plan.beats_added.push(BeatAdded { code: code.clone(), name });
                    self.beats.insert(key, PlannedBeat::Added { code: code.clone() });
                }
            }
        }
    }

    /// A known beat that a new one may be: spreadsheets drop the zeros before a number.
    fn beat_near(&self, code: &str, name: &str) -> Option<String> {
        let number = |code: &str| {
            let bare = code.trim().trim_start_matches('0');
            (!bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit())).then(|| bare.to_owned())
        };
        let is_near = |known: &&BeatRow| {
            number(code).is_some_and(|bare| number(&known.code) == Some(bare))
                || !name.is_empty() && key(&known.name) == key(name)
        };
        self.known.beats.iter().find(is_near).map(|known| known.code.clone())
    }

    pub(super) fn beat_called(&self, code: &str) -> Option<PlannedBeat<'a>> {
        self.beats.get(code).or_else(|| self.beats.get(&key(code))).cloned()
    }

    pub(super) fn names_of_beats(&mut self) {
        let known = self.known.beats.iter().map(|beat| (&beat.code, &beat.name));
        let wanted = self.wanted.beats.iter().map(|(code, name)| (code, name));
        let names: Vec<_> = known.chain(wanted).filter(|(_, name)| !name.is_empty()).collect();
        for (code, name) in names {
            let Some(beat) = self.beat_called(code) else { continue };
            let named = self.named.entry(key(name)).or_insert_with(|| Some(beat.clone()));
            if named.as_ref().is_some_and(|other| other.code() != beat.code()) {
                *named = None;
            }
        }
    }

    /// The beat that a cell names by its code, or else by its name, or a refusal with the code that may have been meant.
    pub(super) fn beat(&mut self, line: Line, code: &str) -> Option<PlannedBeat<'a>> {
        let found = self.beat_called(code).or_else(|| self.named.get(&key(code)).cloned().flatten());
        if found.is_none() {
            let kind = self.beat_not_found(code);
            self.refuse(line, None, kind);
        }
        found
    }

    fn beat_not_found(&mut self, cell: &str) -> RefusalKind {
        let code = cell.to_owned();
        if self.named.contains_key(&key(cell)) {
            return RefusalKind::BeatAmbiguous { code };
        }
        let parts: Vec<&str> = BETWEEN_BEATS
            .iter()
            .fold(vec![cell], |parts, between| parts.into_iter().flat_map(|part| part.split(between)).collect());
        if parts.len() > 1 && parts.iter().all(|part| self.beat_called(part.trim()).is_some()) {
            return RefusalKind::BeatsSeveral { code };
        }
        let meant = self.meant_by(key(cell));
        RefusalKind::BeatUnknown { code, meant }
    }

    /// The code of a beat that is a slip of the hand away.
    fn meant_by(&mut self, unknown: String) -> Option<String> {
        if let Some(meant) = self.meant.get(&unknown) {
            return meant.clone();
        }
        // A column of something else would be measured against every beat, row by row.
        if self.meant.len() >= MOST_MEANT {
            return None;
        }
        // № 101 and 101.0, which a spreadsheet makes of 101.
        let bare = unknown.trim_start_matches(['№', ' ']).trim_end_matches(".0").trim_end_matches(",0");
        let is_near = |key: &str| key == bare || strsim::osa_distance(key, &unknown) <= MEANT_SLIPS;
        let near = self.beats.iter().filter(|(key, _)| is_near(key));
        let meant = near.map(|(key, beat)| (key != bare, beat.code().to_owned())).min().map(|(_, code)| code);
        self.meant.insert(unknown, meant.clone());
        meant
    }

    /// Whether places known in the beat are not within its new outline.
    fn places_outside(&self, code: &str, scope_no: i64, area: &Area) -> Option<WarningKind> {
        let points = self.known.points.get(&scope_no)?;
        let outside: Vec<&Coordinates> =
            points.iter().filter(|Coordinates { lat, lon }| !area.contains([*lon, *lat])).collect();
        let swapped = outside.iter().all(|Coordinates { lat, lon }| area.contains([*lat, *lon]));
        let (outside, of) = (outside.len(), points.len());
        (outside > 0).then(|| WarningKind::PlacesOutside { code: code.to_owned(), outside, of, swapped })
    }

    pub(super) fn outlines(&mut self) {
        let wanted = self.wanted;
        let mut said: HashMap<String, usize> = HashMap::new();
        for (at, (code, area)) in wanted.areas.iter().enumerate() {
            let line = Line::Area(at);
            let Some(beat) = self.beat(line, code) else { continue };
            let (code, scope_no) = (beat.code().to_owned(), beat.scope_no());
            if let Some(first) = said.insert(key(&code), at) {
                self.refuse(line, Some(Line::Area(first)), RefusalKind::OutlineTwice { code });
                continue;
            }
            let so_far = scope_no.and_then(|scope_no| self.known.areas.get(&scope_no));
            if so_far == Some(area) {
                continue;
            }
            if let Some(kind) = scope_no.and_then(|scope_no| self.places_outside(&code, scope_no, area)) {
                self.warn(line, kind);
            }
            self.plan.outlines_set.push((code, area.clone()));
        }
    }
}
