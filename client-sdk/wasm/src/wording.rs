//! What is said in the reader's language, from the lists that all of Aralau shares.

use aralau_client_sdk::words;
use aralau_sync_core::vocabulary::{LISTS, Language};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

use crate::value::{invalid, to_js};

#[wasm_bindgen]
extern "C" {
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "CodeList[]")]
    pub type JsCodeLists;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Language")]
    pub type JsLanguage;
}

/// What codes are called.
#[wasm_bindgen(js_name = codeLists)]
pub fn code_lists() -> Result<JsCodeLists, JsValue> {
    Ok(to_js(&LISTS)?.unchecked_into())
}

/// Why words are held. An unknown code has a general sentence.
#[wasm_bindgen]
pub fn reason(code: &str, language: &JsLanguage) -> Result<String, JsValue> {
    let tag = AsRef::<JsValue>::as_ref(language).as_string().unwrap_or_default();
    let known = Language::ALL.into_iter().find(|known| known.tag() == tag);
    Ok(words::reason(code, known.ok_or_else(|| invalid("no language of ours"))?).to_owned())
}
