//! Holds a piece of work to the memory that one request may take. The counter is the process's own, so that work to be
//! measured must be alone in it.

use std::sync::atomic::{AtomicUsize, Ordering};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What decoding and checking one request may take.
pub const MAX_REQUEST_BYTES: usize = 8_000_000;

static LAST: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Does the work, which must not take more than it may.
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let done = work();
    LAST.store(HEAP.peak_usage().saturating_sub(before), Ordering::Relaxed);
    beside(0);
    done
}

/// What the work just done took where the counter does not see it: from libraries in C.
pub fn beside(bytes: usize) {
    let took = LAST.load(Ordering::Relaxed) + bytes;
    MOST.fetch_max(took, Ordering::Relaxed);
    assert!(took <= MAX_REQUEST_BYTES, "it took {took} bytes");
}

/// The most that any work has taken in this process.
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}
