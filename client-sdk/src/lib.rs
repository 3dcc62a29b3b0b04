//! The device side of Aralau: a store that never loses a word, and a sync that brings device and server level.
//!
//! In reading order:
//! - [`Client`] is what an app calls; [`form`] what is filled in, [`view`] what it is given to show, [`words`] how that reads
//!   on screen.
//! - [`session`] is what device and server say to each other, without IO: enrollment and sync. [`transport`] is how their
//!   requests leave a device that may block.
//! - [`enrollment`] is what a device knows of its deployment; [`vault`] holds its key, [`keys`] are that in pure Rust;
//!   [`seams`] let time and randomness in.
//! - [`store`] is the device's own store, one contract with an implementation in SQLite and one in memory.
//! - Inside: `local` rebuilds a document from its entries, `projection` keeps what lists need, `outbox` writes the own
//!   stream and puts it into frames, `outlines` keeps what a map shows of beats, `pull` believes what a server says once it adds up, `rewind`, `relay` and `notices` follow a
//!   restored server, `succession` carries on after this install was restored or copied.
//! - [`error`], [`action`] and [`alarm`]: what went wrong, what helps, and what must not be kept quiet.
//!
//! ```no_run
//! # fn main() -> Result<(), aralau_client_sdk::Error> {
//! use aralau_client_sdk::{Client, HttpTransport, Seams, SyncOptions, VisitDraft};
//!
//! let mut client = Client::open("phone-home".as_ref(), Seams::system())?;
//! let transport = HttpTransport::default();
//! client.enroll(&transport, "https://hq.example", "K7WQ-2M4P")?;
//! let place = client.places()?.first().map(|place| place.id);
//! client.log_visit(VisitDraft { place, outcome: Some("contacted".into()), ..VisitDraft::default() })?;
//! client.sync(&transport, SyncOptions::default())?;
//! for visit in client.visits()? {
//!     println!("{} {:?}", visit.id, visit.state);
//! }
//! # Ok(())
//! # }
//! ```

pub mod client;
pub mod form;
pub mod view;
pub mod words;

pub mod session;
pub mod transport;

pub mod enrollment;
pub mod invitation;
pub mod keys;
pub mod seams;
pub mod vault;

pub mod store;

#[cfg(feature = "replay")]
pub mod replay;

mod identity;
mod local;
mod notices;
mod outbox;
mod outlines;
mod projection;
mod pull;
mod relay;
mod rewind;
mod succession;

pub mod action;
pub mod alarm;
pub mod error;

pub use aralau_sync_core::{
    change::Value,
    id::{DocumentId, Fingerprint, ReplicaId, ScopeId},
    time::Millis,
    visit::{Coordinates, Place, Position, VisitDraft, VisitEdit},
    vocabulary::Language,
};

pub use action::Action;
pub use client::{Client, Draft};
pub use enrollment::Beat;
pub use error::Error;
pub use form::{VisitChange, VisitForm};
pub use invitation::{Certificate, Invitation};
pub use seams::Seams;
pub use session::{EnrollSession, Report, Session, Step, SyncOptions, SyncSession, Talk};
#[cfg(not(target_arch = "wasm32"))]
pub use transport::HttpTransport;
pub use transport::{HttpRequest, HttpResponse, Transport, TransportError};
pub use vault::Vault;
pub use view::{Event, OutlineView, PlaceView, Status, Stop, VisitState, VisitView};

/// How this build names itself to a server.
pub(crate) const APP: &str = concat!("aralau-client-sdk/", env!("CARGO_PKG_VERSION"));
