//! What an operator chooses for a server, beside where its data is. (The time zone is the store's: `store::time_zone`.)

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use aralau_sync_core::id::Fingerprint;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    http::{basemap::Basemap, web::WebApp},
    store::PullLimits,
};

/// The choices, each with what holds unless chosen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How much of the log one answer to a device may hold.
    pub pull_limits: PullLimits,
    /// What people call this deployment.
    pub name: Option<String>,
    /// Whether it is for training: what is logged here is nobody's history, and every screen says so.
    pub training: bool,
    /// Where people and devices reach this server; unless given, the address that a request names.
    pub public_url: Option<PublicUrl>,
    /// After how many days without a contact a place is overdue.
    pub visit_interval_days: u32,
    /// After how many days what was received is sealed into compressed segments.
    pub compact_after_days: u32,
    /// What a device may bring in a day, as it is signed; of what is held, and once it is shut out, a sixteenth.
    pub device_quota_bytes: u64,
    /// While less of the disk is left than this, nothing is taken from devices.
    pub reserve_bytes: u64,
    /// What headquarters' map draws beneath the visits; without any, a plain ground.
    pub basemap: Option<Basemap>,
    /// What phones are to know the server's certificate by, where no browser vouches for it.
    pub fingerprint: Option<Fingerprint>,
    /// How much one may ask.
    pub limits: Limits,
    /// How long the answer to a wrong token or code is put off.
    pub attempt_pause: Duration,
    /// The console's files; without any, `/` is no route.
    pub console: WebApp,
    /// The files of the inspectors' app; without any, `/field/` is no route.
    pub field: WebApp,
}

/// A year: beats are walked once in it.
pub const VISIT_INTERVAL_DAYS: u32 = 365;

/// What is older is seldom changed any more.
pub const COMPACT_AFTER_DAYS: u32 = 30;

/// What a phone writes in a year and more.
pub const DEVICE_QUOTA_MIB: u64 = 32;
/// Room for headquarters to go on, and for what it takes to make more.
pub const RESERVE_MIB: u64 = 128;

/// Not felt by whoever has mistyped, and long for whoever tries one after the other.
pub const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

impl Default for Settings {
    fn default() -> Self {
        Self {
            pull_limits: PullLimits::default(),
            name: None,
            training: false,
            public_url: None,
            visit_interval_days: VISIT_INTERVAL_DAYS,
            compact_after_days: COMPACT_AFTER_DAYS,
            device_quota_bytes: DEVICE_QUOTA_MIB << 20,
            reserve_bytes: RESERVE_MIB << 20,
            basemap: None,
            fingerprint: None,
            limits: Limits::default(),
            attempt_pause: ATTEMPT_PAUSE,
            console: WebApp::console(&[]),
            field: WebApp::field(&[]),
        }
    }
}

/// How much one may ask in a minute; 0: without a limit. A minute's worth may be asked at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests from one address, or one network of IPv6.
    pub address_requests_per_minute: u32,
    /// Requests with one token, or in one session.
    pub token_requests_per_minute: u32,
    /// Requests of one device.
    pub device_requests_per_minute: u32,
    /// Wrong codes and tokens by which somebody tries to come in: from one address, or one code.
    pub wrong_codes_per_minute: u32,
    /// Who is believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
}

/// An office of 500 people behind one address: everybody opens the console within the same minute (40 requests each), or all phones
/// come home at once (3 each), and nobody waits.
pub const ADDRESS_REQUESTS_PER_MINUTE: u32 = 20_000;
/// Twenty in each second: nobody clicks as fast, and a script that pages through everything is slowed down only then.
pub const TOKEN_REQUESTS_PER_MINUTE: u32 = 1_200;
/// A phone asks once or twice a sync; one that comes back after a year, some hundred times in a row.
pub const DEVICE_REQUESTS_PER_MINUTE: u32 = 300;
/// An office in which sixty people mistype within a minute.
pub const WRONG_CODES_PER_MINUTE: u32 = 60;

impl Limits {
    /// Whether this is a proxy that is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxy| proxy.contains(&address))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_requests_per_minute: ADDRESS_REQUESTS_PER_MINUTE,
            token_requests_per_minute: TOKEN_REQUESTS_PER_MINUTE,
            device_requests_per_minute: DEVICE_REQUESTS_PER_MINUTE,
            wrong_codes_per_minute: WRONG_CODES_PER_MINUTE,
            trusted_proxies: Vec::new(),
        }
    }
}

/// `https://visits.example`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Whether browsers reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The name or address alone.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split_once(':').map_or(authority, |(host, _)| host),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no URL of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a server, such as https://visits.example")]
pub struct NoPublicUrl;

impl FromStr for PublicUrl {
    type Err = NoPublicUrl;
    fn from_str(text: &str) -> Result<Self, NoPublicUrl> {
        let url: axum::http::Uri = text.trim_end_matches('/').parse().map_err(|_| NoPublicUrl)?;
        match (url.scheme_str(), url.authority(), url.path_and_query().map(|path| path.as_str())) {
            (Some(scheme @ ("http" | "https")), Some(authority), None | Some("/")) => {
                Ok(Self(format!("{scheme}://{authority}")))
            }
            _ => Err(NoPublicUrl),
        }
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_scheme_and_host_and_nothing_else() {
        let read = |text: &str| text.parse::<PublicUrl>().map(|url| url.to_string());
        assert_eq!(read("https://visits.example/"), Ok("https://visits.example".to_owned()));
        assert_eq!(read("http://10.0.0.1:8470"), Ok("http://10.0.0.1:8470".to_owned()));
        let host = |text: &str| text.parse::<PublicUrl>().map(|url| url.host().to_owned());
        assert_eq!(host("https://visits.example:8470"), Ok("visits.example".to_owned()));
        assert_eq!(host("https://[2001:db8::1]:8470"), Ok("2001:db8::1".to_owned()));
        for wrong in ["", "visits.example", "ftp://visits.example", "https://visits.example/path", "https://"] {
            assert_eq!(read(wrong), Err(NoPublicUrl), "{wrong}");
        }
    }
}
