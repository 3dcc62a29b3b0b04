//! Headers of caution: what a browser must not do with an answer, whichever route gave it.
//!
//! A page brings its own policy, which stands; what is no page may load nothing and stand in no frame. Over TLS alone a
//! browser is told to come by TLS from then on: said in the clear, anybody on the line could have said it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Where an app is not allowed more.
const ALL: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (PERMISSIONS_POLICY, "geolocation=(), camera=(), microphone=(), payment=(), usb=()"),
    (OPENER_POLICY, "same-origin"),
    (RESOURCE_POLICY, "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];
/// A year.
const COME_BY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts them where they are not.
pub(super) fn put(head: &mut HeaderMap, is_https: bool) {
    head.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in ALL {
        head.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_https {
        head.insert(header::STRICT_TRANSPORT_SECURITY, COME_BY_TLS);
    }
}
