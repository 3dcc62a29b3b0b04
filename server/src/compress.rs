//! Bodies on the wire: zstd, gzip or as they are, with what comes out bounded while it comes out.

use std::io::{self, Write};

use axum::http::{HeaderMap, header};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

/// Why a body was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It comes to more than it may.
    #[error("the body is longer than it may be")]
    TooLarge,
    /// Other bytes than its encoding makes, or a window that is larger than it may be.
    #[error("the body is not what its content-encoding says")]
    Undecodable,
}

/// Why a body was not encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Out of memory, or a fault within.
    #[error("the answer could not be compressed")]
    Encoder,
    /// What this server compressed before is no frame.
    #[error("what was compressed before")]
    Frame,
}

/// zstd windows beyond this are refused: 4 MiB, twice what its usual levels take. It is most of a request's memory.
const MAX_WINDOW_LOG: u32 = 22;
/// A tenth fewer bytes than at the usual 3, for six microseconds more a visit. Level 12 takes three times as long.
const ZSTD_LEVEL: i32 = 7;

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
    pub fn encode(self, body: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
        let encoded = match self {
            Self::Identity => Ok(body),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&body).and_then(|()| encoder.finish())
            }
            Self::Zstd => zstd::bulk::compress(&body, ZSTD_LEVEL),
        };
        encoded.map_err(|_| EncodeError::Encoder)
    }
}

/// A body of parts, some of which are zstd frames already.
pub struct Parts {
    encoding: Encoding,
    /// Not encoded yet.
    plain: Vec<u8>,
    encoded: Vec<u8>,
}

impl Parts {
    /// A body without parts.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, plain: Vec::new(), encoded: Vec::new() }
    }

    /// The end of the body, for what is encoded with it.
    pub fn plain(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// Appends what this server compressed before; a body may consist of several frames (RFC 8878).
    pub fn push_zstd(&mut self, frame: &[u8]) -> Result<(), EncodeError> {
        if self.encoding == Encoding::Zstd {
            self.encode_plain()?;
            self.encoded.extend_from_slice(frame);
            return Ok(());
        }
        zstd::stream::copy_decode(frame, &mut self.plain).map_err(|_| EncodeError::Frame)
    }

    /// The whole body, encoded.
    pub fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        self.encode_plain()?;
        Ok(self.encoded)
    }

    fn encode_plain(&mut self) -> Result<(), EncodeError> {
        if !self.plain.is_empty() {
            self.encoded.append(&mut self.encoding.encode(std::mem::take(&mut self.plain))?);
        }
        Ok(())
    }
}

/// Decodes a body step by step. However little came in, no step gives out more than [`MAX_STEP_BYTES`], and all of them
/// together no more than the bound.
pub struct Decoder {
    inner: Inner,
    left_bytes: usize,
}

/// What one step of decoding gives out, at most.
pub const MAX_STEP_BYTES: usize = 512 * 1024;
/// Read at once from a body that is not compressed, and written at once by zstd.
const STEP_BYTES: usize = 64 * 1024;
/// Read at once from a gzip body: deflate makes at most 1,032 bytes of one, and may have kept a buffer back.
const GZIP_STEP_BYTES: usize = 256;

enum Inner {
    Identity,
    Gzip(Box<flate2::write::GzDecoder<Vec<u8>>>),
    Zstd(Zstd),
}

struct Zstd {
    /// Only within a frame: it weighs a hundred kilobytes, and a thousand requests may wait for the disk with their bodies read.
    context: Option<DCtx<'static>>,
    /// Whether the last step filled its buffer, so that there may be more without further input.
    is_full: bool,
}

impl Decoder {
    /// A decoder of at most `max_bytes` in all.
    pub fn new(encoding: Encoding, max_bytes: usize) -> Self {
        let inner = match encoding {
            Encoding::Identity => Inner::Identity,
            Encoding::Gzip => Inner::Gzip(Box::new(flate2::write::GzDecoder::new(Vec::new()))),
            Encoding::Zstd => Inner::Zstd(Zstd { context: None, is_full: false }),
        };
        Self { inner, left_bytes: max_bytes }
    }

