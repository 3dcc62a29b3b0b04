//! The client SDK for browsers: what a dedicated worker of the field app calls.
//!
//! Everything here is synchronous but taking hold of the folder. Signatures and requests are the worker's: a session is
//! handed out, and says what it wants (`Step`), so the key may be WebCrypto's and the network `fetch`'s.
//!
//! Values cross as plain objects, in the spelling that views have as JSON; failures are thrown as an `Error` with a `code`
//! and an `action` of the SDK's. `types.ts` says what each is.
#![cfg(target_arch = "wasm32")]

#[cfg(feature = "contract")]
mod contract;
mod device;
mod outside;
mod session;
mod value;
mod wording;

pub use device::Device;
pub use session::SessionHandle;
pub use wording::{code_lists, reason};

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");
