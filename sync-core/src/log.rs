//! A scope's log: rows numbered 1, 2, 3… without gaps, and a Merkle tree over them.
//!
//! ```text
//! leaf = "aralau/leaf/1\0" ‖ kind ‖ u64be received_at_ms ‖ entry_hash ‖ verdict_hash
//! verdict_hash = SHA256("aralau/verdict/1\0" ‖ verdict)
//! ```
//! Every entry of a stream is decided in the order of its index, so the rows that first name it come in that order too:
//! a reader can rebuild each stream's chain from the rows alone. Later rows about the same entry (`filled`, `rejected`,
//! a second `held`) name an index that the reader has already seen.

use minicbor::{Decode, Encode};

use crate::{
    cbor,
    digest::sha256,
    id::{EntryHash, ReplicaId, ScopeId, TreeHash},
    merkle::leaf_hash,
    reason::Reason,
    stream::Header,
    time::{DAY_MS, Millis},
};

/// What a row records. The numbers are part of the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum RowKind {
    /// An entry became part of its document.
    #[n(1)]
    Accepted = 1,
    /// An entry was kept apart; others see it hollow.
    #[n(2)]
    Held = 2,
    /// A held entry became part of its document after all.
    #[n(3)]
    Filled = 3,
    /// A held entry was refused for good.
    #[n(4)]
    Rejected = 4,
    /// Something the server says: a directory event.
    #[n(5)]
    Control = 5,
}

impl RowKind {
    /// From the number in a store.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Accepted),
            2 => Some(Self::Held),
            3 => Some(Self::Filled),
            4 => Some(Self::Rejected),
            5 => Some(Self::Control),
            _ => None,
        }
    }
}

/// Facts about an entry's clock, fixed when its row is written so that a rebuild gives the same rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Labels(#[n(0)] u8);

impl Labels {
    /// The device's clock was ahead of the server's receipt by more than [`CLOCK_TOLERANCE_MS`].
    pub const CLOCK_AHEAD: Self = Self(1);
    /// The device's clock showed a time before rows that the device had already seen.
    pub const CLOCK_BEHIND: Self = Self(2);
    /// Received more than [`LATE_AFTER_MS`] after the device says it was written.
    pub const LATE: Self = Self(4);

    /// Every label with its stable name.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::CLOCK_AHEAD, "clock_ahead"), (Self::CLOCK_BEHIND, "clock_behind"), (Self::LATE, "late")];

    /// The labels of an entry: a pure function of header, receipt time and the receipt time of what it had seen.
    pub fn of(header: &Header, received_at: Millis, seen_received_at: Option<Millis>) -> Self {
        let mut bits = 0;
        if header.at.since(received_at) > CLOCK_TOLERANCE_MS {
            bits |= Self::CLOCK_AHEAD.0;
        }
        if seen_received_at.is_some_and(|seen| seen.since(header.at) > CLOCK_TOLERANCE_MS) {
            bits |= Self::CLOCK_BEHIND.0;
        }
        if received_at.since(header.at) > LATE_AFTER_MS {
            bits |= Self::LATE.0;
        }
        Self(bits)
    }

    /// Whether every bit of `label` is set.
    pub fn contains(self, label: Self) -> bool {
        self.0 & label.0 == label.0
    }

    /// Stable names of the labels set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(label, _)| self.contains(*label)).map(|(_, name)| name)
    }

    fn is_none(&self) -> bool {
        self.0 == 0
    }
}

/// How far a device's clock may differ before it is worth a label.
pub const CLOCK_TOLERANCE_MS: i64 = 5 * 60 * 1000;
/// An entry received later than this after it was written is late.
pub const LATE_AFTER_MS: i64 = DAY_MS;

/// What was decided about an entry, beyond the row's kind. Travels as the bytes that the server hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Verdict {
    /// See [`Labels`].
    #[cbor(n(1), default, skip_if = "Labels::is_none")]
    pub labels: Labels,
    /// Why it is held.
    #[n(2)]
    pub reason: Option<Reason>,
    /// The held entry that this one builds on.
    #[n(3)]
    pub because: Option<Because>,
    /// Who released or rejected it.
    #[n(4)]
    pub by: Option<String>,
    /// In their words.
    #[n(5)]
    pub note: Option<String>,
}

/// A held entry that another one builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Because {
    /// Whose stream.
    #[n(0)]
    pub replica: ReplicaId,
    /// Index there.
    #[n(1)]
    pub index: u64,
}

impl Verdict {
    /// The deterministic encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}

/// What stands in a row's leaf in the place of its verdict, so that a row can be shown without what was said about it.
pub fn verdict_hash(verdict: &[u8]) -> [u8; 32] {
    sha256(&[b"aralau/verdict/1\0", verdict])
}

/// The Merkle leaf of a row.
pub fn row_leaf(kind: RowKind, received_at: Millis, entry: &EntryHash, verdict: &[u8]) -> TreeHash {
    let verdict_hash = verdict_hash(verdict);
    let leaf = [&b"aralau/leaf/1\0"[..], &[kind as u8], &received_at.0.to_be_bytes(), entry.as_bytes(), &verdict_hash]
        .concat();
    leaf_hash(&leaf)
}

/// What stands in a control row's leaf in the place of an entry hash.
pub fn control_hash(scope: &ScopeId, payload: &[u8]) -> EntryHash {
    EntryHash(sha256(&[b"aralau/control/1\0", scope.as_bytes(), payload]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DocumentId;

    fn header(at: i64) -> Header {
        Header {
            kind: 1,
            document: DocumentId::from_bytes([1; 16]),
            at: Millis(at),
            monotonic: None,
            seen: None,
            reauthored_from: None,
        }
    }

    #[test]
    fn labels_follow_from_the_clocks_alone_however_absurd() {
        let day = 24 * 60 * 60 * 1000;
        let now = Millis(1_700_000_000_000);
        let names = |at, seen: Option<i64>| Labels::of(&header(at), now, seen.map(Millis)).names().collect::<Vec<_>>();
        assert_eq!(names(now.0, None), Vec::<&str>::new());
        assert_eq!(names(now.0 + day, None), ["clock_ahead"]);
        assert_eq!(names(i64::MAX, None), ["clock_ahead"]);
        assert_eq!(names(now.0 - 2 * day, None), ["late"]);
        assert_eq!(names(i64::MIN, Some(now.0 - day)), ["clock_behind", "late"]);
    }

    #[test]
    fn an_empty_verdict_is_one_byte() {
        assert_eq!(Verdict::default().to_bytes(), [0xa0]);
        let held = Verdict { reason: Some(Reason::Waiting), ..Verdict::default() };
        assert_eq!(cbor::decode::<Verdict>(&held.to_bytes()), Ok(held));
    }
}
