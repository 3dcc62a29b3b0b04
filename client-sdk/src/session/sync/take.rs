//! Taking an answer in: the server's word about the frames, then what each scope gained.

use std::collections::BTreeSet;

use aralau_sync_core::{
    epoch::{follow, shared_point},
    id::ScopeId,
    stream::{Seen, StreamId, Tip},
    sync::{Answer, Directive, FrameFate, FrameRefusal, Gained, PROTOCOL, StreamEnd, Welcome},
};

use super::{Recall, Remedy, SyncSession, Trouble};
use crate::{
    alarm::AlarmCode,
    client::Client,
    enrollment::{Beat, Enrollment},
    error::Error,
    notices, outlines,
    projection::project,
    pull::{Judge, PullError, Pulled, Took, holds_receipts, is_own, pull},
    relay,
    rewind::rewind,
    store::{Key, ScopeRecord, Store, transaction},
    succession,
    view::Event,
};

use super::{HeldOutcome, Sent};

impl SyncSession {
    /// Whether the answer brought anything.
    pub(super) fn take<S: Store>(&mut self, client: &mut Client<S>, answer: Answer) -> Result<bool, Trouble> {
        let Answer { welcome, gained } = answer;
        if welcome.protocol != PROTOCOL {
            return Err(Error::Protocol.into());
        }
        let mut progress = self.greet(client, &welcome)?;
        progress |= self.notice(client, &welcome)?;
        progress |= self.rewind_elsewhere(client, &welcome)?;
        let mut fates = self.take_fates(client, &welcome.frames)?;
        progress |= fates.progress;
        progress |= self.compare_elsewhere(client, &welcome, &mut fates)?;
        self.report.more = false;
        if fates.forked && !self.proving && holds_receipts(&client.store)? {
            // Perhaps this is a copy; perhaps the server has lost what it once called decided, and somebody else has used
            // its indexes since. The receipts tell which.
            self.proving = true;
            return Err(Trouble { error: Error::Alarm(AlarmCode::Forked), remedy: Remedy::Again });
        }
        if fates.forked || welcome.directives.contains(&Directive::NewReplica) {
            self.succeed(client, fates.forked)?;
            return Ok(true);
        }
        let brought: BTreeSet<_> = gained.iter().map(|gained| gained.scope).collect();
        let heard = self.heard_of_roll(client, &welcome, &brought)?;
        self.heard.extend(heard);
        let mut alarm = None;
        for gained in &gained {
            if gained.more {
                self.heard.remove(&gained.scope);
            }
            match self.take_gained(client, &welcome, gained) {
                Ok(Pulled::Took(took)) => {
                    progress |= took.rows > 0 || took.rewound;
                    if took.other_base {
                        self.heard.remove(&gained.scope);
                    }
                }
                Ok(Pulled::Forked) => {
                    self.succeed(client, true)?;
                    return Ok(true);
                }
                Err(PullError::Alarm(code)) => {
                    client.raise(code, Some(gained.scope), "")?;
                    alarm.get_or_insert(code);
                }
                Err(PullError::Store(error)) => return Err(error.into()),
            }
        }
        progress |= self.settle(client, &gained)?;
        alarm.map_or(Ok(progress), |code| Err(Error::Alarm(code).into()))
    }

