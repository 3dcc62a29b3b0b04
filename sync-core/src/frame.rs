//! A frame: a self-contained run of one stream's entries, vouched for by the head after its last one.
//!
//! ```cddl
//! frame  = [1, signature: bstr .size 64, replica: bstr .size 14, scope: bstr .size 16,
//!           first: uint, prev: bstr .size 32, links]     ; see `links.rs`
//! ```
//! The signature stands first, so that a reader of a broken upload knows at once what a frame needs.
//! Hollow links let a partner's device offer part of a stream to a restored server under the one head it holds.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    cbor::{self, CborError},
    id::{DeploymentId, PublicKey, ReplicaId, ScopeId, Signature},
    links,
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

/// A run of one's own entries whose head is not signed yet: the key may be where only messages and signatures come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// Whose entries.
    pub stream: StreamId,
    /// The tip before the first link.
    pub before: Tip,
    /// At least one.
    pub links: Vec<Link>,
}

impl Unsigned {
    /// What the device signs: the head after the last link.
    pub fn preimage(&self, deployment: &DeploymentId) -> Vec<u8> {
        let tip = chain(&self.stream, self.before, &self.links).last().copied().unwrap_or(self.before);
        tip.head_preimage(deployment, &self.stream)
    }

    /// The frame.
    pub fn signed(self, signature: Signature) -> Frame {
        let Self { stream, before, links } = self;
        Frame { signature, stream, before, links }
    }
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
        let unsigned = Unsigned { stream, before, links };
        let signature = key.sign(&unsigned.preimage(deployment));
        unsigned.signed(signature)
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
        links::write(&self.links.iter().collect::<Vec<_>>(), e, ctx)
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
        Ok(Self { signature, stream, before, links: links::read(d, ctx, MAX_FRAME_LINKS)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame_of(links: usize) -> Frame {
        let empty = Link::Full { header: Vec::new(), body: Vec::new() };
        let stream = StreamId { replica: ReplicaId([1; 14]), scope: ScopeId::from_bytes([2; 16]) };
        Frame { signature: Signature([3; 64]), stream, before: Tip::default(), links: vec![empty; links] }
    }

    #[test]
    fn far_too_many_links_are_not_read() {
        let bytes = frame_of(80_000).to_bytes();
        assert!(bytes.len() < MAX_FRAME_BYTES);
        assert_eq!(Frame::from_bytes(&bytes), Err(FrameError::Cbor(CborError::Shape)));
        assert_eq!(Frame::from_bytes(&frame_of(MAX_FRAME_ENTRIES + 1).to_bytes()), Err(FrameError::Size));
        assert_eq!(Frame::from_bytes(&frame_of(MAX_FRAME_ENTRIES).to_bytes()), Ok(frame_of(MAX_FRAME_ENTRIES)));
    }
}
