//! A receipt: the server's signed statement of what a scope's log holds, as a C2SP signed note around a checkpoint.
//!
//! ```text
//! aralau/<deployment>/<scope>
//! <size>
//! <root, base64>
//! epoch <number>
//! time <ms>
//! durable <size>
//! backed-up <size>
//! stream <replica> <decided index>
//! held <index> <reason>            (one line for each outcome of this upload that was not "accepted")
//!
//! — aralau/<deployment> <base64(key hash ‖ Ed25519 signature)>
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    digest::sha256,
    id::{DeploymentId, ReplicaId, ScopeId, ServerKey, TreeHash},
    reason::Reason,
    time::Millis,
};

/// A receipt longer than this is refused.
pub const MAX_RECEIPT_BYTES: usize = 64 * 1024;

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose log.
    pub deployment: DeploymentId,
    /// Which part of it.
    pub scope: ScopeId,
    /// Rows.
    pub size: u64,
    /// Root over them.
    pub root: TreeHash,
    /// Number of the epoch.
    pub epoch: u64,
    /// The server's clock.
    pub time: Millis,
    /// Rows that survive the loss of the process.
    pub durable_upto: u64,
    /// Rows that survive the loss of the machine: devices keep their bytes until then.
    pub backed_up_upto: u64,
    /// The asking replica's stream, and the last index decided there.
    pub decided: Option<(ReplicaId, u64)>,
    /// Outcomes of this upload that were not "accepted": (index, reason code).
    pub held: Vec<(u64, Reason)>,
}

/// Why a receipt does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not of the form above.
    #[error("the receipt is malformed")]
    Malformed,
    /// No signature by the server that this device was enrolled with.
    #[error("the receipt is not signed by this deployment's server")]
    Signature,
}

/// Makes Ed25519 signatures with the server's key.
pub trait SignServer {
    /// The public half.
    fn public_key(&self) -> ServerKey;
    /// Ed25519 over `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Checks Ed25519 signatures.
pub trait VerifyServer {
    /// Whether `signature` over `message` was made with the key.
    fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool;
}

fn key_name(deployment: &DeploymentId) -> String {
    format!("aralau/{deployment}")
}

/// C2SP signed note: first four bytes of SHA-256(name ‖ "\n" ‖ 0x01 ‖ key).
fn key_hash(name: &str, key: &ServerKey) -> [u8; 4] {
    let digest = sha256(&[name.as_bytes(), b"\n", &[1], key.as_bytes()]);
    [digest[0], digest[1], digest[2], digest[3]]
}

impl Receipt {
    fn text(&self) -> String {
        let Self { deployment, scope, size, root, epoch, time, durable_upto, backed_up_upto, .. } = self;
        let root = BASE64.encode(root.as_bytes());
        let mut text = format!(
            "aralau/{deployment}/{scope}\n{size}\n{root}\nepoch {epoch}\ntime {}\ndurable {durable_upto}\nbacked-up {backed_up_upto}\n",
            time.0
        );
        if let Some((replica, index)) = &self.decided {
            text += &format!("stream {replica} {index}\n");
        }
        for (index, reason) in &self.held {
            text += &format!("held {index} {reason}\n");
        }
        text
    }

    /// The signed note.
    pub fn sign(&self, key: &impl SignServer) -> String {
        let text = self.text();
        let name = key_name(&self.deployment);
        let mut signature = key_hash(&name, &key.public_key()).to_vec();
        signature.extend(key.sign(text.as_bytes()));
        format!("{text}\n\u{2014} {name} {}\n", BASE64.encode(signature))
    }

    /// Reads a signed note and checks its signature.
    pub fn open(note: &str, key: &ServerKey, verifier: &impl VerifyServer) -> Result<Self, ReceiptError> {
        if note.len() > MAX_RECEIPT_BYTES {
            return Err(ReceiptError::Malformed);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(ReceiptError::Malformed)?;
        let text = format!("{text}\n");
        let receipt = Self::from_text(&text).ok_or(ReceiptError::Malformed)?;
        let name = key_name(&receipt.deployment);
        let prefix = format!("\u{2014} {name} ");
        let signed = signatures.lines().filter_map(|line| line.strip_prefix(&prefix)).any(|encoded| {
            let Ok(bytes) = BASE64.decode(encoded) else { return false };
            let Some((hash, signature)) = bytes.split_at_checked(4) else { return false };
            let Ok(signature) = signature.try_into() else { return false };
            hash == key_hash(&name, key) && verifier.verify(key, text.as_bytes(), signature)
        });
        if signed { Ok(receipt) } else { Err(ReceiptError::Signature) }
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (deployment, scope) = lines.next()?.strip_prefix("aralau/")?.split_once('/')?;
        let size = lines.next()?.parse().ok()?;
        let root = TreeHash::from_slice(&BASE64.decode(lines.next()?).ok()?).ok()?;
        let mut number = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ')?.parse::<i64>().ok();
        let epoch = u64::try_from(number("epoch")?).ok()?;
        let time = Millis(number("time")?);
        let durable_upto = u64::try_from(number("durable")?).ok()?;
        let backed_up_upto = u64::try_from(number("backed-up")?).ok()?;
        let mut receipt = Self {
            deployment: deployment.parse().ok()?,
            scope: scope.parse().ok()?,
            size,
            root,
            epoch,
            time,
            durable_upto,
            backed_up_upto,
            decided: None,
            held: Vec::new(),
        };
        for line in lines {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("stream"), Some(replica), Some(index)) => {
                    receipt.decided = Some((replica.parse().ok()?, index.parse().ok()?));
                }
                (Some("held"), Some(index), Some(reason)) => {
                    receipt.held.push((index.parse().ok()?, Reason::from_code(reason)));
                }
                // Lines of later versions are signed like all others and carried unread.
                _ => {}
            }
        }
        Some(receipt)
    }
}

/// A server's hand that anybody can copy.
#[cfg(test)]
pub(crate) mod toy {
    use super::*;

    pub(crate) struct Toy;
    impl SignServer for Toy {
        fn public_key(&self) -> ServerKey {
            ServerKey([5; 32])
        }
        fn sign(&self, message: &[u8]) -> [u8; 64] {
            let half = sha256(&[&[5; 32], message]);
            [half, half].concat().try_into().expect("two halves")
        }
    }
    impl VerifyServer for Toy {
        fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
            signature[..32] == sha256(&[key.as_bytes(), message])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{toy::Toy, *};

    #[test]
    fn a_receipt_reads_back_and_a_changed_one_does_not() {
        let receipt = Receipt {
            deployment: DeploymentId::from_bytes([1; 16]),
            scope: ScopeId::from_bytes([2; 16]),
            size: 12,
            root: TreeHash([3; 32]),
            epoch: 1,
            time: Millis(1_700_000_000_000),
            durable_upto: 12,
            backed_up_upto: 0,
            decided: Some((ReplicaId([4; 14]), 7)),
            held: vec![(6, Reason::NotCanonical)],
        };
        let note = receipt.sign(&Toy);
        assert_eq!(Receipt::open(&note, &ServerKey([5; 32]), &Toy), Ok(receipt));
        assert_eq!(Receipt::open(&note, &ServerKey([6; 32]), &Toy), Err(ReceiptError::Signature));
        let forged = note.replace("\n12\n", "\n13\n");
        assert_eq!(Receipt::open(&forged, &ServerKey([5; 32]), &Toy), Err(ReceiptError::Signature));
        assert_eq!(Receipt::open("", &ServerKey([5; 32]), &Toy), Err(ReceiptError::Malformed));
    }
}
