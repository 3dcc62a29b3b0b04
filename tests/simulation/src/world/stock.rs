//! Where every word is: on the server, on phones, or with nobody.
//!
//! A word that was written stays in this world as long as any store holds it. Only a disaster may take the last copy;
//! that is noted, with its name, when it happens. Whatever else makes a word vanish is a violation.

use std::collections::BTreeSet;

use aralau_client_sdk::{ReplicaId, ScopeId};
use aralau_sync_core::{cbor, stream::Head};
use rusqlite::Connection;

use super::World;
use crate::{
    judges::{Judgement, violated},
    model::{Author, WordNo, spelled, words_in},
    transcript::{Hash, Replica, all, look_into},
};

impl World {
    /// The words in a phone's store, whatever state they are in.
    pub fn words_on(&self, at: usize) -> BTreeSet<WordNo> {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let bodies = "SELECT body FROM entry WHERE body IS NOT NULL UNION ALL SELECT body FROM orphan";
        let bodies = all(&connection, bodies, |row| row.get::<_, Vec<u8>>(0)).expect("the phone's file reads");
        bodies.iter().flat_map(|body| words_in(body)).collect()
    }

    /// The hash of an entry in a phone's store.
    pub(super) fn entry_hash_on(&self, at: usize, scope: ScopeId, replica: ReplicaId, index: u64) -> Hash {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let sql = format!(
            "SELECT hash FROM entry WHERE scope = x'{}' AND replica = x'{replica}' AND entry_index = {index}",
            scope.0.simple()
        );
        all(&connection, &sql, |row| row.get(0)).expect("reads").pop().expect("an entry just written")
    }

    /// The phones, still alive, that hold a word.
    pub fn holders_of(&self, word: WordNo) -> Vec<String> {
        let alive = self.phones.iter().filter(|phone| phone.is_alive());
        alive.filter(|phone| self.words_on(phone.number.0).contains(&word)).map(|phone| phone.name.clone()).collect()
    }

    /// Words that a restored server lost and that are left only on phones of others, who cannot bring them back. Either
    /// another copy of their author's phone has used their index since, or the pages that brought them broke off before
    /// the head that their author signed. Limits of the protocol, counted and told with every campaign.
    pub fn displaced(&self) -> BTreeSet<WordNo> {
        let mut displaced = BTreeSet::new();
        for phone in self.phones.iter().filter(|phone| phone.is_alive()) {
            let connection = look_into(&phone.database()).expect("the phone's file opens");
            let own = "SELECT value FROM meta WHERE key IN ('replica', 'closed_replicas')";
            let own = all(&connection, own, |row| row.get::<_, Vec<u8>>(0)).expect("reads").concat();
            let orphans = all(&connection, "SELECT replica, body FROM orphan", |row| {
                Ok((row.get::<_, Replica>(0)?, row.get::<_, Vec<u8>>(1)?))
            });
            let others = orphans.expect("reads").into_iter();
            let others = others.filter(|(replica, _)| !own.chunks(replica.len()).any(|mine| mine == replica));
            displaced.extend(others.flat_map(|(_, body)| words_in(&body)));
            displaced.extend(unvouched(&connection, &own));
        }
        displaced
    }

    /// A disaster, and what it took with it.
    pub(super) fn destroy(&mut self, reason: &'static str, disaster: impl FnOnce(&mut Self)) -> Judgement {
        self.take_stock()?;
        disaster(self);
        let left = self.all_words();
        for (at, word) in self.model.words.iter_mut().enumerate() {
            if word.gone.is_none() && !left.contains(&WordNo(at)) {
                word.gone = Some(reason);
            }
        }
        let acknowledged = |(at, word): (usize, &crate::model::Word)| word.acknowledged.then_some(WordNo(at));
        let acknowledged = self.model.words.iter().enumerate().filter_map(acknowledged);
        self.at_risk = acknowledged.filter(|word| !self.transcript.words.contains(word)).collect();
        Ok(())
    }

    /// Every word that no disaster took is somewhere.
    pub(super) fn take_stock(&self) -> Judgement {
        let there = self.all_words();
        for (at, word) in self.model.words.iter().enumerate() {
            let number = WordNo(at);
            if word.gone.is_none() && word.author != Author::Hostile && !there.contains(&number) {
                return violated("I9", format!("{} has vanished: {word:?}", spelled(number)));
            }
        }
        Ok(())
    }

    fn all_words(&self) -> BTreeSet<WordNo> {
        let alive = self.phones.iter().filter(|phone| phone.is_alive());
        let mut all = self.transcript.words.clone();
        alive.for_each(|phone| all.extend(self.words_on(phone.number.0)));
        all
    }
}

/// Words in others' entries beyond the newest head that their author is known to have signed.
fn unvouched(connection: &Connection, own: &[u8]) -> BTreeSet<WordNo> {
    let sql = "SELECT replica, entry_index, body, coalesce(offer, head) FROM entry JOIN stream USING (scope, replica)
               WHERE decided_row IS NULL AND body IS NOT NULL";
    let entries = all(connection, sql, |row| {
        let (replica, index): (Replica, i64) = (row.get(0)?, row.get(1)?);
        Ok((replica, index.cast_unsigned(), row.get::<_, Vec<u8>>(2)?, row.get::<_, Option<Vec<u8>>>(3)?))
    });
    let signed = |head: &[u8]| cbor::decode::<Head>(head).map_or(0, |head| head.tip.index);
    let entries = entries.expect("reads").into_iter();
    let others = entries.filter(|(replica, ..)| !own.chunks(replica.len()).any(|mine| mine == replica));
    let beyond = others.filter(|(_, index, _, head)| *index > head.as_deref().map_or(0, signed));
    beyond.flat_map(|(_, _, body, _)| words_in(&body)).collect()
}
