//! Why an entry is kept apart, and why a frame is refused.

use crate::{change::ChangeError, code::codes, document::Refusal, frame::FrameError, stream::EntryError};

codes! {
    /// Why an entry is held: a word that stands in its row of the log.
    pub enum Reason {
        /// A change that it builds on was never seen.
        Waiting = "waiting",
        /// A change that it builds on is held.
        Because = "because",
        /// The author never had a right to write in this scope at any time that could matter.
        NotGranted = "not_granted",
        /// The author's right ended, and the time of grace after it as well.
        AfterGrant = "after_grant",
        /// The device was revoked before this was received.
        Revoked = "revoked",
        /// The header is not readable.
        HeaderMalformed = "header_malformed",
        /// The change names another replica as its author than the stream it came in.
        WrongActor = "wrong_actor",
        /// The document is of another kind.
        KindMismatch = "kind_mismatch",
        /// The same change is in the log already.
        DuplicateChange = "duplicate_change",
        /// [`ChangeError::TooLarge`]
        ChangeTooLarge = "change_too_large",
        /// [`ChangeError::Truncated`]
        ChangeTruncated = "change_truncated",
        /// [`ChangeError::NotAChunk`]
        NotAChunk = "not_a_chunk",
        /// [`ChangeError::WrongChunk`]
        WrongChunk = "wrong_chunk",
        /// [`ChangeError::BadChecksum`]
        BadChecksum = "bad_checksum",
        /// [`ChangeError::Malformed`]
        ChangeMalformed = "change_malformed",
        /// [`ChangeError::TrailingBytes`]
        TrailingBytes = "trailing_bytes",
        /// [`ChangeError::Empty`]
        EmptyChange = "empty_change",
        /// [`ChangeError::TooManyOps`]
        TooManyOps = "too_many_ops",
        /// [`ChangeError::TooManyDependencies`]
        TooManyDependencies = "too_many_dependencies",
        /// [`ChangeError::TooManyPredecessors`]
        TooManyPredecessors = "too_many_predecessors",
        /// [`ChangeError::BadActor`]
        BadActor = "bad_actor",
        /// [`ChangeError::CounterTooLarge`]
        CounterTooLarge = "counter_too_large",
        /// [`ChangeError::UnknownColumn`]
        UnknownColumn = "unknown_column",
        /// [`ChangeError::NotRoot`]
        NotRoot = "not_root",
        /// [`ChangeError::NotAPut`]
        NotAPut = "not_a_put",
        /// [`ChangeError::Smuggled`]
        Smuggled = "smuggled",
        /// [`ChangeError::BadKey`]
        BadKey = "bad_key",
        /// [`ChangeError::BadValue`]
        BadValue = "bad_value",
        /// [`ChangeError::DuplicateKey`]
        DuplicateKey = "duplicate_key",
        /// [`ChangeError::ForeignWitness`]
        ForeignWitness = "foreign_witness",
        /// [`ChangeError::BadPredecessor`], and of the same name [`Refusal::BadPredecessor`]
        BadPredecessor = "bad_predecessor",
        /// [`ChangeError::NotCanonical`]
        NotCanonical = "not_canonical",
        /// [`Refusal::MissingDependencies`]
        MissingDependencies = "missing_dependencies",
        /// [`Refusal::AlreadyKnown`]
        AlreadyKnown = "already_known",
        /// [`Refusal::SequenceGap`]
        SequenceGap = "sequence_gap",
        /// [`Refusal::Equivocation`]
        Equivocation = "equivocation",
        /// [`Refusal::OmitsOwnPast`]
        OmitsOwnPast = "omits_own_past",
        /// [`Refusal::WrongStartOp`]
        WrongStartOp = "wrong_start_op",
        /// [`Refusal::StalePredecessors`]
        StalePredecessors = "stale_predecessors",
        /// [`Refusal::ImmutableNote`]
        ImmutableNote = "immutable_note",
        /// [`Refusal::NoNonce`]
        NoNonce = "no_nonce",
        /// [`Refusal::DocumentFull`]
        DocumentFull = "document_full",
    }
}

