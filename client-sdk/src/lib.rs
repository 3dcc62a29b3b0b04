//! The device side of Aralau: a store that never loses a word, and a sync that brings device and server level.
//!
//! In reading order:
//! - [`Client`] is what an app calls; [`view`] what it is given to show, [`words`] how that reads on screen.
//! - [`driver`] is the only loop: a sync without IO, and [`transport`] how its requests leave the device.
//! - [`enrollment`] makes a device known; [`keys`] sign for it; [`seams`] let time and randomness in.
//! - [`store`] is the device's own store, one contract with an implementation in SQLite and one in memory.
//! - Inside: `local` rebuilds a document from its entries, `projection` keeps what lists need, `outbox` writes the own
//!   stream and puts it into frames, `pull` believes what a server says once it adds up, `rewind`, `relay` and `notices` follow a
//!   restored server, `succession` carries on after this install was restored or copied.
//! - [`error`] and [`alarm`]: what went wrong, and what must not be kept quiet.
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
pub mod view;
pub mod words;

pub mod driver;
pub mod transport;

pub mod enrollment;
pub mod keys;
pub mod seams;

pub mod store;

mod identity;
mod local;
mod notices;
mod outbox;
mod projection;
mod pull;
mod relay;
mod rewind;
mod succession;

pub mod alarm;
pub mod error;

pub use aralau_sync_core::{
    change::Value,
    id::{DocumentId, ReplicaId, ScopeId},
    time::Millis,
    visit::{Coordinates, Place, Position, VisitDraft, VisitEdit},
    vocabulary::Language,
};

pub use client::Client;
pub use driver::{Report, Step, SyncOptions, SyncSession};
pub use enrollment::Beat;
pub use error::{Action, Error};
pub use seams::Seams;
#[cfg(not(target_arch = "wasm32"))]
pub use transport::HttpTransport;
pub use transport::{HttpRequest, HttpResponse, Transport, TransportError};
pub use view::{Event, PlaceView, Status, VisitState, VisitView};

/// How this build names itself to a server.
pub(crate) const APP: &str = concat!("aralau-client-sdk/", env!("CARGO_PKG_VERSION"));
