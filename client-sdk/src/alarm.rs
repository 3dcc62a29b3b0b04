//! What a device notices and must not keep to itself.

use aralau_sync_core::{id::ScopeId, sync::Alarm, time::Millis};
use serde::Serialize;

/// What was noticed. The texts of [`code`](Self::code) are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum AlarmCode {
    #[error("the server's rows do not continue from this device's cursor")]
    NotContinuous,
    #[error("the server's rows name an entry that was never introduced")]
    UnknownEntry,
    #[error("the log's root does not match the server's signed receipt: rows were lost or changed")]
    Root,
    #[error("an author's signature does not match the entries delivered")]
    Head,
    #[error("a replica's key changed")]
    Key,
    #[error("the receipt does not belong to these rows")]
    Receipt,
    #[error("a row's verdict is malformed")]
    Verdict,
    #[error("the receipt is not signed by this deployment's server")]
    ReceiptSignature,
    #[error("the server has lost what it had acknowledged, without saying so")]
    ServerLost,
    #[error("the server went back to an earlier epoch, or to one it does not explain")]
    Epoch,
    #[error("the server accepted a change that does not fit its document")]
    Unsound,
    #[error("this phone's store was restored or copied: it goes on under a new name, with every word kept")]
    Forked,
    #[error("the server refused entries of this phone; they are kept here")]
    FrameRefused,
    #[error("words of a closed install could not be carried over; they are kept here")]
    Stranded,
}

impl AlarmCode {
    pub(crate) const ALL: [Self; 14] = [
        Self::NotContinuous,
        Self::UnknownEntry,
        Self::Root,
        Self::Head,
        Self::Key,
        Self::Receipt,
        Self::Verdict,
        Self::ReceiptSignature,
        Self::ServerLost,
        Self::Epoch,
        Self::Unsound,
        Self::Forked,
        Self::FrameRefused,
        Self::Stranded,
    ];

    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotContinuous => "alarm_not_continuous",
            Self::UnknownEntry => "alarm_unknown_entry",
            Self::Root => "alarm_root",
            Self::Head => "alarm_head",
            Self::Key => "alarm_key",
            Self::Receipt => "alarm_receipt",
            Self::Verdict => "alarm_verdict",
            Self::ReceiptSignature => "alarm_receipt_signature",
            Self::ServerLost => "alarm_server_lost",
            Self::Epoch => "alarm_epoch",
            Self::Unsound => "alarm_unsound_change",
            Self::Forked => "alarm_forked",
            Self::FrameRefused => "alarm_frame_refused",
            Self::Stranded => "alarm_stranded",
        }
    }

    /// From its stable name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alarm| alarm.code() == code)
    }
}

impl Serialize for AlarmCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl From<Alarm> for AlarmCode {
    fn from(alarm: Alarm) -> Self {
        match alarm {
            Alarm::NotContinuous => Self::NotContinuous,
            Alarm::UnknownEntry => Self::UnknownEntry,
            Alarm::Root => Self::Root,
            Alarm::Head => Self::Head,
            Alarm::Key => Self::Key,
            Alarm::Receipt => Self::Receipt,
            Alarm::Verdict => Self::Verdict,
        }
    }
}

/// An alarm, as the store keeps it: one per code, scope and detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmRecord {
    /// What.
    pub code: AlarmCode,
    /// Where, if in one scope.
    pub scope: Option<ScopeId>,
    /// The server's own code, where it gave one.
    pub detail: String,
    /// When it was last noticed, by the device's clock.
    pub at: Millis,
    /// How often.
    pub count: u64,
}
