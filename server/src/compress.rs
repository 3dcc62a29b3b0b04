//! Bodies on the wire: zstd, gzip or as they are, with what comes out bounded while it comes out.

use std::io::{self, Write};

use axum::http::{HeaderMap, header};

use crate::{http::problem::Problem, store::StoreError};

/// zstd windows beyond this are refused: 8 MiB, what a decoder must support.
const MAX_WINDOW_LOG: u32 = 23;
/// Answers are compressed once and read many times less often than they are waited for.
const ZSTD_LEVEL: i32 = 3;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// Of a request's body; `None` for one this server does not know.
    pub fn of_request(headers: &HeaderMap) -> Option<Self> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Some(Self::Identity) };
        match value.to_str().ok()? {
            "identity" => Some(Self::Identity),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The best that the client accepts.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
        let accepts = |name: &str| accepted.split(',').any(|one| one.split(';').next().map(str::trim) == Some(name));
        match () {
            () if accepts("zstd") => Self::Zstd,
            () if accepts("gzip") => Self::Gzip,
            () => Self::Identity,
        }
    }

    /// For the `Content-Encoding` header.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Encodes a whole body.
    pub fn encode(self, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let encoded = match self {
            Self::Identity => Ok(body),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&body).and_then(|()| encoder.finish())
            }
            Self::Zstd => zstd::bulk::compress(&body, ZSTD_LEVEL),
        };
        encoded.map_err(|_| StoreError::Internal("the answer could not be compressed".to_owned()).into())
    }
}

/// Takes a body in piece by piece and gives out what it decodes to, up to a bound.
pub struct Decoder(Inner);

enum Inner {
    Identity(Bounded),
    Gzip(Box<flate2::write::GzDecoder<Bounded>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Bounded>>),
}

/// A buffer that refuses to grow beyond what is left of a total.
struct Bounded {
    buffer: Vec<u8>,
    left: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// A decoder of at most `max_bytes` in all.
    pub fn new(encoding: Encoding, max_bytes: usize) -> Result<Self, Problem> {
        let bounded = Bounded { buffer: Vec::new(), left: max_bytes };
        Ok(Self(match encoding {
            Encoding::Identity => Inner::Identity(bounded),
            Encoding::Gzip => Inner::Gzip(Box::new(flate2::write::GzDecoder::new(bounded))),
            Encoding::Zstd => {
                let decoder = zstd::stream::write::Decoder::new(bounded).and_then(|mut decoder| {
                    decoder.window_log_max(MAX_WINDOW_LOG)?;
                    Ok(decoder)
                });
                Inner::Zstd(Box::new(decoder.map_err(problem)?))
            }
        }))
    }

    /// What a piece decodes to.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, Problem> {
        let written = match &mut self.0 {
            Inner::Identity(bounded) => bounded.write_all(piece),
            Inner::Gzip(decoder) => decoder.write_all(piece),
            Inner::Zstd(decoder) => decoder.write_all(piece),
        };
        written.map_err(problem)?;
        self.end()
    }

    /// What has been decoded and not been taken yet.
    pub fn end(&mut self) -> Result<Vec<u8>, Problem> {
        let bounded = match &mut self.0 {
            Inner::Identity(bounded) => bounded,
            Inner::Gzip(decoder) => {
                decoder.flush().map_err(problem)?;
                decoder.get_mut()
            }
            Inner::Zstd(decoder) => {
                decoder.flush().map_err(problem)?;
                decoder.get_mut()
            }
        };
        Ok(std::mem::take(&mut bounded.buffer))
    }
}

fn problem(error: io::Error) -> Problem {
    if error.kind() == io::ErrorKind::FileTooLarge {
        Problem::BodyTooLarge
    } else {
        Problem::Malformed("the body is not what its content-encoding says".to_owned())
    }
}
