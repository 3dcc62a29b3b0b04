//! Writing: each call is one change, one entry and one projection, in one transaction.

use aralau_sync_core::{
    change::{Change, NONCE, Value},
    digest::document_named_by,
    document::{AuthorError, Document},
    id::{Actor, DocumentId, Kind, ScopeId},
    visit::{Place, VisitDraft, VisitEdit},
};
use uuid::Uuid;

use super::Client;
use crate::{
    error::Error,
    form::VisitChange,
    local::LocalDocument,
    outbox::{self, Moment},
    store::{Store, transaction},
    view::{ConflictView, Event},
};

impl<S: Store> Client<S> {
    /// An id that nobody has, for [`VisitDraft::note`] and [`VisitEdit::AddNote`].
    pub fn fresh_id(&mut self) -> Uuid {
        self.seams.uuid()
    }

    /// Logs a visit in its place's beat, or in the only beat there is.
    ///
    /// # Errors
    /// [`Error::UnknownBeat`] where neither tells the beat; see [`Self::log_visit_in`].
    pub fn log_visit(&mut self, draft: VisitDraft) -> Result<DocumentId, Error> {
        let scope = self.scope_of(draft.place)?;
        let puts = draft.puts(self.identity.replica, self.seams.nonce());
        self.create(scope, None, Kind::VISIT, &puts, None)
    }

    /// Logs a visit under an id of the caller's: every member of a team may log the same one, and all their words are
    /// kept side by side. Once this install has written about it, nothing more is logged: an import may be repeated.
    pub fn log_visit_in(&mut self, scope: ScopeId, id: DocumentId, draft: VisitDraft) -> Result<DocumentId, Error> {
        let puts = draft.puts(self.identity.replica, self.seams.nonce());
        self.create(scope, Some(id), Kind::VISIT, &puts, None)
    }

    /// Registers a place in a beat.
    pub fn add_place(&mut self, scope: ScopeId, place: Place) -> Result<DocumentId, Error> {
        let puts = place.puts(self.seams.nonce());
        self.create(scope, None, Kind::PLACE, &puts, None)
    }

    /// Changes a visit. Edits that change nothing write nothing.
    pub fn edit_visit(&mut self, id: DocumentId, edits: &[VisitEdit]) -> Result<(), Error> {
        let puts: Vec<_> = edits.iter().map(VisitEdit::put).collect();
        // A withdrawal only takes back: it must be possible in a full document too.
        let takes_back = |edit: &VisitEdit| matches!(edit, VisitEdit::Withdraw | VisitEdit::WithdrawNote { .. });
        self.edit(id, &puts, edits.iter().all(takes_back))
    }

    /// The same, as a screen asks for it.
    pub fn change_visit(&mut self, id: DocumentId, changes: &[VisitChange]) -> Result<(), Error> {
        let edits: Vec<_> = changes.iter().map(|change| self.edit_of(change)).collect();
        self.edit_visit(id, &edits)
    }

    fn edit_of(&mut self, change: &VisitChange) -> VisitEdit {
        match change {
            VisitChange::Set { field, text } => VisitEdit::Set { field: field.clone(), value: text.as_str().into() },
            VisitChange::AddNote { text } => VisitEdit::AddNote { id: self.fresh_id(), text: text.clone() },
            VisitChange::WithdrawNote { id } => VisitEdit::WithdrawNote { id: *id },
            VisitChange::Fulfil { id } => {
                let now = Value::Timestamp(self.seams.clock.now().0);
                VisitEdit::Set { field: format!("commitments/{id}/fulfilled_at"), value: now }
            }
            VisitChange::Withdraw => VisitEdit::Withdraw,
        }
    }

    /// Ends a conflict by choosing a value, one of those shown or another.
    ///
    /// # Errors
    /// [`Error::NotInConflict`] where nobody disagrees about that field.
    pub fn resolve(&mut self, id: DocumentId, field: &str, value: Value) -> Result<(), Error> {
        self.conflict(id, field)?.ok_or(Error::NotInConflict)?;
        self.put_choice(id, field, value)
    }

