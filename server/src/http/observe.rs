//! What holds for every request: who sends it, how much they may ask, a bounded query string, one line in the log, one count,
//! headers of caution.
//!
//! The line holds no personal data: the route's template and never the path, no query, no token.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    MAX_QUERY_BYTES, caution, limits,
    peer::{Peer, Sender},
    problem::{Failed, Problem},
};
use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Numbers the requests of this process.
#[derive(Default)]
pub(super) struct RequestCounter(AtomicU64);

/// Wraps every route.
pub(super) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = app.http().requests.0.fetch_add(1, Ordering::Relaxed) + 1;
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let query_bytes = request.uri().query().map_or(0, str::len);
    let peer = request.extensions().get::<Peer>().copied();
    let sender = Sender::of(peer, request.headers(), &app.settings().limits);
    request.extensions_mut().insert(sender);
    let mut response = match limits::admit(&app, &sender, request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(()) if query_bytes > MAX_QUERY_BYTES => Problem::QueryTooLong.into_response(),
        Ok(()) => next.run(request).await,
    };
    let (status, latency) = (response.status().as_u16(), began.elapsed());
    app.http().metrics.count(method, route, status, latency);
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    match response.extensions_mut().remove::<Failed>() {
        Some(Failed { code, cause }) if status >= 500 => {
            let cause = cause.unwrap_or_default();
            tracing::error!(request = id, method, route, status, latency_ms, code, cause, "failed");
        }
        Some(Failed { code, .. }) => tracing::info!(request = id, method, route, status, latency_ms, code, "refused"),
        None => tracing::info!(request = id, method, route, status, latency_ms, "answered"),
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from(id));
    caution::put(headers, sender.is_https);
    response
}

/// Methods outside of the usual are one: a caller must not choose how many series there are.
fn method_name(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
