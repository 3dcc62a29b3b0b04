//! Either session, for bindings that hand out one kind of object for both.

use aralau_sync_core::id::Signature;

use super::{EnrollSession, Report, Session, Step, SyncOptions, SyncSession};
use crate::{
    client::Client,
    invitation::Invitation,
    store::Store,
    transport::{HttpResponse, TransportError},
};

/// An enrollment or a sync.
#[derive(Debug)]
pub enum Talk {
    /// A device becoming known.
    Enroll(EnrollSession),
    /// A device and its server becoming level.
    Sync(Box<SyncSession>),
}

impl Talk {
    /// An enrollment with the server at `url`, by a code.
    pub fn enroll(url: &str, code: &str) -> Self {
        Self::Enroll(EnrollSession::new(url, code))
    }

    /// An enrollment, as the device's person was invited.
    pub fn enroll_by(invitation: Invitation) -> Self {
        Self::Enroll(EnrollSession::by(invitation))
    }

    /// A sync.
    pub fn sync(options: SyncOptions) -> Self {
        Self::Sync(Box::new(SyncSession::new(options)))
    }

    /// What it has come to so far; of an enrollment, nothing.
    pub fn report(&self) -> Report {
        match self {
            Self::Enroll(_) => Report::default(),
            Self::Sync(session) => session.report().clone(),
        }
    }
}

impl Session for Talk {
    type Outcome = ();

    fn next<S: Store>(&mut self, client: &mut Client<S>) -> Step<()> {
        let step = match self {
            Self::Enroll(session) => return session.next(client),
            Self::Sync(session) => session.next(client),
        };
        match step {
            Step::Sign(messages) => Step::Sign(messages),
            Step::Send(request) => Step::Send(request),
            Step::Wait(ms) => Step::Wait(ms),
            Step::Done(_) => Step::Done(()),
            Step::Failed(error) => Step::Failed(error),
        }
    }

    fn signed(&mut self, signatures: Vec<Signature>) {
        match self {
            Self::Enroll(session) => session.signed(signatures),
            Self::Sync(session) => session.signed(signatures),
        }
    }

    fn answered<S: Store>(&mut self, client: &mut Client<S>, answer: Result<HttpResponse, TransportError>) {
        match self {
            Self::Enroll(session) => session.answered(client, answer),
            Self::Sync(session) => session.answered(client, answer),
        }
    }
}
