//! Inspectors at work: visits logged, edited, settled, with the battery dying now and then.

use aralau_client_sdk::{
    DocumentId, Error, ScopeId,
    replay::{Deed, Edit},
};

use super::World;
use crate::{
    judges::{Judgement, violated},
    model::{Author, WordNo},
    phone::PhoneNo,
};

impl World {
    /// A visit at a new id, or one that a partner logged as well.
    pub(super) fn log(&mut self) -> Judgement {
        self.some_phone().map_or(Ok(()), |at| self.log_on(at))
    }

    pub(super) fn log_on(&mut self, at: usize) -> Judgement {
        let Some(scope) = self.some_beat(at) else { return Ok(()) };
        let shared = self.model.documents_of(scope);
        let team = self.chance.below(6) == 0 && !shared.is_empty();
        let id = if team { *self.chance.pick(&shared) } else { self.model.new_document(scope) };
        let author = Author::Phone(PhoneNo(at));
        let (outcome, told) = self.model.coin(author, scope, id);
        let (note, text) = self.model.coin(author, scope, id);
        let app = self.phones[at].app();
        let note_id = app.fresh_id();
        let what = format!("logs {id} in {}: {told} {text}", self.model.beats[&scope]);
        let deed = Deed::Log { scope, id, outcome: told, note: (note_id, text) };
        self.write(at, scope, &[outcome, note], what, deed)?;
        // One who has written about a visit before logs nothing more.
        if team { self.keep_what_is_there(at, &[outcome, note]) } else { Ok(()) }
    }

    /// A note, a field, or both at once.
    pub(super) fn edit(&mut self) -> Judgement {
        self.some_phone().map_or(Ok(()), |at| self.edit_on(at))
    }

    pub(super) fn edit_on(&mut self, at: usize) -> Judgement {
        let Some((scope, id)) = self.some_visit(at) else { return Ok(()) };
        let author = Author::Phone(PhoneNo(at));
        let (mut words, mut edits, mut told) = (Vec::new(), Vec::new(), Vec::new());
        if self.chance.below(3) > 0 {
            let (word, text) = self.model.coin(author, scope, id);
            let note = self.phones[at].app().fresh_id();
            told.push(format!("a note {text}"));
            edits.push(Edit::Note(note, text));
            words.push(word);
        }
        if edits.is_empty() || self.chance.below(2) == 0 {
            let (word, text) = self.model.coin(author, scope, id);
            let field = *self.chance.pick(&["outcome", "visit_type"]);
            told.push(format!("{field} = {text}"));
            edits.push(Edit::Set(field.into(), text));
            words.push(word);
        }
        if self.chance.below(12) == 0 {
            told.push("withdrawn".to_owned());
            edits.push(Edit::Withdraw);
        }
        let what = format!("edits {id}: {}", told.join(", "));
        self.write(at, scope, &words, what, Deed::Edit { id, edits })
    }

    /// Chooses one of a conflict's values.
    pub(super) fn resolve(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let Some((scope, id)) = self.some_visit(at) else { return Ok(()) };
        let visit = self.phones[at].look().visit(id).expect("just found");
        let Some(conflict) = visit.conflicts.first() else { return Ok(()) };
        let value = self.chance.pick(&conflict.values).value.clone();
        let field = conflict.field.clone();
        let text = value.as_text().expect("phones write text").to_owned();
        let what = format!("settles {field} of {id}: {text}");
        self.write(at, scope, &[], what, Deed::Resolve { id, field, text })
    }

    /// One write, during which the battery may die.
    fn write(&mut self, at: usize, scope: ScopeId, words: &[WordNo], what: String, deed: Deed) -> Judgement {
        self.operations += 1;
        let who = self.phones[at].name.clone();
        let before = self.phones[at].written(scope);
        let dies = self.plan.dies(&mut self.chance);
        if let Some(calls) = dies {
            self.phones[at].fuse.light(calls);
        }
        let done = self.phones[at].write(deed);
        let dead = self.phones[at].fuse.put_out();
        if dead {
            self.fault(&who, format_args!("{what}, and the battery dies"));
            self.phones[at].die();
        } else {
            self.say(&who, &what);
        }
        match done {
            Ok(()) => {}
            Err(Error::Store(_)) if dead => return self.keep_what_is_there(at, words),
            // A full document, or a beat taken away: nothing was written, and the inspector was told.
            Err(Error::DocumentFull | Error::UnknownBeat) => {
                self.never_written(words);
                return Ok(());
            }
            Err(error) => return violated("writing", format!("{who} cannot write: {error}")),
        }
        self.written(at, scope, before, words);
        Ok(())
    }

    /// Words that an app took must be in its store; those that it did not confirm may be.
    fn keep_what_is_there(&mut self, at: usize, words: &[WordNo]) -> Judgement {
        let there = self.words_on(at);
        for word in words {
            if !there.contains(word) {
                self.never_written(&[*word]);
            }
        }
        Ok(())
    }

    pub(super) fn never_written(&mut self, words: &[WordNo]) {
        for word in words {
            self.model.words[word.0].gone = Some("it was never written");
        }
    }

    fn written(&mut self, at: usize, scope: ScopeId, before: u64, words: &[WordNo]) {
        let (replica, index) = (self.phones[at].replica(), self.phones[at].written(scope));
        if index == before {
            // Logged before under this name: an import that is repeated.
            self.never_written(words);
            return;
        }
        let hash = self.entry_hash_on(at, scope, replica, index);
        for word in words {
            self.model.words[word.0].entry = Some((replica, index, hash));
        }
    }

    /// One of the beats that a phone may write in.
    fn some_beat(&mut self, at: usize) -> Option<ScopeId> {
        let beats: Vec<_> = self.phones[at].look().beats().iter().map(|beat| beat.scope).collect();
        if beats.is_empty() { None } else { Some(*self.chance.pick(&beats)) }
    }

    /// A visit that a phone shows, mostly a recent one.
    fn some_visit(&mut self, at: usize) -> Option<(ScopeId, DocumentId)> {
        let scope = self.some_beat(at)?;
        let known = self.model.documents_of(scope);
        let recent = known.get(known.len().saturating_sub(12)..).filter(|known| !known.is_empty())?;
        let id = *self.chance.pick(recent);
        self.phones[at].look().visit(id).is_ok().then_some((scope, id))
    }
}
