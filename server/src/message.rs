//! A device's message while it arrives: pieces of a body go in as they were sent, whole items come out. What is in memory
//! at any moment is a piece, a decoder's window, a step and an item, however the body is made.

use aralau_sync_core::{cbor::ItemReader, frame::MAX_FRAME_BYTES};

use crate::{
    compress::{Decoder, Encoding},
    http::problem::Problem,
};

/// A request's body as sent, at most.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// What it may become once decompressed.
pub const MAX_DECODED_BYTES: usize = 24 * 1024 * 1024;

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
    pub fn next_item(&mut self, piece: &mut &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        loop {
            let item = self.items.next_item();
            let item = item.map_err(|error| Problem::Malformed(format!("the body is not a CBOR sequence: {error}")))?;
            if item.is_some() {
                return Ok(item);
            }
            let before = piece.len();
            let decoded = self.decoder.step(piece)?;
            let used = before - piece.len();
            self.left_bytes = self.left_bytes.checked_sub(used).ok_or(Problem::BodyTooLarge)?;
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
