//! The plan: what becomes of each arriving entry, decided from the entry and what the store knows, without touching either.
//!
//! Every entry is decided the moment its turn in its stream comes: **accepted** into its document, or **held** for a
//! [`Reason`]. What builds on something held is held because of it, in the same plan; other documents flow on. An entry
//! whose past was never seen waits, held, and is **filled** by itself when that past arrives. What a person releases is
//! filled too, with everything that was held only because of it. What builds on something that a person has refused is filled
//! only together with that, by a further word of theirs.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    change::Change,
    digest::change_hash,
    document::{Document, Refusal},
    id::{ChangeHash, DocumentId, Kind, ReplicaId},
    log::{Because, Labels},
    stream::{Entry, EntryError, Header, Seen},
    time::Millis,
};

/// What a store knows about the documents of one scope that an upload touches. The plan moves it forward.
#[derive(Debug, Default)]
pub struct Ground {
    /// Every document named by an entry of the upload must be loaded, even if it does not exist yet.
    pub documents: BTreeMap<DocumentId, DocumentGround>,
}

/// One document, as far as the plan needs it.
#[derive(Debug, Default)]
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

/// Why an entry is held: a stable code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(Cow<'static, str>);

/// What can be done about a held entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// It is filled by itself once its past arrives.
    Wait,
    /// It follows the held entry that it builds on.
    Follow,
    /// A person may release or reject it.
    Judge,
    /// Its bytes can never become part of a document; a person may only acknowledge that by rejecting it.
    Reject,
}

impl Reason {
    /// A change that it builds on was never seen.
    pub const WAITING: Self = Self(Cow::Borrowed("waiting"));
    /// A change that it builds on is held.
    pub const BECAUSE: Self = Self(Cow::Borrowed("because"));
    /// The author never had a right to write in this scope at any time that could matter.
    pub const NOT_GRANTED: Self = Self(Cow::Borrowed("not_granted"));
    /// The author's right ended, and the time of grace after it as well.
    pub const AFTER_GRANT: Self = Self(Cow::Borrowed("after_grant"));
    /// The device was revoked before this was received.
    pub const REVOKED: Self = Self(Cow::Borrowed("revoked"));
    /// The header is not readable.
    pub const HEADER: Self = Self(Cow::Borrowed("header_malformed"));
    /// The change names another replica as its author than the stream it came in.
    pub const WRONG_ACTOR: Self = Self(Cow::Borrowed("wrong_actor"));
    /// The document is of another kind.
    pub const KIND_MISMATCH: Self = Self(Cow::Borrowed("kind_mismatch"));
    /// The same change is in the log already.
    pub const DUPLICATE: Self = Self(Cow::Borrowed("duplicate_change"));

    /// From a stored code.
    pub fn from_code(code: String) -> Self {
        Self(Cow::Owned(code))
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self.code() {
            "waiting" => Remedy::Wait,
            "because" => Remedy::Follow,
            "not_granted" | "after_grant" | "revoked" => Remedy::Judge,
            _ => Remedy::Reject,
        }
    }
}

impl From<&EntryError> for Reason {
    fn from(error: &EntryError) -> Self {
        match error {
            EntryError::Header(_) => Self::HEADER,
            EntryError::Change(error) => Self(Cow::Borrowed(error.code())),
        }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        Self(Cow::Borrowed(refusal.code()))
    }
}

/// An entry whose turn in its stream has come.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Whose stream.
    pub replica: ReplicaId,
    /// Index there.
    pub index: u64,
    /// The header's bytes.
    pub header: &'a [u8],
    /// The change's body.
    pub body: &'a [u8],
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

/// When a person might write in a scope.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    /// Spans of time granted.
    pub grants: Vec<Grant>,
    /// When the device was shut out.
    pub revoked_at: Option<Millis>,
}

/// One grant (person, scope).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Since when.
    pub from: Millis,
    /// Until when, if it has ended.
    pub until: Option<Millis>,
}

/// What the plan is told about the moment.
pub struct Moment<'a> {
    /// Receipt time of the upload.
    pub now: Millis,
    /// How long after a grant's end entries still count.
    pub grace_ms: i64,
    /// When the row that a header claims to have seen was received.
    pub seen_received_at: &'a dyn Fn(Seen) -> Option<Millis>,
}

