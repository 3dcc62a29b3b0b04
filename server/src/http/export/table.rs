//! Tables, whichever list they are of and whichever program opens them: sheets of columns, and what stands in a cell.
//!
//! A file is written either as data, each column once and codes as they are, or for a reader in a language. Then the columns that people
//! read come first, under headings and with labels in that language, and behind them ids and codes as data, each by its own name:
//! whoever joins the file with another finds them where the language is another, too.

use std::{borrow::Cow, collections::BTreeMap};

use aralau_sync_core::{
    change::Value,
    names,
    vocabulary::{self, Language},
};
use chrono_tz::Tz;
use rusqlite::Connection;

use super::words::{self, Words, said};
use crate::{
    calendar::Day,
    query::{author::Person, beats, instant::Instant, visits::PlaceName},
    reach::Reach,
    store::{HEADQUARTERS, StoreError, time_zone},
};

/// What stands in a column, before it is known who reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// The same for everybody.
    Plain(Plain<'a>),
    /// A code of a code list.
    Code(&'static str, &'a str),
    /// A code of no list, which [`words::code`] knows.
    Word(&'a str),
    /// Several of these.
    Words(&'a [&'static str]),
    /// A beat's code.
    Beat(&'a str),
    /// Several of these.
    Beats(&'a [String]),
    /// Someone, by their name.
    Person(&'a Person),
    /// Several of these.
    People(&'a [Person]),
    /// A yes or a no.
    Flag(bool),
    /// A key of a document.
    Key(&'a str),
    /// What stands under a key, and the place where that is one.
    Value(&'a str, &'a Value, Option<&'a PlaceName>),
}

/// What is written into a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain<'a> {
    Empty,
    /// Words of people: never to be taken for anything else.
    Text(Cow<'a, str>),
    Number(f64),
    Whole(i64),
    Flag(bool),
    Instant(Instant),
    Day(Day),
}

impl Cell<'_> {
    /// Nothing.
    pub(super) const EMPTY: Self = Self::Plain(Plain::Empty);
}

/// Who reads a file, and by whose clock.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// `None`: a program.
    language: Option<Language>,
    /// The deployment's time zone.
    pub zone: Tz,
    /// What the beats within are called, by code. Asked for only where somebody reads it.
    beats: BTreeMap<String, String>,
}

impl Reader {
    /// Of the files of one caller.
    pub(super) fn of(connection: &Connection, reach: &Reach, language: Option<Language>) -> Result<Self, StoreError> {
        let beats = match language {
            Some(_) => beats::names(connection, reach)?,
            None => BTreeMap::new(),
        };
        Ok(Self { language, zone: time_zone(connection)?, beats })
    }

    /// Whether it is a person.
    pub(super) const fn is_person(&self) -> bool {
        self.language.is_some()
    }

    /// What is written where a person reads it.
    fn read<'a>(&'a self, cell: Cell<'a>) -> Plain<'a> {
        let Some(language) = self.language else { return data(cell) };
        match cell {
            Cell::Plain(plain) => plain,
            Cell::Code(list, code) => plain_text(vocabulary::label(list, code, language)),
            Cell::Word(code) => plain_text(words::code(code, language)),
            Cell::Words(codes) => joined(codes.iter().map(|code| words::code(code, language)), ", "),
            Cell::Beat(code) => plain_text(self.beat(code)),
            Cell::Beats(codes) => joined(codes.iter().map(|code| self.beat(code)), ", "),
            Cell::Person(person) => plain_text(person_name(person, language)),
            Cell::People(people) => joined(people.iter().map(|person| person_name(person, language)), ", "),
            Cell::Flag(flag) => plain_text(words::flag(flag, language)),
            Cell::Key(key) => Plain::Text(names::key(key, language).into()),
            Cell::Value(key, value, place) => self.value(key, value, place, language),
        }
    }

    fn beat<'a>(&'a self, code: &'a str) -> &'a str {
        self.beats.get(code).map_or(code, String::as_str)
    }

    /// As the screens show it.
    fn value<'a>(&self, key: &'a str, value: &'a Value, place: Option<&'a PlaceName>, language: Language) -> Plain<'a> {
        let name = key.rsplit('/').next().unwrap_or(key);
        let at = |ms: i64| Plain::Text(Instant::from_ms(ms).local(self.zone).into());
        match value {
            Value::Text(code) => match (names::list_of(name), place.and_then(|place| place.address.as_deref())) {
                (Some(list), _) => plain_text(vocabulary::label(list, code, language)),
                (None, Some(address)) => plain_text(address),
                (None, None) => plain_text(code),
            },
            Value::Boolean(flag) => plain_text(words::flag(*flag, language)),
            Value::Timestamp(ms) => at(*ms),
            Value::Int(ms) if name.ends_with("_at") => at(*ms),
            Value::Int(scaled) if name.ends_with("_e7") => Plain::Number(*scaled as f64 / 1e7),
            Value::Int(centimetres) if name == "accuracy_cm" => Plain::Number(*centimetres as f64 / 100.0),
            Value::Null | Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Bytes(_) => of_value(value),
        }
    }
}

/// What is written where a program reads it.
fn data(cell: Cell<'_>) -> Plain<'_> {
    match cell {
        Cell::Plain(plain) => plain,
        Cell::Code(_, code) | Cell::Word(code) | Cell::Beat(code) | Cell::Key(code) => plain_text(code),
        Cell::Words(codes) => joined(codes.iter().copied(), " "),
        Cell::Beats(codes) => joined(codes.iter().map(String::as_str), " "),
        Cell::Person(person) => plain_text(&person.name),
        Cell::People(people) => joined(people.iter().map(|person| person.name.as_str()), ", "),
        Cell::Flag(flag) => Plain::Flag(flag),
        Cell::Value(_, value, _) => of_value(value),
    }
}

fn of_value(value: &Value) -> Plain<'_> {
    match value {
        Value::Null => Plain::Empty,
        Value::Boolean(flag) => Plain::Flag(*flag),
        Value::Int(number) | Value::Timestamp(number) => Plain::Whole(*number),
        Value::Uint(number) => i64::try_from(*number).map_or(Plain::Number(*number as f64), Plain::Whole),
        Value::Float(number) => Plain::Number(*number),
        Value::Text(words) => plain_text(words),
        Value::Bytes(bytes) => Plain::Text(hex::encode(bytes).into()),
    }
}

fn person_name(person: &Person, language: Language) -> &str {
    if person.id == HEADQUARTERS { words::headquarters(language) } else { &person.name }
}

fn plain_text(text: &str) -> Plain<'_> {
    Plain::Text(text.into())
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> Plain<'a> {
    Plain::Text(parts.collect::<Vec<_>>().join(between).into())
}

/// What a reader finds above a column.
#[derive(Debug, Clone, Copy)]
enum Heading {
    /// What the field of this name is called everywhere.
    Field(&'static str),
    Words(Words),
}

/// A column of the items `T` of rows `R`; in the sheet of the rows themselves both are the same.
pub(super) struct Column<R, T> {
    /// What it is called as data.
    name: &'static str,
    /// What it is called in a GIS, where layers that have addresses of their own are joined to it.
    pub property: &'static str,
    /// What its reader finds above it; `None`: nobody reads it.
    heading: Option<Heading>,
    /// Whether what is read is not what is joined, so that a reader's file has both.
    is_coded: bool,
    /// Whether an instant stands in it.
    is_time: bool,
    /// What stands in it.
    cell: for<'a> fn(&'a R, &'a T) -> Cell<'a>,
}

impl<R, T> Column<R, T> {
    /// What only a program reads.
    pub(super) const fn id(name: &'static str, cell: for<'a> fn(&'a R, &'a T) -> Cell<'a>) -> Self {
        Self { name, property: name, heading: None, is_coded: false, is_time: false, cell }
    }

    /// What is the same for both.
    pub(super) const fn of(name: &'static str, heading: Words, cell: for<'a> fn(&'a R, &'a T) -> Cell<'a>) -> Self {
        Self { heading: Some(Heading::Words(heading)), ..Self::id(name, cell) }
    }

    /// The same, under what the field of a document is called.
    pub(super) const fn field(
        name: &'static str,
        field: &'static str,
        cell: for<'a> fn(&'a R, &'a T) -> Cell<'a>,
    ) -> Self {
        Self { heading: Some(Heading::Field(field)), ..Self::id(name, cell) }
    }

    /// A code, for which a reader has words.
    pub(super) const fn coded(self) -> Self {
        Self { is_coded: true, ..self }
    }

    /// An instant, shown by the deployment's clock.
    pub(super) const fn time(self) -> Self {
        Self { is_time: true, ..self }
    }

    pub(super) const fn in_gis(self, property: &'static str) -> Self {
        Self { property, ..self }
    }

    /// What stands in it as data.
    pub(super) fn data<'a>(&self, row: &'a R, item: &'a T) -> Plain<'a> {
        data((self.cell)(row, item))
    }

    fn read_as(&self, reader: &Reader) -> String {
        let heading = reader.language.zip(self.heading).map(|(language, heading)| match heading {
            Heading::Field(name) => names::field(name, language).unwrap_or(name),
            Heading::Words(words) => said(words, language),
        });
        heading.unwrap_or(self.name).to_owned()
    }
}

/// A heading, and what stands beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub text: String,
    /// An instant of the deployment's clock.
    pub is_time: bool,
    /// For a person, who has to see what stands below.
    pub is_read: bool,
}

/// A table of the items of rows.
pub(super) struct Sheet<R: 'static, T: 'static> {
    /// What it is called as data.
    pub name: &'static str,
    /// What its reader finds it by.
    pub title: Words,
    pub columns: &'static [Column<R, T>],
    /// The items of a row; of the sheet of the rows themselves the row.
    pub items: for<'a> fn(&'a R) -> &'a [T],
}

