//! I7: memory per request is bounded: here, what an answer may hold.

use super::{Exchange, Judge, Judgement, violated};
use crate::world::{World, gained_in};

/// One entry, its header and its verdict, at most: by so much may an answer pass its limit.
const MAX_ENTRY_BYTES: usize = 80 * 1024;

/// See the module.
pub struct Bounds;

impl Judge for Bounds {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
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
