//! Wrong tokens and codes: each is answered late, and only so many wait for that at once.
//!
//! Whether a credential is right is read first, and whoever brings a right one never gets here: the failures of others cost
//! them nothing. What keeps a secret from being guessed is its length; this keeps whoever tries from filling connections and
//! logs, and lets an operator see it.

use tokio::sync::Semaphore;

use super::problem::Problem;
use crate::app::App;

/// Failures that wait to be answered, at once.
const MAX_WAITING: usize = 8;

/// Whose failures are waiting.
#[derive(Debug)]
pub struct Attempts(Semaphore);

impl Default for Attempts {
    fn default() -> Self {
        Self(Semaphore::new(MAX_WAITING))
    }
}

/// What somebody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// A token for headquarters, with a request or to sign in.
    Token,
    /// An enrollment code.
    Code,
}

impl Tried {
    /// As `/metrics` says it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Code => "code",
        }
    }
}

/// What a failed attempt is answered with, once it may be: the problem, or that too many others wait already.
pub(super) async fn failed(app: &App, tried: Tried, problem: Problem) -> Problem {
    app.http().metrics.attempt_failed(tried);
    let Ok(_waiting) = app.http().attempts.0.try_acquire() else { return Problem::TooManyAttempts };
    let pause = app.settings().attempt_pause;
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    problem
}