/// A [`Sheet`] of whatever items.
pub(super) trait SheetOf<R>: Sync {
    /// What it is called where this reader finds it.
    fn name(&self, reader: &Reader) -> &'static str;
    /// What stands above its columns.
    fn heads(&self, reader: &Reader) -> Vec<Head>;
    /// Hands on the cells of each of a row's items.
    fn write<'a>(
        &self,
        row: &'a R,
        reader: &'a Reader,
        put: &mut dyn FnMut(&mut dyn Iterator<Item = Plain<'a>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl<R, T> Sheet<R, T> {
    /// The columns in the order of the file, and whether each is there to be read.
    fn layout(&self, reader: &Reader) -> impl Iterator<Item = (&'static Column<R, T>, bool)> {
        let is_person = reader.is_person();
        let read = self.columns.iter().filter(move |column| is_person && column.heading.is_some());
        let data = self.columns.iter().filter(move |column| !is_person || column.is_coded || column.heading.is_none());
        read.map(|column| (column, true)).chain(data.map(|column| (column, false)))
    }
}

impl<R, T> SheetOf<R> for Sheet<R, T> {
    fn name(&self, reader: &Reader) -> &'static str {
        reader.language.map_or(self.name, |language| said(self.title, language))
    }

    fn heads(&self, reader: &Reader) -> Vec<Head> {
        let head = |(column, is_read): (&Column<R, T>, bool)| {
            let text = if is_read { column.read_as(reader) } else { column.name.to_owned() };
            Head { text, is_time: column.is_time, is_read }
        };
        self.layout(reader).map(head).collect()
    }

