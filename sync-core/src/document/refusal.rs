//! Why a change that is sound by itself is not accepted.

use crate::id::ChangeHash;

/// Why a sound change does not fit its document (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Waits for these.
    #[error("dependencies that are not here")]
    MissingDependencies(Vec<ChangeHash>),
    /// Nothing to do.
    #[error("this very change is here already")]
    AlreadyKnown,
    /// The actor's change before this one is not here.
    #[error("the actor's next sequence number is {expected}")]
    SequenceGap {
        /// What would fit.
        expected: u64,
    },
    /// Two different changes of one actor with one number: a clone or a restored backup.
    #[error("the actor has used this sequence number for another change")]
    Equivocation,
    /// Would give op ids twice.
    #[error("the dependencies leave out the actor's own change before this one")]
    OmitsOwnPast,
    /// Op numbers must follow the past.
    #[error("the first op must be {expected}")]
    WrongStartOp {
        /// One more than the highest op of the dependencies.
        expected: u64,
    },
    /// Names an op that is not a put on the same key within the causal past.
    #[error("a predecessor is not an op on this key in the causal past")]
    BadPredecessor,
    /// Names other ops than those live on the key in the causal past.
    #[error("the predecessors are not the live ops of this key")]
    StalePredecessors,
    /// Notes are written once.
    #[error("a note is never edited")]
    ImmutableNote,
    /// See [`crate::change::Change::carries_nonce`].
    #[error("a first change without fresh random bits")]
    NoNonce,
    /// A successor document must continue this one.
    #[error("the document is full")]
    DocumentFull(Limit),
}

/// Which of a document's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`super::MAX_DOCUMENT_CHANGES`]
    Changes,
    /// [`super::MAX_DOCUMENT_OPS`]
    Ops,
    /// [`super::MAX_DOCUMENT_BYTES`]
    Bytes,
}

impl Refusal {
    /// A stable name for logs, outcomes and quarantine.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingDependencies(_) => "missing_dependencies",
            Self::AlreadyKnown => "already_known",
            Self::SequenceGap { .. } => "sequence_gap",
            Self::Equivocation => "equivocation",
            Self::OmitsOwnPast => "omits_own_past",
            Self::WrongStartOp { .. } => "wrong_start_op",
            Self::BadPredecessor => "bad_predecessor",
            Self::StalePredecessors => "stale_predecessors",
            Self::ImmutableNote => "immutable_note",
            Self::NoNonce => "no_nonce",
            Self::DocumentFull(_) => "document_full",
        }
    }
}
