//! The plan: what becomes of each arriving entry, decided from the entry and what the store knows, without touching either.
//!
//! Every entry is decided the moment its turn in its stream comes: **accepted** into its document, or **held** for a
//! [`Reason`]. What builds on something held is held because of it, in the same plan; other documents flow on. An entry
//! whose past was never seen waits, held, and is **filled** by itself when that past arrives. What a person releases is
//! filled too, with everything that was held only because of it. What builds on something that a person has refused is filled
//! only together with that, by a further word of theirs.
//!
//! A plan is a value. Whoever makes one has read beforehand all that it depends on: the [`Ground`], the [`Rights`] of the
//! author, and the [`Facts`] about the moment. Whoever carries it out writes its rows, in their order.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    change::Change,
    digest::change_hash,
    document::Document,
    id::{ChangeHash, DocumentId, Kind, ReplicaId},
    log::{Because, Labels, RowKind, Verdict},
    stream::{Entry, Header, Seen, Tip},
    time::Millis,
};

pub use crate::{
    reason::{Reason, Remedy},
    rights::{Grant, Rights},
};

/// What a store knows about the documents of one scope that an upload touches: every document named by one of its entries,
/// even if it does not exist yet.
pub type Ground = BTreeMap<DocumentId, DocumentGround>;

/// One document, as far as the plan needs it.
#[derive(Debug, Clone, Default)]
pub struct DocumentGround {
    /// Fixed by the first accepted entry.
    pub kind: Option<Kind>,
    /// The accepted changes.
    pub document: Document,
    /// The held ones that are neither released nor rejected, by the change inside, in order of arrival within one hash.
    pub held: BTreeMap<ChangeHash, HeldEntry>,
    /// Those that a person has refused. Only a [`release`] looks at them: without one they need not be loaded.
    pub rejected: BTreeMap<ChangeHash, HeldEntry>,
}

/// An entry kept apart.
#[derive(Debug, Clone)]
pub struct HeldEntry {
    /// Whose stream.
    pub replica: ReplicaId,
    /// Index there.
    pub index: u64,
    /// The entry, if its bytes could be opened at all.
    pub entry: Option<Entry>,
    /// Why it is held now.
    pub reason: Reason,
}

/// An entry whose turn in its stream has come, opened as far as its bytes allow.
#[derive(Debug, Clone)]
pub struct Arrival {
    index: u64,
    document: Option<DocumentId>,
    opened: Result<Box<Entry>, (ChangeHash, Reason)>,
}

impl Arrival {
    /// Opens the entry of this index: its header and its change's body.
    pub fn open(index: u64, header: &[u8], body: &[u8]) -> Self {
        let broken = |reason| Err((change_hash(body), reason));
        match Header::from_bytes(header) {
            Err(_) => Self { index, document: None, opened: broken(Reason::HeaderMalformed) },
            Ok(header_read) => {
                let document = Some(header_read.document);
                let opened = match Change::from_body(body) {
                    Ok(change) => Ok(Box::new(Entry { header_bytes: header.to_vec(), header: header_read, change })),
                    Err(error) => broken(Reason::from(error)),
                };
                Self { index, document, opened }
            }
        }
    }

    /// The document that its header names, if it can be read.
    pub fn document(&self) -> Option<DocumentId> {
        self.document
    }
}

/// What was decided about one entry.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Whose stream.
    pub replica: ReplicaId,
    /// Index there.
    pub index: u64,
    /// The document it belongs to, as far as its header can be read.
    pub document: Option<DocumentId>,
    /// The outcome: one log row.
    pub outcome: Outcome,
}

/// The outcome of an entry.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is part of its document.
    Accepted {
        /// The entry.
        entry: Box<Entry>,
        /// Facts about its clock.
        labels: Labels,
    },
    /// It is kept apart, or stays so for another reason than before.
    Held {
        /// Names the change, whatever its bytes are worth.
        change: ChangeHash,
        /// Why.
        reason: Reason,
        /// The held entry that it builds on.
        because: Option<Because>,
    },
    /// It was held, and is now part of its document.
    Filled {
        /// The entry.
        entry: Box<Entry>,
        /// Facts about its clock.
        labels: Labels,
    },
}

impl Outcome {
    /// What its row records.
    pub const fn kind(&self) -> RowKind {
        match self {
            Self::Accepted { .. } => RowKind::Accepted,
            Self::Held { .. } => RowKind::Held,
            Self::Filled { .. } => RowKind::Filled,
        }
    }

