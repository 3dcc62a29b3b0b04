//! How a request leaves the device. The session that makes requests and reads answers does no network of its own.

#[cfg(not(target_arch = "wasm32"))]
mod http;
#[cfg(not(target_arch = "wasm32"))]
mod pinned;

#[cfg(not(target_arch = "wasm32"))]
pub use http::HttpTransport;

use aralau_sync_core::id::Fingerprint;

use crate::action::Action;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Absolute.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for `GET`.
    pub body: Vec<u8>,
    /// An answer whose body is longer is [`TransportError::TooLong`].
    pub max_answer_bytes: u64,
    /// The only certificate under which it may be sent and answered, whatever name or end it has; none: one that the platform
    /// trusts. (A browser's page is told nothing of certificates, and cannot hold to this.)
    pub certificate: Option<Fingerprint>,
}

/// One answer, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As received; a transport that decompresses (a browser does) drops the `content-encoding` header.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is longer than the device reads.
    #[error("the answer is too long")]
    TooLong,
    /// Plain `http` to anything but this machine.
    #[error("the server's address is not secure: it must begin with https://")]
    Insecure,
    /// Not an address.
    #[error("the server's address cannot be used")]
    BadUrl,
    /// The server shows a certificate that nobody vouches for, and of which this device was told nothing.
    #[error(
        "the server's certificate is not to be trusted: a server with one of its own gives its fingerprint with the code; else \
         somebody stands between, or its operator has to renew it"
    )]
    CertificateUntrusted,
    /// The server shows another certificate than the one that this device was given to know it by.
    #[error(
        "this is not the certificate that this device knows the server by: somebody may stand between. Nothing was sent. Ask \
         headquarters; if they have changed it, enroll again by a new code and its fingerprint"
    )]
    CertificateOther,
}

impl TransportError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::TooLong => "answer_too_long",
            Self::Insecure => "insecure_url",
            Self::BadUrl => "bad_url",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateOther => "certificate_other",
        }
    }

    /// What helps.
    pub const fn action(self) -> Action {
        match self {
            Self::Unreachable | Self::TimedOut => Action::Retry,
            Self::TooLong | Self::CertificateUntrusted | Self::CertificateOther => Action::Report,
            Self::Insecure | Self::BadUrl => Action::Correct,
        }
    }
}

/// Carries a request to the server and brings the answer. It repeats nothing and follows no redirect: requests are signed.
pub trait Transport {
    /// One request, one answer.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;
}
