//! I4: any upload may be repeated, reordered with others, or cut anywhere, with the same result.
//!
//! The line repeats, reorders and cuts; here is judged that no entry is ever decided twice. That the same comes of it on
//! all sides is judged with I3 and I9. A refused entry may be filled after all, together with what builds on it.

use std::collections::BTreeMap;

use aralau_sync_core::{cbor, log::Verdict};

use super::{Judge, Judgement, violated};
use crate::{
    transcript::{Hash, Replica, Scope, sha256},
    world::World,
};

/// See the module.
#[derive(Default)]
pub struct Repeats {
    timeline: u32,
    seen: BTreeMap<Scope, usize>,
    entries: BTreeMap<(Scope, Replica, u64), (u8, Vec<u8>)>,
    changes: BTreeMap<(Scope, Hash), u64>,
}

fn is_somebodys(verdict: &[u8]) -> bool {
    cbor::decode::<Verdict>(verdict).is_ok_and(|verdict| verdict.by.is_some())
}

impl Judge for Repeats {
    fn after_server(&mut self, world: &World) -> Judgement {
        if world.timeline != self.timeline {
            *self = Self { timeline: world.timeline, ..Self::default() };
        }
        for (scope, rows) in &world.transcript.rows {
            let from = self.seen.insert(*scope, rows.len()).unwrap_or(0);
            for row in &rows[from..] {
                let Some((replica, index)) = row.entry else { continue };
                let before = self.entries.insert((*scope, replica, index), (row.kind, row.verdict.clone()));
                let follows = match (before, row.kind) {
                    (None, 1 | 2) => true,
                    (Some((2, verdict)), 2) => verdict != row.verdict,
                    (Some((2, _)), 3 | 4) => true,
                    // What a person has refused goes in by a person's word alone.
                    (Some((4, _)), 3) => is_somebodys(&row.verdict),
                    _ => false,
                };
                if !follows {
                    return violated("I4", format!("entry {index} of a stream is decided twice: {row:?}"));
                }
                if [1, 3].contains(&row.kind) {
                    self.accept(*scope, row)?;
                }
            }
        }
        Ok(())
    }
}

impl Repeats {
    /// A change becomes part of its document once.
    fn accept(&mut self, scope: Scope, row: &crate::transcript::Row) -> Judgement {
        let header = aralau_sync_core::stream::Header::from_bytes(&row.header).expect("an accepted header");
        let change = sha256(&[header.document.as_bytes(), &row.body]);
        let times = self.changes.entry((scope, change)).or_default();
        *times += 1;
        if *times > 1 { violated("I4", format!("a change is accepted twice: {row:?}")) } else { Ok(()) }
    }
}
