//! `aralau health`: for what watches a server and has nothing but this binary, such as a container.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use aralau_server::serve::tls::SPEAKS_TLS;
use clap::Args;
use serde_json::json;
use ureq::{Agent, tls::TlsConfig};

use super::serve::listens_at;
use crate::{failure::Failure, output};

/// The server says within 2 seconds whether its store answers.
const WITHIN: Duration = Duration::from_secs(4);

/// Finds the server as `serve` was told where to listen.
#[derive(Debug, Args)]
pub struct Health {
    /// The data folder, whose `aralau.toml` may say where the server listens.
    #[arg(long, env = "ARALAU_DATA")]
    data: Option<PathBuf>,
    /// Address and port on which the server listens.
    #[arg(long, env = "ARALAU_LISTEN")]
    listen: Option<SocketAddr>,
}

impl Health {
    pub fn run(&self, json: bool) -> Result<(), Failure> {
        let at = from_here(listens_at(self.listen, self.data.as_deref())?);
        let faulty =
            |error: &dyn std::fmt::Display| Failure::new("not_ready", format!("no server is ready on {at}: {error}"));
        // Not by way of a proxy that the environment names: this asks the machine itself. So it is also all one by which
        // certificate the server speaks TLS, if it does: it says so itself.
        let tls = TlsConfig::builder().disable_verification(true).build();
        let agent = Agent::config_builder().timeout_global(Some(WITHIN)).http_status_as_error(false);
        let agent = agent.proxy(None).tls_config(tls).build().new_agent();
        let ask = |scheme: &str| -> Result<(u16, String), ureq::Error> {
            let answer = agent.get(format!("{scheme}://{at}/readyz")).call()?;
            Ok((answer.status().as_u16(), answer.into_body().read_to_string()?))
        };
        let (status, text) = match ask("http").map_err(|error| faulty(&error))? {
            (400, text) if text.starts_with(SPEAKS_TLS) => ask("https").map_err(|error| faulty(&error))?,
            other => other,
        };
        if status != 200 {
            return Err(faulty(&format!("it answers {status}, {text}")));
        }
        output::show(json, &json!({ "ready": true, "listen": at }), |_| format!("The server on {at} is ready."));
        Ok(())
    }
}

/// One who listens everywhere is asked by the loopback.
fn from_here(listens_at: SocketAddr) -> SocketAddr {
    let ip = match listens_at.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listens_at.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_asked_by_the_loopback() {
        let asked = |listens_at: &str| listens_at.parse().map(from_here).map(|at| at.to_string());
        assert_eq!(asked("0.0.0.0:8470").as_deref(), Ok("127.0.0.1:8470"));
        assert_eq!(asked("[::]:8470").as_deref(), Ok("[::1]:8470"));
        assert_eq!(asked("10.0.0.7:80").as_deref(), Ok("10.0.0.7:80"));
    }
}
