//! What the next request says: what is asked about, what is brought, and what proves it.

use std::collections::BTreeSet;

use aralau_sync_core::{
    id::{ScopeId, Signature},
    stream::StreamId,
    sync::{Ask, Hello, LastRow, MAX_NOTICES, MAX_SCOPES, PROTOCOL},
    time::Millis,
};

use super::{Recall, SyncSession, roll, wire};
use crate::{
    client::Client,
    enrollment::Enrollment,
    error::Error,
    notices,
    outbox::{self, Allowance, Outgoing, oldest_unsent_at},
    outlines, relay,
    store::{Key, ScopeRecord, Store, StoreError},
};

/// Notices in a request that shows receipts as well.
const NOTICES_BESIDE_RECEIPTS: usize = 16;

/// What a request says.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) enrollment: Enrollment,
    pub(super) nonce: String,
    pub(super) hello: Hello,
    pub(super) frames: Vec<Outgoing>,
}

impl Draft {
    /// What the frames' signatures are over, of those that have none.
    pub(super) fn preimages(&self) -> Vec<Vec<u8>> {
        self.frames.iter().filter_map(|frame| frame.preimage(&self.enrollment.deployment)).collect()
    }

    /// Whether these are as many as were wanting.
    pub(super) fn take(&mut self, signatures: &[Signature]) -> bool {
        let unsigned: Vec<_> = self.frames.iter_mut().filter(|frame| frame.signature.is_none()).collect();
        let fits = unsigned.len() == signatures.len();
        unsigned.into_iter().zip(signatures).for_each(|(frame, signature)| frame.signature = Some(*signature));
        fits
    }
}

impl SyncSession {
    pub(super) fn draft<S: Store>(&mut self, client: &mut Client<S>) -> Result<Draft, Error> {
        let enrollment = client.enrollment.clone().ok_or(Error::NotEnrolled)?;
        let scopes = client.store.scopes()?;
        let nonce = client.store.meta(Key::Nonce)?.unwrap_or_default();
        self.recall_returned(client, &scopes)?;
        let frames = self.frames(client, &scopes, self.pacing.allowance())?;
        let roll = if self.asks_only || self.proving { None } else { roll::roll(client, &enrollment, &scopes)? };
        let asks = if roll.is_some() { Vec::new() } else { asks(&scopes, &self.heard) };
        let mut hello = hello(client, &scopes, asks)?;
        hello.most_bytes = self.pacing.most_bytes();
        hello.introductions = relay::introductions(&client.store, &self.unknown)?;
        if self.proving {
            hello.receipts = Some(newest_receipts(client, &scopes)?);
        }
        self.brought = 0;
        if let Recall::From(from) = self.recalling {
            // Receipts fill most of a hello.
            let most = if self.proving { NOTICES_BESIDE_RECEIPTS } else { MAX_NOTICES };
            let mut notices = notices::to_bring(&client.store, from)?;
            notices.truncate(most);
            self.brought = notices.len();
            hello.notices = Some(notices);
        }
        self.asked = match &roll {
            Some(_) => scopes.iter().filter(|record| record.granted).map(|record| record.scope).collect(),
            None => hello.scopes.iter().map(|ask| ask.scope).collect(),
        };
        self.called = roll.as_ref().map(|roll| roll.epoch);
        hello.roll = roll;
        // A roll that is not taken is answered with all epochs, and one that is with none.
        self.oldest_epoch = hello.scopes.iter().map(|ask| ask.cursor.epoch).min().unwrap_or(0);
        hello.elsewhere = self.elsewhere(client, &scopes)?;
        Ok(Draft { enrollment, nonce: wire::usable(&nonce).to_owned(), hello, frames })
    }