    /// What its row says of it, before anybody has said a word more.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Accepted { labels, .. } | Self::Filled { labels, .. } => {
                Verdict { labels: *labels, ..Verdict::default() }
            }
            Self::Held { reason, because, .. } => {
                Verdict { reason: Some(reason.clone()), because: *because, ..Verdict::default() }
            }
        }
    }
}

/// What a plan is told about the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Receipt time of what arrives.
    pub now: Millis,
    /// How long after a grant's end entries still count.
    pub grace_ms: i64,
    /// When the rows were received that headers [claim](claims) to have seen; absent where the log does not bear a claim out.
    pub seen: BTreeMap<Seen, Millis>,
}

impl Facts {
    fn seen_at(&self, header: &Header) -> Option<Millis> {
        header.seen.and_then(|seen| self.seen.get(&seen).copied())
    }

    fn labels(&self, entry: &Entry) -> Labels {
        Labels::of(&entry.header, self.now, self.seen_at(&entry.header))
    }
}

/// Whatever a plan may ask [`Facts::seen`] for.
pub fn claims(ground: &Ground, arrivals: &[Arrival]) -> BTreeSet<Seen> {
    let apart = ground.values().flat_map(|place| place.held.values().chain(place.rejected.values()));
    let apart = apart.filter_map(|held| held.entry.as_ref());
    let arriving = arrivals.iter().filter_map(|arrival| arrival.opened.as_deref().ok());
    apart.chain(arriving).filter_map(|entry| entry.header.seen).collect()
}

/// What is to become of entries.
#[derive(Debug, Default)]
pub struct Plan {
    /// The rows of the log, in this order.
    pub rows: Vec<Decision>,
    /// The documents as they are after it.
    pub documents: Ground,
}

/// Plans what becomes of entries of one stream, and of whatever they set free.
pub fn plan(ground: Ground, replica: ReplicaId, arrivals: Vec<Arrival>, rights: &Rights, facts: &Facts) -> Plan {
    let mut plan = Plan { rows: Vec::with_capacity(arrivals.len()), documents: ground };
    for arrival in arrivals {
        plan.take(replica, arrival, rights, facts);
    }
    plan
}

impl Plan {
    fn take(&mut self, replica: ReplicaId, arrival: Arrival, rights: &Rights, facts: &Facts) {
        let Arrival { index, document, opened } = arrival;
        let decision = |outcome| Decision { replica, index, document, outcome };
        let Some(id) = document else {
            let held = opened.err().map(|(change, reason)| Outcome::Held { change, reason, because: None });
            return self.rows.extend(held.map(decision));
        };
        let place = self.documents.entry(id).or_default();
        let ((change, entry), (reason, because)) = match opened {
            Ok(entry) => match place.admit(replica, &entry, rights, facts) {
                Ok(()) => {
                    place.accept(&entry);
                    let labels = facts.labels(&entry);
                    self.rows.push(decision(Outcome::Accepted { entry, labels }));
                    return place.set_free(id, facts, &mut self.rows);
                }
                Err(why) => ((entry.change.hash(), Some(*entry)), why),
            },
            Err((change, reason)) => ((change, None), (reason, None)),
        };
        place.held.entry(change).or_insert(HeldEntry { replica, index, entry, reason: reason.clone() });
        self.rows.push(decision(Outcome::Held { change, reason, because }));
    }
}

/// How a run of a stream's entries stands to what a store has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// Something before the run is missing.
    Gap,
    /// The run goes on from its entry of this number (perhaps its end: nothing new), unless what the store has at `shared`'s index
    /// is another entry: then the stream has forked.
    At {
        /// The last tip that both have if it has not.
        shared: Tip,
        /// Entries of the run that the store has.
        known: usize,
    },
}

impl Meeting {
    /// Of a run that begins after `before` and has these tips, with a stream that ends at `end`.
    pub fn of(before: Tip, tips: &[Tip], end: Tip) -> Self {
        let Some(have) = end.index.checked_sub(before.index) else { return Self::Gap };
        let known = usize::try_from(have).unwrap_or(usize::MAX).min(tips.len());
        let shared = known.checked_sub(1).and_then(|last| tips.get(last)).copied().unwrap_or(before);
        Self::At { shared, known }
    }
}

/// Which of the heads that a store kept beyond the beginning of a run go, once its stream ends at `end`: those that it has passed
/// another way.
pub fn passed_heads(beyond: &[Tip], tips: &[Tip], end: Tip) -> Vec<u64> {
    let passed = beyond.iter().filter(|head| head.index <= end.index && !tips.contains(head));
    passed.map(|head| head.index).collect()
}

