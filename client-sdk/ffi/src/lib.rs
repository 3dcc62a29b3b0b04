//! The client SDK for phones and scripts, by UniFFI: what apps in Kotlin, Swift and Python call.
//!
//! A [`Device`] is a folder. It may be asked from any thread, and its key may be in a file of that folder or in the
//! platform's keystore: a [`Session`] says what it wants signed and sent. [`Device::enroll`] and [`Device::sync`] drive one
//! for whoever may block.
//!
//! What is small and settled crosses as a record, which compilers check and editors complete. A visit and its history cross
//! as the JSON that views have everywhere (`client-sdk/wasm/src/types.ts` spells it out): they are open-ended, and a record
//! for each part would have to be kept level with the views in every language.

mod device;
mod error;
mod session;
mod types;
#[cfg(feature = "vectors")]
mod vectors;
mod wording;

pub use device::Device;
pub use error::DeviceError;
pub use session::{Answer, Request, Session, Step};
pub use types::Report;
#[cfg(feature = "vectors")]
pub use vectors::replays;
pub use wording::{code_lists, reason};

uniffi::setup_scaffolding!("aralau");
