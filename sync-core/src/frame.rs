//! A frame: a self-contained run of one stream's entries, vouched for by the head after its last one.
//!
//! ```cddl
//! frame  = [1, signature: bstr .size 64, replica: bstr .size 14, scope: bstr .size 16,
//!           first: uint, prev: bstr .size 32, links: [1*4096 link]]
//! link   = [header: bstr, body: bstr] / [0, header_hash: bstr .size 32, content_hash: bstr .size 32]
//!        / [1, header: bstr, body: bstr]                ; the header without the document that the body names
//! ```
//! The signature stands first, so that a reader of a broken upload knows at once what a frame needs.
//! Hollow links let a partner's device offer part of a stream to a restored server under the one head it holds.

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode};

use crate::{
    cbor::{self, CborError},
    digest::document_named_by,
    id::{ContentHash, DeploymentId, HeaderHash, PublicKey, ReplicaId, ScopeId, Signature},
    stream::{Head, Link, SignDevice, StreamId, Tip, VerifyDevice},
};

/// Entries with content in one frame, at most.
pub const MAX_FRAME_ENTRIES: usize = 100;
/// Links of either sort in one frame, at most.
pub const MAX_FRAME_LINKS: usize = 4096;
/// Bytes of one encoded frame, at most.
pub const MAX_FRAME_BYTES: usize = 256 * 1024;

const FRAME_TYPE: u8 = 1;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// By the replica's device, over the head after the last link.
    pub signature: Signature,
    /// Whose entries.
    pub stream: StreamId,
    /// The tip before the first link.
    pub before: Tip,
    /// At least one.
    pub links: Vec<Link>,
}

/// Why a frame is refused as a whole, before anything in it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the CBOR that a frame is.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// More entries or bytes than a frame may hold, or none.
    #[error("the frame holds nothing, or more than a frame may")]
    Size,
    /// The chain does not lead to what was signed, or another key signed it.
    #[error("the frame's signature does not match its entries")]
    Signature,
}

impl FrameError {
    /// Stable code for answers, logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cbor(_) => "frame_malformed",
            Self::Size => "frame_size",
            Self::Signature => "frame_signature",
        }
    }
}

impl Frame {
    /// Signs a run of one's own entries.
    pub fn sign(
        deployment: &DeploymentId,
        stream: StreamId,
        before: Tip,
        links: Vec<Link>,
        key: &impl SignDevice,
    ) -> Self {
        let tip = chain(&stream, before, &links).last().copied().unwrap_or(before);
        let signature = key.sign(&tip.head_preimage(deployment, &stream));
        Self { signature, stream, before, links }
    }

    /// Reads one frame; bounds, shape and determinism, not yet the signature.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME_BYTES {
            return Err(FrameError::Size);
        }
        let frame: Self = cbor::decode(bytes)?;
        let full = frame.links.iter().filter(|link| matches!(link, Link::Full { .. })).count();
        if frame.links.is_empty() || full > MAX_FRAME_ENTRIES || frame.links.len() > MAX_FRAME_LINKS {
            return Err(FrameError::Size);
        }
        Ok(frame)
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Walks the chain and checks the signature over its end. Returns the tip after each link.
    pub fn verify(
        &self,
        deployment: &DeploymentId,
        key: &PublicKey,
        verifier: &impl VerifyDevice,
    ) -> Result<Vec<Tip>, FrameError> {
        let tips = chain(&self.stream, self.before, &self.links);
        let last = tips.last().ok_or(FrameError::Size)?;
        let message = last.head_preimage(deployment, &self.stream);
        if verifier.verify(key, &message, &self.signature) { Ok(tips) } else { Err(FrameError::Signature) }
    }

    /// The head after the last link, as signed.
    pub fn head(&self, tips: &[Tip]) -> Option<Head> {
        tips.last().map(|&tip| Head { tip, signature: self.signature })
    }
}

/// The tip after each link.
pub fn chain(stream: &StreamId, before: Tip, links: &[Link]) -> Vec<Tip> {
    let mut tip = before;
    links
        .iter()
        .map(|link| {
            let (header, content) = link.hashes();
            tip = tip.extend(stream, &header, &content);
            tip
        })
        .collect()
}

impl<C> Encode<C> for Frame {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(7)?.u8(FRAME_TYPE)?;
        self.signature.encode(e, ctx)?;
        self.stream.replica.encode(e, ctx)?;
        self.stream.scope.encode(e, ctx)?;
        e.u64(self.before.index + 1)?;
        self.before.hash.encode(e, ctx)?;
        self.links.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Frame {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(7) || d.u8()? != FRAME_TYPE {
            return Err(decode::Error::message("not a frame"));
        }
        let signature = d.decode_with(ctx)?;
        let stream = StreamId { replica: ReplicaId::decode(d, ctx)?, scope: ScopeId::decode(d, ctx)? };
        let first = d.u64()?;
        // Indexes stay far from the type's end, so that adding one can never overflow.
        if first == 0 || first > u64::from(u32::MAX) {
            return Err(decode::Error::message("index out of range"));
        }
        let before = Tip { index: first - 1, hash: d.decode_with(ctx)? };
        Ok(Self { signature, stream, before, links: some_links(d, ctx)? })
    }
}

