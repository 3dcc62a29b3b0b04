//! `aralau admin join` and `part`: what the organisation has twice becomes one, and two again.

use std::path::Path;

use aralau_server::store::{self, BeatRow, MadeOne, Named, NotJoined, Store, StoreError, Transaction};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{no_beat, now, operator};
use crate::{failure::Failure, output};

#[derive(Debug, Subcommand)]
pub enum Join {
    /// A place that is another one of its beat: it is withdrawn, and its visits are found under the other. Nothing that was
    /// written is changed, on phones neither; `part place` undoes it.
    Place {
        #[command(flatten)]
        place: Place,
        /// The place that it is: id, external code or address.
        #[arg(long, allow_hyphen_values = true)]
        into: String,
    },
    /// Two names that are one person: what was written under the first is found under the second, and each gets the beats of
    /// the other. Phones go on as they are; `part person` undoes it, but for the beats.
    Person {
        /// Id, or name.
        #[arg(allow_hyphen_values = true)]
        person: String,
        /// Whom they are: id, or name.
        #[arg(long, allow_hyphen_values = true)]
        into: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Part {
    /// A place that is part of another becomes one of its own again, with its visits.
    Place(Place),
    /// A name that is another's becomes a person again, with their visits.
    Person {
        /// Id, or name.
        #[arg(allow_hyphen_values = true)]
        person: String,
    },
}

#[derive(Debug, Args)]
#[group(skip)]
pub struct Place {
    /// Id, external code or address.
    #[arg(allow_hyphen_values = true)]
    place: String,
    /// The code of its beat, where several have such a place.
    #[arg(long)]
    beat: Option<String>,
}

impl Join {
    pub fn run(&self, data: &Path, store: &Store, json: bool) -> Result<(), Failure> {
        match self {
            Self::Place { place, into } => {
                let (handle, words) = (store.clone(), (place.place.clone(), into.clone()));
                let made = place.write(store, move |tx, beat| {
                    store::join_places(tx, handle.identity(), beat, (&words.0, &words.1), now())
                })?;
                show(data, json, "place", made)
            }
            Self::Person { person, into } => {
                let words = (person.clone(), into.clone());
                let made = store.write_by(operator(), move |tx| store::join_people(tx, (&words.0, &words.1), now()))?;
                show(data, json, "person", made)
            }
        }
    }
}

impl Part {
    pub fn run(&self, data: &Path, store: &Store, json: bool) -> Result<(), Failure> {
        match self {
            Self::Place(place) => {
                let (handle, word) = (store.clone(), place.place.clone());
                let made =
                    place.write(store, move |tx, beat| store::part_place(tx, handle.identity(), beat, &word, now()))?;
                show(data, json, "place", made)
            }
            Self::Person { person } => {
                let word = person.clone();
                let made = store.write_by(operator(), move |tx| store::part_person(tx, &word, now()))?;
                show(data, json, "person", made)
            }
        }
    }
}

impl Place {
    fn write<T: Send + 'static>(
        &self,
        store: &Store,
        job: impl Fn(&Transaction<'_>, Option<&BeatRow>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let code = self.beat.clone();
        let done = store.write_by(operator(), move |tx| {
            let beat = match &code {
                Some(code) => match store::beat(tx, code)? {
                    Some(beat) => Some(beat),
                    None => return Ok(None),
                },
                None => None,
            };
            job(tx, beat.as_ref()).map(Some)
        })?;
        done.ok_or_else(|| no_beat(self.beat.as_deref().unwrap_or_default()))
    }
}

fn show<T: std::fmt::Display + serde::Serialize>(
    data: &Path,
    json: bool,
    what: &str,
    made: Result<MadeOne<T>, NotJoined<T>>,
) -> Result<(), Failure> {
    let made = made.map_err(|not| refusal(what, not))?;
    output::show(json, &made, |made| {
        let visits = made.visits;
        match &made.goes_as {
            Some(into) => format!(
                "{} is {} now; visits found there that name the first: {visits}.\nUndone by: aralau admin --data {} part {what} {}",
                called(&made.was),
                called(into),
                data.display(),
                made.was.id
            ),
            None => format!("{} is a {what} of its own again, with {visits} visits.", called(&made.was)),
        }
    });
    Ok(())
}

fn called<T: std::fmt::Display>(named: &Named<T>) -> String {
    let more = [&named.external_code, &named.beat].into_iter().flatten();
    let more: String = more.map(|more| format!(", {more}")).collect();
    format!("{} ({}{more})", named.name, named.id)
}

fn refusal<T: std::fmt::Display + serde::Serialize>(what: &str, not: NotJoined<T>) -> Failure {
    let code = |end: &str| format!("{what}_{end}");
    match not {
        NotJoined::Unknown(word) => Failure::new(&code("unknown"), format!("there is no {what} {word:?}")),
        NotJoined::Ambiguous(word, found) => {
            Failure::new(&code("ambiguous"), format!("several go by {word:?}; give the id of one"))
                .with_parts(found.iter().map(called).collect(), json!({ "found": found }))
        }
        NotJoined::Itself => {
            Failure::new(&code("itself"), format!("a {what} cannot be part of itself, or of what is part of it"))
        }
        NotJoined::TwoBeats => Failure::new(
            "two_beats",
            "the two are of two beats; `load` moves a place to another beat, and then they can be joined",
        ),
        NotJoined::Withdrawn => {
            Failure::new(&code("withdrawn"), "the second is withdrawn; join the other way round, or `load` it again")
        }
        NotJoined::Part => Failure::new(
            &code("joined"),
            format!("this {what} is part of another already; `part {what}` makes it one of its own first"),
        ),
        NotJoined::Apart => Failure::new(&code("apart"), format!("this {what} is part of nothing")),
    }
}
