//! Codes that were meant.

use aralau_sync_core::vocabulary::CodeList;

/// A code that differs in so many letters, and in no more than every third, may have been meant.
const SLIPS: usize = 3;

/// The code of a list that may have been meant by one that it does not have.
pub fn nearest(list: &CodeList, code: &str) -> Option<&'static str> {
    let slips = |known: &str| strsim::osa_distance(known, code);
    let nearest = list.codes.iter().map(|known| known.code).min_by_key(|known| slips(known))?;
    (slips(nearest) <= SLIPS.min(code.len() / 3)).then_some(nearest)
}
