//! I1: what was acknowledged stays readable for ever.

use super::{Judge, Judgement, violated};
use crate::{model::WordNo, model::spelled, world::World};

/// See the module.
pub struct Durable;

impl Judge for Durable {
    fn after_server(&mut self, world: &World) -> Judgement {
        let there = &world.transcript.words;
        for (number, word) in world.model.words.iter().enumerate() {
            let number = WordNo(number);
            if word.acknowledged && word.gone.is_none() && !there.contains(&number) && !world.at_risk.contains(&number)
            {
                return violated("I1", format!("{} was acknowledged and is not in the log: {word:?}", spelled(number)));
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Judgement {
        let there = &world.transcript.words;
        for (number, word) in world.model.words.iter().enumerate() {
            let number = WordNo(number);
            if word.acknowledged && word.gone.is_none() && !there.contains(&number) {
                let holders = world.holders_of(number);
                return violated(
                    "I1",
                    format!("{} was acknowledged and never came back: {word:?}, held by {holders:?}", spelled(number)),
                );
            }
        }
        Ok(())
    }
}