/// Three bytes are a link that takes 72 in memory: no more are read than tell that there are too many.
fn some_links<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Vec<Link>, decode::Error> {
    let count = d.array()?.ok_or_else(|| decode::Error::message("links without a number"))?;
    (0..count.min(MAX_FRAME_LINKS as u64 + 1)).map(|_| Link::decode(d, ctx)).collect()
}

const HOLLOW: u8 = 0;
const NAMED: u8 = 1;
/// Where a header names its document: after the map's head, the key of the kind and a kind of one byte.
const NAME_AT: usize = 3;
/// The key of the document, and the head of its sixteen bytes.
const NAME_HEAD: [u8; 2] = [2, 0x50];

/// A header without its document, where that is named by the body: sixteen bytes that no compression would remove.
fn without_name(header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (start, rest) = header.split_at_checked(NAME_AT)?;
    let rest = rest.strip_prefix(&NAME_HEAD)?.strip_prefix(document_named_by(body).as_bytes())?;
    Some([start, rest].concat())
}

fn with_name(header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (start, rest) = header.split_at_checked(NAME_AT)?;
    Some([start, &NAME_HEAD, document_named_by(body).as_bytes(), rest].concat())
}

impl<C> Encode<C> for Link {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Full { header, body } => match without_name(header, body) {
                Some(rest) => e.array(3)?.u8(NAMED)?.bytes(&rest)?.bytes(body)?.ok(),
                None => e.array(2)?.bytes(header)?.bytes(body)?.ok(),
            },
            Self::Hollow { header, content } => {
                e.array(3)?.u8(HOLLOW)?;
                header.encode(e, ctx)?;
                content.encode(e, ctx)
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Link {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        match (d.array()?, d.datatype()?) {
            (Some(2), Type::Bytes) => Ok(Self::Full { header: d.bytes()?.to_vec(), body: d.bytes()?.to_vec() }),
            (Some(3), Type::U8) => match d.u8()? {
                HOLLOW => {
                    Ok(Self::Hollow { header: HeaderHash::decode(d, ctx)?, content: ContentHash::decode(d, ctx)? })
                }
                NAMED => {
                    let (rest, body) = (d.bytes()?, d.bytes()?);
                    let header = with_name(rest, body).ok_or_else(|| decode::Error::message("not a header"))?;
                    Ok(Self::Full { header, body: body.to_vec() })
                }
                _ => Err(decode::Error::message("not a link")),
            },
            _ => Err(decode::Error::message("not a link")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(document: &[u8; 16], body: &[u8]) -> Link {
        let header = [&[0xa3, 1, 1, 2, 0x50][..], document, &[3, 0]].concat();
        Link::Full { header, body: body.to_vec() }
    }

    #[test]
    fn a_document_named_after_its_change_is_not_sent_and_comes_back() {
        let body = b"a first change";
        let named = link(document_named_by(body).as_bytes(), body);
        let other = link(&[7; 16], body);
        let (short, long) = (cbor::encode(&named), cbor::encode(&other));
        assert_eq!((short.len() + 17, &short[..2]), (long.len(), &[0x83, NAMED][..]));
        assert_eq!((cbor::decode(&short), cbor::decode(&long)), (Ok(named), Ok(other)));
    }

    #[test]
    fn a_header_too_short_to_have_lost_a_name_is_no_link() {
        let bytes = [&[0x83, NAMED, 0x42, 0xa3, 1][..], &[0x41, 9]].concat();
        assert!(cbor::decode::<Link>(&bytes).is_err());
        // What stands where the name was is not looked at: a header that cannot be read is held as any other.
        let bytes = [&[0x83, NAMED, 0x43, 1, 2, 3][..], &[0x41, 9]].concat();
        assert!(cbor::decode::<Link>(&bytes).is_ok());
    }

    fn frame_of(links: usize) -> Frame {
        let empty = Link::Full { header: Vec::new(), body: Vec::new() };
        let stream = StreamId { replica: ReplicaId([1; 14]), scope: ScopeId::from_bytes([2; 16]) };
        Frame { signature: Signature([3; 64]), stream, before: Tip::default(), links: vec![empty; links] }
    }

    #[test]
    fn of_far_too_many_links_only_one_too_many_is_read() {
        let bytes = frame_of(80_000).to_bytes();
        assert!(bytes.len() < MAX_FRAME_BYTES);
        assert_eq!(Frame::from_bytes(&bytes), Err(FrameError::Size));
        let read: Frame = cbor::decode(&bytes).expect("well formed");
        assert_eq!(read.links.len(), MAX_FRAME_LINKS + 1);
        assert_eq!(Frame::from_bytes(&frame_of(MAX_FRAME_ENTRIES).to_bytes()), Ok(frame_of(MAX_FRAME_ENTRIES)));
    }
}
