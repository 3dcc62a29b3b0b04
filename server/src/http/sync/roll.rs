//! The short form of a sync: a device says of all its beats at once where it stands, and is told only what differs.

use std::collections::BTreeMap;

use aralau_sync_core::{
    id::{DeploymentId, ReplicaId, ScopeId},
    sync::{Ask, Beat, Level, Mark, Occasion, Roll, Unchanged, beats_hash},
    time::Millis,
};
use rusqlite::Connection;

use crate::{
    keys::ReceiptKey,
    store::{self, BeatRow, DeviceRow, StoreError},
};

/// A roll that fits the beats of the device's person, and what of it was found unchanged.
#[derive(Debug)]
pub(super) struct Call {
    roll: Roll,
    marks: BTreeMap<ScopeId, Mark>,
    unchanged: Vec<Unchanged>,
}

impl Call {
    /// `None` where the device knows of other beats or stands in another epoch: then it is to ask about each scope.
    pub(super) fn of(
        connection: &Connection,
        row: &DeviceRow,
        roll: Roll,
        now: Millis,
    ) -> Result<Option<Self>, StoreError> {
        let beats = store::beats_for(connection, row, now)?;
        let Some(marks) = roll.marks(beats.iter().map(|beat| beat.scope)) else { return Ok(None) };
        let marks = marks.into_iter().map(|mark| (mark.scope, mark)).collect();
        let call = Self { roll, marks, unchanged: Vec::new() };
        let epoch = store::current_epoch(connection)?;
        Ok(Some(call).filter(|call| call.is_of(&beats, epoch)))
    }

    /// What the device would have asked, scope by scope.
    pub(super) fn asks(&self) -> Vec<Ask> {
        self.marks.values().map(|mark| self.roll.ask(mark)).collect()
    }

    /// Whether it is still of these beats, and of this epoch.
    pub(super) fn is_of(&self, beats: &[BeatRow], epoch: u64) -> bool {
        let beats: Vec<Beat> = beats.iter().cloned().map(Into::into).collect();
        (self.roll.beats, self.roll.epoch) == (beats_hash(&beats), epoch)
    }

    /// Whether a scope need not be told of: the device has all of it.
    pub(super) fn passes_over(
        &mut self,
        connection: &Connection,
        replica: ReplicaId,
        beat: &BeatRow,
    ) -> Result<bool, StoreError> {
        let Some(mark) = self.marks.get(&beat.scope) else { return Ok(false) };
        let unchanged = store::unchanged(connection, beat.scope_no, replica, mark)?;
        self.unchanged.extend(unchanged);
        Ok(unchanged.is_some())
    }

    /// The server's word about what was passed over.
    pub(super) fn level(self, deployment: DeploymentId, replica: ReplicaId, now: Millis, key: &ReceiptKey) -> Level {
        Level::sign(&Occasion { deployment, replica, epoch: self.roll.epoch, time: now }, self.unchanged, key)
    }
}
