//! Wrong tokens and codes: each is answered late, and only so many wait for that at once.
//!
//! Whether a credential is right is read first, and whoever brings a right one never gets here: the failures of others cost
//! them nothing. What keeps a secret from being guessed is its length; this keeps whoever tries from filling connections and
//! logs, and lets an operator see it. Who tries to come in, by a code or to sign in, and has been wrong too often, is not even
//! looked at for a while, with that code or from that address: see [`Guess`](super::limits).

use tokio::sync::Semaphore;

use super::{peer::Sender, problem::Problem};
use crate::app::App;

/// Failures that wait to be answered, at once.
const MAX_WAITING: usize = 8;
/// When those beyond may try again.
const TRY_AGAIN_S: u32 = 2;

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
pub(super) async fn failed(app: &App, tried: Tried, sender: &Sender, problem: Problem) -> Problem {
    app.http().metrics.attempt_failed(tried);
    let address = sender.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    tracing::info!(credential = tried.name(), address, "a token that does not count, or a code that lets nobody in");
    let Ok(_waiting) = app.http().attempts.0.try_acquire() else { return Problem::TooManyAttempts(TRY_AGAIN_S) };
    let pause = app.settings().attempt_pause;
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    problem
}
