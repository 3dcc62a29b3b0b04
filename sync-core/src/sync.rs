//! The sync protocol: one request and one answer bring a device and the server level, however long it was away.
//!
//! **Request** (`POST /v1/sync`, a CBOR sequence of byte strings, compressed as a whole): [`Hello`], then
//! [frames](crate::frame), each of which the server verifies and commits by itself, even if the rest never arrives.
//!
//! **Answer** (the same form): [`Welcome`] with the fate of every frame, then one [`Gained`] per scope with the rows since
//! the device's cursor and a signed receipt, each with the [packs](Pack) that hold the rows of the past. Own entries come back as verdicts without content. The cost follows the
//! changes missed, not the documents held.
//!
//! Who has several beats says in one [`Roll`] where each of them stands, and the server [vouches](Level) at once for those that
//! gained nothing.
//!
//! The device hands each `Gained` to an [`Intake`], which rebuilds every stream's chain and the scope's Merkle root before
//! anything is believed.

mod intake;

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    epoch::Epoch,
    id::{PublicKey, ReplicaId, ScopeId},
    stream::{Head, Seen, Tip},
    time::{Millis, Monotonic},
};

pub use crate::reason::FrameRefusal;
pub use crate::sync::{
    outline::{Outline, Outlines, Ring},
    pack::{Answer, Pack},
    roll::{Level, Mark, Occasion, Roll, Unchanged, beats_hash},
    row::{Content, MAX_ROWS, Row},
};
pub use intake::{Alarm, Intake, StreamState, Taken};

mod outline;
mod pack;
mod roll;
mod row;

/// The one protocol version there is.
pub const PROTOCOL: u16 = 1;
/// Items of an answer, at most: bounds what a device reads.
pub const MAX_ANSWER_ITEM_BYTES: usize = 8 * 1024 * 1024;
/// Scopes in one request, at most.
pub const MAX_SCOPES: usize = 64;
/// Frames in one request, at most.
pub const MAX_FRAMES: usize = 64;
/// Introductions in one request, at most.
pub const MAX_INTRODUCTIONS: usize = 16;
/// Notices in one request or answer, at most.
pub const MAX_NOTICES: usize = 128;
/// Outlines in one answer, encoded, at most.
pub const MAX_OUTLINES_BYTES: usize = 256 * 1024;
/// The hello, at most.
pub const MAX_HELLO_BYTES: usize = 64 * 1024;

/// First item of a request: who asks, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Hello {
    /// [`PROTOCOL`].
    #[n(1)]
    pub protocol: u16,
    /// The asking install.
    #[n(2)]
    pub replica: ReplicaId,
    /// Its wall clock, to measure the skew.
    #[n(3)]
    pub clock: Millis,
    /// What it wants to catch up on, at most [`MAX_SCOPES`].
    #[n(4)]
    pub scopes: Vec<Ask>,
    /// Entries it has not sent before this request.
    #[n(5)]
    pub unsent: u64,
    /// When the oldest of them was written.
    #[n(6)]
    pub oldest_unsent_at: Option<Millis>,
    /// The app's version, at most 64 bytes.
    #[n(7)]
    pub app: Option<String>,
    /// The newest receipt of each scope, after the server said that it is behind this device: proof of what it has lost.
    #[n(8)]
    pub receipts: Option<Vec<String>>,
    /// About how many bytes of rows the answer should carry at most, for a line that cuts long ones; at least one row
    /// comes. Absent: as many as the server gives.
    #[n(9)]
    pub most_bytes: Option<u32>,
    /// Introductions of streams whose author the server said it does not know, at most [`MAX_INTRODUCTIONS`].
    #[n(10)]
    pub introductions: Option<Vec<ByteVec>>,
    /// Scopes not asked about in which the server once called entries of this install decided, or of which rows are here, at
    /// most [`MAX_SCOPES`]: none come from there any more, and nothing else would tell that an older database was put back.
    #[n(11)]
    pub elsewhere: Option<Vec<LastRow>>,
    /// Its monotonic clock at the same moment as `clock`: entries of the same session follow it to a true time.
    #[n(12)]
    pub monotonic: Option<Monotonic>,
    /// The newest [notice](crate::notice) that it has heard of; zeroes for none.
    #[n(13)]
    pub noticed: Option<Seen>,
    /// Notices brought back to a server that was restored, at most [`MAX_NOTICES`].
    #[n(14)]
    pub notices: Option<Vec<ByteVec>>,
    /// The [mark](Outlines::mark) of the outlines that it has, 0 for none. Absent: it draws none.
    #[n(15)]
    pub outlines: Option<u64>,
    /// Where it stands in all of its beats, in the place of `scopes`, to a server that has said that it takes this.
    #[n(20)]
    pub roll: Option<Roll>,
}

