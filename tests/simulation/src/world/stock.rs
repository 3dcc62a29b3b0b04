//! Where every word is: on the server, on phones, or with nobody.
//!
//! A word that was written stays in this world as long as any store holds it. Only a disaster may take the last copy;
//! that is noted, with its name, when it happens. Whatever else makes a word vanish is a violation.

use std::collections::BTreeSet;

use aralau_client_sdk::{DocumentId, ReplicaId, ScopeId};
use aralau_sync_core::{cbor, stream::Head};
use rusqlite::Connection;

use super::World;
use crate::{
    judges::{Judgement, violated},
    model::{WordNo, spelled, words_in},
    transcript::{Hash, Replica, Scope, all, look_into},
};

impl World {
    /// The words in a phone's store, whatever state they are in.
    pub fn words_on(&self, at: usize) -> BTreeSet<WordNo> {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let bodies = "SELECT body FROM entry WHERE body IS NOT NULL UNION ALL SELECT body FROM orphan";
        let bodies = all(&connection, bodies, |row| row.get::<_, Vec<u8>>(0)).expect("the phone's file reads");
        bodies.iter().flat_map(|body| words_in(body)).collect()
    }

    /// Those of them that the install wrote, under whichever of its names.
    pub fn own_words_on(&self, at: usize) -> BTreeSet<WordNo> {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let own = own_names(&connection);
        let bodies =
            "SELECT replica, body FROM entry WHERE body IS NOT NULL UNION ALL SELECT replica, body FROM orphan";
        let bodies = all(&connection, bodies, |row| Ok((row.get::<_, Replica>(0)?, row.get::<_, Vec<u8>>(1)?)));
        let bodies = bodies.expect("the phone's file reads").into_iter();
        bodies.filter(|(replica, _)| own.contains(replica)).flat_map(|(_, body)| words_in(&body)).collect()
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

    /// Words that a restored server lost and that are left only on phones of others, who cannot bring them back. Limits of
    /// the protocol, counted and told with every campaign.
    pub fn displaced(&self) -> BTreeSet<WordNo> {
        let alive = || self.phones.iter().filter(|phone| phone.is_alive());
        let stuck = alive().flat_map(|phone| self.stuck_on(phone.number.0));
        let mut displaced: BTreeSet<_> = stuck.flat_map(|stuck| words_in(&stuck.body)).collect();
        // A phone that can still send brings what is its own.
        for phone in alive().filter(|phone| phone.look().is_enrolled()) {
            for word in self.own_words_on(phone.number.0) {
                displaced.remove(&word);
            }
        }
        displaced
    }

    /// Whether a phone holds anything of a visit that others wrote and that it cannot bring back. It shows that nevertheless.
    pub fn is_stuck(&self, at: usize, document: DocumentId) -> bool {
        self.stuck_on(at).iter().any(|stuck| stuck.document.as_ref() == Some(document.as_bytes()))
    }

    /// What a phone holds of others and cannot bring back. Either another copy of their author's phone has used the index
    /// since; or the pages that brought it broke off before the head that its author signed; or it stands behind an entry
    /// whose content this phone never had: it was held, and was with its author and the server alone.
    fn stuck_on(&self, at: usize) -> Vec<Stuck> {
        let connection = look_into(&self.phones[at].database()).expect("the phone's file opens");
        let own = own_names(&connection);
        let orphans = "SELECT scope, replica, 0, document, body, NULL FROM orphan";
        let others = |stuck: &Stuck| !own.contains(&stuck.replica);
        let mut all_stuck: Vec<_> = Stuck::read(&connection, orphans).into_iter().filter(others).collect();
        let undecided = "SELECT scope, replica, entry_index, document, coalesce(body, x''), coalesce(offer, head)
                         FROM entry JOIN stream USING (scope, replica) WHERE decided_row IS NULL ORDER BY entry_index";
        let signed = |head: &[u8]| cbor::decode::<Head>(head).map_or(0, |head| head.tip.index);
        let mut holes = BTreeSet::new();
        for entry in Stuck::read(&connection, undecided).into_iter().filter(others) {
            let stream = (entry.replica, entry.scope);
            if entry.index <= self.transcript.tip(entry.replica, entry.scope).0 {
                continue;
            }
            if entry.body.is_empty() {
                holes.insert(stream);
            } else if holes.contains(&stream) || entry.index > entry.head.as_deref().map_or(0, signed) {
                all_stuck.push(entry);
            }
        }
        all_stuck
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
            if word.gone.is_none() && !there.contains(&number) {
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

/// The names under which an install writes, or has written.
fn own_names(connection: &Connection) -> BTreeSet<Replica> {
    let own = "SELECT value FROM meta WHERE key IN ('replica', 'closed_replicas')";
    let own = all(connection, own, |row| row.get::<_, Vec<u8>>(0)).expect("reads").concat();
    own.chunks(size_of::<Replica>()).filter_map(|name| name.try_into().ok()).collect()
}

/// An entry that stays where it is.
struct Stuck {
    scope: Scope,
    replica: Replica,
    index: u64,
    document: Option<[u8; 16]>,
    body: Vec<u8>,
    head: Option<Vec<u8>>,
}

impl Stuck {
    fn read(connection: &Connection, sql: &str) -> Vec<Self> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                scope: row.get(0)?,
                replica: row.get(1)?,
                index: row.get::<_, i64>(2)?.cast_unsigned(),
                document: row.get(3)?,
                body: row.get(4)?,
                head: row.get(5)?,
            })
        };
        all(connection, sql, read).expect("the phone's file reads")
    }
}