    /// Ends a conflict by choosing one of the values shown, told by its JSON: numbers and instants look alike there, and the
    /// one that is shown says which it is.
    ///
    /// # Errors
    /// [`Error::UnknownValue`] where none looks like it, because somebody else has chosen meanwhile.
    pub fn choose(&mut self, id: DocumentId, field: &str, shown: &serde_json::Value) -> Result<(), Error> {
        let values = self.conflict(id, field)?.into_iter().flat_map(|conflict| conflict.values);
        let looks_like = |value: &Value| serde_json::to_value(value).is_ok_and(|json| json == *shown);
        let chosen = values.map(|one| one.value).find(looks_like).ok_or(Error::UnknownValue)?;
        self.put_choice(id, field, chosen)
    }

    fn conflict(&self, id: DocumentId, field: &str) -> Result<Option<ConflictView>, Error> {
        Ok(self.visit(id)?.conflicts.into_iter().find(|conflict| conflict.field == field))
    }

    fn put_choice(&mut self, id: DocumentId, field: &str, value: Value) -> Result<(), Error> {
        self.edit(id, &[(field.to_owned(), value)], true)
    }

    /// Takes a visit back. It stays in the history.
    pub fn withdraw(&mut self, id: DocumentId) -> Result<(), Error> {
        self.edit_visit(id, &[VisitEdit::Withdraw])
    }

    pub(super) fn scope_of(&self, place: Option<DocumentId>) -> Result<ScopeId, Error> {
        let beats = self.beats();
        if beats.is_empty() && !self.is_enrolled() {
            return Err(Error::NotEnrolled);
        }
        if let Some(place) = place {
            let known = self.store.projections_of(place)?;
            let mut granted = known.iter().filter(|record| beats.iter().any(|beat| beat.scope == record.scope));
            if let Some(record) = granted.find(|record| record.kind == Kind::PLACE) {
                return Ok(record.scope);
            }
        }
        match beats {
            [beat] => Ok(beat.scope),
            _ => Err(Error::UnknownBeat),
        }
    }

    /// Writes without regard to what others wrote under the same id: concurrent by intent. Without an id, the document
    /// is named after the change. With it ends the draft that it was.
    pub(super) fn create(
        &mut self,
        scope: ScopeId,
        id: Option<DocumentId>,
        kind: Kind,
        puts: &[(String, Value)],
        draft: Option<Uuid>,
    ) -> Result<DocumentId, Error> {
        if !self.is_enrolled() {
            return Err(Error::NotEnrolled);
        }
        if self.beat(scope).is_none() {
            return Err(Error::UnknownBeat);
        }
        self.settle(scope)?;
        let replica = self.identity.replica;
        let change = Document::begin(Actor { replica, generation: 0 }, puts)?;
        let moment = self.moment();
        let id = id.unwrap_or_else(|| document_named_by(moment.now, change.body()));
        let local = LocalDocument::load(&self.store, &self.identity, scope, id)?;
        if !local.written_by(replica) {
            local.document.check(&change).map_err(AuthorError::from)?;
            self.write(scope, id, kind, change, moment, draft)?;
        }
        Ok(id)
    }

    fn edit(&mut self, id: DocumentId, puts: &[(String, Value)], always_fits: bool) -> Result<(), Error> {
        let record = self.projection(id, Kind::VISIT)?;
        self.settle(record.scope)?;
        let local = LocalDocument::load(&self.store, &self.identity, record.scope, id)?;
        let actor = local.actor(self.identity.replica);
        let mut puts = puts.to_vec();
        if local.document.changes().is_empty() {
            // All there is of it is held, or offered to a restored server: this change stands at the beginning as well.
            puts.push((format!("witness/{}/{NONCE}", actor.replica), Value::Bytes(self.seams.nonce().to_vec())));
        }
        let Some(change) = local.document.author(actor, &puts)? else { return Ok(()) };
        if !always_fits && !local.document.room().fits(&change) {
            return Err(Error::DocumentFull);
        }
        let moment = self.moment();
        self.write(record.scope, id, Kind::VISIT, change, moment, None)
    }

    fn moment(&mut self) -> Moment {
        Moment { now: self.seams.clock.now(), monotonic: self.seams.clock.monotonic() }
    }

    fn write(
        &mut self,
        scope: ScopeId,
        id: DocumentId,
        kind: Kind,
        change: Change,
        moment: Moment,
        draft: Option<Uuid>,
    ) -> Result<(), Error> {
        let identity = &self.identity;
        transaction(&mut self.store, |store| {
            draft.map_or(Ok(()), |draft| store.drop_draft(draft))?;
            outbox::write(store, identity, scope, id, kind, change, moment)
        })?;
        self.tell(Event::Changed(vec![id]));
        Ok(())
    }
}
