//! Why a command failed: a sentence for a person and a stable code for a script.

use std::{fmt, process::ExitCode};

use aralau_client_sdk as client;
use aralau_server::store::{OpenError, StoreError};

/// A sentence and a code, and perhaps what it is made up of.
#[derive(Debug)]
pub struct Failure {
    code: String,
    sentence: String,
    parts: Option<Parts>,
    exit: u8,
    /// The command has already answered on stdout.
    has_reported: bool,
}

/// Many things that are wrong at once.
#[derive(Debug)]
struct Parts {
    /// A line for each, for a person.
    lines: Vec<String>,
    /// The same for a script: an object whose keys stand beside code and message.
    values: serde_json::Value,
}

impl Failure {
    /// A failure of the command itself.
    pub fn new(code: &str, sentence: impl fmt::Display) -> Self {
        Self { code: code.to_owned(), sentence: sentence.to_string(), parts: None, exit: 1, has_reported: false }
    }

    /// One that a command ends with after it has reported as usual, told from others by what it exits with.
    pub fn after_report(exit: u8, code: &str, sentence: impl fmt::Display) -> Self {
        Self { exit, has_reported: true, ..Self::new(code, sentence) }
    }

    /// With each of the things that are wrong: a line for a person, and an object for a script.
    #[must_use]
    pub fn with_parts(mut self, lines: Vec<String>, values: serde_json::Value) -> Self {
        self.parts = Some(Parts { lines, values });
        self
    }

    /// The code.
    #[cfg(test)]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Says it on stderr, or as one JSON object on stdout.
    pub fn report(&self, json: bool) -> ExitCode {
        let Self { code, sentence, parts, exit, has_reported } = self;
        if json && !has_reported {
            let mut error = serde_json::json!({ "code": code, "message": sentence });
            if let (Some(error), Some(values)) =
                (error.as_object_mut(), parts.as_ref().and_then(|parts| parts.values.as_object()))
            {
                error.extend(values.clone());
            }
            crate::output::line(&serde_json::json!({ "error": error }).to_string());
        }
        parts.iter().flat_map(|parts| &parts.lines).for_each(|line| eprintln!("{line}"));
        eprintln!("aralau: {sentence} [{code}]");
        ExitCode::from(*exit)
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
