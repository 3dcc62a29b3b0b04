//! How connections come in: TLS, proxies that are believed, and how much one may ask.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use aralau_server::{
    serve::tls::{Files, Tls, TlsFault},
    settings::{
        ADDRESS_REQUESTS_PER_MINUTE, DEVICE_REQUESTS_PER_MINUTE, Limits, PublicUrl, TOKEN_REQUESTS_PER_MINUTE,
        WRONG_CODES_PER_MINUTE,
    },
};
use clap::Args;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::file::File;
use crate::{command::now, failure::Failure};

#[derive(Debug, Args)]
pub(super) struct DoorChoice {
    /// Speak TLS, by this certificate: PEM, the server's own first, then those above it. Taken up anew when it changes.
    #[arg(long, env = "ARALAU_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key: PEM, without a password.
    #[arg(long, env = "ARALAU_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Speak TLS by a certificate of its own, for a trial: made once and kept in the data folder. Phones know it by its fingerprint.
    #[arg(long, env = "ARALAU_TLS_SELF_SIGNED", value_parser = clap::builder::FalseyValueParser::new())]
    tls_self_signed: bool,
    /// A proxy that is believed when it says for whom it asks (X-Forwarded-For, X-Forwarded-Proto): an address, or a network such
    /// as 10.0.0.0/8; may be repeated, in the environment with commas.
    #[arg(long = "trusted-proxy", env = "ARALAU_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    trusted_proxies: Vec<Proxy>,
    /// How much one address may ask in a minute; 0 for no limit, as for the next three.
    #[arg(long, env = "ARALAU_ADDRESS_REQUESTS_PER_MINUTE", value_name = "NUMBER")]
    address_requests_per_minute: Option<u32>,
    /// How much may be asked with one token, or in one session.
    #[arg(long, env = "ARALAU_TOKEN_REQUESTS_PER_MINUTE", value_name = "NUMBER")]
    token_requests_per_minute: Option<u32>,
    /// How much one phone may ask.
    #[arg(long, env = "ARALAU_DEVICE_REQUESTS_PER_MINUTE", value_name = "NUMBER")]
    device_requests_per_minute: Option<u32>,
    /// How many wrong codes and tokens one address may try in a minute, to enroll or to sign in.
    #[arg(long, env = "ARALAU_WRONG_CODES_PER_MINUTE", value_name = "NUMBER")]
    wrong_codes_per_minute: Option<u32>,
}

/// An address, or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proxy(IpNet);

impl FromStr for Proxy {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(|address| address.to_canonical().into()));
        network.map(Self).map_err(|_| "not an address, such as 10.0.0.7, or a network, such as 10.0.0.0/8")
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl DoorChoice {
    /// By which certificate TLS is spoken, if it is.
    pub(super) fn tls(
        &self,
        data: &Path,
        file: &File,
        listen: SocketAddr,
        public_url: Option<&PublicUrl>,
    ) -> Result<Option<Arc<Tls>>, Failure> {
        // What stands in `aralau.toml` is looked for beside it.
        let said = |own: &Option<PathBuf>, beside: &Option<PathBuf>| {
            own.clone().or_else(|| beside.as_ref().map(|path| data.join(path)))
        };
        let pair = (said(&self.tls_cert, &file.tls_cert), said(&self.tls_key, &file.tls_key));
        let tls = match (pair, self.is_self_signed(file)) {
            ((None, None), false) => return Ok(None),
            ((None, None), true) => Tls::own(data, &names(listen, public_url), now()),
            ((Some(certificate), Some(key)), false) => Tls::open(Files { certificate, key }, now()),
            ((_, _), true) => {
                let sentence = "either --tls-self-signed, or an own certificate by --tls-cert and --tls-key, not both";
                return Err(Failure::new("config", sentence));
            }
            ((Some(_), None) | (None, Some(_)), false) => {
                return Err(Failure::new(
                    "config",
                    "--tls-cert and --tls-key are given together: a certificate and its key",
                ));
            }
        };
        tls.map(|tls| Some(Arc::new(tls))).map_err(fault)
    }

    pub(super) fn is_self_signed(&self, file: &File) -> bool {
        self.tls_self_signed || file.tls_self_signed
    }

    pub(super) fn limits(&self, file: &File) -> Limits {
        let proxies = if self.trusted_proxies.is_empty() { &file.trusted_proxies } else { &self.trusted_proxies };
        let said = |own: Option<u32>, beside: Option<u32>, usual| own.or(beside).unwrap_or(usual);
        Limits {
            address_requests_per_minute: said(
                self.address_requests_per_minute,
                file.address_requests_per_minute,
                ADDRESS_REQUESTS_PER_MINUTE,
            ),
            token_requests_per_minute: said(
                self.token_requests_per_minute,
                file.token_requests_per_minute,
                TOKEN_REQUESTS_PER_MINUTE,
            ),
            device_requests_per_minute: said(
                self.device_requests_per_minute,
                file.device_requests_per_minute,
                DEVICE_REQUESTS_PER_MINUTE,
            ),
            wrong_codes_per_minute: said(
                self.wrong_codes_per_minute,
                file.wrong_codes_per_minute,
                WRONG_CODES_PER_MINUTE,
            ),
            trusted_proxies: proxies.iter().map(|proxy| proxy.0).collect(),
        }
    }
}

/// What a certificate of its own is made for. Phones know it by its fingerprint, whatever it is called.
fn names(listen: SocketAddr, public_url: Option<&PublicUrl>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let listens_at = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    names.extend(listens_at.into_iter().chain(public_url.map(|url| url.host().to_owned())));
    names.sort();
    names.dedup();
    names
}

/// Why a certificate cannot be shown.
pub fn fault(fault: TlsFault) -> Failure {
    Failure::new("tls", fault)
}

/// On SIGHUP the files are looked at at once.
pub(super) fn read_again_when_told(tls: Arc<Tls>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tls.ask_again();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let trusts = |proxy: &str, address: &str| {
            let proxy: Proxy = proxy.parse().expect("a proxy");
            proxy.0.contains(&address.parse::<IpAddr>().expect("an address"))
        };
        assert!(trusts("10.0.0.7", "10.0.0.7") && !trusts("10.0.0.7", "10.0.0.8"));
        assert!(trusts("10.0.0.0/8", "10.1.2.3") && trusts("2001:db8::/32", "2001:db8::1"));
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1, 10.0.0.2"] {
            assert!(wrong.parse::<Proxy>().is_err(), "{wrong}");
        }
    }
}