    /// What the beginning of `input` decodes to; the part used is taken off it. Nothing comes out once `input` is empty
    /// and all that it decodes to was given out.
    pub fn step(&mut self, input: &mut &[u8]) -> Result<Vec<u8>, DecodeError> {
        loop {
            let decoded = match &mut self.inner {
                Inner::Identity => take(input, STEP_BYTES).to_vec(),
                Inner::Gzip(decoder) => gunzip(decoder, input).map_err(|_| DecodeError::Undecodable)?,
                Inner::Zstd(zstd) => zstd.step(input)?,
            };
            self.left_bytes = self.left_bytes.checked_sub(decoded.len()).ok_or(DecodeError::TooLarge)?;
            if !decoded.is_empty() || input.is_empty() {
                return Ok(decoded);
            }
        }
    }

    /// Bytes that it holds outside of Rust's heap: zstd's window and tables.
    pub fn window_bytes(&self) -> usize {
        match &self.inner {
            Inner::Identity | Inner::Gzip(_) => 0,
            Inner::Zstd(zstd) => zstd.context.as_ref().map_or(0, DCtx::sizeof),
        }
    }
}

impl Zstd {
    fn step(&mut self, input: &mut &[u8]) -> Result<Vec<u8>, DecodeError> {
        // Asked too often for nothing, zstd takes it for an error.
        if input.is_empty() && !self.is_full {
            return Ok(Vec::new());
        }
        let mut decoded = Vec::with_capacity(STEP_BYTES);
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(&mut decoded));
        let mut context = self.context.take().map_or_else(context, Ok)?;
        let expected = context.decompress_stream(&mut to, &mut from).map_err(|_| DecodeError::Undecodable)?;
        let used = from.pos();
        let is_full = to.pos() == to.capacity();
        take(input, used);
        // Kept for a next frame that is there already: a body of many would cost a context for each.
        let has_ended = expected == 0 && input.is_empty();
        self.is_full = is_full && !has_ended;
        self.context = Some(context).filter(|_| !has_ended);
        Ok(decoded)
    }
}

fn context() -> Result<DCtx<'static>, DecodeError> {
    let mut context = DCtx::try_create().ok_or(DecodeError::Undecodable)?;
    context.init().map_err(|_| DecodeError::Undecodable)?;
    context.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)).map_err(|_| DecodeError::Undecodable)?;
    Ok(context)
}

fn gunzip(decoder: &mut flate2::write::GzDecoder<Vec<u8>>, input: &mut &[u8]) -> io::Result<Vec<u8>> {
    decoder.write_all(take(input, GZIP_STEP_BYTES))?;
    decoder.flush()?;
    Ok(std::mem::take(decoder.get_mut()))
}

