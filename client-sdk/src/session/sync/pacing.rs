//! How much a request carries and how long to wait after a failure.

use aralau_sync_core::{frame::MAX_FRAME_ENTRIES, sync::MAX_FRAMES};

use crate::{outbox::Allowance, seams::Seams};

const FIRST_PAUSE_MS: u64 = 1_000;
const LONGEST_PAUSE_MS: u64 = 60_000;
/// A server that asks for more than this is asked again sooner.
const LONGEST_RETRY_AFTER_MS: u64 = 10 * 60_000;
/// Bytes of all frames in one request, before compression.
const MAX_UPLOAD_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of rows that are asked for after a first failure; compressed they are about a third.
const SHORT_ANSWER_BYTES: u32 = 64 * 1024;
/// However bad the line, so much is asked for: below that, what surrounds the rows weighs more than they do.
const SHORTEST_ANSWER_BYTES: u32 = 4 * 1024;
/// From here on the server may send as much as it likes.
const LONG_ANSWER_BYTES: u32 = 4 * 1024 * 1024;

/// After a failure one frame and a short answer, both doubling with each success.
#[derive(Debug)]
pub(super) struct Pacing {
    frames: usize,
    entries: usize,
    answer_bytes: u32,
    failures: u32,
}

impl Pacing {
    pub(super) const fn new() -> Self {
        Self { frames: MAX_FRAMES, entries: MAX_FRAME_ENTRIES, answer_bytes: LONG_ANSWER_BYTES, failures: 0 }
    }

    /// How long an answer the line is trusted with; `None`: any.
    pub(super) fn most_bytes(&self) -> Option<u32> {
        Some(self.answer_bytes).filter(|bytes| *bytes < LONG_ANSWER_BYTES)
    }

    pub(super) const fn allowance(&self) -> Allowance {
        Allowance { frames: self.frames, bytes: MAX_UPLOAD_BYTES, entries: self.entries }
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.frames = (self.frames * 2).min(MAX_FRAMES);
        self.answer_bytes = (self.answer_bytes * 2).min(LONG_ANSWER_BYTES);
        self.entries = (self.entries * 2).min(MAX_FRAME_ENTRIES);
    }

    /// How long to wait, with jitter: half of the pause is certain, half is chance.
    pub(super) fn failed(&mut self, retry_after_ms: Option<u64>, seams: &mut Seams) -> u64 {
        self.frames = 1;
        self.answer_bytes = (self.answer_bytes / 2).clamp(SHORTEST_ANSWER_BYTES, SHORT_ANSWER_BYTES);
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        let jittered = pause / 2 + seams.below(pause / 2);
        jittered.max(retry_after_ms.unwrap_or(0).min(LONGEST_RETRY_AFTER_MS))
    }

    /// The request was too large. Whether a smaller one can be made.
    pub(super) fn shrink(&mut self) -> bool {
        if self.frames > 1 {
            self.frames = 1;
            return true;
        }
        let smaller = self.entries / 2;
        self.entries = smaller.max(1);
        smaller > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_never_fall_below_what_the_server_asks() {
        let (mut pacing, mut seams) = (Pacing::new(), Seams::system());
        let pauses: Vec<u64> = (0..12).map(|_| pacing.failed(None, &mut seams)).collect();
        for (n, pause) in pauses.iter().enumerate() {
            let whole = (FIRST_PAUSE_MS << n).min(LONGEST_PAUSE_MS);
            assert!((whole / 2..=whole).contains(pause), "pause {n}: {pause}");
        }
        assert!(pacing.failed(Some(90_000), &mut seams) >= 90_000);
        assert!(pacing.failed(Some(u64::MAX), &mut seams) <= LONGEST_RETRY_AFTER_MS);
    }

    #[test]
    fn a_failure_leaves_one_frame_and_each_success_doubles_it() {
        let (mut pacing, mut seams) = (Pacing::new(), Seams::system());
        pacing.failed(None, &mut seams);
        let mut frames = vec![pacing.allowance().frames];
        for _ in 0..8 {
            pacing.succeeded();
            frames.push(pacing.allowance().frames);
        }
        assert_eq!(frames, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn a_failure_asks_for_a_short_answer_and_each_success_for_one_twice_as_long() {
        let (mut pacing, mut seams) = (Pacing::new(), Seams::system());
        assert_eq!(pacing.most_bytes(), None);
        let mut fail = |pacing: &mut Pacing, times: u32| {
            for _ in 0..times {
                pacing.failed(None, &mut seams);
            }
            pacing.most_bytes()
        };
        assert_eq!(fail(&mut pacing, 1), Some(SHORT_ANSWER_BYTES));
        assert_eq!(fail(&mut pacing, 2), Some(SHORT_ANSWER_BYTES / 4));
        pacing.succeeded();
        assert_eq!(pacing.most_bytes(), Some(SHORT_ANSWER_BYTES / 2));
        assert_eq!(fail(&mut pacing, 100), Some(SHORTEST_ANSWER_BYTES));
        (0..10).for_each(|_| pacing.succeeded());
        assert_eq!(pacing.most_bytes(), None);
    }

    #[test]
    fn what_is_too_large_shrinks_to_one_entry_and_no_further() {
        let mut pacing = Pacing::new();
        let mut steps = 0;
        while pacing.shrink() {
            steps += 1;
        }
        assert_eq!((pacing.allowance().frames, pacing.allowance().entries, steps), (1, 1, 7));
    }
}
