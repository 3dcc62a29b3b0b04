//! The store's contract, run by a test in a real browser.

use aralau_client_sdk::store::{OpfsFolder, Store as _, contract};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::value::Thrown;

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
    folder.release().map_err(|error| Thrown(JsValue::from_str(&error.to_string())))
}
