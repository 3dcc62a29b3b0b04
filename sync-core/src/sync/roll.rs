//! The short form of a sync, for a person with many beats, most of which have gained nothing.
//!
//! The device says in one [`Roll`] how many rows it has of each of its beats, in place of an [`Ask`] for each. The server
//! answers with what was gained, and [vouches](Level) with one signature for all the other scopes together: their logs, their
//! ends of the device's own stream and what of them is backed up. The device makes the same statement from what it holds
//! itself. Where the signature does not fit it, or none came, nothing is believed and the device asks about each scope as
//! ever.

use minicbor::{Decode, Encode};

use super::{Ask, Beat};
use crate::{
    digest::sha256,
    id::{BeatsHash, DeploymentId, ReplicaId, ScopeId, ServerKey, TreeHash},
    receipt::{SignServer, VerifyServer},
    stream::{Seen, Tip},
    time::Millis,
};

/// Where a device stands in all of its beats.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Roll {
    /// [`beats_hash`] of the beats that it knows of: it says whose numbers follow.
    #[n(1)]
    pub beats: BeatsHash,
    /// The epoch of every cursor.
    #[n(2)]
    pub epoch: u64,
    /// Rows that it has of each of their scopes, by scope id.
    #[n(3)]
    pub rows: Vec<u64>,
    /// Rows of each beyond those that it knows to be backed up, and one; 0 where none is backed up.
    #[n(4)]
    pub unsaved: Vec<u64>,
}

/// A scope of a [`Roll`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which scope.
    pub scope: ScopeId,
    /// Rows that the device has.
    pub rows: u64,
    /// Rows that it knows to be backed up.
    pub backed_up: u64,
}

impl Roll {
    /// Of marks in the order of their scopes.
    pub fn of(beats: BeatsHash, epoch: u64, marks: &[Mark]) -> Self {
        let unsaved = |mark: &Mark| match mark.backed_up {
            0 => 0,
            backed_up => mark.rows.saturating_sub(backed_up) + 1,
        };
        let rows = marks.iter().map(|mark| mark.rows).collect();
        Self { beats, epoch, rows, unsaved: marks.iter().map(unsaved).collect() }
    }

    /// The marks, given the scopes of the beats; `None` where these are others than the device knew of.
    pub fn marks(&self, scopes: impl IntoIterator<Item = ScopeId>) -> Option<Vec<Mark>> {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        if scopes.len() != self.rows.len() || scopes.len() != self.unsaved.len() {
            return None;
        }
        let numbers = self.rows.iter().zip(&self.unsaved);
        let mark = |(scope, (rows, unsaved)): (_, (&u64, &u64))| {
            let backed_up = if *unsaved == 0 { 0 } else { rows.saturating_sub(unsaved - 1) };
            Mark { scope, rows: *rows, backed_up }
        };
        Some(scopes.into_iter().zip(numbers).map(mark).collect())
    }

    /// The mark as it would have been asked about by itself. (A server does not look at the tip of an [`Ask`].)
    pub fn ask(&self, mark: &Mark) -> Ask {
        Ask { scope: mark.scope, cursor: Seen { epoch: self.epoch, sequence: mark.rows }, tip: Tip::default() }
    }
}

/// Names a list of beats: `SHA256("aralau/beats/1\0" ‖ for each, by scope id: scope16 ‖ code length u32 ‖ code ‖ name length
/// u32 ‖ name)`, numbers big-endian.
pub fn beats_hash(beats: &[Beat]) -> BeatsHash {
    let mut sorted: Vec<_> = beats.iter().collect();
    sorted.sort_unstable_by_key(|beat| beat.scope);
    let mut bytes = b"aralau/beats/1\0".to_vec();
    for Beat { code, scope, name } in sorted {
        bytes.extend(scope.as_bytes());
        for text in [code, name] {
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    BeatsHash(sha256(&[&bytes]))
}

/// How a scope is while nothing is gained: the server and the device must say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// Which scope.
    pub scope: ScopeId,
    /// Rows of its log.
    pub size: u64,
    /// The root over them.
    pub root: TreeHash,
    /// The end of the asking install's own stream at the server.
    pub decided: Tip,
    /// Rows that survive the loss of the server's machine.
    pub backed_up: u64,
}

/// The server's word that every scope of a [`Roll`] that its answer does not bring is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Level {
    #[cbor(n(0), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// Whose word it is, to whom, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// Whose logs.
    pub deployment: DeploymentId,
    /// The install that asked.
    pub replica: ReplicaId,
    /// The epoch.
    pub epoch: u64,
    /// The server's clock, as the answer's [`Welcome`](super::Welcome) says it.
    pub time: Millis,
}

impl Level {
    /// The server's word about these scopes, in any order.
    pub fn sign(occasion: &Occasion, unchanged: Vec<Unchanged>, key: &impl SignServer) -> Self {
        Self { signature: key.sign(&preimage(occasion, unchanged)) }
    }

    /// Whether it is about these scopes, in any order, as the device holds them.
    pub fn vouches_for(
        &self,
        occasion: &Occasion,
        unchanged: Vec<Unchanged>,
        key: &ServerKey,
        verifier: &impl VerifyServer,
    ) -> bool {
        verifier.verify(key, &preimage(occasion, unchanged), &self.signature)
    }
}

