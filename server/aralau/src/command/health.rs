//! `aralau health`: for what watches a server and has nothing but this binary, such as a container.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use serde_json::json;

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
        // Not by way of a proxy that the environment names: this asks the machine itself.
        let agent = ureq::Agent::config_builder().timeout_global(Some(WITHIN)).proxy(None).build().new_agent();
        let answer = agent.get(format!("http://{at}/readyz")).call();
        answer.map_err(|error| Failure::new("not_ready", format!("no server is ready on {at}: {error}")))?;
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
