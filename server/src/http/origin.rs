//! Where a request comes from and where it went, by what browsers put into its head.

use axum::http::{HeaderMap, HeaderName, header, uri::Authority};

use super::peer::Sender;
use crate::app::App;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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

/// Whether browsers reach this server over TLS.
pub fn is_https(app: &App, sender: &Sender) -> bool {
    sender.is_https || app.settings().public_url.as_ref().is_some_and(|url| url.is_https())
}

/// Where devices reach this server: what the operator says, or else what this request was sent to.
pub fn server_url(app: &App, sender: &Sender, headers: &HeaderMap) -> String {
    if let Some(url) = &app.settings().public_url {
        return url.to_string();
    }
    let scheme = if is_https(app, sender) { "https" } else { "http" };
    let host = text(headers, &header::HOST).filter(|host| is_host(host)).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// A name or address with perhaps a port, and nothing that would make another address of it.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@'))
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
    fn a_host_that_would_make_another_address_is_none() {
        for host in ["visits.example", "visits.example:8470", "10.0.0.1", "[2001:db8::1]:8470"] {
            assert!(is_host(host), "{host}");
        }
        for other in ["", "me@evil.example", "evil.example/x", "evil.example#code=", "a b", "evil.example?", "<script>"]
        {
            assert!(!is_host(other), "{other}");
        }
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
