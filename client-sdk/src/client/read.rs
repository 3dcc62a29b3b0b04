//! Reading: lists, single documents, histories, the device's own state.

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    change::Change,
    collation::SortKey,
    id::{DocumentId, Kind, ReplicaId},
    introduction::Introduction,
    log::Verdict,
    reading::export,
    time::Millis,
    visit::{ACTIVE, Visit},
};

use super::Client;
use crate::{
    enrollment::Beat,
    error::Error,
    local::LocalDocument,
    outbox::{oldest_unsent_at, unsent_documents},
    outlines,
    projection::PlaceRow,
    store::{Key, ProjectionRecord, ScopeRecord, Store, StoreError},
    view::{ChangeView, OutlineView, PlaceView, ScopeStatus, Status, Stop, Surroundings, VisitView, Writer},
};

impl<S: Store> Client<S> {
    /// All visits known here, the newest first.
    pub fn visits(&self) -> Result<Vec<VisitView>, Error> {
        self.shown(&self.store.projections(Kind::VISIT)?)
    }

    /// At most `limit` of them, behind one that was shown.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`] where that one is not here any more.
    pub fn visits_behind(&self, shown: Option<DocumentId>, limit: usize) -> Result<Vec<VisitView>, Error> {
        let shown = shown.map(|id| self.projection(id, Kind::VISIT)).transpose()?;
        let behind = shown.map(|record| (record.at, record.document, record.scope));
        self.shown(&self.store.projections_behind(Kind::VISIT, behind, limit)?)
    }

    /// Visits that count at a place, the newest first.
    pub fn visits_at(&self, place: DocumentId) -> Result<Vec<VisitView>, Error> {
        self.shown(&self.store.projections_at(place)?)
    }

    /// Visits that somebody has to look at: in conflict, or with own words kept apart.
    pub fn visits_asking(&self) -> Result<Vec<VisitView>, Error> {
        let mut records = self.store.projections_asking()?;
        records.retain(|record| record.kind == Kind::VISIT);
        self.shown(&records)
    }

    /// The outlines of this person's beats, as far as the server has told any.
    pub fn outlines(&self) -> Result<Vec<OutlineView>, Error> {
        let kept = outlines::kept(&self.store)?.beats;
        let outline = |beat: &Beat| Some(outlines::view(kept.iter().find(|one| one.scope == beat.scope)?, beat));
        Ok(self.beats().iter().filter_map(outline).collect())
    }

    /// The places of this person's beats, by address, each with what is known of it: the round that is to be made.
    pub fn round(&self) -> Result<Vec<Stop>, Error> {
        let marks = self.store.marks()?;
        let mut marks = marks.chunk_by(|one, next| one.place == next.place).peekable();
        let mut stops = Vec::new();
        let mut records = self.store.projections(Kind::PLACE)?;
        records.sort_by_key(|record| record.document);
        for record in &records {
            while marks.next_if(|at| at.first().is_some_and(|mark| mark.place < record.document)).is_some() {}
            let here = marks.peek().filter(|at| at.first().is_some_and(|mark| mark.place == record.document));
            let Some(beat) = self.beats().iter().find(|beat| beat.scope == record.scope) else { continue };
            let row = PlaceRow::read(record)?;
            if row.status == ACTIVE {
                stops.push(Stop::of(record, row, beat, here.copied().unwrap_or_default()));
            }
        }
        stops.sort_by_cached_key(|stop| (SortKey::of(stop.address.as_deref().unwrap_or_default()), stop.id));
        Ok(stops)
    }

    /// One visit.
    pub fn visit(&self, id: DocumentId) -> Result<VisitView, Error> {
        let record = self.projection(id, Kind::VISIT)?;
        self.shown(&[record])?.pop().ok_or(Error::UnknownDocument)
    }

    /// One place.
    pub fn place(&self, id: DocumentId) -> Result<PlaceView, Error> {
        let record = self.projection(id, Kind::PLACE)?;
        Ok(self.surroundings()?.place(&record, self.local(&record)?))
    }

    /// All places known here, by address.
    pub fn places(&self) -> Result<Vec<PlaceView>, Error> {
        let surroundings = self.surroundings()?;
        let records = self.store.projections(Kind::PLACE)?;
        let places = records.iter().map(|record| Ok(surroundings.place(record, self.local(record)?)));
        let mut places = places.collect::<Result<Vec<_>, Error>>()?;
        places.sort_by_cached_key(|place| (SortKey::of(place.address.as_deref().unwrap_or_default()), place.id));
        Ok(places)
    }

    /// Every change of a document, oldest first by its author's clock; own words that are kept apart too.
    pub fn history(&self, id: DocumentId) -> Result<Vec<ChangeView>, Error> {
        let record = self.any_projection(id)?;
        let local = self.local(&record)?;
        let surroundings = self.surroundings()?;
        let mut history = Vec::new();
        for placed in &local.placed {
            let Some(change) = local.document.get(&placed.change) else { continue };
            let row = placed.row.map(|row| self.store.row(record.scope, row)).transpose()?.flatten();
            let verdict = row.as_ref().and_then(|row| cbor::decode::<Verdict>(&row.verdict).ok()).unwrap_or_default();
            history.push(ChangeView {
                received_at: row.map(|row| row.received_at),
                labels: verdict.labels.names().collect(),
                at: local.times.get(&placed.change).copied().unwrap_or_default(),
                ..change_view(change, &surroundings)
            });
        }
        history.extend(local.apart.iter().map(|apart| ChangeView {
            at: apart.entry.header.at,
            held: Some(apart.reason.clone()),
            ..change_view(&apart.entry.change, &surroundings)
        }));
        history.sort_by_key(|change| change.at);
        Ok(history)
    }

