//! A server's refusal, in RFC 9457 problem details.

use serde::Deserialize;

use crate::{error::Error, transport::HttpResponse};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    title: String,
}

/// As far as it explains itself.
pub(super) fn problem(answer: &HttpResponse) -> Error {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = if problem.code.is_empty() { format!("http_{}", answer.status) } else { problem.code };
    let detail = if problem.detail.is_empty() { problem.title } else { problem.detail };
    Error::Server { status: answer.status, code, detail }
}