codes! {
    /// Why a frame is refused as a whole.
    pub enum FrameRefusal {
        /// [`FrameError::Cbor`]
        Malformed = "frame_malformed",
        /// [`FrameError::Size`]
        Size = "frame_size",
        /// [`FrameError::Signature`]
        Signature = "frame_signature",
        /// The directory does not know its author's install: bring the stream's introduction.
        AuthorUnknown = "author_unknown",
        /// The directory does not know the replica.
        ReplicaUnknown = "replica_unknown",
        /// The replica is another device's, or this one has too many.
        ReplicaForeign = "replica_foreign",
        /// There is no such scope, or its author never had a right to it: both look alike.
        ScopeUnknown = "scope_unknown",
        /// Too many entries of the stream are held without anybody having judged them.
        TooMuchHeld = "too_much_held",
        /// The device has brought what it may today.
        QuotaReached = "quota_reached",
        /// What is left of the server's disk is kept for what headquarters does.
        DiskReserved = "disk_reserved",
    }
}

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
    /// What can be done about it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "bytes that are wrong in whatever way never come right")]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Waiting => Remedy::Wait,
            Self::Because => Remedy::Follow,
            Self::NotGranted | Self::AfterGrant | Self::Revoked => Remedy::Judge,
            _ => Remedy::Reject,
        }
    }

    /// Whether it may become part of its document without anybody's word.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self.remedy(), Remedy::Wait | Remedy::Follow)
    }
}

impl From<ChangeError> for Reason {
    fn from(error: ChangeError) -> Self {
        Self::from_code(error.code())
    }
}

impl From<&EntryError> for Reason {
    fn from(error: &EntryError) -> Self {
        match error {
            EntryError::Header(_) => Self::HeaderMalformed,
            EntryError::Change(error) => Self::from(*error),
        }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        Self::from_code(refusal.code())
    }
}

impl From<FrameError> for FrameRefusal {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Cbor(_) => Self::Malformed,
            FrameError::Size => Self::Size,
            FrameError::Signature => Self::Signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cbor, document::Limit};

    #[test]
    fn a_reason_is_read_back_from_its_code_and_one_of_a_later_version_stays_what_it_was() {
        for reason in Reason::KNOWN {
            assert_eq!(&Reason::from_code(reason.code()), reason);
            assert!(!matches!(reason, Reason::Later(_)));
        }
        let bytes = cbor::encode(&"erased_by_order");
        let later: Reason = cbor::decode(&bytes).unwrap();
        assert_eq!((later.code(), later.remedy()), ("erased_by_order", Remedy::Reject));
        assert_eq!(cbor::encode(&later), bytes);
        assert_eq!(cbor::encode(&Reason::Waiting), cbor::encode(&"waiting"));
    }

    #[test]
    fn whatever_is_wrong_with_a_change_is_a_reason_that_this_version_knows() {
        use ChangeError as E;
        let changes = [
            E::TooLarge,
            E::Truncated,
            E::NotAChunk,
            E::WrongChunk(2),
            E::BadChecksum,
            E::Malformed,
            E::TrailingBytes,
            E::Empty,
            E::TooManyOps,
            E::TooManyDependencies,
            E::TooManyPredecessors,
            E::BadActor,
            E::CounterTooLarge,
            E::UnknownColumn,
            E::NotRoot,
            E::NotAPut,
            E::Smuggled,
            E::BadKey,
            E::BadValue,
            E::DuplicateKey,
            E::ForeignWitness,
            E::BadPredecessor,
            E::NotCanonical,
        ];
        let refusals = [
            Refusal::MissingDependencies(Vec::new()),
            Refusal::AlreadyKnown,
            Refusal::SequenceGap { expected: 1 },
            Refusal::Equivocation,
            Refusal::OmitsOwnPast,
            Refusal::WrongStartOp { expected: 1 },
            Refusal::BadPredecessor,
            Refusal::StalePredecessors,
            Refusal::ImmutableNote,
            Refusal::NoNonce,
            Refusal::DocumentFull(Limit::Ops),
        ];
        for reason in changes.map(Reason::from).into_iter().chain(refusals.iter().map(Reason::from)) {
            assert!(!matches!(reason, Reason::Later(_)), "{reason}");
            assert_eq!(reason.remedy(), Remedy::Reject, "{reason}");
        }
    }

    #[test]
    fn a_frame_that_is_not_one_is_refused_by_the_word_of_its_error() {
        for error in [FrameError::Size, FrameError::Signature, FrameError::Cbor(cbor::CborError::Shape)] {
            assert_eq!(FrameRefusal::from(error).code(), error.code());
        }
    }
}
