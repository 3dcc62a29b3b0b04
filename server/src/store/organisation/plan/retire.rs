//! What is no more: places are withdrawn, rights end.

use std::collections::HashSet;

use aralau_sync_core::{
    id::DocumentId,
    visit::{ACTIVE, WITHDRAWN},
};

use super::{
    super::{identity::clean, near::Names},
    FieldChange, FieldValue, GrantEnded, Line, PlaceChanged, PlaceField, PlannedBeat, Planning, RefusalKind,
    index::{Found, Index},
};

impl Planning<'_> {
    /// `place`: the place that the one row is of, where that is known beforehand.
    pub(super) fn retire(&mut self, place: Option<DocumentId>) {
        let wanted = self.wanted;
        for (at, (code, _)) in wanted.beats.iter().enumerate() {
            self.refuse(Line::Beat(at), None, RefusalKind::BeatRetired { code: code.clone() });
        }
        for (at, (code, _)) in wanted.areas.iter().enumerate() {
            self.refuse(Line::Area(at), None, RefusalKind::BeatRetired { code: code.clone() });
        }
        self.end_rights();
        self.withdraw(place);
    }

    fn end_rights(&mut self) {
        let by_key = self.people_by_key();
        let mut ended = HashSet::new();
        for (at, row) in self.wanted.staff.iter().enumerate() {
            let (line, name) = (Line::Staff(at), clean(&row.name));
            let Some(person) = self.person_called(line, &name, &by_key) else {
                let names = Names::of(self.known.people.iter().map(|(_, name)| &**name));
                let meant = names.near(&name).into_iter().next();
                self.refuse(line, None, RefusalKind::PersonUnknown { name, meant });
                continue;
            };
            for code in self.beats_in(line, &row.beat).unwrap_or_default() {
                let Some(PlannedBeat::Known(beat)) = self.beat_called(&code) else { continue };
                let is_held = self.known.grants.contains(&(person, beat.scope_no));
                if is_held && ended.insert((person, beat.scope_no)) {
                    let name = name.clone();
                    self.plan.grants_ended.push(GrantEnded { person, name, scope: beat.scope, beat: code });
                } else {
                    self.plan.left.people += 1;
                }
            }
        }
    }

    fn withdraw(&mut self, place: Option<DocumentId>) {
        let rows = self.rows();
        let rows = self.without_repeated(rows);
        let known = self.known;
        let mut index = Index::of(&known.places);
        for row in &rows {
            let found = match place {
                Some(id) => index.find_id(row, id),
                None => index.find(row, false).0,
            };
            match found {
                Found::Same(at) if index.is_active(at) => {
                    let place = &known.places[at];
                    let text = |status: &str| FieldValue::Text(status.to_owned());
                    let to = text(WITHDRAWN);
                    self.plan.places_changed.push(PlaceChanged {
                        id: place.id,
                        beat: row.beat.clone(),
                        scope_no: place.scope_no,
                        address: place.place.address.clone(),
                        changes: vec![FieldChange { field: PlaceField::Status, from: Some(text(ACTIVE)), to }],
                    });
                }
                Found::Same(_) => self.plan.left.places += 1,
                Found::Joined(goes_as) => self.refuse_joined(row, goes_as),
                Found::New | Found::Elsewhere { .. } => self.refuse_found(row, &Found::Unknown),
                Found::Ambiguous | Found::Unknown | Found::CodeTaken => self.refuse_found(row, &found),
            }
        }
    }
}