/// What becomes of refused entries that a released one builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedPast {
    /// They stay refused, and the entry held.
    Stays,
    /// They become part of the document after all, before the entry.
    GoesIn,
}

/// Why a held entry is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It cannot become part of its document, even now.
    Unfit(Reason),
    /// It builds on this entry, which a person has refused.
    OnRejected(Because),
}

/// Plans the release of a held entry of a document by a person's word, with everything held only because of it.
///
/// # Errors
/// Why it stays held.
pub fn release(
    mut ground: Ground,
    id: DocumentId,
    change: &ChangeHash,
    past: RejectedPast,
    facts: &Facts,
) -> Result<Plan, Kept> {
    let place = ground.entry(id).or_default();
    let rows = place.release(id, change, past, facts)?;
    Ok(Plan { rows, documents: ground })
}

impl DocumentGround {
    /// Whether the document can take an arriving entry now, by content and by its author's rights.
    fn admit(
        &self,
        replica: ReplicaId,
        entry: &Entry,
        rights: &Rights,
        facts: &Facts,
    ) -> Result<(), (Reason, Option<Because>)> {
        if entry.change.actor().replica != replica {
            return Err((Reason::WrongActor, None));
        }
        let seen_at = facts.seen_at(&entry.header);
        rights.admit(seen_at, facts.now, facts.grace_ms).map_err(|reason| (reason, None))?;
        self.judge(entry)
    }

    /// Whether the document can take the entry now: everything but the author's rights.
    fn judge(&self, entry: &Entry) -> Result<(), (Reason, Option<Because>)> {
        if self.kind.is_some_and(|kind| kind != entry.header.kind()) {
            return Err((Reason::KindMismatch, None));
        }
        let hash = entry.change.hash();
        if self.document.has(&hash) || self.held.contains_key(&hash) {
            return Err((Reason::DuplicateChange, None));
        }
        let missing = |dep: &&ChangeHash| !self.document.has(dep);
        let mut missing = entry.change.dependencies().iter().filter(missing).peekable();
        if missing.peek().is_some() {
            let because = missing.find_map(|dep| self.held.get(dep));
            let because = because.map(|held| Because { replica: held.replica, index: held.index });
            let reason = if because.is_some() { Reason::Because } else { Reason::Waiting };
            return Err((reason, because));
        }
        self.document.check(&entry.change).map_err(|refusal| (Reason::from(&refusal), None))
    }

    fn accept(&mut self, entry: &Entry) {
        self.kind.get_or_insert(entry.header.kind());
        self.document.apply(entry.change.clone());
    }

    fn release(
        &mut self,
        id: DocumentId,
        change: &ChangeHash,
        past: RejectedPast,
        facts: &Facts,
    ) -> Result<Vec<Decision>, Kept> {
        let held = self.held.get(change).ok_or(Kept::Unfit(Reason::DuplicateChange))?;
        let refused = held.entry.as_ref().map(|entry| self.rejected_past(entry)).unwrap_or_default();
        let may = match held.reason.remedy() {
            Remedy::Judge => true,
            // It would go in by itself, had nobody refused what it builds on.
            Remedy::Wait | Remedy::Follow => !refused.is_empty(),
            Remedy::Reject => false,
        };
        let (true, Some(entry)) = (may, held.entry.clone()) else { return Err(Kept::Unfit(held.reason.clone())) };
        if let (Some(first), RejectedPast::Stays) = (refused.first().and_then(|hash| self.rejected.get(hash)), past) {
            return Err(Kept::OnRejected(Because { replica: first.replica, index: first.index }));
        }
        let mut decisions = Vec::new();
        for hash in refused {
            let Some(HeldEntry { replica, index, entry, reason }) = self.rejected.remove(&hash) else { continue };
            let entry = entry.ok_or(Kept::Unfit(reason))?;
            self.judge(&entry).map_err(|(reason, _)| Kept::Unfit(reason))?;
            self.fill(id, (replica, index), entry, facts, &mut decisions);
        }
        // It may have gone in with them.
        let Some(held) = self.held.remove(change) else { return Ok(decisions) };
        match self.judge(&entry) {
            Ok(()) => {
                self.fill(id, (held.replica, held.index), entry, facts, &mut decisions);
                Ok(decisions)
            }
            // What was held for want of rights may, once judged by content, have to wait or follow.
            Err((reason, because)) if reason.may_pass() => {
                let (replica, index) = (held.replica, held.index);
                self.held.insert(*change, HeldEntry { reason: reason.clone(), ..held });
                let outcome = Outcome::Held { change: *change, reason, because };
                decisions.push(Decision { replica, index, document: Some(id), outcome });
                Ok(decisions)
            }
            Err((reason, _)) => {
                self.held.insert(*change, held);
                Err(Kept::Unfit(reason))
            }
        }
    }

