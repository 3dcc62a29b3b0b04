//! Log rows as they travel down: in runs of one stream's rows that say the same.
//!
//! ```cddl
//! rows    = [* run]
//! run     = [kind: 1..5, received_at: int, stream: uint, first: uint, verdict: bstr, content]
//! content = uint / links / bstr        ; so many rows of known entries / a row for each link / one row's control payload
//! ```
//! The rows of a run have consecutive indexes from `first` on. In a control row, stream and index are 0.

use minicbor::{
    Decoder, Encoder,
    data::Type,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

use crate::{links, log::RowKind, stream::Link, time::Millis};

/// Rows in one answer about one scope, at most.
pub const MAX_ROWS: usize = 1 << 15;

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

    /// Whether `next` goes on with the run that ends here.
    fn goes_on_with(&self, next: &Self) -> bool {
        let is_alike = match (&self.content, &next.content) {
            (Content::Known, Content::Known) | (Content::Link(_), Content::Link(_)) => true,
            (Content::Known | Content::Link(_) | Content::Control(_), _) => false,
        };
        is_alike
            && (self.kind, self.received_at, self.stream) == (next.kind, next.received_at, next.stream)
            && self.index.checked_add(1) == Some(next.index)
            && self.verdict == next.verdict
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

/// How rows are written and read.
pub(super) mod runs {
    use super::*;

    pub(in crate::sync) fn encode<C, W: Write>(
        rows: &[Row],
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let runs: Vec<&[Row]> = rows.chunk_by(Row::goes_on_with).collect();
        e.array(runs.len() as u64)?;
        for run in runs {
            let first = &run[0];
            e.array(6)?.u8(first.kind as u8)?.i64(first.received_at.0)?;
            e.u32(first.stream)?.u64(first.index)?.bytes(&first.verdict)?;
            match &first.content {
                Content::Known => e.u64(run.len() as u64)?.ok()?,
                Content::Control(payload) => e.bytes(payload)?.ok()?,
                Content::Link(_) => links::write(&links_of(run), e, ctx)?,
            }
        }
        Ok(())
    }

    fn links_of(run: &[Row]) -> Vec<&Link> {
        let links = run.iter().filter_map(|row| match &row.content {
            Content::Link(link) => Some(link),
            Content::Known | Content::Control(_) => None,
        });
        links.collect()
    }

    pub(in crate::sync) fn decode<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Vec<Row>, DecodeError> {
        let mut rows = Vec::new();
        for _ in 0..d.array()?.ok_or_else(|| DecodeError::message("rows without a number"))? {
            if d.array()? != Some(6) {
                return Err(DecodeError::message("not a run of rows"));
            }
            let kind = RowKind::from_number(d.u8()?).ok_or_else(|| DecodeError::message("unknown kind of row"))?;
            let (received_at, stream, first) = (Millis(d.i64()?), d.u32()?, d.u64()?);
            let verdict = d.bytes()?;
            for (at, content) in (0..).zip(contents(d, ctx, MAX_ROWS - rows.len())?) {
                let index = first.checked_add(at).ok_or_else(|| DecodeError::message("index out of range"))?;
                rows.push(Row { kind, received_at, stream, index, verdict: verdict.to_vec(), content });
            }
        }
        Ok(rows)
    }

    /// What each row of a run brings along, of at most `most`: few bytes may claim many rows.
    fn contents<C>(d: &mut Decoder<'_>, ctx: &mut C, most: usize) -> Result<Vec<Content>, DecodeError> {
        let datatype = d.datatype()?;
        let contents = if datatype == Type::Array {
            links::read(d, ctx, most)?.into_iter().map(Content::Link).collect()
        } else if datatype == Type::Bytes {
            vec![Content::Control(d.bytes()?.to_vec())]
        } else {
            vec![Content::Known; usize::try_from(d.u64()?).unwrap_or(usize::MAX).min(most + 1)]
        };
        if contents.len() > most { Err(DecodeError::message("too many rows")) } else { Ok(contents) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cbor, sync::Gained};

    fn gained(rows: Vec<Row>) -> Gained {
        Gained {
            scope: crate::id::ScopeId::from_bytes([1; 16]),
            epoch: 1,
            from: 0,
            streams: Vec::new(),
            rows,
            more: false,
            receipt: String::new(),
            decided: crate::stream::Tip::default(),
            packs: None,
        }
    }

    fn known(index: u64) -> Row {
        let (kind, content) = (RowKind::Accepted, Content::Known);
        Row { kind, received_at: Millis(0), stream: 0, index, verdict: vec![0xa0], content }
    }

    #[test]
    fn rows_that_go_on_cost_nothing_and_no_more_than_may_be_are_read() {
        let rows = |count| (1..=count as u64).map(known).collect::<Vec<_>>();
        let [one, most, beyond] = [1, MAX_ROWS, MAX_ROWS + 1].map(|count| cbor::encode(&gained(rows(count))));
        assert!(most.len() <= one.len() + 4);
        assert_eq!(cbor::decode::<Gained>(&most).map(|gained| gained.rows.len()), Ok(MAX_ROWS));
        assert!(cbor::decode::<Gained>(&beyond).is_err());
        let broken = vec![known(1), known(3), Row { stream: 1, ..known(4) }, known(u64::MAX), known(0)];
        assert_eq!(cbor::decode(&cbor::encode(&gained(broken.clone()))), Ok(gained(broken)));
    }

    #[test]
    fn a_run_beyond_the_last_index_is_refused() {
        let bytes = cbor::encode(&gained(vec![known(u64::MAX - 1), known(u64::MAX)]));
        assert!(cbor::decode::<Gained>(&bytes).is_ok());
        let at = bytes.windows(2).position(|pair| pair == [0xa0, 2]).expect("the run's count") + 1;
        let longer = [&bytes[..at], &[3], &bytes[at + 1..]].concat();
        assert!(cbor::decode::<Gained>(&longer).is_err());
    }
}
