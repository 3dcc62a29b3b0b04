//! A device's message while it arrives: pieces of a body go in as they were sent, whole items come out. What is in memory
//! at any moment is a piece, a decoder's window, a step and an item, however the body is made.

use aralau_sync_core::{
    cbor::{CborError, ItemReader},
    frame::MAX_FRAME_BYTES,
};

use crate::compress::{DecodeError, Decoder, Encoding};

/// A request's body as sent, at most.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// What it may become once decompressed.
pub const MAX_DECODED_BYTES: usize = 24 * 1024 * 1024;

/// Why a message ends before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More was sent than a body may hold.
    #[error("the body is longer than it may be")]
    TooLarge,
    /// See [`DecodeError`].
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// What it decodes to is none of ours.
    #[error("the body is not a CBOR sequence: {0}")]
    Items(#[from] CborError),
}

/// See the module.
pub struct MessageReader {
    decoder: Decoder,
    items: ItemReader,
    left_bytes: usize,
}

impl MessageReader {
    /// For a body of this encoding.
    pub fn new(encoding: Encoding) -> Self {
        let decoder = Decoder::new(encoding, MAX_DECODED_BYTES);
        Self { decoder, items: ItemReader::new(MAX_FRAME_BYTES), left_bytes: MAX_BODY_BYTES }
    }

    /// The next item, for which `piece` is used as far as it is needed; `None` once all of it is used.
    pub fn next_item(&mut self, piece: &mut &[u8]) -> Result<Option<Vec<u8>>, MessageError> {
        loop {
            let item = self.items.next_item()?;
            if item.is_some() {
                return Ok(item);
            }
            let before = piece.len();
            let decoded = self.decoder.step(piece)?;
            let used = before - piece.len();
            self.left_bytes = self.left_bytes.checked_sub(used).ok_or(MessageError::TooLarge)?;
            if decoded.is_empty() {
                return Ok(None);
            }
            self.items.push(&decoded);
        }
    }

    /// Whether the message may end here: false in the middle of an item.
    pub fn is_whole(&self) -> bool {
        self.items.is_empty()
    }

    /// See [`Decoder::window_bytes`].
    pub fn window_bytes(&self) -> usize {
        self.decoder.window_bytes()
    }
}
