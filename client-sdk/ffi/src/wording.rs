//! What is said in the reader's language, from the lists that all of Aralau shares.

use aralau_client_sdk::{Language, words};
use aralau_sync_core::vocabulary::LISTS;

use crate::{device::json, error::DeviceError};

/// The languages there are.
#[uniffi::remote(Enum)]
pub enum Language {
    /// `ru`
    Russian,
    /// `kk`; its wording awaits a native reader's review.
    Kazakh,
    /// `en`
    English,
}

/// What codes are called, as JSON: `CodeList[]`.
#[uniffi::export]
pub fn code_lists() -> Result<String, DeviceError> {
    json(&LISTS)
}

/// Why words are held. An unknown code has a general sentence.
#[uniffi::export]
pub fn reason(code: &str, language: Language) -> String {
    words::reason(code, language).to_owned()
}