/// The last row that a device has of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LastRow {
    /// Which scope.
    #[n(0)]
    pub scope: ScopeId,
    /// Where the row stands; sequence 0 where there is none.
    #[n(1)]
    pub cursor: Seen,
    /// When the server received it.
    #[n(2)]
    pub received_at: Millis,
}

/// Where a device stands in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// Which scope.
    #[n(1)]
    pub scope: ScopeId,
    /// Its cursor there.
    #[n(2)]
    pub cursor: Seen,
    /// The end of its own stream, sent or not.
    #[n(3)]
    pub tip: Tip,
}

/// First item of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// [`PROTOCOL`].
    #[n(1)]
    pub protocol: u16,
    /// The server's clock.
    #[n(2)]
    pub time: Millis,
    /// The epochs that began after the oldest cursor asked about, ascending; all of them for a new device, and for one that
    /// stands in an epoch of another history.
    #[n(3)]
    pub epochs: Vec<Epoch>,
    /// Nonce for the next request.
    #[n(4)]
    pub nonce: String,
    /// What the server wants done.
    #[n(5)]
    pub directives: Vec<Directive>,
    /// The beats that the device's person may read and write.
    #[n(6)]
    pub beats: Vec<Beat>,
    /// The fate of each frame received, in order.
    #[n(7)]
    pub frames: Vec<FrameFate>,
    /// How far the server has the asking install's streams in the scopes of field 11 of the hello.
    #[n(8)]
    pub elsewhere: Option<Vec<StreamEnd>>,
    /// What has ended since field 13 of the hello, where that says less than the server knows, or something else.
    #[n(9)]
    pub noticed: Option<Noticed>,
    /// The outlines of all its beats, where those named by field 15 of the hello are others.
    #[n(10)]
    pub outlines: Option<Outlines>,
    /// To a [`Roll`]: that whatever the answer does not bring is as the device has it, `beats` among it. Absent: ask about
    /// each scope.
    #[n(20)]
    pub level: Option<Level>,
    /// Whether this server takes a [`Roll`].
    #[n(21)]
    pub takes_roll: Option<bool>,
}

/// What has ended that concerns a device, since it last heard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Noticed {
    /// How far the device is told now.
    #[n(1)]
    pub upto: Seen,
    /// The [notices](crate::notice), at most [`MAX_NOTICES`]; more come with the next answer.
    #[n(2)]
    pub notices: Vec<ByteVec>,
}

/// How far a server has a stream, and the scope that the device left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamEnd {
    /// Whose.
    #[n(0)]
    pub replica: ReplicaId,
    /// In which scope.
    #[n(1)]
    pub scope: ScopeId,
    /// The last entry that is decided; zeroes where there is none, or no such scope.
    #[n(2)]
    pub tip: Tip,
    /// Whether the log still has the device's last row of the scope, as far as the epochs do not tell.
    #[n(3)]
    pub has_last_row: bool,
}

