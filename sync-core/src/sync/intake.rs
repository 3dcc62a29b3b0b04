//! What a device does with an answer before it believes it: rebuild the chains, recompute the root, check the heads.

use std::collections::BTreeMap;

use super::{Content, Gained, Row};
use crate::{
    cbor,
    digest::is_named_by,
    id::{DeploymentId, EntryHash, PublicKey, ReplicaId, ScopeId},
    log::{RowKind, Verdict, control_hash, row_leaf},
    merkle::Frontier,
    receipt::Receipt,
    stream::{Head, Link, StreamId, Tip, VerifyDevice},
    time::Millis,
};

/// What a device knows of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// The author's device key.
    pub key: PublicKey,
    /// The end of the chain rebuilt so far.
    pub tip: Tip,
    /// The newest verified head; entries beyond it are chained, but not yet vouched for by their author.
    pub head: Option<Head>,
}

/// A row that passed, ready for the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number in the scope's log.
    pub sequence: u64,
    /// What it records.
    pub kind: RowKind,
    /// The server's clock.
    pub received_at: Millis,
    /// Author and index; `None` for a control row.
    pub entry: Option<(ReplicaId, u64, EntryHash)>,
    /// What was decided.
    pub verdict: Verdict,
    /// The verdict as hashed.
    pub verdict_bytes: Vec<u8>,
    /// The content that came along.
    pub content: Content,
}

/// The server contradicts itself, its authors or an earlier statement. Nothing of the answer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Rows do not go on where this device stands.
    #[error("the server's rows do not continue from this device's cursor")]
    NotContinuous,
    /// A row names a stream or entry that the answer or an earlier row does not introduce.
    #[error("the server's rows name an entry that was never introduced")]
    UnknownEntry,
    /// The rows' root is not the receipt's.
    #[error("the log's root does not match the server's signed receipt: rows were lost or changed")]
    Root,
    /// A stream's chain does not lead to the head that its author signed.
    #[error("an author's signature does not match the entries delivered")]
    Head,
    /// A replica's key is not the one that it is named by.
    #[error("a replica is not the key's that signs for it")]
    Key,
    /// The receipt is about another scope, or a log shorter than the rows delivered.
    #[error("the receipt does not belong to these rows")]
    Receipt,
    /// A verdict is not readable.
    #[error("a row's verdict is malformed")]
    Verdict,
}

/// A device's view of one scope while it takes rows in.
#[derive(Clone, Debug)]
pub struct Intake {
    /// Whose log.
    pub deployment: DeploymentId,
    /// Which scope.
    pub scope: ScopeId,
    /// The tree over all rows taken.
    pub frontier: Frontier,
    /// Every stream seen in this scope, the device's own included, each as far as the log's rows have named it.
    pub streams: BTreeMap<ReplicaId, StreamState>,
}

impl Intake {
    /// Takes an answer in, all or nothing. `known` tells the hash of an entry named before (its own, or held earlier).
    pub fn take(
        &mut self,
        gained: &Gained,
        receipt: &Receipt,
        verifier: &impl VerifyDevice,
        known: impl Fn(ReplicaId, u64) -> Option<EntryHash>,
    ) -> Result<Vec<Taken>, Alarm> {
        if gained.scope != self.scope || receipt.scope != self.scope || receipt.deployment != self.deployment {
            return Err(Alarm::Receipt);
        }
        if gained.from != self.frontier.size() {
            return Err(Alarm::NotContinuous);
        }
        let mut next = self.clone();
        next.introduce(gained)?;
        let mut fresh = BTreeMap::new();
        let mut taken = Vec::with_capacity(gained.rows.len());
        for row in &gained.rows {
            taken.push(next.take_row(gained, row, &mut fresh, &known)?);
        }
        next.check_root(gained, receipt)?;
        next.check_heads(gained, verifier, &fresh, &known)?;
        *self = next;
        Ok(taken)
    }

    fn introduce(&mut self, gained: &Gained) -> Result<(), Alarm> {
        for intro in &gained.streams {
            if !is_named_by(&intro.replica, &intro.key) {
                return Err(Alarm::Key);
            }
            let fresh = StreamState { key: intro.key, tip: Tip::default(), head: None };
            if self.streams.entry(intro.replica).or_insert(fresh).key != intro.key {
                return Err(Alarm::Key);
            }
        }
        Ok(())
    }

