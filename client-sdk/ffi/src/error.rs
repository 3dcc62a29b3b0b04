//! What is thrown.

use aralau_client_sdk::{Action, Error};

/// Why a call failed.
#[derive(Debug, uniffi::Error)]
pub enum DeviceError {
    /// The one kind there is: what happened is told by its code, what to do by its action.
    Failed {
        /// Stable name.
        code: String,
        /// What helps.
        action: Action,
        /// In English, without personal data.
        words: String,
        /// The server's own words, where it was the server that said no.
        detail: String,
    },
}

impl DeviceError {
    /// The caller's mistake.
    pub(crate) fn invalid(words: impl Into<String>) -> Self {
        Self::of("invalid_argument", Action::Correct, words)
    }

    /// The device was let go of.
    pub(crate) fn released() -> Self {
        Self::of("device_released", Action::Correct, "this device was let go of: open it anew")
    }

    /// A fault of this library's.
    pub(crate) fn internal() -> Self {
        Self::of(
            "internal",
            Action::Report,
            "a fault of the library; nothing that was kept is lost: open the device anew",
        )
    }

    fn of(code: &str, action: Action, words: impl Into<String>) -> Self {
        Self::Failed { code: code.into(), action, words: words.into(), detail: String::new() }
    }
}

impl From<Error> for DeviceError {
    fn from(error: Error) -> Self {
        Self::Failed {
            code: error.code().to_owned(),
            action: error.action(),
            words: error.to_string(),
            detail: error.detail().to_owned(),
        }
    }
}

impl std::fmt::Display for DeviceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Failed { code, words, .. } = self;
        write!(f, "{code}: {words}")
    }
}

impl std::error::Error for DeviceError {}
