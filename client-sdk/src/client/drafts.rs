//! Visits that are being written down: each field is on disk as soon as it is filled in, and the visit is logged in the
//! transaction that ends its draft.

use aralau_sync_core::{
    id::{DocumentId, Kind},
    time::Millis,
};
use serde::Serialize;
use uuid::Uuid;

use super::Client;
use crate::{
    error::Error,
    form::VisitForm,
    store::{DraftRecord, Store, StoreError},
};

/// A visit that is being written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draft {
    /// Its name, until it is logged.
    pub id: Uuid,
    /// When it was last written to.
    pub at: Millis,
    /// As far as it is filled in; nothing where this build cannot read it, as after an older app was put back.
    pub form: Option<VisitForm>,
}

impl<S: Store> Client<S> {
    /// Begins to write a visit down, and keeps what is filled in so far. The draft's id.
    pub fn begin_draft(&mut self, form: &VisitForm) -> Result<Uuid, Error> {
        let id = self.seams.uuid();
        self.put_draft(id, form)?;
        Ok(id)
    }

    /// Keeps a visit as far as it is filled in, in place of what was kept of it.
    ///
    /// # Errors
    /// [`Error::UnknownDraft`] where it was logged or given up, perhaps on another screen: it must not come back, to be logged
    /// once more.
    pub fn keep_draft(&mut self, id: Uuid, form: &VisitForm) -> Result<(), Error> {
        if !self.store.drafts()?.iter().any(|draft| draft.id == id) {
            return Err(Error::UnknownDraft);
        }
        self.put_draft(id, form)
    }

    fn put_draft(&mut self, id: Uuid, form: &VisitForm) -> Result<(), Error> {
        let body = serde_json::to_vec(form).map_err(|_| StoreError::corrupt("a draft"))?;
        Ok(self.store.put_draft(&DraftRecord { id, at: self.seams.clock.now(), body })?)
    }

    /// The visits that are being written down, the last one written to first.
    pub fn drafts(&self) -> Result<Vec<Draft>, Error> {
        let draft = |record: DraftRecord| Draft { id: record.id, at: record.at, form: form(&record).ok() };
        Ok(self.store.drafts()?.into_iter().map(draft).collect())
    }

    /// Gives one up.
    pub fn drop_draft(&mut self, id: Uuid) -> Result<(), Error> {
        Ok(self.store.drop_draft(id)?)
    }

    /// Logs a visit, once: whether the app is killed before this or after it, there is a draft or a visit, never both and
    /// never neither.
    ///
    /// # Errors
    /// [`Error::UnknownDraft`] where it was logged or given up already; and those of [`Self::log_visit`], upon which the
    /// draft stays as it is.
    pub fn log_draft(&mut self, id: Uuid) -> Result<DocumentId, Error> {
        // Only this one is read: another that cannot be is no reason not to log it.
        let record = self.store.drafts()?.into_iter().find(|draft| draft.id == id).ok_or(Error::UnknownDraft)?;
        let draft = form(&record)?.to_draft(|| self.seams.uuid());
        let scope = self.scope_of(draft.place)?;
        let puts = draft.puts(self.identity.replica, self.seams.nonce());
        self.create(scope, None, Kind::VISIT, &puts, Some(id))
    }
}

fn form(record: &DraftRecord) -> Result<VisitForm, StoreError> {
    serde_json::from_slice(&record.body).map_err(|_| StoreError::corrupt("a draft"))
}
