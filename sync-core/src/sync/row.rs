//! A log row as it travels down.
//!
//! ```cddl
//! row     = [kind: 1..5, received_at: int, stream: uint, index: uint, verdict: bstr, content]
//! content = null / [header: bstr, body: bstr] / [0, bstr .size 32, bstr .size 32] / bstr   ; own / full / hollow / control payload
//! ```

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode};

use crate::{log::RowKind, stream::Link, time::Millis};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it records.
    pub kind: RowKind,
    /// The server's clock.
    pub received_at: Millis,
    /// Position in the answer's list of streams; 0 in a control row.
    pub stream: u32,
    /// Index in that stream; 0 in a control row.
    pub index: u64,
    /// The [verdict](crate::log::Verdict), as hashed.
    pub verdict: Vec<u8>,
    /// What goes with it.
    pub content: Content,
}

impl Row {
    /// About what the row weighs in an answer.
    pub fn bytes(&self) -> usize {
        64 + self.verdict.len() + self.content.full().map_or(64, |(header, body)| header.len() + body.len())
    }
}

/// What a row brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing: the receiver has this entry already (its own, or named by an earlier row).
    Known,
    /// The entry, with or without its content.
    Link(Link),
    /// A control row's payload.
    Control(Vec<u8>),
}

impl<C> Encode<C> for Row {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(6)?.u8(self.kind as u8)?;
        self.received_at.encode(e, ctx)?;
        e.u32(self.stream)?.u64(self.index)?.bytes(&self.verdict)?;
        match &self.content {
            Content::Known => e.null()?.ok(),
            Content::Link(link) => link.encode(e, ctx),
            Content::Control(payload) => e.bytes(payload)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Row {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(6) {
            return Err(decode::Error::message("not a row"));
        }
        Ok(Self {
            kind: RowKind::from_number(d.u8()?).ok_or_else(|| decode::Error::message("unknown kind of row"))?,
            received_at: d.decode_with(ctx)?,
            stream: d.u32()?,
            index: d.u64()?,
            verdict: d.bytes()?.to_vec(),
            content: content(d, ctx)?,
        })
    }
}

fn content<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Content, decode::Error> {
    let datatype = d.datatype()?;
    if datatype == Type::Null {
        d.null()?;
        Ok(Content::Known)
    } else if datatype == Type::Bytes {
        Ok(Content::Control(d.bytes()?.to_vec()))
    } else {
        Ok(Content::Link(d.decode_with(ctx)?))
    }
}
