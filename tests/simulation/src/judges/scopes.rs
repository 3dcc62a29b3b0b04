//! I5: no byte leaves its scope.
//!
//! Every word and every visit's id is recognisable in raw bytes, and the model knows who may read which scope when.

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    model::{documents_in, spelled, words_in},
    world::World,
};

/// See the module.
pub struct Scopes;

impl Judge for Scopes {
    fn after_exchange(&mut self, world: &World, exchange: &Exchange<'_>) -> Judgement {
        let person = world.person_of(exchange.sent.from);
        let who = &world.model.people[person.0].name;
        for word in words_in(&exchange.body) {
            let Some(of) = world.model.words.get(word.0) else { continue };
            if !world.model.may_read(person, of.scope, exchange.at) {
                return violated("I5", format!("{who} is told {} of {}", spelled(word), world.model.beats[&of.scope]));
            }
            if !world.merged.contains(&word) {
                return violated("I5", format!("{who} is told {}, which is held", spelled(word)));
            }
        }
        for id in documents_in(&exchange.body) {
            let Some(scope) = world.model.documents.get(&id) else { continue };
            if !world.model.may_read(person, *scope, exchange.at) {
                return violated("I5", format!("{who} is told of {id} in {}", world.model.beats[scope]));
            }
        }
        Ok(())
    }
}