    /// Takes an entry in that was kept apart, and whatever it sets free.
    fn fill(
        &mut self,
        id: DocumentId,
        (replica, index): (ReplicaId, u64),
        entry: Entry,
        facts: &Facts,
        decisions: &mut Vec<Decision>,
    ) {
        let labels = facts.labels(&entry);
        self.accept(&entry);
        let outcome = Outcome::Filled { entry: Box::new(entry), labels };
        decisions.push(Decision { replica, index, document: Some(id), outcome });
        self.set_free(id, facts, decisions);
    }

    /// The refused changes that an entry builds on, and those that these build on, each behind its own past.
    fn rejected_past(&self, entry: &Entry) -> Vec<ChangeHash> {
        let (mut found, mut looked_at) = (BTreeMap::new(), entry.change.dependencies().to_vec());
        while let Some(hash) = looked_at.pop() {
            let Some(refused) = self.rejected.get(&hash).filter(|_| !self.document.has(&hash)) else { continue };
            let change = refused.entry.as_ref().map(|entry| &entry.change);
            if found.insert(hash, change.map(Change::start_op)).is_none() {
                looked_at.extend(change.into_iter().flat_map(Change::dependencies));
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, start_op)| *start_op);
        found.into_iter().map(|(hash, _)| hash).collect()
    }

    /// Fills, or holds for a better reason, whatever was only waiting for what has just been accepted.
    fn set_free(&mut self, id: DocumentId, facts: &Facts, decisions: &mut Vec<Decision>) {
        while let Some((change, mut held)) = self.take_ready() {
            let (replica, index) = (held.replica, held.index);
            let Some(entry) = held.entry.take() else { continue };
            let outcome = match self.judge(&entry) {
                Ok(()) => {
                    let labels = facts.labels(&entry);
                    self.accept(&entry);
                    Outcome::Filled { entry: Box::new(entry), labels }
                }
                Err((reason, because)) => {
                    let held = HeldEntry { entry: Some(entry), reason: reason.clone(), ..held };
                    self.held.insert(change, held);
                    Outcome::Held { change, reason, because }
                }
            };
            decisions.push(Decision { replica, index, document: Some(id), outcome });
        }
    }

    /// Takes out one entry that waits or follows, and whose whole past is now part of the document.
    fn take_ready(&mut self) -> Option<(ChangeHash, HeldEntry)> {
        let ready = |held: &HeldEntry| {
            held.reason.may_pass()
                && held
                    .entry
                    .as_ref()
                    .is_some_and(|entry| entry.change.dependencies().iter().all(|dep| self.document.has(dep)))
        };
        let change = *self.held.iter().find(|(_, held)| ready(held))?.0;
        self.held.remove_entry(&change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntryHash;

    fn tip(index: u64, way: u8) -> Tip {
        let hash = if index == 0 { [0; 32] } else { [way; 32] };
        Tip { index, hash: EntryHash(hash) }
    }

    #[test]
    fn a_run_goes_on_from_what_the_store_has_or_shows_where_both_would_have_to_agree() {
        let tips = [tip(4, 1), tip(5, 1), tip(6, 1)];
        let met = |end| Meeting::of(tip(3, 1), &tips, tip(end, 1));
        assert_eq!(met(2), Meeting::Gap);
        assert_eq!(met(3), Meeting::At { shared: tip(3, 1), known: 0 });
        assert_eq!(met(5), Meeting::At { shared: tip(5, 1), known: 2 });
        assert_eq!(met(6), Meeting::At { shared: tip(6, 1), known: 3 });
        assert_eq!(met(90), Meeting::At { shared: tip(6, 1), known: 3 }, "nothing new");
        assert_eq!(Meeting::of(tip(3, 1), &[], tip(u64::MAX, 1)), Meeting::At { shared: tip(3, 1), known: 0 });
    }

    #[test]
    fn a_head_goes_once_its_stream_has_passed_it_another_way() {
        let beyond = [tip(5, 1), tip(6, 2), tip(9, 1)];
        assert_eq!(passed_heads(&beyond, &[tip(5, 1), tip(6, 1), tip(7, 1)], tip(7, 1)), [6]);
        assert_eq!(passed_heads(&beyond, &[tip(5, 1)], tip(5, 1)), [] as [u64; 0]);
    }
}
