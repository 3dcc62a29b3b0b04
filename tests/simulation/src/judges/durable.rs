//! I1: what was acknowledged stays readable for ever.
//!
//! Acknowledged is what the server has signed for in a receipt. A restore may take it from the server; then it must come
//! back from whatever phone still holds it, and what a receipt called backed up must be in the backup.

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    model::{Word, WordNo, spelled},
    note::Note,
    world::{World, gained_in},
};

/// See the module.
pub struct Durable;

impl Judge for Durable {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        for gained in gained_in(&exchange.body) {
            let Some(note) = Note::open(&gained.receipt, &world.server_key) else { continue };
            if let Some((replica, upto)) = note.decided {
                let (decided, hash) = world.transcript.tip(replica.0, note.scope.0.into_bytes());
                if (upto, gained.decided.index, gained.decided.hash.0) != (decided, decided, hash) {
                    return violated("I1", format!("{upto} entries are said to be decided, and {decided} are"));
                }
            }
            let held = world.backups.iter().filter_map(|backup| backup.transcript.rows.get(note.scope.as_bytes()));
            let held = held.map(Vec::len).max().unwrap_or(0);
            if note.backed_up > held {
                return violated("I1", format!("{} rows are said to be backed up, and {held} are", note.backed_up));
            }
        }
        Ok(())
    }

    fn after_server(&mut self, world: &World) -> Judgement {
        let lost = missing(world).find(|(number, _)| !world.at_risk.contains(number));
        lost.map_or(Ok(()), |(number, word)| {
            violated("I1", format!("{} was acknowledged and is not in the log: {word:?}", spelled(number)))
        })
    }

    fn at_rest(&mut self, world: &World) -> Judgement {
        let displaced = world.displaced();
        let lost = missing(world).find(|(number, _)| !displaced.contains(number));
        let Some((number, word)) = lost else { return Ok(()) };
        let holders = world.holders_of(number);
        let what = format!("{} was acknowledged and never came back: {word:?}, held by {holders:?}", spelled(number));
        violated("I1", what)
    }
}

fn missing(world: &World) -> impl Iterator<Item = (WordNo, &Word)> {
    let words = world.model.words.iter().enumerate().map(|(at, word)| (WordNo(at), word));
    words.filter(|(number, word)| word.acknowledged && word.gone.is_none() && !world.transcript.words.contains(number))
}
