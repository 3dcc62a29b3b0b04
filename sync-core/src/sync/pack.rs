//! Rows that do not change any more, encoded once and given to whoever asks for them.
//!
//! A [`Gained`] says how many packs follow it in the answer; their rows go on where its own end. A pack names its streams
//! by their replicas, so that it says the same to every reader.

use minicbor::{Decode, Encode};

use super::{Gained, MAX_ROWS, Row, Welcome, row};
use crate::{cbor, cbor::CborError, id::ReplicaId, log::RowKind};

/// Consecutive rows of a scope's log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pack {
    /// The streams that its rows name, by position. The [`Gained`] before it introduces each.
    #[n(1)]
    pub streams: Vec<ReplicaId>,
    /// The rows, in order, without gaps.
    #[cbor(n(2), with = "row::runs")]
    pub rows: Vec<Row>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its first item.
    pub welcome: Welcome,
    /// What each scope gained, the rows of packs among its own.
    pub gained: Vec<Gained>,
}

impl Answer {
    /// Reads an answer's items.
    pub fn from_items<I: AsRef<[u8]>>(items: &[I]) -> Result<Self, CborError> {
        let (welcome, mut rest) = items.split_first().ok_or(CborError::Truncated)?;
        let mut gained = Vec::new();
        while let Some((first, after)) = rest.split_first() {
            let mut scope: Gained = cbor::decode(first.as_ref())?;
            let packs = scope.packs.take().map_or(0, |packs| packs as usize);
            let (packs, after) = after.split_at_checked(packs).ok_or(CborError::Truncated)?;
            for pack in packs {
                scope.go_on(cbor::decode(pack.as_ref())?)?;
            }
            gained.push(scope);
            rest = after;
        }
        Ok(Self { welcome: cbor::decode(welcome.as_ref())?, gained })
    }
}

impl Gained {
    /// Takes in the rows of the pack that follows. Refused: more than [`MAX_ROWS`], or of streams that were not introduced.
    pub fn go_on(&mut self, pack: Pack) -> Result<(), CborError> {
        if self.rows.len() + pack.rows.len() > MAX_ROWS {
            return Err(CborError::TooLong);
        }
        let position = |replica: &ReplicaId| self.streams.iter().position(|stream| stream.replica == *replica);
        let position = |replica| position(replica).and_then(|at| u32::try_from(at).ok()).ok_or(CborError::Shape);
        let positions: Vec<u32> = pack.streams.iter().map(position).collect::<Result<_, _>>()?;
        for mut row in pack.rows {
            if row.kind != RowKind::Control {
                let stream = usize::try_from(row.stream).ok().and_then(|stream| positions.get(stream));
                row.stream = *stream.ok_or(CborError::Shape)?;
            }
            self.rows.push(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{PublicKey, ScopeId, Signature},
        stream::{Head, Tip},
        sync::{Content, PROTOCOL, StreamIntro},
        time::Millis,
    };

    fn row(stream: u32, index: u64) -> Row {
        let (kind, content) = (RowKind::Accepted, Content::Known);
        Row { kind, received_at: Millis(0), stream, index, verdict: vec![0xa0], content }
    }

    fn gained(replicas: &[u8], rows: Vec<Row>, packs: Option<u32>) -> Gained {
        let intro = |byte: &u8| StreamIntro {
            replica: ReplicaId([*byte; 14]),
            key: PublicKey([2; 33]),
            person: String::new(),
            head: Head { tip: Tip::default(), signature: Signature([0; 64]) },
            introduction: None,
        };
        Gained {
            scope: ScopeId::from_bytes([1; 16]),
            epoch: 1,
            from: 0,
            streams: replicas.iter().map(intro).collect(),
            rows,
            more: false,
            receipt: String::new(),
            decided: Tip::default(),
            packs,
        }
    }

    fn pack(replicas: &[u8], rows: Vec<Row>) -> Pack {
        Pack { streams: replicas.iter().map(|byte| ReplicaId([*byte; 14])).collect(), rows }
    }

    fn answer(items: &[Vec<u8>]) -> Result<Vec<Gained>, CborError> {
        let welcome = Welcome {
            protocol: PROTOCOL,
            time: Millis(0),
            epochs: Vec::new(),
            nonce: String::new(),
            directives: Vec::new(),
            beats: Vec::new(),
            frames: Vec::new(),
            elsewhere: None,
            noticed: None,
            outlines: None,
            level: None,
            takes_roll: None,
        };
        let items: Vec<_> = std::iter::once(cbor::encode(&welcome)).chain(items.iter().cloned()).collect();
        Answer::from_items(&items).map(|answer| answer.gained)
    }

    #[test]
    fn rows_of_packs_go_on_in_the_answers_own_names() {
        let first = cbor::encode(&gained(&[7, 8], vec![row(0, 1)], Some(2)));
        let packs = [pack(&[8, 7], vec![row(0, 1), row(1, 2)]), pack(&[8], vec![row(0, 2)])];
        let [one, two] = packs.map(|pack| cbor::encode(&pack));
        let other = cbor::encode(&gained(&[], Vec::new(), None));
        let whole = gained(&[7, 8], vec![row(0, 1), row(1, 1), row(0, 2), row(1, 2)], None);
        assert_eq!(answer(&[first, one, two, other]), Ok(vec![whole, gained(&[], Vec::new(), None)]));
    }

    #[test]
    fn packs_that_are_missing_too_long_or_of_strangers_are_refused() {
        let first = |packs| cbor::encode(&gained(&[7], Vec::new(), Some(packs)));
        let one = |replica, stream| cbor::encode(&pack(&[replica], vec![row(stream, 1)]));
        assert!(answer(&[first(1), one(7, 0)]).is_ok());
        assert_eq!(answer(&[first(2), one(7, 0)]), Err(CborError::Truncated));
        assert_eq!(answer(&[first(u32::MAX), one(7, 0)]), Err(CborError::Truncated));
        assert_eq!(answer(&[first(1), one(8, 0)]), Err(CborError::Shape));
        assert_eq!(answer(&[first(1), one(7, 1)]), Err(CborError::Shape));
        let most = cbor::encode(&pack(&[7], (1..=MAX_ROWS as u64).map(|index| row(0, index)).collect()));
        assert!(answer(&[first(1), most.clone()]).is_ok());
        assert_eq!(answer(&[first(2), most, one(7, 0)]), Err(CborError::TooLong));
    }
}
