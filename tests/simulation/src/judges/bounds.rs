//! I7: memory per request is bounded: here, what an answer may hold.

use std::collections::BTreeSet;

use aralau_sync_core::{
    cbor,
    frame::{MAX_FRAME_BYTES, MAX_FRAME_ENTRIES},
    log::RowKind,
    sync::{Gained, Hello, Row},
};

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    transcript::{Replica, Scope, all, look_into},
    world::{World, decompressed_request, gained_in, items_of},
};

/// One entry, its header and its verdict, at most: by so much may an answer pass its limit.
const MAX_ENTRY_BYTES: usize = 80 * 1024;

/// See the module.
pub struct Bounds;

impl Judge for Bounds {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        let asked = items_of(&decompressed_request(&exchange.sent.request));
        let hello: Option<Hello> = asked.first().and_then(|item| cbor::decode(item).ok());
        let Some(hello) = hello else { return Ok(()) };
        let limits = world.server.limits();
        let gained = gained_in(&exchange.body);
        let content = gained.iter().flat_map(|gained| &gained.rows).filter_map(|row| row.content.full());
        let bytes: usize = content.map(|(header, body)| header.len() + body.len()).sum();
        // The last frame is brought to its end, unless the phone has asked for little.
        let whole_frames = hello.most_bytes.is_none();
        let over = if whole_frames { MAX_FRAME_BYTES } else { 0 };
        if bytes > limits.bytes + over + MAX_ENTRY_BYTES {
            return violated("I7", format!("an answer of {bytes} bytes, where {} are the limit", limits.bytes));
        }
        let (heads, mut left) = (heads(world), limits.rows);
        for gained in &gained {
            let rows = gained.rows.len();
            let may_go_on = |at: usize| {
                whole_frames
                    && at < left + MAX_FRAME_ENTRIES
                    && !is_at_head(gained, at, *hello.replica.as_bytes(), &heads)
            };
            if let Some(at) = (left..rows).find(|at| !may_go_on(*at)) {
                return violated(
                    "I7",
                    format!("an answer of {rows} rows could have ended after {at}, with {left} left"),
                );
            }
            left = left.saturating_sub(rows);
        }
        Ok(())
    }
}

/// Whether the author of the last entry among the first `at` rows has signed that its stream goes this far.
fn is_at_head(gained: &Gained, at: usize, asking: Replica, heads: &BTreeSet<(Replica, Scope, u64)>) -> bool {
    let entry = |row: &Row| {
        let replica = *gained.streams.get(row.stream as usize)?.replica.as_bytes();
        let is_new = matches!(row.kind, RowKind::Accepted | RowKind::Held) && replica != asking;
        is_new.then_some((replica, *gained.scope.as_bytes(), row.index))
    };
    gained.rows[..at].iter().rev().find_map(entry).is_none_or(|entry| heads.contains(&entry))
}

/// Every head in the server's database.
fn heads(world: &World) -> BTreeSet<(Replica, Scope, u64)> {
    let connection = look_into(&world.server.database()).expect("the database opens");
    let sql = "SELECT replica, scope, entry_index FROM head JOIN stream USING (stream_no) JOIN scope USING (scope_no)";
    let heads = all(&connection, sql, |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned())));
    heads.expect("reads").into_iter().collect()
}
