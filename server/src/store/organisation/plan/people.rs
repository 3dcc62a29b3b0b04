//! Who joins, and which rights begin and end.

use std::collections::{BTreeSet, HashMap};

use aralau_sync_core::id::PersonId;

use super::{
    super::{
        identity::{clean, key, mixes_alphabets},
        near::Names,
    },
    GrantAdded, GrantEnded, Line, LoadOptions, PersonAdded, Planning, RefusalKind, WarningKind, Who,
};
use crate::store::{BeatRow, custody::HEADQUARTERS_NAME};

/// A person of the table, with the beats that they are listed beside.
struct Listed {
    who: Who,
    name: String,
    beats: BTreeSet<String>,
}

/// What stands between two beats in one cell.
const BETWEEN_BEATS: [char; 3] = [';', ',', '/'];

impl<'a> Planning<'a> {
    pub(super) fn people(&mut self, options: LoadOptions) {
        let listed = self.listed();
        self.grants(&listed);
        let over = self.grants_beyond(&listed);
        if options.replace_grants {
            self.plan.grants_ended = over;
        } else {
            self.plan.grants_kept = over;
        }
    }

    fn listed(&mut self) -> Vec<Listed> {
        let by_key = self.people_by_key();
        let mut names: Option<Names> = None;
        let mut listed: Vec<Listed> = Vec::new();
        let mut position: HashMap<String, usize> = HashMap::new();
        // Somebody may be listed by several of their names.
        let mut position_of: HashMap<PersonId, usize> = HashMap::new();
        for (at, row) in self.wanted.staff.iter().enumerate() {
            let line = Line::Staff(at);
            let (name, key_of_name) = (clean(&row.name), key(&row.name));
            if key_of_name == key(HEADQUARTERS_NAME) {
                self.refuse(line, None, RefusalKind::NameReserved { name });
                continue;
            }
            let Some(beats) = self.beats_in(line, &row.beat) else { continue };
            let place = match position.get(&key_of_name) {
                Some(place) => *place,
                None => {
                    let who = match self.person_called(line, &name, &by_key) {
                        Some(person) => Who::Known(person),
                        None => {
                            let known = &self.known.people;
                            let names = names.get_or_insert_with(|| Names::of(known.iter().map(|(_, name)| &**name)));
                            self.join(line, &name, names)
                        }
                    };
                    let known = if let Who::Known(person) = who { Some(person) } else { None };
                    let place = known.and_then(|person| position_of.get(&person).copied()).unwrap_or(listed.len());
                    position.insert(key_of_name, place);
                    if place == listed.len() {
                        position_of.extend(known.map(|person| (person, place)));
                        listed.push(Listed { who, name, beats: BTreeSet::new() });
                    }
                    place
                }
            };
            let known = listed[place].beats.len();
            listed[place].beats.extend(beats);
            if listed[place].beats.len() == known {
                self.plan.left.repeated_rows += 1;
            }
        }
        self.plan.left.people = listed.len() - self.plan.people_added.len();
        listed
    }

    /// Everybody, by what names are compared by.
    pub(super) fn people_by_key(&self) -> HashMap<String, Vec<(PersonId, &'a str)>> {
        let mut by_key: HashMap<String, Vec<(PersonId, &str)>> = HashMap::new();
        for (person, name) in &self.known.people {
            by_key.entry(key(name)).or_default().push((*person, name));
        }
        by_key
    }

    /// Whoever has a name: of several the one who is written just so, or the first.
    pub(super) fn person_called(
        &mut self,
        line: Line,
        name: &str,
        by_key: &HashMap<String, Vec<(PersonId, &str)>>,
    ) -> Option<PersonId> {
        let same = by_key.get(&key(name))?;
        if same.len() > 1 {
            self.warn(line, WarningKind::PersonKnownTwice { name: name.to_owned() });
        }
        let just_so = same.iter().find(|(_, known)| *known == name);
        Some(just_so.unwrap_or(&same[0]).0)
    }

    /// The codes of the beats that a cell names: of one, or of several with something between.
    pub(super) fn beats_in(&mut self, line: Line, cell: &str) -> Option<Vec<String>> {
        let code_of = |planning: &mut Self, code: &str| Some(planning.beat(line, code)?.code().to_owned());
        let is_one = self.beat_called(cell).is_some() || self.named.contains_key(&key(cell));
        if is_one || !cell.contains(BETWEEN_BEATS) {
            return Some(vec![code_of(self, cell)?]);
        }
        let codes = cell.split(BETWEEN_BEATS).filter(|code| !code.trim().is_empty());
        // Each unknown one is told.
        let found: Vec<_> = codes.map(|code| code_of(self, &clean(code))).collect();
        found.into_iter().collect()
    }

    fn join(&mut self, line: Line, name: &str, names: &mut Names) -> Who {
        let near = names.near(name);
        if !near.is_empty() {
            self.warn(line, WarningKind::PersonNear { name: name.to_owned(), near: near.clone() });
        }
        if mixes_alphabets(name) {
            self.warn(line, WarningKind::AlphabetsMixed { column: "name", text: name.to_owned() });
        }
        names.add(name);
        self.plan.people_added.push(PersonAdded { name: name.to_owned(), near });
        Who::Added(self.plan.people_added.len() - 1)
    }

    fn grants(&mut self, listed: &[Listed]) {
        for Listed { who, name, beats } in listed {
            for beat in beats {
                let scope_no = self.beat_called(beat).and_then(|beat| beat.scope_no());
                let is_held = match (who, scope_no) {
                    (Who::Known(person), Some(scope_no)) => self.known.grants.contains(&(*person, scope_no)),
                    (Who::Known(_) | Who::Added(_), _) => false,
                };
                if !is_held {
                    self.plan.grants_added.push(GrantAdded { who: *who, name: name.clone(), beat: beat.clone() });
                }
            }
        }
    }

    /// What listed people hold now, and are not listed beside.
    fn grants_beyond(&self, listed: &[Listed]) -> Vec<GrantEnded> {
        let beats: HashMap<i64, &BeatRow> = self.known.beats.iter().map(|beat| (beat.scope_no, beat)).collect();
        let mut over = Vec::new();
        for Listed { who, name, beats: wanted } in listed {
            let Who::Known(person) = *who else { continue };
            let held = self.known.grants.range((person, i64::MIN)..=(person, i64::MAX));
            let held = held.filter_map(|(_, scope_no)| beats.get(scope_no));
            over.extend(held.filter(|beat| !wanted.contains(&beat.code)).map(|beat| GrantEnded {
                person,
                name: name.clone(),
                scope: beat.scope,
                beat: beat.code.clone(),
            }));
        }
        over
    }
}
