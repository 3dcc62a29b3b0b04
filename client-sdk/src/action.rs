//! What helps when something did not work.

/// What an app does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing is lost; the same call may work later.
    Retry,
    /// The device has to be enrolled, or enrolled again.
    Enroll,
    /// The app is too old.
    Update,
    /// The caller asked for something that cannot be; the message says what.
    Correct,
    /// Something is wrong that neither the inspector nor the app can mend: show the code and tell the operator.
    Report,
}

impl Action {
    /// Stable name, for bindings and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Enroll => "enroll",
            Self::Update => "update",
            Self::Correct => "correct",
            Self::Report => "report",
        }
    }
}
