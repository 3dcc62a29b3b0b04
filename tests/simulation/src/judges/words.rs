//! I9: no concurrent edit disappears. Every value ever written is current, in a conflict, held, or in the history, where
//! headquarters and its author can read it.

use std::collections::{BTreeMap, BTreeSet};

use aralau_client_sdk::{DocumentId, VisitState};

use super::{Judge, Judgement, violated};
use crate::{
    model::{Author, WordNo, spelled, words_in},
    world::World,
};

/// See the module.
pub struct Words;

impl Judge for Words {
    fn at_rest(&mut self, world: &World) -> Judgement {
        let mut readable = BTreeMap::<DocumentId, BTreeSet<WordNo>>::new();
        let held = world.ask_all("/v1/quarantine?limit=100", "held");
        let rejected = world.ask_all("/v1/quarantine?limit=100&state=rejected", "held");
        let quarantined = words_in(format!("{held:?}{rejected:?}").as_bytes());
        let displaced = world.displaced();
        for (at, word) in world.model.words.iter().enumerate() {
            let number = WordNo(at);
            if word.gone.is_some() {
                continue;
            }
            if !world.transcript.words.contains(&number) {
                if displaced.contains(&number) {
                    continue;
                }
                let holders = world.holders_of(number);
                let what = format!("{} never came to headquarters: {word:?}, held by {holders:?}", spelled(number));
                return violated("I9", what);
            }
            let history = readable.entry(word.document).or_insert_with(|| history(world, word.document));
            if !history.contains(&number) && !quarantined.contains(&number) {
                return violated("I9", format!("headquarters cannot read {}: {word:?}", spelled(number)));
            }
        }
        on_phones(world)
    }
}

fn history(world: &World, id: DocumentId) -> BTreeSet<WordNo> {
    let rows = world.ask_all(&format!("/v1/visits/{id}/history?limit=200"), "history");
    words_in(format!("{rows:?}").as_bytes())
}

/// Its own words are on each phone that holds them, and none is said to be unsent.
fn on_phones(world: &World) -> Judgement {
    for (at, phone) in world.phones.iter().enumerate() {
        if !phone.is_alive() || !phone.look().is_enrolled() {
            continue;
        }
        let mut shown = BTreeSet::new();
        for visit in phone.look().visits().expect("reads") {
            let is_said = visit.state == VisitState::OnThisPhone && world.may_read_now(at, visit.scope);
            if is_said && !world.is_stuck(at, visit.id) {
                return violated("I9", format!("{} says that {} is on this phone only", phone.name, visit.id));
            }
            let history = phone.look().history(visit.id).expect("reads");
            let puts = history.iter().flat_map(|change| change.puts.values());
            shown.extend(puts.filter_map(|value| value.as_text()).flat_map(|text| words_in(text.as_bytes())));
        }
        // What an earlier install wrote that is no part of this one is another device's to it.
        for word in world.own_words_on(at) {
            let known = &world.model.words[word.0];
            if known.author == Author::Phone(phone.number) && !shown.contains(&word) {
                return violated("I9", format!("{} does not show its own {}: {known:?}", phone.name, spelled(word)));
            }
        }
    }
    Ok(())
}
