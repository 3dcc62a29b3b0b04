//! Who is at the other end: of a connection, as the listener saw it, and of a request, which a proxy may have passed on.
//!
//! What a head claims counts only from a proxy that the operator trusts. Each proxy adds to `X-Forwarded-For` whom it heard
//! the request from, so that the list is true from its right end up to the first address that is no such proxy: that one asks.
//! What stands to its left is whatever that one wrote.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
};

use crate::settings::Limits;

/// More proxies than that stand behind each other nowhere.
const MAX_HOPS: usize = 16;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// From where.
    pub address: IpAddr,
    /// Whether it speaks TLS with this server.
    pub is_tls: bool,
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sender {
    /// From where. None where that is nobody's in particular: this machine's, or of a proxy that does not say whose.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS, to this server or to the proxy.
    pub is_https: bool,
    /// It came through a proxy on this machine that the operator has not named.
    pub is_unnamed_proxy: bool,
}

impl Sender {
    /// Whoever sends a request with this head over this connection.
    pub fn of(peer: Option<Peer>, head: &HeaderMap, limits: &Limits) -> Self {
        let Some(Peer { address, is_tls }) = peer else { return Self::default() };
        if limits.trusts(address) {
            let proto = head.get_all(FORWARDED_PROTO).iter().next_back().and_then(|value| value.to_str().ok());
            let proto = proto.and_then(|list| list.rsplit(',').next()).map(str::trim);
            let is_https = proto.map_or(is_tls, |proto| proto.eq_ignore_ascii_case("https"));
            return Self { address: passed_on(head, limits), is_https, is_unnamed_proxy: false };
        }
        let (is_here, is_passed_on) = (address.is_loopback(), head.contains_key(FORWARDED_FOR));
        Self { address: (!is_here).then_some(address), is_https: is_tls, is_unnamed_proxy: is_here && is_passed_on }
    }
}

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }
}

/// The rightmost address that is no trusted proxy's.
fn passed_on(head: &HeaderMap, limits: &Limits) -> Option<IpAddr> {
    let lines = head.get_all(FORWARDED_FOR).iter().rev();
    // A line that is no text ends what can be believed.
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    for hop in hops.take(MAX_HOPS) {
        let address = hop_address(hop.trim())?;
        if !limits.trusts(address) {
            return Some(address);
        }
    }
    None
}

/// `192.0.2.1`, `2001:db8::1`, and as some proxies write them: `192.0.2.1:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// What counts as one address: of IPv6 a whole network, for whoever has one address of it has them all.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(proxies: &[&str]) -> Limits {
        let trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        Limits { trusted_proxies, ..Limits::default() }
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";

    fn sender(peer: &str, proxies: &[&str], head: &[(&'static str, &str)]) -> (Option<String>, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in head {
            headers.append(*name, value.parse().unwrap());
        }
        let peer = Peer { address: peer.parse().unwrap(), is_tls: false };
        let sender = Sender::of(Some(peer), &headers, &limits(proxies));
        (sender.address.map(|address| address.to_string()), sender.is_https)
    }

    #[test]
    fn what_a_head_claims_counts_from_a_trusted_proxy_only() {
        let forged = [(FOR, "198.51.100.9"), (PROTO, "https")];
        let said = |address: &str, is_https| (Some(address.to_owned()), is_https);
        assert_eq!(sender("192.0.2.1", &[], &forged), said("192.0.2.1", false));
        assert_eq!(sender("192.0.2.1", &["192.0.2.2/32"], &forged), said("192.0.2.1", false));
        assert_eq!(sender("192.0.2.1", &["192.0.2.0/24"], &forged), said("198.51.100.9", true));
        assert_eq!(sender("127.0.0.1", &[], &forged), (None, false));
        assert_eq!(sender("127.0.0.1", &["127.0.0.1/32"], &forged), said("198.51.100.9", true));
    }

    #[test]
    fn whoever_asks_is_the_rightmost_that_is_no_proxy() {
        let proxies = ["10.0.0.0/8", "2001:db8:ffff::/48"];
        let asks = |lines: &[&str]| {
            let head: Vec<_> = lines.iter().map(|line| (FOR, *line)).collect();
            sender("10.0.0.1", &proxies, &head).0
        };
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(asks(&["203.0.113.7"]), is("203.0.113.7"));
        assert_eq!(asks(&["1.1.1.1, 203.0.113.7, 10.0.0.9"]), is("203.0.113.7"), "the first was written by the client");
        assert_eq!(asks(&["1.1.1.1", "203.0.113.7", "10.0.0.9"]), is("203.0.113.7"), "over several lines");
        assert_eq!(asks(&["203.0.113.7:4711"]), is("203.0.113.7"));
        assert_eq!(asks(&["[2001:db8::1]:4711, 2001:db8:ffff::1"]), is("2001:db8::1"));
        assert_eq!(asks(&["::ffff:203.0.113.7"]), is("203.0.113.7"));
        for nobody in [&[][..], &["10.0.0.3"], &[""], &["unknown"], &["203.0.113.7, nonsense"], &["203.0.113.7, "]] {
            assert_eq!(asks(nobody), None, "{nobody:?}");
        }
        let long = vec!["10.0.0.3"; 1_000].join(",");
        assert_eq!(asks(&[&format!("203.0.113.7,{long}")]), None);
    }

    #[test]
    fn the_protocol_is_what_the_nearest_proxy_saw() {
        let https = |value: &str| sender("10.0.0.1", &["10.0.0.1/32"], &[(PROTO, value)]).1;
        assert!(https("https") && https("HTTPS") && https("http, https"));
        assert!(!https("http") && !https("https, http") && !https(""));
    }
}
