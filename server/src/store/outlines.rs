//! The outlines of a person's beats, as a phone is told them.
//!
//! The mark follows from what is told: a server that was put back to older outlines, or has lost them, says another one.

use aralau_sync_core::{
    cbor,
    id::ScopeId,
    sync::{MAX_OUTLINES_BYTES, Outline, Outlines, Ring},
};
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use super::{BeatRow, StoreError};
use crate::area::Area;

/// The outlines of these beats, unless the device has them by the mark that it says, or its line takes no more than so many bytes
/// and they are more. Of more than [`MAX_OUTLINES_BYTES`] those are left out that do not fit.
pub fn outlines(
    connection: &Connection,
    beats: &[BeatRow],
    known: u64,
    most_bytes: Option<u32>,
) -> Result<Option<Outlines>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT area FROM beat_area WHERE scope_no = ?")?;
    let mut drawn = Vec::new();
    for beat in beats {
        let area: Option<String> = statement.query_row([beat.scope_no], |row| row.get(0)).optional()?;
        drawn.extend(area.map(|area| (beat.scope, area)));
    }
    drawn.sort_unstable_by_key(|(scope, _)| *scope);
    let mark = mark(&drawn);
    if mark == known {
        return Ok(None);
    }
    let (mut told, mut left) = (Vec::new(), MAX_OUTLINES_BYTES);
    for (scope, area) in drawn {
        let area: Area = serde_json::from_str(&area).map_err(|_| StoreError::corrupt("the outline of a beat"))?;
        let outline = Outline { scope, rings: area.rings().map(Ring::of).collect() };
        let bytes = cbor::encode(&outline).len();
        if bytes <= left {
            left -= bytes;
            told.push(outline);
        }
    }
    let is_short = most_bytes.is_none_or(|most| MAX_OUTLINES_BYTES - left <= most as usize);
    Ok(is_short.then_some(Outlines { mark, beats: told }))
}

/// 0 for nothing, and for nothing else.
fn mark(drawn: &[(ScopeId, String)]) -> u64 {
    let mut hasher = Sha256::new();
    for (scope, area) in drawn {
        hasher.update(scope.as_bytes());
        hasher.update(area.as_bytes());
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let first = hash.first_chunk().map_or(1, |first| u64::from_be_bytes(*first));
    if drawn.is_empty() { 0 } else { first.max(1) }
}
