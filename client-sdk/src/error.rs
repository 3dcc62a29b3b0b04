//! What went wrong, and what the app should do about it.
//!
//! Inside, every module has a narrow error of its own; an app sees [`Error`], whose [`code`](Error::code) is stable and
//! whose [`action`](Error::action) says what helps. No message holds personal data.

use aralau_sync_core::document::{AuthorError, Refusal};

use crate::{action::Action, alarm::AlarmCode, store::StoreError, transport::TransportError};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device's own store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device's key cannot be made, read or kept.
    #[error("the device's key: {0}")]
    Key(&'static str),
    /// Not enrolled yet.
    #[error("this device is not enrolled")]
    NotEnrolled,
    /// Enrolled already, at another deployment.
    #[error("this device is enrolled with another deployment")]
    OtherDeployment,
    /// Enrolled over TLS, and now asked to go without.
    #[error(
        "this device was enrolled over https://, and does not go back to plain http://; take the address that begins with https://"
    )]
    Downgrade,
    /// No document of this name here.
    #[error("there is no such document on this device")]
    UnknownDocument,
    /// No draft of this name: it was logged, or given up.
    #[error("there is no such draft on this device")]
    UnknownDraft,
    /// No beat of this name here, or none that a visit without a known place could belong to.
    #[error("the beat is unknown, or has to be named")]
    UnknownBeat,
    /// None of the values that a field has looks like the one chosen.
    #[error("this value does not stand to choose any more")]
    UnknownValue,
    /// Nobody disagrees about this field of the visit.
    #[error("this field is not in conflict")]
    NotInConflict,
    /// The document takes no more; a successor comes in a later version.
    #[error("the document is full")]
    DocumentFull,
    /// The edit itself is not allowed.
    #[error(transparent)]
    Edit(AuthorError),
    /// Automerge cannot save the document.
    #[error("the document cannot be exported")]
    Export,
    /// The network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server said no.
    #[error("the server answered {status}: {code}")]
    Server {
        /// HTTP status.
        status: u16,
        /// The server's stable code.
        code: String,
        /// Its words.
        detail: String,
    },
    /// The server's answer is not one.
    #[error("the server's answer cannot be read")]
    Answer,
    /// The server and the app do not speak the same protocol.
    #[error("the app does not fit the server's version")]
    Protocol,
    /// The server contradicts itself, its authors, or an earlier statement. See [`Client::status`](crate::Client::status).
    #[error("{0}")]
    Alarm(AlarmCode),
}

impl Error {
    /// Whoever drives a session has not signed what it asked for.
    pub(crate) const UNSIGNED: Self = Self::Key("it did not sign everything that it was asked to");

    /// Stable name for apps, logs and reports.
    pub fn code(&self) -> &str {
        match self {
            Self::Store(error) => error.code(),
            Self::Key(_) => "device_key",
            Self::NotEnrolled => "not_enrolled",
            Self::OtherDeployment => "other_deployment",
            Self::Downgrade => "downgrade",
            Self::UnknownDocument => "document_unknown",
            Self::UnknownDraft => "draft_unknown",
            Self::UnknownBeat => "beat_unknown",
            Self::UnknownValue => "value_unknown",
            Self::NotInConflict => "not_in_conflict",
            Self::DocumentFull => "document_full",
            Self::Edit(AuthorError::Change(error)) => error.code(),
            Self::Edit(AuthorError::Document(error)) => error.code(),
            Self::Export => "export_failed",
            Self::Transport(error) => error.code(),
            Self::Server { code, .. } => code,
            Self::Answer => "answer_malformed",
            Self::Protocol => "protocol_mismatch",
            Self::Alarm(code) => code.code(),
        }
    }

    /// The server's own words, where it was the server that said no.
    pub fn detail(&self) -> &str {
        if let Self::Server { detail, .. } = self { detail } else { "" }
    }

    /// What helps.
    pub fn action(&self) -> Action {
        match self {
            Self::Store(error) => error.action(),
            Self::Transport(error) => error.action(),
            Self::NotEnrolled => Action::Enroll,
            Self::Protocol => Action::Update,
            Self::UnknownDocument
            | Self::UnknownDraft
            | Self::UnknownValue
            | Self::UnknownBeat
            | Self::NotInConflict
            | Self::DocumentFull
            | Self::Edit(_)
            | Self::OtherDeployment
            | Self::Downgrade => Action::Correct,
            Self::Key(_) | Self::Export | Self::Alarm(_) => Action::Report,
            Self::Answer => Action::Retry,
            Self::Server { status, code, .. } => server_action(*status, code),
        }
    }
}

fn server_action(status: u16, code: &str) -> Action {
    match (status, code) {
        (_, "device_revoked" | "device_unknown" | "replica_unknown") | (401, _) => Action::Enroll,
        (_, "enrollment_code_unknown" | "enrollment_code_expired" | "enrollment_code_used" | "device_enrolled") => {
            Action::Correct
        }
        (426, _) => Action::Update,
        // Somebody at headquarters has to confirm the device, and then all goes on.
        (_, "device_unconfirmed") => Action::Retry,
        (408 | 413 | 429 | 500..=599, _) => Action::Retry,
        _ => Action::Report,
    }
}

impl From<AuthorError> for Error {
    fn from(error: AuthorError) -> Self {
        match error {
            AuthorError::Document(Refusal::DocumentFull(_)) => Self::DocumentFull,
            AuthorError::Document(_) | AuthorError::Change(_) => Self::Edit(error),
        }
    }
}