/// A beat, as a device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Beat {
    /// `beat-01`.
    #[n(0)]
    pub code: String,
    /// Its scope.
    #[n(1)]
    pub scope: ScopeId,
    /// As shown to people.
    #[n(2)]
    pub name: String,
}

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FrameFate {
    /// Every entry in it is decided and durable; the stream now ends here.
    #[n(1)]
    Decided {
        /// Which stream.
        #[n(0)]
        replica: ReplicaId,
        /// In which scope.
        #[n(1)]
        scope: ScopeId,
        /// Its end.
        #[n(2)]
        tip: Tip,
    },
    /// The server has not got what comes before: send from here.
    #[n(2)]
    Gap {
        /// Which stream.
        #[n(0)]
        replica: ReplicaId,
        /// In which scope.
        #[n(1)]
        scope: ScopeId,
        /// The stream's end at the server.
        #[n(2)]
        tip: Tip,
    },
    /// The server has other entries under the same indexes: this replica was restored or cloned.
    #[n(3)]
    Forked {
        /// Which stream.
        #[n(0)]
        replica: ReplicaId,
        /// In which scope.
        #[n(1)]
        scope: ScopeId,
        /// The stream's end at the server.
        #[n(2)]
        tip: Tip,
    },
    /// Refused as a whole; nothing of it was kept.
    #[n(4)]
    Refused {
        /// Why.
        #[n(0)]
        code: FrameRefusal,
    },
}

impl Hello {
    /// One that asks about these scopes, and says and wants nothing else.
    pub const fn about(replica: ReplicaId, clock: Millis, scopes: Vec<Ask>) -> Self {
        Self {
            protocol: PROTOCOL,
            replica,
            clock,
            scopes,
            unsent: 0,
            oldest_unsent_at: None,
            app: None,
            receipts: None,
            most_bytes: None,
            introductions: None,
            elsewhere: None,
            monotonic: None,
            noticed: None,
            notices: None,
            outlines: None,
            roll: None,
        }
    }
}

/// What the server wants a device to do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Directive {
    /// The set of beats changed.
    #[n(1)]
    AssignmentChanged,
    /// The device is shut out: erase what it holds once its unsent entries are safe.
    #[n(2)]
    Wipe,
    /// The app is too old for this server.
    #[n(3)]
    Upgrade,
    /// Go on as a new replica.
    #[n(4)]
    NewReplica,
}

/// What one scope gained since a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Gained {
    /// Which scope.
    #[n(1)]
    pub scope: ScopeId,
    /// The epoch that the sequences below belong to.
    #[n(2)]
    pub epoch: u64,
    /// Sequence of the row before the first one here: the cursor, or less where the device must rewind.
    #[n(3)]
    pub from: u64,
    /// The streams that the rows name, by position.
    #[n(4)]
    pub streams: Vec<StreamIntro>,
    /// The rows, in order, without gaps.
    #[cbor(n(5), with = "row::runs")]
    pub rows: Vec<Row>,
    /// Whether there is more than fits into one answer.
    #[n(6)]
    pub more: bool,
    /// The signed [receipt](crate::receipt); its root covers the log's end, not only these rows.
    #[n(7)]
    pub receipt: String,
    /// The end of the asking replica's own stream at the server.
    #[n(8)]
    pub decided: Tip,
    /// How many [packs](Pack) follow, whose rows go on where these end; absent for none.
    #[n(9)]
    pub packs: Option<u32>,
}

/// A stream that rows of an answer belong to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StreamIntro {
    /// Who writes it.
    #[n(1)]
    pub replica: ReplicaId,
    /// The device's key.
    #[n(2)]
    pub key: PublicKey,
    /// The name of the person whose device it is, from the directory.
    #[n(3)]
    pub person: String,
    /// The newest head that the server holds.
    #[n(4)]
    pub head: Head,
    /// Where the rows begin the stream: an [introduction](crate::introduction) of it, to be kept.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub introduction: Option<Vec<u8>>,
}
