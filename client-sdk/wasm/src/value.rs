//! What crosses between Rust and JavaScript.

use aralau_client_sdk::{Action, Error};
use js_sys::{JSON, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

/// What a method throws.
#[derive(Debug)]
pub struct Thrown(pub(crate) JsValue);

impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        Self(failure(&error))
    }
}

impl From<JsValue> for Thrown {
    fn from(value: JsValue) -> Self {
        Self(value)
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0
    }
}

/// As a plain object: by its JSON, which the engine reads faster than we could set its fields one by one.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let json = serde_json::to_string(value).map_err(|error| invalid(&error.to_string()))?;
    JSON::parse(&json)
}

/// What the caller handed over.
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, JsValue> {
    let json = JSON::stringify(value)?.as_string().unwrap_or_default();
    serde_json::from_str(&json).map_err(|error| invalid(&error.to_string()))
}

/// An id, or whatever else has one spelling.
pub(crate) fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, JsValue> {
    text.parse().map_err(|_| invalid(&format!("{text} is no {what}")))
}

/// The caller's mistake.
pub(crate) fn invalid(message: &str) -> JsValue {
    thrown("invalid_argument", Action::Correct, message, "")
}

/// As JavaScript has it thrown.
pub(crate) fn failure(error: &Error) -> JsValue {
    thrown(error.code(), error.action(), &error.to_string(), error.detail())
}

fn thrown(code: &str, action: Action, message: &str, detail: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    for (name, value) in [("name", "AralauError"), ("code", code), ("action", action.name()), ("detail", detail)] {
        // Setting a field of a fresh object does not fail.
        drop(Reflect::set(&error, &name.into(), &value.into()));
    }
    error.into()
}