    /// Scopes that are not asked about and of which the server once told something.
    fn elsewhere<S: Store>(
        &self,
        client: &Client<S>,
        scopes: &[ScopeRecord],
    ) -> Result<Option<Vec<LastRow>>, StoreError> {
        let is_known = |record: &&ScopeRecord| record.decided.index > 0 || record.cursor.sequence > 0;
        let is_elsewhere = |record: &&ScopeRecord| !self.asked.contains(&record.scope) && is_known(record);
        let last = |record: &ScopeRecord| {
            let row = client.store.row(record.scope, record.cursor.sequence)?;
            let received_at = row.map_or(Millis(0), |row| row.received_at);
            Ok(LastRow { scope: record.scope, cursor: record.cursor, received_at })
        };
        let rows: Vec<_> =
            scopes.iter().filter(is_elsewhere).take(MAX_SCOPES).map(last).collect::<Result<_, StoreError>>()?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// Scopes that are asked about again tell by their rows what the server has.
    fn recall_returned<S: Store>(&mut self, client: &mut Client<S>, scopes: &[ScopeRecord]) -> Result<(), Error> {
        let mut returned = relay::returned(&client.store)?;
        let before = returned.len();
        let is_asked = |scope| scopes.iter().any(|record| record.scope == scope && record.granted);
        returned.retain(|stream, _| !is_asked(stream.scope));
        if returned.len() < before {
            relay::keep_returned(&mut client.store, &returned)?;
        }
        for (stream, index) in returned {
            self.offered.entry(stream).or_insert(index);
        }
        Ok(())
    }

    /// Own words first, then what is brought back of others and of earlier installs.
    pub(super) fn frames<S: Store>(
        &self,
        client: &Client<S>,
        scopes: &[ScopeRecord],
        mut allowance: Allowance,
    ) -> Result<Vec<Outgoing>, Error> {
        let mut frames = Vec::new();
        for record in scopes {
            let stream = StreamId { replica: client.identity.replica, scope: record.scope };
            if record.unsent() > 0 && !self.refused.contains(&stream) {
                frames.extend(outbox::frames(&client.store, stream, record.decided, &mut allowance)?);
            }
        }
        for record in scopes {
            let (store, identity) = (&client.store, &client.identity);
            frames.extend(relay::frames(store, identity, record.scope, &self.offered, &mut allowance)?);
        }
        Ok(frames)
    }
}

fn hello<S: Store>(client: &Client<S>, scopes: &[ScopeRecord], asks: Vec<Ask>) -> Result<Hello, Error> {
    Ok(Hello {
        protocol: PROTOCOL,
        replica: client.identity.replica,
        clock: client.seams.clock.now(),
        scopes: asks,
        unsent: scopes.iter().map(ScopeRecord::unsent).sum(),
        oldest_unsent_at: oldest_unsent_at(&client.store, &client.identity, scopes)?,
        app: Some(crate::APP.to_owned()),
        receipts: None,
        most_bytes: None,
        introductions: None,
        elsewhere: None,
        monotonic: Some(client.seams.clock.monotonic()),
        noticed: Some(notices::seen(&client.store)?),
        notices: None,
        outlines: Some(outlines::kept(&client.store)?.mark),
        roll: None,
    })
}

/// Those of scopes that are not asked about as well: they prove that there was an epoch. Of each scope the newest, and the
/// newest that the rows here bear out: while a long log comes in pages, these are not the same.
pub(super) fn newest_receipts<S: Store>(client: &Client<S>, scopes: &[ScopeRecord]) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    for record in scopes {
        let mut receipts = client.store.receipts(record.scope)?;
        let newest = receipts.pop();
        let borne_out = receipts.into_iter().rfind(|receipt| receipt.size <= record.verified);
        let borne_out = borne_out.filter(|_| newest.as_ref().is_some_and(|newest| newest.size > record.verified));
        notes.extend(newest.into_iter().chain(borne_out).map(|receipt| receipt.note));
    }
    notes.truncate(MAX_SCOPES);
    Ok(notes)
}

/// What one request asks about: as many as it may, those first of which something may be missing.
fn asks(scopes: &[ScopeRecord], heard: &BTreeSet<ScopeId>) -> Vec<Ask> {
    let granted =
        |is_heard| scopes.iter().filter(move |record| record.granted && heard.contains(&record.scope) == is_heard);
    let asked = granted(false).chain(granted(true)).take(MAX_SCOPES);
    asked.map(|record| Ask { scope: record.scope, cursor: record.cursor, tip: record.tip }).collect()
}
