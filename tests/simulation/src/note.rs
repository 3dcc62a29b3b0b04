//! A receipt, read and verified as the protocol's reference describes it.

use aralau_client_sdk::{Millis, ReplicaId, ScopeId};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::transcript::Hash;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which scope.
    pub scope: ScopeId,
    /// Rows.
    pub size: usize,
    /// Root over them.
    pub root: Hash,
    /// Number of the epoch.
    pub epoch: u64,
    /// The server's clock.
    pub time: Millis,
    /// Rows that survive the loss of the machine.
    pub backed_up: usize,
    /// The asking install, and how many of its entries are decided.
    pub decided: Option<(ReplicaId, u64)>,
}

impl Note {
    /// Reads a note and checks its signature. `None`: it is not what it should be.
    pub fn open(note: &str, key: &VerifyingKey) -> Option<Self> {
        let (text, signature) = note.split_once("\n\n")?;
        let encoded = signature.trim_end().strip_prefix("\u{2014} ")?.split_once(' ')?.1;
        let bytes = BASE64.decode(encoded).ok()?;
        let signature = Signature::from_slice(bytes.get(4..)?).ok()?;
        key.verify_strict(format!("{text}\n").as_bytes(), &signature).ok()?;
        let mut lines = text.lines();
        let scope = lines.next()?.rsplit_once('/')?.1.parse().ok()?;
        let size = lines.next()?.parse().ok()?;
        let root = BASE64.decode(lines.next()?).ok()?.try_into().ok()?;
        let named = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let decided = named("stream").and_then(|stream| stream.split_once(' '));
        Some(Self {
            scope,
            size,
            root,
            epoch: named("epoch")?.parse().ok()?,
            time: Millis(named("time")?.parse().ok()?),
            backed_up: named("backed-up")?.parse().ok()?,
            decided: decided.and_then(|(replica, index)| Some((replica.parse().ok()?, index.parse().ok()?))),
        })
    }
}
