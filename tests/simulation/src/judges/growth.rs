//! I6: logs only grow; every receipt ever given verifies.

use aralau_client_sdk::ScopeId;

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    note::Note,
    transcript::{Hash, Transcript, all, look_into},
    world::{World, gained_in},
};

/// A receipt, as far as it must stay true.
struct Given {
    timeline: u32,
    scope: ScopeId,
    size: usize,
    root: Hash,
}

/// See the module.
#[derive(Default)]
pub struct Growth {
    given: Vec<Given>,
    timeline: u32,
    judged: usize,
}

/// So many judgements between two whole readings of the log.
const WHOLE_EVERY: usize = 40;

impl Judge for Growth {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        for gained in gained_in(&exchange.body) {
            let Some(note) = Note::open(&gained.receipt, &world.server_key) else {
                return violated("I6", format!("a receipt that does not verify: {}", gained.receipt));
            };
            let rows = world.transcript.rows.get(note.scope.as_bytes()).map_or(0, Vec::len);
            let root = world.transcript.root(note.scope.as_bytes(), note.size);
            if note.scope != gained.scope || note.size != rows || root != Some(note.root) {
                return violated("I6", format!("a receipt for {} rows, which are {rows}", note.size));
            }
            if note.epoch != gained.epoch {
                return violated("I6", "a receipt of another epoch");
            }
            self.given.push(Given { timeline: world.timeline, scope: note.scope, size: note.size, root: note.root });
        }
        Ok(())
    }

    fn after_server(&mut self, world: &World) -> Judgement {
        self.judged += 1;
        if world.timeline != self.timeline || self.judged.is_multiple_of(WHOLE_EVERY) {
            self.timeline = world.timeline;
            return whole(world);
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Judgement {
        whole(world)?;
        for given in self.given.iter().filter(|given| given.timeline == world.timeline) {
            if world.transcript.root(given.scope.as_bytes(), given.size) != Some(given.root) {
                return violated("I6", format!("the receipt for {} rows does not hold any more", given.size));
            }
        }
        for phone in world.phones.iter().filter(|phone| phone.is_alive()) {
            let connection = look_into(&phone.database()).expect("the phone's file opens");
            let notes = all(&connection, "SELECT note FROM receipt", |row| row.get::<_, String>(0)).expect("reads");
            if let Some(note) = notes.iter().find(|note| Note::open(note, &world.server_key).is_none()) {
                return violated("I6", format!("{} keeps a receipt that does not verify: {note}", phone.name));
            }
        }
        Ok(())
    }
}

/// The log, read anew, is what it was, and more at the most.
fn whole(world: &World) -> Judgement {
    let now = match Transcript::read(&world.server.database()) {
        Ok(now) => now,
        Err(wrong) => return violated("I6", wrong),
    };
    for (scope, rows) in &world.transcript.rows {
        let there = now.rows.get(scope).map_or(&[][..], Vec::as_slice);
        if !there.starts_with(rows) {
            return violated("I6", format!("the log has changed: {} rows were {}", there.len(), rows.len()));
        }
    }
    Ok(())
}
