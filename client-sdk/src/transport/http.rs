//! HTTP by `ureq`: blocking, rustls, no system libraries.

use std::{
    io::Read as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aralau_sync_core::id::Fingerprint;
use ureq::{
    Agent,
    config::Config,
    http::{Request, Uri},
};

use super::{HttpRequest, HttpResponse, Transport, TransportError, pinned};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long one request may take in all, on a slow link too.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(180);

/// See the module.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    agent: Agent,
    /// For this machine: never through a proxy of the environment's.
    loopback: Agent,
    /// For the one certificate that was asked for last; on this machine, and elsewhere.
    pinned: Arc<Mutex<Option<Pinned>>>,
    insecure: bool,
}

#[derive(Clone, Debug)]
struct Pinned {
    certificate: Fingerprint,
    is_here: bool,
    agent: Agent,
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::new(false)
    }
}

impl HttpTransport {
    /// `insecure` allows plain `http` to other machines: for trials inside one room.
    pub fn new(insecure: bool) -> Self {
        let (agent, loopback) = (config(false).new_agent(), config(true).new_agent());
        Self { agent, loopback, pinned: Arc::default(), insecure }
    }

    /// The agent that may carry a request there, under this certificate if there is one to know the server by.
    fn agent_for(&self, url: &str, certificate: Option<Fingerprint>) -> Result<Agent, TransportError> {
        let url: Uri = url.parse().map_err(|_| TransportError::BadUrl)?;
        let host = url.host().ok_or(TransportError::BadUrl)?;
        let is_here = is_this_machine(host);
        match (url.scheme_str(), certificate) {
            (Some("https"), Some(certificate)) => self.pinned(certificate, is_here),
            (Some("http"), Some(_)) => Err(TransportError::Insecure),
            (Some("http" | "https"), None) if is_here => Ok(self.loopback.clone()),
            (Some("https"), None) => Ok(self.agent.clone()),
            (Some("http"), None) if self.insecure => Ok(self.agent.clone()),
            (Some("http"), None) => Err(TransportError::Insecure),
            _ => Err(TransportError::BadUrl),
        }
    }

    fn pinned(&self, certificate: Fingerprint, is_here: bool) -> Result<Agent, TransportError> {
        let mut kept = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pinned) = &*kept
            && (pinned.certificate, pinned.is_here) == (certificate, is_here)
        {
            return Ok(pinned.agent.clone());
        }
        let agent = pinned::agent(config(is_here), certificate).ok_or(TransportError::Unreachable)?;
        *kept = Some(Pinned { certificate, is_here, agent: agent.clone() });
        Ok(agent)
    }
}

/// This machine is never reached through a proxy.
fn config(is_here: bool) -> Config {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(REQUEST_TIMEOUT))
        .user_agent(concat!("aralau/", env!("CARGO_PKG_VERSION")));
    if is_here { config.proxy(None).build() } else { config.build() }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl Transport for HttpTransport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let agent = self.agent_for(&request.url, request.certificate)?;
        let mut builder = Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let answer = match request.method {
            "GET" => agent.run(builder.body(()).map_err(|_| TransportError::BadUrl)?),
            _ => agent.run(builder.body(&request.body[..]).map_err(|_| TransportError::BadUrl)?),
        };
        let answer = answer.map_err(|error| transport_error(&error))?;
        let (parts, body) = answer.into_parts();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut bytes = Vec::new();
        let limit = request.max_answer_bytes;
        let mut reader = body.into_with_config().limit(u64::MAX).reader().take(limit.saturating_add(1));
        reader.read_to_end(&mut bytes).map_err(|_| TransportError::Unreachable)?;
        if bytes.len() as u64 > limit {
            return Err(TransportError::TooLong);
        }
        Ok(HttpResponse { status: parts.status.as_u16(), headers, body: bytes })
    }
}

fn transport_error(error: &ureq::Error) -> TransportError {
    if matches!(error, ureq::Error::Timeout(_)) {
        TransportError::TimedOut
    } else if matches!(error, ureq::Error::BadUri(_)) {
        TransportError::BadUrl
    } else {
        pinned::certificate_fault(error).unwrap_or(TransportError::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let transport = HttpTransport::default();
        for url in ["https://hq.example/x", "http://localhost:8080/x", "http://127.0.0.1:1/x", "http://[::1]:1/x"] {
            assert!(transport.agent_for(url, None).is_ok(), "{url}");
        }
        for url in ["http://hq.example/x", "http://10.0.0.1/x", "http://localhost.example/x"] {
            assert_eq!(transport.agent_for(url, None).map(drop), Err(TransportError::Insecure), "{url}");
            assert!(HttpTransport::new(true).agent_for(url, None).is_ok(), "{url}");
        }
        for url in ["http://hq.example/x", "http://127.0.0.1:1/x"] {
            let pinned = HttpTransport::new(true).agent_for(url, Some(Fingerprint([7; 32])));
            assert_eq!(pinned.map(drop), Err(TransportError::Insecure), "{url}");
        }
        for url in ["ftp://hq.example/x", "/x", ""] {
            assert_eq!(transport.agent_for(url, None).map(drop), Err(TransportError::BadUrl), "{url}");
        }
    }
}