    /// The document as a file that any Automerge library opens.
    pub fn export(&self, id: DocumentId) -> Result<Vec<u8>, Error> {
        let record = self.any_projection(id)?;
        let local = self.local(&record)?;
        export(local.document.changes()).map_err(|_| Error::Export)
    }

    /// How the device stands.
    pub fn status(&self) -> Result<Status, Error> {
        let scopes = self.store.scopes()?;
        let mut orphans = 0;
        for record in &scopes {
            let kept = self.store.orphans(record.scope)?;
            orphans += kept.iter().filter(|orphan| self.identity.owns(orphan.id.stream.replica)).count() as u64;
        }
        Ok(Status {
            person: self.person().cloned(),
            url: self.enrollment.as_ref().map(|enrollment| enrollment.url.clone()),
            replica: self.identity.replica,
            unsent: scopes.iter().map(ScopeRecord::unsent).sum(),
            unsent_documents: unsent_documents(&self.store, &self.identity, &scopes)?.len() as u64,
            oldest_unsent_at: oldest_unsent_at(&self.store, &self.identity, &scopes)?,
            asking: self.store.projections_asking()?.len() as u64,
            synced_at: self.number(Key::SyncedAt)?.map(Millis),
            orphans,
            skew_ms: self.number(Key::SkewMs)?,
            shut_out: self.store.meta(Key::ShutOut)?.is_some_and(|said| !said.is_empty()),
            scopes: scopes.iter().map(|record| self.scope_status(record)).collect::<Result<_, _>>()?,
            alarms: self.store.alarms()?,
        })
    }

    fn scope_status(&self, record: &ScopeRecord) -> Result<ScopeStatus, Error> {
        Ok(ScopeStatus {
            scope: record.scope,
            beat: self.beat(record.scope),
            epoch: record.cursor.epoch,
            sequence: record.cursor.sequence,
            verified: record.verified,
            backed_up: record.backed_up,
            written: record.tip.index,
            decided: record.decided.index,
            receipt: self.store.receipts(record.scope)?.pop().map(|receipt| receipt.note),
        })
    }

    pub(super) fn projection(&self, id: DocumentId, kind: Kind) -> Result<ProjectionRecord, Error> {
        let records = self.store.projections_of(id)?;
        records.into_iter().find(|record| record.kind == kind).ok_or(Error::UnknownDocument)
    }

    fn any_projection(&self, id: DocumentId) -> Result<ProjectionRecord, Error> {
        self.store.projections_of(id)?.into_iter().next().ok_or(Error::UnknownDocument)
    }

    fn local(&self, record: &ProjectionRecord) -> Result<LocalDocument, StoreError> {
        LocalDocument::load(&self.store, &self.identity, record.scope, record.document)
    }

    fn number(&self, key: Key) -> Result<Option<i64>, Error> {
        Ok(self.store.meta(key)?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()))
    }

    fn shown(&self, records: &[ProjectionRecord]) -> Result<Vec<VisitView>, Error> {
        let mut surroundings = self.surroundings()?;
        let mut visits = Vec::with_capacity(records.len());
        for record in records {
            let local = self.local(record)?;
            let visit = Visit::read(&local.reading());
            if let Some(place) = visit.place
                && !surroundings.addresses.contains_key(&place)
            {
                surroundings.addresses.insert(place, self.address_of(place)?);
            }
            visits.push(surroundings.visit(record, visit, local));
        }
        Ok(visits)
    }

    fn address_of(&self, place: DocumentId) -> Result<Option<String>, Error> {
        let records = self.store.projections_of(place)?;
        let place = records.iter().find(|record| record.kind == Kind::PLACE);
        Ok(place.map(PlaceRow::read).transpose()?.and_then(|row| row.address))
    }

    fn surroundings(&self) -> Result<Surroundings, Error> {
        let scopes = self.store.scopes()?;
        let mut writers = BTreeMap::<ReplicaId, Writer>::new();
        for record in &scopes {
            writers.extend(self.store.streams(record.scope)?.into_iter().map(|stream| {
                let person = stream.introduction.as_deref().and_then(Introduction::person_said);
                (stream.replica, Writer { name: stream.person, person })
            }));
        }
        if let Some(person) = self.person() {
            let own = self.identity.closed.iter().chain([&self.identity.replica]);
            let writer = Writer { name: person.name.clone(), person: Some(person.id) };
            writers.extend(own.map(|replica| (*replica, writer.clone())));
        }
        let scopes = scopes.into_iter().map(|record| (record.scope, record)).collect();
        Ok(Surroundings { writers, beats: self.beats().to_vec(), scopes, addresses: BTreeMap::new() })
    }
}

fn change_view(change: &Change, surroundings: &Surroundings) -> ChangeView {
    let Writer { name, person } = surroundings.writer(change.actor().replica);
    ChangeView {
        change: change.hash(),
        by: name,
        person,
        at: Millis::default(),
        received_at: None,
        labels: Vec::new(),
        held: None,
        puts: change.puts().iter().map(|put| (put.key.clone(), put.value.clone())).collect(),
    }
}
