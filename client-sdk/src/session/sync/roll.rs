//! The short form of a sync, for a person with several beats: the device says of all of them at once where it stands, and
//! the server vouches with one signature for what has not changed.

use std::collections::BTreeSet;

use aralau_sync_core::{
    id::ScopeId,
    sync::{Beat, Level, Mark, Occasion, Roll, Unchanged, Welcome, beats_hash},
};

use super::SyncSession;
use crate::{
    client::Client,
    enrollment::Enrollment,
    error::Error,
    keys::Verifier,
    store::{Key, ScopeRecord, Store, StoreError},
};

/// Of fewer beats the list is as short.
const FEWEST_BEATS: usize = 2;

/// The roll of all beats, to a server that takes one; `None` where something is still on its way, or contradicts itself.
pub(super) fn roll<S: Store>(
    client: &Client<S>,
    enrollment: &Enrollment,
    scopes: &[ScopeRecord],
) -> Result<Option<Roll>, StoreError> {
    let mut granted: Vec<_> = scopes.iter().filter(|record| record.granted).collect();
    granted.sort_unstable_by_key(|record| record.scope);
    let of_beats: BTreeSet<_> = enrollment.beats.iter().map(|beat| beat.scope).collect();
    let Some(epoch) = granted.first().map(|record| record.cursor.epoch).filter(|epoch| *epoch > 0) else {
        return Ok(None);
    };
    let is_settled = |record: &&ScopeRecord| {
        record.cursor.epoch == epoch && record.verified == record.cursor.sequence && of_beats.contains(&record.scope)
    };
    if granted.len() < FEWEST_BEATS
        || granted.len() != of_beats.len()
        || !granted.iter().all(is_settled)
        || !is_taken(client)?
    {
        return Ok(None);
    }
    let beats: Vec<_> = enrollment.beats.iter().map(Beat::from).collect();
    let mark =
        |record: &&ScopeRecord| Mark { scope: record.scope, rows: record.cursor.sequence, backed_up: record.backed_up };
    let marks: Vec<_> = granted.iter().map(mark).collect();
    Ok(Some(Roll::of(beats_hash(&beats), epoch, &marks)))
}

/// Whether the server has said that it takes a roll.
fn is_taken<S: Store>(client: &Client<S>) -> Result<bool, StoreError> {
    Ok(client.store.meta(Key::TakesRoll)?.is_some_and(|said| !said.is_empty()))
}

impl SyncSession {
    /// Keeps what the server says of rolls. A server that was put back to an older build says nothing.
    pub(super) fn note_roll<S: Store>(&self, client: &mut Client<S>, welcome: &Welcome) -> Result<(), StoreError> {
        let takes = welcome.takes_roll == Some(true);
        if takes != is_taken(client)? {
            client.store.set_meta(Key::TakesRoll, if takes { b"1" } else { b"" })?;
        }
        Ok(())
    }

    /// Which of the scopes called are as the server has them, or are brought by its answer: all of them, if its word fits what is
    /// here. If it does not, only those that are brought, and the others are asked about one by one.
    pub(super) fn heard_of_roll<S: Store>(
        &mut self,
        client: &Client<S>,
        welcome: &Welcome,
        brought: &BTreeSet<ScopeId>,
    ) -> Result<BTreeSet<ScopeId>, Error> {
        let Some(epoch) = self.called else { return Ok(self.asked.clone()) };
        let vouched = match welcome.level {
            Some(level) => self.is_level(client, welcome, level, epoch, brought)?,
            None => false,
        };
        if vouched {
            return Ok(self.asked.clone());
        }
        self.asks_only = true;
        Ok(self.asked.intersection(brought).copied().collect())
    }

    fn is_level<S: Store>(
        &self,
        client: &Client<S>,
        welcome: &Welcome,
        level: Level,
        epoch: u64,
        brought: &BTreeSet<ScopeId>,
    ) -> Result<bool, Error> {
        let Enrollment { deployment, server_key, .. } = client.enrollment.as_ref().ok_or(Error::NotEnrolled)?;
        let occasion =
            Occasion { deployment: *deployment, replica: client.identity.replica, epoch, time: welcome.time };
        let here = client.store.scopes()?.into_iter().filter(|record| {
            record.cursor.epoch == epoch && self.asked.contains(&record.scope) && !brought.contains(&record.scope)
        });
        let here = here.map(|record| Unchanged {
            scope: record.scope,
            size: record.frontier.size(),
            root: record.frontier.root(),
            decided: record.decided,
            backed_up: record.backed_up,
        });
        Ok(level.vouches_for(&occasion, here.collect(), server_key, &Verifier))
    }
}