impl Rights {
    /// Accepted if a grant covers any instant between the receipt of what the entry had seen and now, and grace has not
    /// run out. What was not received before a revocation is held, whatever time it claims.
    fn check(&self, header: &Header, moment: &Moment<'_>) -> Result<(), Reason> {
        let now = moment.now;
        if self.revoked_at.is_some_and(|at| at <= now) {
            return Err(Reason::REVOKED);
        }
        if self.grants.iter().any(|grant| grant.from <= now && grant.until.is_none_or(|until| now < until)) {
            return Ok(());
        }
        let since = header.seen.and_then(|seen| (moment.seen_received_at)(seen)).unwrap_or(Millis(i64::MIN));
        let covering = |grant: &&Grant| grant.from <= now && grant.until.is_none_or(|until| since < until);
        let mut covered = self.grants.iter().filter(covering).peekable();
        if covered.peek().is_none() {
            return Err(Reason::NOT_GRANTED);
        }
        let in_grace = |grant: &Grant| grant.until.is_none_or(|until| now <= until.plus(moment.grace_ms));
        if covered.any(in_grace) { Ok(()) } else { Err(Reason::AFTER_GRANT) }
    }
}

/// Decides one arrival, and whatever it sets free. The decisions are log rows, in this order.
pub fn decide(ground: &mut Ground, arrival: &Arrival<'_>, rights: &Rights, moment: &Moment<'_>) -> Vec<Decision> {
    let Arrival { replica, index, header, body } = *arrival;
    let opened = Entry::open(header.to_vec(), body);
    let document = match &opened {
        Ok(entry) => Some(entry.header.document),
        Err(_) => Header::from_bytes(header).ok().map(|header| header.document),
    };
    let decision = |outcome| Decision { replica, index, document, outcome };
    let Some(id) = document else {
        let outcome = Outcome::Held { change: change_hash(body), reason: Reason::HEADER, because: None };
        return vec![decision(outcome)];
    };
    let place = ground.documents.entry(id).or_default();
    let judged = match &opened {
        Ok(entry) if entry.change.actor().replica != replica => Err((Reason::WRONG_ACTOR, None)),
        Ok(entry) => {
            rights.check(&entry.header, moment).map_err(|reason| (reason, None)).and_then(|()| place.judge(entry))
        }
        Err(error) => Err((Reason::from(error), None)),
    };
    match (judged, opened) {
        (Ok(()), Ok(entry)) => {
            let labels = labels(&entry, moment);
            place.accept(&entry);
            let mut decisions = vec![decision(Outcome::Accepted { entry: Box::new(entry), labels })];
            place.set_free(id, moment, &mut decisions);
            decisions
        }
        (Err((reason, because)), opened) => {
            let held = HeldEntry { replica, index, entry: opened.ok(), reason: reason.clone() };
            let change = change_hash(body);
            place.held.entry(change).or_insert(held);
            vec![decision(Outcome::Held { change, reason, because })]
        }
        // `judged` is Ok only for an entry that opened.
        (Ok(()), Err(_)) => Vec::new(),
    }
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

/// Releases a held entry by a person's word, with everything held only because of it.
///
/// # Errors
/// Why it stays held. The ground may then be ahead of the store, and is to be dropped.
pub fn release(
    place: &mut DocumentGround,
    id: DocumentId,
    change: &ChangeHash,
    past: RejectedPast,
    moment: &Moment<'_>,
) -> Result<Vec<Decision>, Kept> {
    let held = place.held.get(change).ok_or(Kept::Unfit(Reason::DUPLICATE))?;
    let refused = held.entry.as_ref().map(|entry| place.rejected_past(entry)).unwrap_or_default();
    let may = match held.reason.remedy() {
        Remedy::Judge => true,
        // It would go in by itself, had nobody refused what it builds on.
        Remedy::Wait | Remedy::Follow => !refused.is_empty(),
        Remedy::Reject => false,
    };
    let (true, Some(entry)) = (may, held.entry.clone()) else { return Err(Kept::Unfit(held.reason.clone())) };
    if let (Some(first), RejectedPast::Stays) = (refused.first().and_then(|hash| place.rejected.get(hash)), past) {
        return Err(Kept::OnRejected(Because { replica: first.replica, index: first.index }));
    }
    let mut decisions = Vec::new();
    for hash in refused {
        let Some(HeldEntry { replica, index, entry, reason }) = place.rejected.remove(&hash) else { continue };
        let entry = entry.ok_or(Kept::Unfit(reason))?;
        place.judge(&entry).map_err(|(reason, _)| Kept::Unfit(reason))?;
        place.fill(id, (replica, index), entry, moment, &mut decisions);
    }
    // It may have gone in with them.
    let Some(held) = place.held.remove(change) else { return Ok(decisions) };
    match place.judge(&entry) {
        Ok(()) => {
            place.fill(id, (held.replica, held.index), entry, moment, &mut decisions);
            Ok(decisions)
        }
        // What was held for want of rights may, once judged by content, have to wait or follow.
        Err((reason, because)) if matches!(reason.remedy(), Remedy::Wait | Remedy::Follow) => {
            let (replica, index) = (held.replica, held.index);
            place.held.insert(*change, HeldEntry { reason: reason.clone(), ..held });
            let outcome = Outcome::Held { change: *change, reason, because };
            decisions.push(Decision { replica, index, document: Some(id), outcome });
            Ok(decisions)
        }
        Err((reason, _)) => {
            place.held.insert(*change, held);
            Err(Kept::Unfit(reason))
        }
    }
}

fn labels(entry: &Entry, moment: &Moment<'_>) -> Labels {
    let seen_at = entry.header.seen.and_then(|seen| (moment.seen_received_at)(seen));
    Labels::of(&entry.header, moment.now, seen_at)
}

impl DocumentGround {
    /// Whether the document can take the entry now: everything but the author's rights.
    fn judge(&self, entry: &Entry) -> Result<(), (Reason, Option<Because>)> {
        if self.kind.is_some_and(|kind| kind != entry.header.kind()) {
            return Err((Reason::KIND_MISMATCH, None));
        }
        let hash = entry.change.hash();
        if self.document.has(&hash) || self.held.contains_key(&hash) {
            return Err((Reason::DUPLICATE, None));
        }
        let missing = |dep: &&ChangeHash| !self.document.has(dep);
        let mut missing = entry.change.dependencies().iter().filter(missing).peekable();
        if missing.peek().is_some() {
            let because = missing.find_map(|dep| self.held.get(dep));
            let because = because.map(|held| Because { replica: held.replica, index: held.index });
            let reason = if because.is_some() { Reason::BECAUSE } else { Reason::WAITING };
            return Err((reason, because));
        }
        self.document.check(&entry.change).map_err(|refusal| (Reason::from(&refusal), None))
    }

    fn accept(&mut self, entry: &Entry) {
        self.kind.get_or_insert(entry.header.kind());
        self.document.apply(entry.change.clone());
    }

    /// Takes an entry in that was kept apart, and whatever it sets free.
    fn fill(
        &mut self,
        id: DocumentId,
        (replica, index): (ReplicaId, u64),
        entry: Entry,
        moment: &Moment<'_>,
        decisions: &mut Vec<Decision>,
    ) {
        let labels = labels(&entry, moment);
        self.accept(&entry);
        let outcome = Outcome::Filled { entry: Box::new(entry), labels };
        decisions.push(Decision { replica, index, document: Some(id), outcome });
        self.set_free(id, moment, decisions);
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
    fn set_free(&mut self, id: DocumentId, moment: &Moment<'_>, decisions: &mut Vec<Decision>) {
        while let Some((change, mut held)) = self.take_ready() {
            let (replica, index) = (held.replica, held.index);
            let Some(entry) = held.entry.take() else { continue };
            let outcome = match self.judge(&entry) {
                Ok(()) => {
                    let labels = labels(&entry, moment);
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
            matches!(held.reason.remedy(), Remedy::Wait | Remedy::Follow)
                && held
                    .entry
                    .as_ref()
                    .is_some_and(|entry| entry.change.dependencies().iter().all(|dep| self.document.has(dep)))
        };
        let change = *self.held.iter().find(|(_, held)| ready(held))?.0;
        self.held.remove_entry(&change)
    }
}
