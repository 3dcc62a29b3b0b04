//! Why a command failed: a sentence for a person and a stable code for a script.

use std::{fmt, process::ExitCode};

use aralau_client_sdk as client;
use aralau_server::store::{OpenError, StoreError};

/// A sentence and a code.
#[derive(Debug)]
pub struct Failure {
    code: String,
    sentence: String,
}

impl Failure {
    /// A failure of the command itself.
    pub fn new(code: &str, sentence: impl fmt::Display) -> Self {
        Self { code: code.to_owned(), sentence: sentence.to_string() }
    }

    /// The code.
    #[cfg(test)]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Says it on stderr, or as one JSON object on stdout.
    pub fn report(&self, json: bool) -> ExitCode {
        let Self { code, sentence } = self;
        if json {
            crate::output::line(&serde_json::json!({ "error": { "code": code, "message": sentence } }).to_string());
        }
        eprintln!("aralau: {sentence} [{code}]");
        ExitCode::FAILURE
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Unavailable(_) => "store_unavailable",
            StoreError::Corrupt(_) => "store_corrupt",
            StoreError::Internal(_) => "store_internal",
        };
        Self::new(code, error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(error.code(), &error)
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Self::new(error.code(), &error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new("io", error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new("internal", format!("{error:#}"))
    }
}