    /// Nonce, clock, beats with their outlines, directives. Whether the beats changed.
    fn greet<S: Store>(&mut self, client: &mut Client<S>, welcome: &Welcome) -> Result<bool, Error> {
        self.report.skew_ms = welcome.time.since(client.seams.clock.now());
        let shut_out = welcome.directives.contains(&Directive::Wipe);
        self.report.wipe |= shut_out;
        self.report.upgrade |= welcome.directives.contains(&Directive::Upgrade);
        let known = client.enrollment.as_ref().ok_or(Error::NotEnrolled)?;
        let beats = match (self.called, welcome.level) {
            // The server knows of none others.
            (Some(_), Some(_)) => known.beats.clone(),
            _ => welcome.beats.iter().map(Beat::from).collect(),
        };
        let enrollment = Enrollment { beats, ..known.clone() };
        let changed = enrollment != *known;
        transaction::<_, _, Error>(&mut client.store, |store| {
            store.set_meta(Key::Nonce, welcome.nonce.as_bytes())?;
            store.set_meta(Key::SkewMs, self.report.skew_ms.to_string().as_bytes())?;
            store.set_meta(Key::ShutOut, if shut_out { b"yes" } else { b"" })?;
            if changed {
                enrollment.save(store)?;
            }
            welcome.outlines.as_ref().map_or(Ok(()), |told| Ok(outlines::keep(store, told)?))
        })?;
        if changed {
            client.enrollment = Some(enrollment);
            self.report.beats_changed = true;
        }
        if changed || welcome.outlines.is_some() {
            client.tell(Event::Beats);
        }
        self.note_roll(client, welcome)?;
        Ok(changed)
    }

    /// What has ended, as far as it concerns this device. A server that counts in another epoch than when it last told was
    /// restored: what this device has heard is brought to it first. Whether there is something to bring.
    fn notice<S: Store>(&mut self, client: &mut Client<S>, welcome: &Welcome) -> Result<bool, Error> {
        let (Some(noticed), Some(enrollment)) = (&welcome.noticed, &client.enrollment) else { return Ok(false) };
        let seen = notices::seen(&client.store)?;
        let is_other = seen != Seen::default() && seen.epoch != noticed.upto.epoch;
        if is_other && self.recalling == Recall::No && !notices::to_bring(&client.store, 0)?.is_empty() {
            self.recalling = Recall::From(0);
            return Ok(true);
        }
        if !matches!(self.recalling, Recall::From(_)) {
            transaction::<_, _, Error>(&mut client.store, |store| Ok(notices::keep(store, enrollment, noticed)?))?;
        }
        Ok(false)
    }

    /// Scopes that are not asked about any more follow a new epoch as well: what the restored server has lost of them is
    /// offered again. How far it has the own stream, the fates of its frames will tell.
    fn rewind_elsewhere<S: Store>(&mut self, client: &mut Client<S>, welcome: &Welcome) -> Result<bool, Error> {
        let Some(newest) = welcome.epochs.last().map(|epoch| epoch.number) else { return Ok(false) };
        let behind = |record: &ScopeRecord| !record.granted && record.cursor.epoch < newest;
        let identity = client.identity.clone();
        let mut rewound = false;
        for mut record in client.store.scopes()?.into_iter().filter(behind) {
            // The answer names the epochs after the oldest one asked about.
            let explained = record.cursor.epoch >= self.oldest_epoch;
            let cursor = if explained { record.cursor } else { Seen::default() };
            let shared = shared_point(cursor, &record.followed, record.scope, &welcome.epochs);
            transaction::<_, _, Error>(&mut client.store, |store| {
                let touched = rewind(store, identity.replica, &mut record, shared.sequence)?;
                follow(&mut record.followed, shared, record.scope, &welcome.epochs);
                record.cursor.epoch = newest;
                record.decided = Tip::default();
                store.put_scope(&record)?;
                let mut returned = relay::returned(store)?;
                returned.retain(|stream, _| stream.scope != record.scope);
                relay::keep_returned(store, &returned)?;
                for document in touched {
                    project(store, &identity, record.scope, document)?;
                }
                Ok(())
            })?;
            self.offered.retain(|stream, _| stream.scope != record.scope);
            rewound = true;
        }
        Ok(rewound)
    }

    fn take_fates<S: Store>(&mut self, client: &mut Client<S>, fates: &[FrameFate]) -> Result<Fates, Error> {
        let mut outcome = Fates::default();
        for (frame, fate) in std::mem::take(&mut self.sent).iter().zip(fates) {
            if frame.stream.replica == client.identity.replica {
                self.take_own_fate(client, frame.stream, fate, &mut outcome)?;
            } else {
                self.take_relayed_fate(client, frame, fate, &mut outcome)?;
            }
        }
        Ok(outcome)
    }