/// `"aralau/level/1\0" ‖ deployment16 ‖ replica14 ‖ epoch u64 ‖ time i64 ‖ count u64`, then of each scope, by id: `scope16 ‖ size
/// u64 ‖ root32 ‖ decided index u64 ‖ decided hash32 ‖ backed up u64`, numbers big-endian.
fn preimage(occasion: &Occasion, mut unchanged: Vec<Unchanged>) -> Vec<u8> {
    unchanged.sort_unstable_by_key(|one| one.scope);
    let Occasion { deployment, replica, epoch, time } = occasion;
    let mut bytes = b"aralau/level/1\0".to_vec();
    bytes.extend(deployment.as_bytes());
    bytes.extend(replica.as_bytes());
    bytes.extend(epoch.to_be_bytes());
    bytes.extend(time.0.to_be_bytes());
    bytes.extend((unchanged.len() as u64).to_be_bytes());
    for Unchanged { scope, size, root, decided, backed_up } in unchanged {
        bytes.extend(scope.as_bytes());
        bytes.extend(size.to_be_bytes());
        bytes.extend(root.as_bytes());
        bytes.extend(decided.index.to_be_bytes());
        bytes.extend(decided.hash.as_bytes());
        bytes.extend(backed_up.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntryHash;

    struct Mirror;
    impl SignServer for Mirror {
        fn public_key(&self) -> ServerKey {
            ServerKey([1; 32])
        }
        fn sign(&self, message: &[u8]) -> [u8; 64] {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&sha256(&[message]));
            signature
        }
    }
    impl VerifyServer for Mirror {
        fn verify(&self, _: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
            self.sign(message) == *signature
        }
    }

    fn scope(byte: u8) -> ScopeId {
        ScopeId::from_bytes([byte; 16])
    }

    #[test]
    fn marks_read_back_by_the_beats_that_they_are_of_and_by_no_others() {
        let mark = |byte, rows, backed_up| Mark { scope: scope(byte), rows, backed_up };
        let marks = [mark(1, 0, 0), mark(2, 7, 0), mark(3, 7, 7), mark(4, 900, 1)];
        let roll = Roll::of(BeatsHash([9; 32]), 3, &marks);
        assert_eq!(roll.marks([4, 1, 3, 2].map(scope)).as_deref(), Some(&marks[..]));
        assert_eq!(roll.marks([1, 2, 3].map(scope)), None);
        assert_eq!(roll.ask(&marks[1]).cursor, Seen { epoch: 3, sequence: 7 });
        let absurd = Roll { rows: vec![5], unsaved: vec![u64::MAX], ..roll };
        assert_eq!(absurd.marks([scope(1)]).unwrap()[0].backed_up, 0);
    }

    #[test]
    fn another_beat_another_name_or_another_code_is_another_list() {
        let beat = |byte, code: &str, name: &str| Beat { scope: scope(byte), code: code.into(), name: name.into() };
        let one = beats_hash(&[beat(1, "beat-01", "A"), beat(2, "beat-02", "B")]);
        assert_eq!(one, beats_hash(&[beat(2, "beat-02", "B"), beat(1, "beat-01", "A")]));
        for other in [
            vec![beat(1, "beat-01", "A")],
            vec![beat(1, "beat-01", "A"), beat(3, "beat-02", "B")],
            vec![beat(1, "beat-01", "A"), beat(2, "beat-02", "C")],
            vec![beat(1, "beat-01A", ""), beat(2, "beat-02", "B")],
        ] {
            assert_ne!(one, beats_hash(&other), "{other:?}");
        }
    }

    #[test]
    fn a_word_fits_only_what_it_was_given_about() {
        let occasion = Occasion {
            deployment: DeploymentId::from_bytes([1; 16]),
            replica: ReplicaId([2; 14]),
            epoch: 3,
            time: Millis(4),
        };
        let one = Unchanged {
            scope: scope(1),
            size: 5,
            root: TreeHash([6; 32]),
            decided: Tip { index: 7, hash: EntryHash([8; 32]) },
            backed_up: 5,
        };
        let other = Unchanged { scope: scope(2), ..one };
        let level = Level::sign(&occasion, vec![other, one], &Mirror);
        let fits = |occasion: &Occasion, unchanged: &[Unchanged]| {
            level.vouches_for(occasion, unchanged.to_vec(), &ServerKey([1; 32]), &Mirror)
        };
        assert!(fits(&occasion, &[one, other]));
        for wrong in [
            vec![one],
            vec![one, other, Unchanged { scope: scope(3), ..one }],
            vec![one, Unchanged { size: 6, ..other }],
            vec![one, Unchanged { root: TreeHash([7; 32]), ..other }],
            vec![one, Unchanged { decided: Tip::default(), ..other }],
            vec![one, Unchanged { backed_up: 4, ..other }],
        ] {
            assert!(!fits(&occasion, &wrong), "{wrong:?}");
        }
        for wrong in [
            Occasion { epoch: 4, ..occasion },
            Occasion { time: Millis(5), ..occasion },
            Occasion { replica: ReplicaId([3; 14]), ..occasion },
        ] {
            assert!(!fits(&wrong, &[one, other]), "{wrong:?}");
        }
    }
}
