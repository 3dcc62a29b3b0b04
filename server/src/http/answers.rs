//! Answers to devices, from the moment they are made until they are read: how much of them there may be at once.
//!
//! An answer holds its device's [turn](super::turns) and as much of the room as it weighs until its last byte has been written,
//! or the connection ends. How long that may take is in [`crate::serve`].

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{problem::Problem, turns::Turn};

/// What all answers that are not read yet may weigh.
const ROOM_BYTES: usize = 64 * 1024 * 1024;
/// How long a request waits for others' answers to be read.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handed to the connection at once: what it has taken it keeps, beside what is left here.
const PIECE_BYTES: usize = 32 * 1024;
/// Room is given out in such pieces.
const UNIT_BYTES: usize = 1024;

/// See the module.
#[derive(Debug)]
pub struct Answers(Arc<Semaphore>);

/// Room for one answer, until it is dropped.
#[derive(Debug)]
pub struct Room(OwnedSemaphorePermit);

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_BYTES / UNIT_BYTES)))
    }
}

impl Answers {
    /// Room for an answer of at most so many bytes, which is not made yet.
    pub async fn room(&self, bytes: usize) -> Result<Room, Problem> {
        let room = Arc::clone(&self.0).acquire_many_owned(units(bytes));
        let room = tokio::time::timeout(PATIENCE, room).await;
        room.ok().and_then(Result::ok).map(Room).ok_or(Problem::TooManyAnswers)
    }

    /// Bytes of room that answers take now.
    pub fn bytes(&self) -> usize {
        ROOM_BYTES - self.0.available_permits() * UNIT_BYTES
    }
}

impl Room {
    /// The answer, which gives back what it does not need of the room at once, and the rest with the turn when it is read.
    pub fn answer(mut self, bytes: Vec<u8>, turn: Turn) -> Body {
        let spare = self.0.num_permits().saturating_sub(units(bytes.len()) as usize);
        drop(self.0.split(spare));
        Body::new(Answer { rest: Bytes::from(bytes), _room: self, _turn: turn })
    }
}

fn units(bytes: usize) -> u32 {
    let units = bytes.div_ceil(UNIT_BYTES).min(ROOM_BYTES / UNIT_BYTES);
    u32::try_from(units).unwrap_or(u32::MAX)
}

struct Answer {
    rest: Bytes,
    _room: Room,
    _turn: Turn,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn room_is_taken_until_the_answer_is_gone_and_nobody_waits_for_it_forever() {
        let answers = Answers::default();
        let first = answers.room(ROOM_BYTES - 3 * UNIT_BYTES).await.unwrap();
        assert_eq!(answers.bytes(), ROOM_BYTES - 3 * UNIT_BYTES);
        assert!(matches!(answers.room(ROOM_BYTES / 2).await, Err(Problem::TooManyAnswers)));
        let small = answers.room(1).await.unwrap();
        drop(first);
        assert_eq!(answers.bytes(), UNIT_BYTES);
        drop(small);
        assert_eq!(answers.room(usize::MAX).await.unwrap().0.num_permits(), ROOM_BYTES / UNIT_BYTES);
    }
}
