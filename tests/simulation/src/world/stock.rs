//! Where every word is: on the server, on phones, or with nobody.

use std::collections::BTreeSet;

use super::World;
use crate::{
    model::{WordNo, words_in},
    transcript::{all, look_into},
};

impl World {
    /// The words in a phone's store, whatever state they are in.
    pub fn words_on(&self, at: usize) -> BTreeSet<WordNo> {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let bodies = "SELECT body FROM entry WHERE body IS NOT NULL UNION ALL SELECT body FROM orphan";
        let bodies = all(&connection, bodies, |row| row.get::<_, Vec<u8>>(0)).expect("the phone's file reads");
        bodies.iter().flat_map(|body| words_in(body)).collect()
    }

    /// The phones, still alive, that hold a word.
    pub fn holders_of(&self, word: WordNo) -> Vec<String> {
        let alive = self.phones.iter().filter(|phone| phone.is_alive());
        alive.filter(|phone| self.words_on(phone.number.0).contains(&word)).map(|phone| phone.name.clone()).collect()
    }
}
