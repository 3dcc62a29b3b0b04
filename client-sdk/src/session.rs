//! What a device and its server say to each other, without IO.
//!
//! A [`Session`] says what it wants ([`Step`]) and is told what came of it, so the same session runs behind a blocking
//! socket, a browser's `fetch` and a test's script, with a key in a file, in a chip or behind WebCrypto:
//!
//! ```text
//! loop { match session.next(&mut client) {
//!     Step::Sign(messages) => session.signed(messages.iter().map(|message| key.sign(message)).collect()),
//!     Step::Send(request)  => session.answered(&mut client, transport.send(&request)),
//!     Step::Wait(ms)       => sleep(ms),
//!     Step::Done(outcome)  => break Ok(outcome),
//!     Step::Failed(error)  => break Err(error),
//! } }
//! ```
//! Between two steps nothing is borrowed: visits may be logged while a request is under way. A session that is dropped in
//! the middle loses nothing: the next one begins with what the store says. [`Client::run`] is that loop for who may block.

mod blocking;
mod enroll;
mod problem;
mod sync;
mod talk;

use aralau_sync_core::id::Signature;

pub use enroll::EnrollSession;
pub use sync::{Confirmed, HeldOutcome, Report, SyncOptions, SyncSession};
pub use talk::Talk;

use crate::{
    client::Client,
    error::Error,
    store::Store,
    transport::{HttpRequest, HttpResponse, TransportError},
};

/// What a session wants next.
#[derive(Debug)]
pub enum Step<T> {
    /// Sign each of these with the device's key, and tell [`Session::signed`].
    Sign(Vec<Vec<u8>>),
    /// Send this, and tell [`Session::answered`] what came back.
    Send(HttpRequest),
    /// Ask again after so many milliseconds.
    Wait(u64),
    /// All that could be done is done.
    Done(T),
    /// It did not work out; nothing is lost.
    Failed(Error),
}

/// One thing that device and server settle between them; see the module.
pub trait Session {
    /// What it comes to.
    type Outcome;
    /// What to do now.
    fn next<S: Store>(&mut self, client: &mut Client<S>) -> Step<Self::Outcome>;
    /// The signatures that the last [`Step::Sign`] asked for, one for each message in their order.
    fn signed(&mut self, signatures: Vec<Signature>);
    /// What came of the last [`Step::Send`].
    fn answered<S: Store>(&mut self, client: &mut Client<S>, answer: Result<HttpResponse, TransportError>);
}
