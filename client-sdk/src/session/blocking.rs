//! Sessions for who may block: over a [`Transport`], with the key of the client's vault.

use super::{EnrollSession, Report, Session, Step, SyncOptions, SyncSession};
use crate::{client::Client, error::Error, invitation::Invitation, store::Store, transport::Transport};

impl<S: Store> Client<S> {
    /// Makes this device known to a server by a code that its person was handed. Calling it again after a lost answer is
    /// safe.
    pub fn enroll(&mut self, transport: &impl Transport, url: &str, code: &str) -> Result<(), Error> {
        self.run(transport, EnrollSession::new(url, code))
    }

    /// The same, as its person was invited.
    pub fn enroll_by(&mut self, transport: &impl Transport, invitation: Invitation) -> Result<(), Error> {
        self.run(transport, EnrollSession::by(invitation))
    }

    /// Brings this device and its server level: repeats until nothing is left either way.
    ///
    /// While the server cannot be reached it tries again, with pauses, until `options.wait` is over. Whatever was
    /// acknowledged before an error stays acknowledged.
    pub fn sync(&mut self, transport: &impl Transport, options: SyncOptions) -> Result<Report, Error> {
        self.run(transport, SyncSession::new(options)).map(|report| *report)
    }

    /// Takes a session to its end.
    ///
    /// # Errors
    /// The session's, and [`Error::Key`] where the vault does not sign.
    pub fn run<A: Session>(&mut self, transport: &impl Transport, mut session: A) -> Result<A::Outcome, Error> {
        loop {
            match session.next(self) {
                Step::Sign(messages) => session.signed(self.sign(&messages)?),
                Step::Send(request) => session.answered(self, transport.send(&request)),
                Step::Wait(ms) => self.seams.clock.sleep(ms),
                Step::Done(outcome) => return Ok(outcome),
                Step::Failed(error) => return Err(error),
            }
        }
    }
}