    fn take_row(
        &mut self,
        gained: &Gained,
        row: &Row,
        fresh: &mut BTreeMap<(ReplicaId, u64), EntryHash>,
        known: &impl Fn(ReplicaId, u64) -> Option<EntryHash>,
    ) -> Result<Taken, Alarm> {
        let verdict = cbor::decode(&row.verdict).map_err(|_| Alarm::Verdict)?;
        let (hash, entry) = match &row.content {
            Content::Control(payload) if row.kind == RowKind::Control => (control_hash(&self.scope, payload), None),
            Content::Link(_) | Content::Known if row.kind != RowKind::Control => {
                let replica = gained.streams.get(row.stream as usize).ok_or(Alarm::UnknownEntry)?.replica;
                let hash = self.entry_hash(replica, row, fresh, known)?;
                fresh.insert((replica, row.index), hash);
                (hash, Some((replica, row.index, hash)))
            }
            Content::Control(_) | Content::Link(_) | Content::Known => return Err(Alarm::UnknownEntry),
        };
        self.frontier.push(row_leaf(row.kind, row.received_at, &hash, &row.verdict));
        Ok(Taken {
            sequence: self.frontier.size(),
            kind: row.kind,
            received_at: row.received_at,
            entry,
            verdict,
            verdict_bytes: row.verdict.clone(),
            content: row.content.clone(),
        })
    }

    /// The first row about an entry extends its stream's chain by one; later rows name what is known.
    fn entry_hash(
        &mut self,
        replica: ReplicaId,
        row: &Row,
        fresh: &BTreeMap<(ReplicaId, u64), EntryHash>,
        known: &impl Fn(ReplicaId, u64) -> Option<EntryHash>,
    ) -> Result<EntryHash, Alarm> {
        let stream = StreamId { replica, scope: self.scope };
        let state = self.streams.get_mut(&replica).ok_or(Alarm::UnknownEntry)?;
        let recall = |index| {
            let hash = fresh.get(&(replica, index)).copied().or_else(|| known(replica, index));
            hash.ok_or(Alarm::UnknownEntry)
        };
        match &row.content {
            Content::Link(link) if row.index == state.tip.index + 1 => {
                let (header, content) = link.hashes();
                state.tip = state.tip.extend(&stream, &header, &content);
                Ok(state.tip.hash)
            }
            Content::Link(link) => {
                // Named before, hollow: what is filled in now must be what the chain said.
                let before = match row.index {
                    0 => return Err(Alarm::UnknownEntry),
                    1 => Tip::default(),
                    index => Tip { index: index - 1, hash: recall(index - 1)? },
                };
                let (header, content) = link.hashes();
                let hash = before.extend(&stream, &header, &content).hash;
                if hash == recall(row.index)? { Ok(hash) } else { Err(Alarm::UnknownEntry) }
            }
            Content::Known | Content::Control(_) => {
                let hash = recall(row.index)?;
                if row.index == state.tip.index + 1 {
                    state.tip = Tip { index: row.index, hash };
                }
                Ok(hash)
            }
        }
    }

    fn check_root(&self, gained: &Gained, receipt: &Receipt) -> Result<(), Alarm> {
        let size = self.frontier.size();
        match receipt.size.cmp(&size) {
            std::cmp::Ordering::Less => Err(Alarm::Receipt),
            std::cmp::Ordering::Equal if receipt.root == self.frontier.root() => Ok(()),
            std::cmp::Ordering::Equal => Err(Alarm::Root),
            std::cmp::Ordering::Greater if gained.more => Ok(()),
            std::cmp::Ordering::Greater => Err(Alarm::Receipt),
        }
    }

    /// Heads count once the chain has reached them; a chain that passed a head must have gone through it.
    fn check_heads(
        &mut self,
        gained: &Gained,
        verifier: &impl VerifyDevice,
        fresh: &BTreeMap<(ReplicaId, u64), EntryHash>,
        known: &impl Fn(ReplicaId, u64) -> Option<EntryHash>,
    ) -> Result<(), Alarm> {
        for intro in &gained.streams {
            let Some(state) = self.streams.get_mut(&intro.replica) else { continue };
            let head = intro.head;
            if head.tip.index > state.tip.index || state.head == Some(head) {
                continue;
            }
            let at_head = fresh
                .get(&(intro.replica, head.tip.index))
                .copied()
                .or_else(|| (head.tip.index == state.tip.index).then_some(state.tip.hash))
                .or_else(|| known(intro.replica, head.tip.index));
            let stream = StreamId { replica: intro.replica, scope: self.scope };
            let message = head.tip.head_preimage(&self.deployment, &stream);
            if at_head != Some(head.tip.hash) || !verifier.verify(&state.key, &message, &head.signature) {
                return Err(Alarm::Head);
            }
            // A page about old entries brings the head that vouches for those.
            if state.head.is_none_or(|known| known.tip.index < head.tip.index) {
                state.head = Some(head);
            }
        }
        Ok(())
    }
}

impl Content {
    /// The entry inside, if it came in full.
    pub fn full(&self) -> Option<(&[u8], &[u8])> {
        match self {
            Self::Link(Link::Full { header, body }) => Some((header, body)),
            Self::Link(Link::Hollow { .. }) | Self::Known | Self::Control(_) => None,
        }
    }
}
