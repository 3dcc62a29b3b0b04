//! I7: memory per request is bounded.

use super::{Exchange, Judge, Judgement, violated};
use crate::world::{World, gained_in};

/// What a request may add to the process's heap while it is answered, SQLite's own aside.
pub const MAX_REQUEST_BYTES: usize = 32 * 1024 * 1024;
/// One entry, its header and its verdict, at most: by so much may an answer pass its limit.
const MAX_ENTRY_BYTES: usize = 80 * 1024;

/// See the module.
pub struct Bounds;

impl Judge for Bounds {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        if world.peak_bytes > MAX_REQUEST_BYTES {
            return violated("I7", format!("a request took {} bytes", world.peak_bytes));
        }
        let limits = world.server.limits();
        let gained = gained_in(&exchange.body);
        let rows: usize = gained.iter().map(|gained| gained.rows.len()).sum();
        if rows > limits.rows {
            return violated("I7", format!("an answer of {rows} rows, where {} are the limit", limits.rows));
        }
        let content = gained.iter().flat_map(|gained| &gained.rows).filter_map(|row| row.content.full());
        let bytes: usize = content.map(|(header, body)| header.len() + body.len()).sum();
        if bytes > limits.bytes + MAX_ENTRY_BYTES {
            return violated("I7", format!("an answer of {bytes} bytes, where {} are the limit", limits.bytes));
        }
        Ok(())
    }
}
