//! For tests that compare what is written byte by byte.

use std::path::Path;

use aralau_client_sdk::{
    replay::{Script, replay},
    store::SqliteStore,
};

use crate::error::DeviceError;

/// Goes through a phone's script, as JSON, on a store of a folder. How many scenes there were; throws where something else
/// came of one.
#[uniffi::export]
pub fn replays(folder: String, script: &str) -> Result<u64, DeviceError> {
    let script: Script = serde_json::from_str(script).map_err(|error| DeviceError::invalid(error.to_string()))?;
    let open = || SqliteStore::open(Path::new(&folder)).unwrap_or_else(|error| panic!("{error}"));
    let scenes = replay(&script, open).map_err(DeviceError::invalid)?;
    Ok(scenes as u64)
}
