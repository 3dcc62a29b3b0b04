//! Sessions, a step at a time.

use aralau_client_sdk::{HttpRequest, HttpResponse, Session as _, Step, SyncOptions, Talk, TransportError};
use aralau_sync_core::id::Signature;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

use crate::{
    device::Device,
    value::{failure, invalid, to_js},
};

#[wasm_bindgen]
extern "C" {
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Step")]
    pub type JsStep;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Report")]
    pub type JsReport;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Answer")]
    pub type JsAnswer;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Uint8Array[]")]
    pub type JsSignatures;
}

/// What device and server say to each other, until one of them is done; see `Step`.
#[wasm_bindgen(js_name = Session)]
pub struct SessionHandle(Talk);

#[wasm_bindgen(js_class = Session)]
impl SessionHandle {
    /// A device becoming known to the server at `url`, by a code.
    pub fn enroll(url: &str, code: &str) -> Self {
        Self(Talk::enroll(url, code))
    }

    /// Device and server becoming level; it goes on trying for so many milliseconds while the server cannot be reached.
    pub fn sync(wait_ms: u32) -> Self {
        let wait = std::time::Duration::from_millis(wait_ms.into());
        Self(Talk::sync(SyncOptions { wait }))
    }

    /// What to do now.
    pub fn next(&mut self, device: &mut Device) -> Result<JsStep, JsValue> {
        let step = match self.0.next(&mut device.client) {
            Step::Sign(messages) => {
                let messages: Array = messages.iter().map(|message| Uint8Array::from(&message[..])).collect();
                object(&[("kind", "sign".into()), ("messages", messages.into())])
            }
            Step::Send(request) => object(&[("kind", "send".into()), ("request", write_request(&request)?)]),
            Step::Wait(ms) => object(&[("kind", "wait".into()), ("ms", (ms as f64).into())]),
            Step::Done(()) => object(&[("kind", "done".into())]),
            Step::Failed(error) => Err(failure(&error)),
        };
        Ok(step?.unchecked_into())
    }

    /// The signatures that were asked for.
    pub fn signed(&mut self, signatures: &JsSignatures) -> Result<(), JsValue> {
        self.0.signed(read_signatures(signatures)?);
        Ok(())
    }

    /// What came of the request: an answer, or none.
    pub fn answered(&mut self, device: &mut Device, answer: &JsAnswer) -> Result<(), JsValue> {
        self.0.answered(&mut device.client, read_answer(answer)?);
        Ok(())
    }

    /// What a sync has come to so far.
    pub fn report(&self) -> Result<JsReport, JsValue> {
        Ok(to_js(&self.0.report())?.unchecked_into())
    }
}

fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

fn write_request(request: &HttpRequest) -> Result<JsValue, JsValue> {
    let pair = |(name, value): &(&str, String)| Array::of2(&(*name).into(), &value.as_str().into());
    object(&[
        ("method", request.method.into()),
        ("url", request.url.as_str().into()),
        ("headers", request.headers.iter().map(pair).collect::<Array>().into()),
        ("body", Uint8Array::from(&request.body[..]).into()),
        ("maxAnswerBytes", (request.max_answer_bytes as f64).into()),
    ])
}

fn read_signatures(signatures: &JsSignatures) -> Result<Vec<Signature>, JsValue> {
    let signature = |bytes: JsValue| {
        let bytes = bytes.dyn_into::<Uint8Array>().ok()?.to_vec();
        bytes.try_into().ok().map(Signature)
    };
    let all = Array::from(signatures.as_ref()).iter().map(signature).collect::<Option<Vec<_>>>();
    all.ok_or_else(|| invalid("a signature is 64 bytes, r and s"))
}

fn read_answer(answer: &JsAnswer) -> Result<Result<HttpResponse, TransportError>, JsValue> {
    let answer: &JsValue = answer.as_ref();
    let get = |name: &str| Reflect::get(answer, &name.into());
    if let Some(code) = get("failed")?.as_string() {
        return Ok(Err(match code.as_str() {
            "timed_out" => TransportError::TimedOut,
            "answer_too_long" => TransportError::TooLong,
            _ => TransportError::Unreachable,
        }));
    }
    let status = get("status")?.as_f64().ok_or_else(|| invalid("an answer has a status"))?;
    let body = get("body")?.dyn_into::<Uint8Array>().map_err(|_| invalid("an answer's body is bytes"))?.to_vec();
    let header = |pair: JsValue| {
        let pair = Array::from(&pair);
        let name = pair.get(0).as_string()?.to_ascii_lowercase();
        // The browser has decompressed the body already.
        (name != "content-encoding").then_some((name, pair.get(1).as_string()?))
    };
    let headers = Array::from(&get("headers")?).iter().filter_map(header).collect();
    Ok(Ok(HttpResponse { status: status as u16, headers, body }))
}
