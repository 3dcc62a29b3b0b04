//! Why a change is not one of ours.

/// What is wrong with one change, judged by its own bytes. `code` is stable: it stands in outcomes and quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum ChangeError {
    #[error("a change is at most 64 KiB")]
    TooLarge,
    #[error("the bytes end too early")]
    Truncated,
    #[error("does not begin with Automerge's magic bytes")]
    NotAChunk,
    #[error("chunk type {0}, not an uncompressed change")]
    WrongChunk(u8),
    #[error("the checksum is not the hash's first four bytes")]
    BadChecksum,
    #[error("bytes that follow no rule of the format")]
    Malformed,
    #[error("bytes behind the end of the change")]
    TrailingBytes,
    #[error("no op, so no edit")]
    Empty,
    #[error("more than 5,000 ops")]
    TooManyOps,
    #[error("more than 64 dependencies")]
    TooManyDependencies,
    #[error("more than 20,000 predecessors")]
    TooManyPredecessors,
    #[error("the actor is not 16 bytes, is zero, or is not in the change's table")]
    BadActor,
    #[error("sequence or op number beyond what a document may hold")]
    CounterTooLarge,
    #[error("a column that this profile does not use")]
    UnknownColumn,
    #[error("an op on something other than the root map")]
    NotRoot,
    #[error("an op that is not a put")]
    NotAPut,
    #[error("a time, a message or extra bytes")]
    Smuggled,
    #[error("a key outside of the grammar")]
    BadKey,
    #[error("a value outside of the profile")]
    BadValue,
    #[error("one key put twice")]
    DuplicateKey,
    #[error("a witness key of another replica")]
    ForeignWitness,
    #[error("a predecessor that is not older than the change")]
    BadPredecessor,
    #[error("not the bytes that our encoder writes for this edit")]
    NotCanonical,
}

impl ChangeError {
    /// A stable name for logs, outcomes and quarantine.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "change_too_large",
            Self::Truncated => "change_truncated",
            Self::NotAChunk => "not_a_chunk",
            Self::WrongChunk(_) => "wrong_chunk",
            Self::BadChecksum => "bad_checksum",
            Self::Malformed => "change_malformed",
            Self::TrailingBytes => "trailing_bytes",
            Self::Empty => "empty_change",
            Self::TooManyOps => "too_many_ops",
            Self::TooManyDependencies => "too_many_dependencies",
            Self::TooManyPredecessors => "too_many_predecessors",
            Self::BadActor => "bad_actor",
            Self::CounterTooLarge => "counter_too_large",
            Self::UnknownColumn => "unknown_column",
            Self::NotRoot => "not_root",
            Self::NotAPut => "not_a_put",
            Self::Smuggled => "smuggled",
            Self::BadKey => "bad_key",
            Self::BadValue => "bad_value",
            Self::DuplicateKey => "duplicate_key",
            Self::ForeignWitness => "foreign_witness",
            Self::BadPredecessor => "bad_predecessor",
            Self::NotCanonical => "not_canonical",
        }
    }
}
