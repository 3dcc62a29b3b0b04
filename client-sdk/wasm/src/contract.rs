//! What a test runs in a real browser: the store's contract, and devices that write the same bytes as every other build.

use aralau_client_sdk::{
    Client, Millis, Seams,
    replay::{Script, replay},
    store::{OpfsFolder, Store as _, contract},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{device::Device, value::Thrown};

/// Runs all of it on stores of one folder. Panics, which ends the worker, where a promise is not kept.
#[wasm_bindgen(js_name = keepsItsContract)]
pub async fn keeps_its_contract(folder: String) -> Result<(), Thrown> {
    let folder = OpfsFolder::hold(&folder).await.map_err(aralau_client_sdk::Error::from)?;
    let open = || folder.open().unwrap_or_else(|error| panic!("{error}"));
    let fresh = || {
        let mut store = open();
        store.erase().unwrap_or_else(|error| panic!("{error}"));
        store
    };
    contract::keeps_every_promise(fresh);
    contract::agrees_with_the_model(fresh, |store| {
        drop(store);
        open()
    });
    // The store is one database and its log, whatever it was asked for: a log always finds a file.
    assert!(folder.free_files() >= 2, "{} files are free", folder.free_files());
    folder.release().map_err(|error| Thrown(JsValue::from_str(&error.to_string())))
}

/// Goes through a phone's script, as JSON, on a store of a folder. How many scenes there were; throws where something else came of one.
#[wasm_bindgen(js_name = replays)]
pub async fn replays(folder: String, script: String) -> Result<usize, Thrown> {
    let said = |error: String| Thrown(JsValue::from_str(&error));
    let script: Script = serde_json::from_str(&script).map_err(|error| said(error.to_string()))?;
    let folder = OpfsFolder::hold(&folder).await.map_err(aralau_client_sdk::Error::from)?;
    let scenes = replay(&script, || folder.open().unwrap_or_else(|error| panic!("{error}"))).map_err(said)?;
    folder.release().map_err(|error| said(error.to_string()))?;
    Ok(scenes)
}

#[wasm_bindgen]
impl Device {
    /// A device whose clock stands and whose chances follow from a seed, for `client-sdk/tests/vector.json`.
    pub async fn scripted(folder: String, public_key: Vec<u8>, now: f64, seed: u32) -> Result<Device, Thrown> {
        let seams = Seams::scripted(Millis(now as i64), seed.into());
        Self::over(&folder, &public_key, |store, key, _| Client::over(store, key, seams)).await
    }
}