    fn take_own_fate<S: Store>(
        &mut self,
        client: &mut Client<S>,
        stream: StreamId,
        fate: &FrameFate,
        outcome: &mut Fates,
    ) -> Result<(), Error> {
        let Some(record) = client.store.scope(stream.scope)? else { return Ok(()) };
        match fate {
            FrameFate::Decided { tip, .. } if is_own(&client.store, stream, record.tip, *tip)? => {
                if tip.index > record.decided.index {
                    self.decided(client, record, *tip)?;
                    outcome.progress = true;
                }
            }
            // What a scope that is asked about gained says the same with a signature; another has only this.
            FrameFate::Gap { tip, .. } if is_own(&client.store, stream, record.tip, *tip)? => {
                if !self.asked.contains(&stream.scope) && *tip != record.decided {
                    client.store.put_scope(&ScopeRecord { decided: *tip, ..record })?;
                    outcome.progress = true;
                }
            }
            FrameFate::Decided { .. } | FrameFate::Gap { .. } | FrameFate::Forked { .. } => outcome.forked = true,
            FrameFate::Refused { code } => {
                self.refused.insert(stream);
                self.refuse(client, stream.scope, code.code())?;
            }
        }
        Ok(())
    }

    /// How far the server has the own streams in scopes that are not asked about. Fewer entries than it once called decided,
    /// or others, or another last row mean that somebody put an older database back. Receipts prove it, if there are any; if not, the words are
    /// sent again, or under another name.
    fn compare_elsewhere<S: Store>(
        &self,
        client: &mut Client<S>,
        welcome: &Welcome,
        outcome: &mut Fates,
    ) -> Result<bool, Trouble> {
        let mut lost = false;
        let own = |end: &&StreamEnd| end.replica == client.identity.replica && !self.asked.contains(&end.scope);
        let ends: Vec<_> = welcome.elsewhere.iter().flatten().filter(own).copied().collect();
        for StreamEnd { replica, scope, tip, has_last_row } in ends {
            let Some(record) = client.store.scope(scope)? else { continue };
            let is_own = is_own(&client.store, StreamId { replica, scope }, record.tip, tip)?;
            if is_own && tip.index >= record.decided.index && has_last_row {
                continue;
            }
            client.raise(AlarmCode::ServerLost, Some(scope), "")?;
            if !self.proving && holds_receipts(&client.store)? {
                return Err(Error::Alarm(AlarmCode::ServerLost).into());
            }
            outcome.forked |= !is_own;
            if is_own && tip.index < record.decided.index {
                client.store.put_scope(&ScopeRecord { decided: tip, ..record })?;
                lost = true;
            }
        }
        Ok(lost)
    }

    fn take_relayed_fate<S: Store>(
        &mut self,
        client: &mut Client<S>,
        frame: &Sent,
        fate: &FrameFate,
        outcome: &mut Fates,
    ) -> Result<(), Error> {
        let before = self.offered.get(&frame.stream).copied().unwrap_or(0);
        let reached = match fate {
            FrameFate::Decided { tip, .. } => tip.index.max(frame.upto.index),
            FrameFate::Gap { .. } | FrameFate::Forked { .. } => u64::MAX,
            // Once more, together with who it is.
            FrameFate::Refused { code }
                if *code == FrameRefusal::AuthorUnknown && self.unknown.insert(frame.stream) =>
            {
                outcome.progress = true;
                return Ok(());
            }
            FrameFate::Refused { code } => {
                self.refuse(client, frame.stream.scope, code.code())?;
                u64::MAX
            }
        };
        if matches!(fate, FrameFate::Forked { .. }) && !self.asked.contains(&frame.stream.scope) {
            // The server has other words under these indexes, and no row will come from there to tell.
            transaction::<_, _, Error>(&mut client.store, |store| Ok(succession::give_up(store, frame.stream)?))?;
            outcome.progress = true;
        }
        let is_over = matches!(fate, FrameFate::Decided { .. } | FrameFate::Forked { .. });
        if is_over && !self.asked.contains(&frame.stream.scope) {
            let mut returned = relay::returned(&client.store)?;
            returned.insert(frame.stream, reached.max(before));
            relay::keep_returned(&mut client.store, &returned)?;
        }
        if reached < u64::MAX {
            self.report.relayed += frame.entries;
            outcome.progress |= reached > before;
        }
        self.offered.insert(frame.stream, reached.max(before));
        Ok(())
    }

