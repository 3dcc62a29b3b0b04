//! What a person is handed to enroll a device with: where, by which code, and what the server is known by.

use aralau_sync_core::id::Fingerprint;

/// Longer than any link.
const MAX_LINK_BYTES: usize = 2_000;

/// How a device comes to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The server's address.
    pub url: String,
    /// The one-time code.
    pub code: String,
    /// What its certificate is known by.
    pub certificate: Certificate,
}

/// What a server's certificate is known by, for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// As before: the one that the device was given; else any that the platform trusts.
    #[default]
    AsBefore,
    /// This one, and no other.
    Only(Fingerprint),
    /// From now on any that the platform trusts.
    Trusted,
}

impl Invitation {
    /// By an address and a code.
    pub fn new(url: &str, code: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { url, code: code.to_owned(), certificate: Certificate::AsBefore }
    }

    /// Reads the link that headquarters shows as a picture: `https://hq.example/field/#code=…&fingerprint=…`. Nothing for any
    /// other text, nor where its fingerprint is none: a device that was to know the server must not come without.
    pub fn read(link: &str) -> Option<Self> {
        let link = link.trim();
        let (address, said) = link.split_once('#').filter(|_| link.len() <= MAX_LINK_BYTES)?;
        let (scheme, rest) = address.split_once("://")?;
        let host = rest.strip_suffix("/field/").unwrap_or(rest);
        let is_host = !host.is_empty() && !host.contains(['/', '?', '@', '\\', ' ']);
        if !is_host || !["http", "https"].contains(&scheme) {
            return None;
        }
        let said = |name: &str| said.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let certificate = match said("fingerprint") {
            Some(fingerprint) => Certificate::Only(Fingerprint::read(fingerprint).ok()?),
            None => Certificate::AsBefore,
        };
        let code = said("code").filter(|code| !code.is_empty())?.to_owned();
        Some(Self { url: format!("{scheme}://{host}"), code, certificate })
    }
}

/// Whether an address is of TLS.
pub(crate) fn is_https(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_where_by_which_code_and_what_the_server_is_known_by() {
        let plain = Invitation::read("https://hq.example:8470/field/#code=K7WQ-2M4P-AB3C").expect("a link");
        assert_eq!(plain, Invitation::new("https://hq.example:8470", "K7WQ-2M4P-AB3C"));
        let fingerprint = Fingerprint([0xab; 32]);
        let known = Invitation::read(&format!(" https://10.0.0.7/field/#code=A&fingerprint={fingerprint}\n"));
        assert_eq!(known.expect("a link").certificate, Certificate::Only(fingerprint));
    }

    #[test]
    fn what_is_no_link_or_has_lost_half_of_its_fingerprint_is_refused() {
        for other in [
            "",
            "K7WQ-2M4P-AB3C",
            "https://hq.example/field/",
            "https://hq.example/field/#code=",
            "https://hq.example/field/#code=A&fingerprint=",
            "https://hq.example/field/#code=A&fingerprint=abab",
            "https://me@hq.example/field/#code=A",
            "https://hq.example/elsewhere/#code=A",
            "javascript://hq.example/field/#code=A",
            "https:///field/#code=A",
            &format!("https://hq.example/field/#code={}", "A".repeat(5_000)),
        ] {
            assert_eq!(Invitation::read(other), None, "{other}");
        }
    }
}
