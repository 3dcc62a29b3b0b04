//! A visit as a row of a table, whichever program opens it.

use std::borrow::Cow;

use aralau_sync_core::visit::WITHDRAWN;

use crate::query::{
    export::{ExportedVisit, Source},
    instant::Instant,
    visits::{PlaceName, Position},
};

/// A column of the table.
pub(super) struct Column {
    /// What it is called.
    pub heading: &'static str,
    /// What it is called in a GIS, where layers that have addresses of their own are joined to it.
    pub property: &'static str,
    /// Whether an instant stands in it.
    pub is_time: bool,
    /// What stands in it for a visit.
    pub cell: fn(&ExportedVisit) -> Cell<'_>,
}

/// The columns, in their order.
pub(super) const COLUMNS: [Column; 27] = [
    Column::of("id", |visit| owned(Some(visit.head.id.to_string()))),
    Column::of("beat", |visit| text(visit.head.beat.as_deref())),
    Column::of("place_id", |visit| owned(visit.head.place.as_ref().map(|place| place.id.to_string()))),
    Column::of("address", |visit| of_place(visit, |place| place.address.as_deref())).in_gis("place_address"),
    Column::of("external_code", |visit| of_place(visit, |place| place.external_code.as_deref()))
        .in_gis("place_external_code"),
    Column::of("author_id", |visit| owned(visit.head.author.as_ref().map(|author| author.id.to_string()))),
    Column::of("author", |visit| text(visit.head.author.as_ref().map(|author| author.name.as_str()))),
    Column::of("type", |visit| text(visit.head.visit_type.as_deref())),
    Column::of("outcome", |visit| text(visit.head.outcome.as_deref())),
    Column::of("status", |visit| text(Some(&visit.head.status))),
    Column::time("started_at", |visit| Cell::Instant(visit.head.started_at)),
    Column::time("ended_at", |visit| instant(visit.head.ended_at)),
    Column::time("device_time", |visit| Cell::Instant(visit.clocks.device_time)),
    Column::time("corrected_time", |visit| instant(visit.clocks.corrected_time)),
    Column::time("received_at", |visit| Cell::Instant(visit.head.received_at)),
    Column::of("late", |visit| Cell::Flag(visit.head.late)),
    Column::of("labels", |visit| owned(Some(visit.clocks.labels.join(" ")))),
    Column::of("conflicts", |visit| Cell::Count(visit.conflicts.into())),
    Column::of("lat", |visit| of_position(visit, |position| Some(Cell::Number(position.lat)))),
    Column::of("lon", |visit| of_position(visit, |position| Some(Cell::Number(position.lon)))),
    Column::of("accuracy_m", |visit| of_position(visit, |position| position.accuracy_m.map(Cell::Number))),
    Column::of("mock", |visit| of_position(visit, |position| position.mock.map(Cell::Flag))),
    Column::of("notes", |visit| Cell::Count(visit.notes.len() as u64)),
    Column::of("text", |visit| owned(Some(words(visit)))),
    Column::of("source_file", |visit| text(visit.source.as_ref().map(|source| source.source_file.as_str()))),
    Column::of("source_row", |visit| of_source(visit, |source| Cell::Count(source.source_row.unsigned_abs()))),
    Column::of("source_id", |visit| text(visit.source.as_ref().map(|source| source.source_id.as_str()))),
];

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    /// Words of people: never to be taken for anything else.
    Text(Cow<'a, str>),
    Number(f64),
    Count(u64),
    Flag(bool),
    Instant(Instant),
}

impl Column {
    const fn of(heading: &'static str, cell: fn(&ExportedVisit) -> Cell<'_>) -> Self {
        Self { heading, property: heading, is_time: false, cell }
    }

    const fn time(heading: &'static str, cell: fn(&ExportedVisit) -> Cell<'_>) -> Self {
        Self { is_time: true, ..Self::of(heading, cell) }
    }

    const fn in_gis(self, property: &'static str) -> Self {
        Self { property, ..self }
    }
}

/// The notes that are not withdrawn.
fn words(visit: &ExportedVisit) -> String {
    let words = visit.notes.iter().filter(|note| note.status != WITHDRAWN).map(|note| note.text.as_str());
    words.collect::<Vec<_>>().join("\n")
}

fn of_place(visit: &ExportedVisit, of: fn(&PlaceName) -> Option<&str>) -> Cell<'_> {
    text(visit.head.place.as_ref().and_then(of))
}

fn of_position(visit: &ExportedVisit, of: fn(&Position) -> Option<Cell<'static>>) -> Cell<'static> {
    visit.head.position.as_ref().and_then(of).unwrap_or(Cell::Empty)
}

fn of_source(visit: &ExportedVisit, of: fn(&Source) -> Cell<'static>) -> Cell<'static> {
    visit.source.as_ref().map_or(Cell::Empty, of)
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
}

fn owned(text: Option<String>) -> Cell<'static> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
}

fn instant(instant: Option<Instant>) -> Cell<'static> {
    instant.map_or(Cell::Empty, Cell::Instant)
}