    fn write<'a>(
        &self,
        row: &'a R,
        reader: &'a Reader,
        put: &mut dyn FnMut(&mut dyn Iterator<Item = Plain<'a>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        (self.items)(row).iter().try_for_each(|item| {
            put(&mut self.layout(reader).map(|(column, is_read)| {
                let cell = (column.cell)(row, item);
                if is_read { reader.read(cell) } else { data(cell) }
            }))
        })
    }
}

pub(super) fn of<'a, T: ?Sized>(whole: Option<&'a T>, cell: impl Fn(&'a T) -> Cell<'a>) -> Cell<'a> {
    whole.map_or(Cell::EMPTY, cell)
}

pub(super) fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::EMPTY, |text| Cell::Plain(Plain::Text(text.into())))
}

pub(super) fn owned(text: String) -> Cell<'static> {
    Cell::Plain(Plain::Text(text.into()))
}

pub(super) fn code<'a>(list: &'static str, code: Option<&'a str>) -> Cell<'a> {
    code.map_or(Cell::EMPTY, |code| Cell::Code(list, code))
}

pub(super) fn whole(number: i64) -> Cell<'static> {
    Cell::Plain(Plain::Whole(number))
}

pub(super) fn number(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::EMPTY, |number| Cell::Plain(Plain::Number(number)))
}

pub(super) fn instant(instant: Option<Instant>) -> Cell<'static> {
    instant.map_or(Cell::EMPTY, |instant| Cell::Plain(Plain::Instant(instant)))
}
