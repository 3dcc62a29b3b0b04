//! A visit as a row of a table, whichever program opens it.

use std::borrow::Cow;

use crate::query::{export::ExportedVisit, instant::Instant};

/// What the columns are called.
pub(super) const HEADINGS: [&str; 20] = [
    "id",
    "beat",
    "place_id",
    "address",
    "author_id",
    "author",
    "type",
    "outcome",
    "status",
    "started_at",
    "ended_at",
    "received_at",
    "late",
    "conflicts",
    "lat",
    "lon",
    "accuracy_m",
    "mock",
    "notes",
    "text",
];

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    /// Words of people: never to be taken for anything else.
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    Instant(Instant),
}

/// The row of a visit. Its last column joins the notes that are not withdrawn.
pub(super) fn cells(visit: &ExportedVisit) -> [Cell<'_>; HEADINGS.len()] {
    let head = &visit.head;
    let (place, author, position) = (head.place.as_ref(), head.author.as_ref(), head.position.as_ref());
    let words = visit.notes.iter().filter(|note| note.status != "withdrawn").map(|note| note.text.as_str());
    let words = words.collect::<Vec<_>>().join("\n");
    [
        Cell::Text(head.id.to_string().into()),
        text(head.beat.as_deref()),
        owned(place.map(|place| place.id.to_string())),
        text(place.and_then(|place| place.address.as_deref())),
        owned(author.map(|author| author.id.to_string())),
        text(author.map(|author| author.name.as_str())),
        text(head.visit_type.as_deref()),
        text(head.outcome.as_deref()),
        text(Some(&head.status)),
        Cell::Instant(head.started_at),
        head.ended_at.map_or(Cell::Empty, Cell::Instant),
        Cell::Instant(head.received_at),
        Cell::Flag(head.late),
        Cell::Number(f64::from(visit.conflicts)),
        number(position.map(|position| position.lat)),
        number(position.map(|position| position.lon)),
        number(position.and_then(|position| position.accuracy_m)),
        position.and_then(|position| position.mock).map_or(Cell::Empty, Cell::Flag),
        Cell::Number(visit.notes.len() as f64),
        owned(Some(words)),
    ]
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
}

fn owned(text: Option<String>) -> Cell<'static> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
}

fn number(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::Empty, Cell::Number)
}
