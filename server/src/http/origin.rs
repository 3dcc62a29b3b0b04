//! Where a request comes from and where it went, by what browsers and proxies put into its head.

use axum::http::{HeaderMap, HeaderName, header};

use crate::app::App;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether the browser says that a page of this very server asks.
pub fn is_same(headers: &HeaderMap) -> bool {
    match (text(headers, &FETCH_SITE), text(headers, &header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(headers, &header::HOST)
        }
        (None, None) => false,
    }
}

/// Whether the browser says that a page of another server asks. What is no browser says nothing.
pub fn names_another(headers: &HeaderMap) -> bool {
    let says = headers.contains_key(FETCH_SITE) || headers.contains_key(header::ORIGIN);
    says && !is_same(headers)
}

/// Whether the browser reached this server over TLS, which a proxy ends.
pub fn is_https(app: &App, headers: &HeaderMap) -> bool {
    let forwarded = text(headers, &FORWARDED_PROTO).and_then(|protocols| protocols.split(',').next());
    app.settings().public_url.as_ref().is_some_and(|url| url.is_https())
        || forwarded.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("https"))
}

/// Where devices reach this server: what the operator says, or else what this request was sent to.
pub fn server_url(app: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &app.settings().public_url {
        return url.to_string();
    }
    let scheme = if is_https(app, headers) { "https" } else { "http" };
    format!("{scheme}://{}", text(headers, &header::HOST).unwrap_or("localhost"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn only_what_a_browser_vouches_for_is_of_the_same_origin() {
        for same in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("origin", "https://visits.example"), ("host", "visits.example")],
        ] {
            assert!(is_same(&head(same)) && !names_another(&head(same)), "{same:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://visits.example"), ("host", "visits.example")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example"), ("host", "visits.example")],
            &[("origin", "https://visits.example:444"), ("host", "visits.example")],
            &[("origin", "null"), ("host", "null")],
            &[("origin", "https://visits.example")],
        ] {
            assert!(!is_same(&head(other)) && names_another(&head(other)), "{other:?}");
        }
        assert!(!is_same(&head(&[("host", "visits.example")])) && !names_another(&head(&[])));
    }
}
