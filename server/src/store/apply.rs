//! A plan becomes rows: each is appended to its scope's log, noted in quarantine where it is held, and followed by the tables of
//! the document that it changes.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use aralau_sync_core::{
    frame::Frame,
    id::{DocumentId, EntryHash, ReplicaId},
    log::Verdict,
    reconcile::{Decision, Outcome, Plan},
    stream::{Link, Tip},
    time::Millis,
};

use super::{
    StoreError, Transaction,
    hold::{self, Said},
    log::{NewRow, ScopeLog},
    projection::{self, Loaded},
};

/// Entries that arrive, whose bytes no row has yet.
#[derive(Clone, Copy)]
pub(super) struct Arriving<'a> {
    pub(super) stream_no: i64,
    pub(super) frame: &'a Frame,
    pub(super) tips: &'a [Tip],
}

/// An entry as its row brings it.
struct Brought<'a> {
    /// Stream number and index.
    entry: (i64, u64),
    hash: EntryHash,
    header: Cow<'a, [u8]>,
    body: Cow<'a, [u8]>,
}

impl<'a> Arriving<'a> {
    fn entry(&self, replica: ReplicaId, index: u64) -> Option<Brought<'a>> {
        let position =
            index.checked_sub(self.frame.before.index + 1).filter(|_| replica == self.frame.stream.replica)?;
        let position = usize::try_from(position).ok()?;
        let (Link::Full { header, body }, tip) = (self.frame.links.get(position)?, self.tips.get(position)?) else {
            return None;
        };
        let (header, body) = (Cow::Borrowed(&header[..]), Cow::Borrowed(&body[..]));
        Some(Brought { entry: (self.stream_no, index), hash: tip.hash, header, body })
    }
}

/// A plan on its way into the log of one scope.
pub(super) struct Applying<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) log: ScopeLog,
    /// What is known of the plan's documents.
    pub(super) loaded: BTreeMap<DocumentId, Loaded>,
    pub(super) arriving: Option<Arriving<'a>>,
    /// Whose word the rows are.
    pub(super) said: Said<'a>,
    pub(super) now: Millis,
}

impl Applying<'_> {
    /// Writes the rows and whatever follows from them.
    pub(super) fn apply(mut self, plan: Plan) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for decision in &plan.rows {
            self.write(decision)?;
            if let (Some(id), Outcome::Accepted { .. } | Outcome::Filled { .. }) =
                (decision.document, &decision.outcome)
            {
                touched.insert(id);
            }
        }
        self.log.save(self.tx)?;
        for (id, document) in plan.documents {
            let Some(loaded) = self.loaded.remove(&id) else { continue };
            if touched.contains(&id) {
                projection::project(self.tx, &mut self.tx.learned(), self.log.scope_no, &document, &loaded)?;
            }
            self.tx.recent().keep(self.log.scope_no, id, document, loaded);
        }
        Ok(())
    }

    fn write(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let arriving = self.arriving.and_then(|arriving| arriving.entry(decision.replica, decision.index));
        let Brought { entry, hash, header, body } = match arriving {
            Some(brought) => brought,
            None => self.held_before(decision)?,
        };
        let verdict = Verdict { by: self.said.who(), note: self.said.note(), ..decision.outcome.verdict() };
        let verdict_bytes = verdict.to_bytes();
        let row = NewRow {
            kind: decision.outcome.kind(),
            received_at: self.now,
            entry: Some(entry),
            hash,
            header: Some(&header),
            body: Some(&body),
            verdict: &verdict_bytes,
        };
        let key = self.log.append(self.tx, &row)?;
        match &decision.outcome {
            Outcome::Held { change, .. } => {
                return hold::follow_held(self.tx, key, self.log.scope_no, entry, decision.document, change, &verdict);
            }
            Outcome::Filled { .. } => hold::follow_judged(self.tx, entry, "filled", &verdict, self.now)?,
            Outcome::Accepted { .. } => {}
        }
        let Some((id, loaded)) = decision.document.and_then(|id| Some((id, self.loaded.get_mut(&id)?))) else {
            return Ok(());
        };
        loaded.note(self.tx, self.log.scope_no, id, decision, &self.log, self.now)
    }

    /// An entry that was held before, and about which something is decided again.
    fn held_before(&self, decision: &Decision) -> Result<Brought<'static>, StoreError> {
        let held = hold::find(self.tx, decision.replica, self.log.scope, decision.index)?
            .ok_or_else(|| StoreError::corrupt("a held entry is missing from quarantine"))?;
        let hash = held.entry_hash(self.tx, decision.index)?;
        let entry = (held.stream_no, decision.index);
        Ok(Brought { entry, hash, header: Cow::Owned(held.header), body: Cow::Owned(held.body) })
    }
}
