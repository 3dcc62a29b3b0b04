//! What truly happened: who wrote which words where, who may see what, what was promised. Kept by the world beside the
//! system and asked by the judges; nothing here is computed by the code under judgement.

use std::collections::{BTreeMap, BTreeSet};

use aralau_client_sdk::{DocumentId, Millis, ReplicaId, ScopeId};

use crate::{phone::PhoneNo, transcript::Hash};

/// Names a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonNo(pub usize);

/// Names a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WordNo(pub usize);

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// An honest phone.
    Phone(PhoneNo),
    /// Headquarters, by its own replica.
    Headquarters,
}

/// A value that was written once and never again: found in raw bytes, it tells where it comes from.
#[derive(Debug, Clone)]
pub struct Word {
    /// Who wrote it.
    pub author: Author,
    /// Into which scope.
    pub scope: ScopeId,
    /// Into which document.
    pub document: DocumentId,
    /// The entry that carried it first, and its hash: another install of the same name may use the index again.
    pub entry: Option<(ReplicaId, u64, Hash)>,
    /// The server has signed that it holds it.
    pub acknowledged: bool,
    /// Why nobody can have it any more: the last copy went with a phone or with the server's disk.
    pub gone: Option<&'static str>,
}

/// When somebody may read and write a scope.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Where.
    pub scope: ScopeId,
    /// Since when, by the server's clock.
    pub from: Millis,
    /// Until when.
    pub until: Option<Millis>,
}

/// Someone.
#[derive(Debug, Clone)]
pub struct Person {
    /// As in the directory.
    pub name: String,
    /// As granted by the server as it now is.
    pub grants: Vec<Grant>,
    /// The beats that the operators want this person on.
    pub wanted: BTreeSet<ScopeId>,
    /// Every beat that this person has ever worked.
    pub worked: BTreeSet<ScopeId>,
    /// Grants that the operators have ever ended: where, and since when they were.
    pub taken: BTreeSet<(ScopeId, Millis)>,
}

impl Person {
    /// Someone on no beat yet.
    pub fn new(name: &str) -> Self {
        let (wanted, worked, taken) = Default::default();
        Self { name: name.to_owned(), grants: Vec::new(), wanted, worked, taken }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Model {
    /// Beats: code and scope.
    pub beats: BTreeMap<ScopeId, String>,
    /// Everybody.
    pub people: Vec<Person>,
    /// Everything ever written.
    pub words: Vec<Word>,
    /// Every visit ever logged.
    pub documents: BTreeMap<DocumentId, ScopeId>,
}

/// First bytes of every visit's id, so that ids are found in raw bytes too.
const DOCUMENT_MARK: [u8; 6] = *b"visit:";

impl Model {
    /// Coins a word that nobody has used.
    pub fn coin(&mut self, author: Author, scope: ScopeId, document: DocumentId) -> (WordNo, String) {
        let number = WordNo(self.words.len());
        self.words.push(Word { author, scope, document, entry: None, acknowledged: false, gone: None });
        (number, spelled(number))
    }

    /// An id for a new visit.
    pub fn new_document(&mut self, scope: ScopeId) -> DocumentId {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&DOCUMENT_MARK);
        bytes[8..].copy_from_slice(&(self.documents.len() as u64).to_be_bytes());
        let id = DocumentId::from_bytes(bytes);
        self.documents.insert(id, scope);
        id
    }

    /// What a word is.
    pub fn word(&self, number: WordNo) -> &Word {
        &self.words[number.0]
    }

    /// Whether a person may read a scope at a moment of the server's clock.
    pub fn may_read(&self, person: PersonNo, scope: ScopeId, at: Millis) -> bool {
        let mut grants = self.people[person.0].grants.iter().filter(|grant| grant.scope == scope);
        grants.any(|grant| grant.from <= at && grant.until.is_none_or(|until| at < until))
    }

    /// All visits of a scope.
    pub fn documents_of(&self, scope: ScopeId) -> Vec<DocumentId> {
        self.documents.iter().filter(|(_, of)| **of == scope).map(|(id, _)| *id).collect()
    }
}

/// How a word is written: nine bytes that occur nowhere else.
pub fn spelled(word: WordNo) -> String {
    format!("<w{:06}>", word.0)
}

/// The words in any bytes, compressed ones excepted.
pub fn words_in(bytes: &[u8]) -> BTreeSet<WordNo> {
    let mut found = BTreeSet::new();
    for at in positions(bytes, b"<w") {
        let digits = bytes.get(at + 2..at + 8).filter(|_| bytes.get(at + 8) == Some(&b'>'));
        let number = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        found.extend(number.map(WordNo));
    }
    found
}

/// The visits' ids in any bytes, raw or as text.
pub fn documents_in(bytes: &[u8]) -> BTreeSet<DocumentId> {
    let raw = positions(bytes, &DOCUMENT_MARK)
        .filter_map(|at| Some(DocumentId::from_bytes(bytes.get(at..at + 16)?.try_into().ok()?)));
    let text = positions(bytes, b"76697369-743a")
        .filter_map(|at| std::str::from_utf8(bytes.get(at..at + 36)?).ok()?.parse().ok());
    raw.chain(text).collect()
}

fn positions<'a>(bytes: &'a [u8], pattern: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(pattern.len()).enumerate().filter(move |(_, window)| *window == pattern).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_ids_are_found_in_any_bytes() {
        let mut model = Model::default();
        let scope = ScopeId::from_bytes([1; 16]);
        let id = model.new_document(scope);
        let (word, text) = model.coin(Author::Headquarters, scope, id);
        let bytes = [&b"\x00\xff"[..], text.as_bytes(), id.as_bytes(), b"<w12>"].concat();
        assert_eq!(words_in(&bytes), BTreeSet::from([word]));
        assert_eq!(documents_in(&bytes), BTreeSet::from([id]));
        assert_eq!(documents_in(id.to_string().as_bytes()), BTreeSet::from([id]));
    }
}