    fn refuse<S: Store>(&mut self, client: &mut Client<S>, scope: ScopeId, code: &str) -> Result<(), Error> {
        if !self.report.refused.iter().any(|known| known == code) {
            self.report.refused.push(code.to_owned());
        }
        client.raise(AlarmCode::FrameRefused, Some(scope), code)
    }

    fn decided<S: Store>(&mut self, client: &mut Client<S>, record: ScopeRecord, tip: Tip) -> Result<(), Error> {
        self.report.pushed += tip.index.saturating_sub(record.decided.index);
        Ok(client.store.put_scope(&ScopeRecord { decided: tip, ..record })?)
    }

    fn take_gained<S: Store>(
        &mut self,
        client: &mut Client<S>,
        welcome: &Welcome,
        gained: &Gained,
    ) -> Result<Pulled, PullError> {
        if !self.asked.contains(&gained.scope) {
            return Ok(Pulled::Took(Took::default()));
        }
        let Some(enrollment) = &client.enrollment else { return Ok(Pulled::Took(Took::default())) };
        let judge = Judge {
            identity: &client.identity,
            deployment: enrollment.deployment,
            server_key: enrollment.server_key,
            device_key: client.vault.public_key(),
            epochs: &welcome.epochs,
            is_shown: self.proving,
        };
        let before = client.store.scope(gained.scope)?.map_or(0, |record| record.decided.index);
        let pulled = transaction(&mut client.store, |store| pull(store, &judge, gained))?;
        if let Pulled::Took(took) = &pulled {
            self.report.more |= gained.more;
            self.report.pushed += gained.decided.index.saturating_sub(before);
            self.count(gained.scope, took);
            if took.unwitnessed_loss {
                client.raise_in_store(AlarmCode::ServerLost, Some(gained.scope), "")?;
            }
            if took.other_base {
                client.raise_in_store(AlarmCode::Root, Some(gained.scope), "")?;
            }
            if took.unsound > 0 {
                client.raise_in_store(AlarmCode::Unsound, Some(gained.scope), "")?;
            }
            if !took.touched.is_empty() {
                client.tell(Event::Changed(took.touched.iter().copied().collect()));
            }
        }
        Ok(pulled)
    }

    fn count(&mut self, scope: ScopeId, took: &Took) {
        self.report.pulled += took.entries;
        self.report.rewound |= took.rewound;
        let held = took.held.iter().map(|(index, reason)| HeldOutcome {
            scope,
            index: *index,
            reason: reason.code().to_owned(),
        });
        self.report.held.extend(held);
    }

    /// This install is a restored or copied one: it goes on under a new name.
    fn succeed<S: Store>(&mut self, client: &mut Client<S>, forked: bool) -> Result<(), Error> {
        let next = client.seams.replica(&client.vault.public_key());
        let identity = client.identity.clone();
        client.identity = transaction(&mut client.store, |store| succession::close(store, &identity, next))?;
        self.report.new_replica = true;
        self.report.more = true;
        self.refused.clear();
        if forked {
            client.raise(AlarmCode::Forked, None, "")?;
        }
        Ok(())
    }

    /// Carries words of closed installs over, once the log of their scope is here or will not come.
    fn settle<S: Store>(&mut self, client: &mut Client<S>, gained: &[Gained]) -> Result<bool, Error> {
        let mut settled = false;
        for record in client.store.scopes()? {
            let unfinished = gained.iter().any(|gained| gained.scope == record.scope && gained.more);
            if !unfinished && client.settle(record.scope)? {
                settled = true;
            }
        }
        Ok(settled)
    }
}

#[derive(Default)]
struct Fates {
    forked: bool,
    progress: bool,
}