fn take<'a>(input: &mut &'a [u8], at_most: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(input.len().min(at_most));
    *input = rest;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a body cut into pieces decodes to, and the most that one step gave out.
    fn decode(
        encoding: Encoding,
        body: &[u8],
        piece_bytes: usize,
        max_bytes: usize,
    ) -> Result<(Vec<u8>, usize), DecodeError> {
        let mut decoder = Decoder::new(encoding, max_bytes);
        let (mut all, mut most) = (Vec::new(), 0);
        for mut piece in body.chunks(piece_bytes) {
            loop {
                let decoded = decoder.step(&mut piece)?;
                if decoded.is_empty() {
                    break;
                }
                most = most.max(decoded.len());
                all.extend(decoded);
            }
        }
        Ok((all, most))
    }

    fn sample(length: u32) -> Vec<u8> {
        (0..length).flat_map(|n| n.wrapping_mul(n).to_be_bytes()).collect()
    }

    #[test]
    fn every_encoding_reads_back_however_it_is_cut() {
        let body = sample(50_000);
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
            let encoded = encoding.encode(body.clone()).unwrap();
            for piece_bytes in [1, 7, 1_000, usize::MAX] {
                let (decoded, most) = decode(encoding, &encoded, piece_bytes.min(encoded.len()), body.len()).unwrap();
                assert_eq!(decoded, body, "{encoding:?} in pieces of {piece_bytes}");
                assert!(most <= MAX_STEP_BYTES);
            }
            assert!(matches!(decode(encoding, &encoded, 1_000, body.len() - 1), Err(DecodeError::TooLarge)));
        }
    }

    #[test]
    fn a_bomb_comes_out_in_small_steps_until_its_bound() {
        let zeros = vec![0; 8 << 20];
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let bomb = encoding.encode(zeros.clone()).unwrap();
            let (decoded, most) = decode(encoding, &bomb, bomb.len(), zeros.len()).unwrap();
            assert_eq!((decoded.len(), most <= MAX_STEP_BYTES), (zeros.len(), true), "{encoding:?}: {most}");
            assert!(matches!(decode(encoding, &bomb, bomb.len(), 1 << 20), Err(DecodeError::TooLarge)));
        }
    }

    #[test]
    fn a_window_is_never_larger_than_it_may_be() {
        let compressed = |window_log| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(window_log).unwrap();
            encoder.write_all(&sample(100_000)).unwrap();
            encoder.finish().unwrap()
        };
        let (largest, beyond) = (compressed(MAX_WINDOW_LOG), compressed(MAX_WINDOW_LOG + 1));
        let mut decoder = Decoder::new(Encoding::Zstd, usize::MAX);
        decoder.step(&mut &largest[..largest.len() - 1]).unwrap();
        assert!((4 << 20..5 << 20).contains(&decoder.window_bytes()), "{}", decoder.window_bytes());
        let refused = Decoder::new(Encoding::Zstd, usize::MAX).step(&mut &beyond[..]);
        assert!(matches!(refused, Err(DecodeError::Undecodable)));
    }

    #[test]
    fn frames_follow_each_other_and_nothing_is_kept_behind_one() {
        let (one, other) = (Encoding::Zstd.encode(sample(10)).unwrap(), Encoding::Zstd.encode(sample(20)).unwrap());
        let both = [one.clone(), other].concat();
        let whole = [sample(10), sample(20)].concat();
        for piece_bytes in [1, one.len(), one.len() + 1, both.len()] {
            assert_eq!(decode(Encoding::Zstd, &both, piece_bytes, whole.len()).unwrap().0, whole, "{piece_bytes}");
        }
        let mut decoder = Decoder::new(Encoding::Zstd, 1_000);
        decoder.step(&mut &one[..one.len() - 1]).unwrap();
        assert!(decoder.window_bytes() > 0);
        decoder.step(&mut &one[one.len() - 1..]).unwrap();
        assert_eq!(decoder.window_bytes(), 0);
    }

    #[test]
    fn parts_are_one_body_in_every_encoding() {
        let packed = Encoding::Zstd.encode(sample(50)).unwrap();
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
            let mut parts = Parts::new(encoding);
            parts.push_zstd(&packed).unwrap();
            parts.plain().extend(sample(10));
            parts.push_zstd(&packed).unwrap();
            parts.push_zstd(&packed).unwrap();
            parts.plain().extend(sample(20));
            let body = parts.finish().unwrap();
            let whole = [sample(50), sample(10), sample(50), sample(50), sample(20)].concat();
            assert_eq!(decode(encoding, &body, body.len(), whole.len()).unwrap().0, whole);
        }
    }

    #[test]
    fn pieces_of_nothing_are_no_error() {
        let encoded = Encoding::Zstd.encode(sample(10)).unwrap();
        let mut decoder = Decoder::new(Encoding::Zstd, 1_000);
        (0..100).for_each(|_| assert_eq!(decoder.step(&mut &[][..]).unwrap(), Vec::<u8>::new()));
        assert_eq!(decoder.step(&mut &encoded[..]).unwrap(), sample(10));
    }
}
