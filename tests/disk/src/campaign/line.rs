//! The line between phones and server: a function call, through the server's whole router.

use aralau_client_sdk::{HttpRequest, HttpResponse, Transport, TransportError};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use serde_json::Value;
use tower::ServiceExt as _;

/// See the module.
pub struct Line<'a> {
    /// Where the server runs.
    pub runtime: &'a tokio::runtime::Runtime,
    /// The server; `None` while it is down.
    pub router: Option<Router>,
}

/// Bounds an answer that a test reads.
const MAX_ANSWER_BYTES: usize = 64 << 20;

impl Line<'_> {
    fn call(&self, request: Request<Body>) -> Option<HttpResponse> {
        let router = self.router.clone()?;
        self.runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.ok()?.into_parts();
            let body = axum::body::to_bytes(body, MAX_ANSWER_BYTES).await.ok()?.to_vec();
            let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
            Some(HttpResponse { status: parts.status.as_u16(), headers: headers.collect(), body })
        })
    }

    /// What headquarters asks: status and body.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let request =
            Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            Some(json) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(json.to_string())),
            None => request.body(Body::empty()),
        };
        let answer = self.call(request.ok()?)?;
        Some((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
    }
}

impl Transport for Line<'_> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut built = Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let built = built.body(Body::from(request.body.clone())).map_err(|_| TransportError::BadUrl)?;
        self.call(built).ok_or(TransportError::Unreachable)
    }
}
