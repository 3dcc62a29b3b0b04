//! Sessions, a step at a time: for a key in a keystore, and for a platform's own network.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aralau_client_sdk::{HttpRequest, HttpResponse, Session as _, Talk, TransportError, keys};

use crate::{device::Device, error::DeviceError, types::Report};

type Want = aralau_client_sdk::Step<()>;

/// What a session wants next. It is asked again after each; a failure is thrown.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Step {
    /// Sign each of these with the device's key (ECDSA on P-256 over SHA-256) and tell `signed`.
    Sign {
        /// In the order in which signatures are given.
        messages: Vec<Vec<u8>>,
    },
    /// Send this and tell `answered`.
    Send {
        /// As it stands: it is signed.
        request: Request,
    },
    /// Ask again after so many milliseconds.
    Wait {
        /// How many.
        ms: u64,
    },
    /// All that could be done is done.
    Done,
}

/// A request, to be sent as it stands: it is signed. Redirects are not followed.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// By name, in lower case.
    pub headers: HashMap<String, String>,
    /// Empty for `GET`.
    pub body: Vec<u8>,
    /// An answer whose body is longer is `TooLong`.
    pub max_answer_bytes: u64,
    /// The only certificate under which it may be sent: SHA-256 of its DER, hex. The platform's network has to be held to it before
    /// a byte leaves; where the server shows another, answer `OtherCertificate`.
    pub certificate: Option<String>,
}

/// What came of a request.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Answer {
    /// An answer, whatever its status.
    Came {
        /// HTTP status.
        status: u16,
        /// By name. Leave `content-encoding` out where the body has been decompressed.
        headers: HashMap<String, String>,
        /// The body.
        body: Vec<u8>,
    },
    /// No connection, or it broke.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// It is longer than the device reads.
    TooLong,
    /// The server shows another certificate than the one that was asked for; nothing was sent.
    OtherCertificate,
}

/// One thing that a device and its server settle between them. Nothing is lost where it is dropped half-way: the next one
/// begins with what the device has kept.
#[derive(uniffi::Object)]
pub struct Session {
    device: Arc<Device>,
    talk: Mutex<Talk>,
}

#[uniffi::export]
impl Session {
    /// What to do now.
    pub fn next(&self) -> Result<Step, DeviceError> {
        let mut talk = self.talk();
        Ok(match self.device.with(|client| Ok(talk.next(client)))? {
            Want::Sign(messages) => Step::Sign { messages },
            Want::Send(request) => Step::Send { request: request.into() },
            Want::Wait(ms) => Step::Wait { ms },
            Want::Done(()) => Step::Done,
            Want::Failed(error) => return Err(error.into()),
        })
    }

    /// The signatures that were asked for: each 64 bytes, `r` and `s`, or as ASN.1.
    pub fn signed(&self, signatures: Vec<Vec<u8>>) -> Result<(), DeviceError> {
        let read = signatures.iter().map(|bytes| keys::read_signature(bytes)).collect::<Option<_>>();
        self.talk().signed(read.ok_or_else(|| DeviceError::invalid("a signature is 64 bytes, r and s, or ASN.1"))?);
        Ok(())
    }

    /// What came of the request.
    pub fn answered(&self, answer: Answer) -> Result<(), DeviceError> {
        let mut talk = self.talk();
        self.device.with(|client| {
            talk.answered(client, answer.into());
            Ok(())
        })
    }

    /// What came of it so far; of an enrollment, nothing.
    pub fn report(&self) -> Report {
        Report::from(&self.talk().report())
    }
}

impl Session {
    pub(crate) fn new(device: Arc<Device>, talk: Talk) -> Self {
        Self { device, talk: Mutex::new(talk) }
    }

    /// What a session holds is not lost with a thread: at worst it fails, and the next begins.
    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<HttpRequest> for Request {
    fn from(request: HttpRequest) -> Self {
        Self {
            method: request.method.to_owned(),
            url: request.url,
            headers: request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: request.body,
            max_answer_bytes: request.max_answer_bytes,
            certificate: request.certificate.map(|certificate| certificate.to_string()),
        }
    }
}

impl From<Answer> for Result<HttpResponse, TransportError> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Came { status, headers, body } => {
                let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
                Ok(HttpResponse { status, headers, body })
            }
            Answer::Unreachable => Err(TransportError::Unreachable),
            Answer::TimedOut => Err(TransportError::TimedOut),
            Answer::TooLong => Err(TransportError::TooLong),
            Answer::OtherCertificate => Err(TransportError::CertificateOther),
        }
    }
}
