//! Visits as tables: one of the visits, and one for each thing of which a visit may bring several.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    change::Value,
    visit::{ACTIVE, WITHDRAWN},
    vocabulary::Language,
};

use super::{
    disputed,
    table::{Cell, Column, Plain, Sheet, SheetOf, code, instant, number, of, owned, text, whole},
    words,
};
use crate::{
    calendar::Day,
    http::extract::Parameters,
    query::{
        export::{ExportedNote, ExportedVisit, Source},
        instant::Instant,
        more::{Changed, Disputed},
        visit::Item,
        visits::{PlaceName, Position},
    },
};

/// How a workbook of visits is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VisitBookStyle {
    /// For a reader of this language, `ru`, `kk` or `en`, as in a CSV: also the sheets are called in it.
    #[param(value_type = Option<String>, pattern = "^(ru|kk|en)$")]
    pub language: Option<Language>,
    /// Which sheets it holds.
    #[serde(default)]
    #[param(inline)]
    pub sheets: Detail,
}

impl Parameters for VisitBookStyle {
    const NAMES: &'static [&'static str] = &["language", "sheets"];
}

/// How much of visits a workbook holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// A sheet of visits.
    #[default]
    Visits,
    /// Also one each of notes, concerns, commitments, referrals, conflicts, and of what was changed after a visit was first written.
    All,
}

type Visit = ExportedVisit;
type OfVisit = Column<Visit, Visit>;
type OfNote = Column<Visit, ExportedNote>;
type OfItem = Column<Visit, Item>;
type OfValue = Column<Visit, Disputed>;
type OfChange = Column<Visit, Changed>;

/// The columns of the table of visits, in their order.
pub(super) const COLUMNS: &[Column<Visit, Visit>] = &[
    OfVisit::id("id", |visit, _| owned(visit.head.id.to_string())),
    OfVisit::of("beat", words::BEAT, |visit, _| beat(visit)).coded(),
    OfVisit::id("place_id", |visit, _| of_place(visit, |place| owned(place.id.to_string()))),
    OfVisit::field("address", "address", |visit, _| address(visit)).in_gis("place_address"),
    OfVisit::field("external_code", "external_code", |visit, _| {
        of_place(visit, |place| text(place.external_code.as_deref()))
    })
    .in_gis("place_external_code"),
    OfVisit::id("author_id", |visit, _| of(visit.head.author.as_ref(), |author| owned(author.id.to_string()))),
    OfVisit::of("author", words::INSPECTOR, |visit, _| of(visit.head.author.as_ref(), Cell::Person)),
    OfVisit::field("type", "visit_type", |visit, _| code("visit_type", visit.head.visit_type.as_deref())).coded(),
    OfVisit::field("outcome", "outcome", |visit, _| code("outcome", visit.head.outcome.as_deref())).coded(),
    OfVisit::field("status", "status", |visit, _| code("status", Some(&visit.head.status))).coded(),
    OfVisit::field("started_at", "started_at", |visit, _| instant(Some(visit.head.started_at))).time(),
    OfVisit::field("ended_at", "ended_at", |visit, _| instant(visit.head.ended_at)).time(),
    OfVisit::of("device_time", words::PHONE_CLOCK, |visit, _| instant(Some(visit.clocks.device_time))).time(),
    OfVisit::of("corrected_time", words::CORRECTED, |visit, _| instant(visit.clocks.corrected_time)).time(),
    OfVisit::of("received_at", words::RECEIVED, |visit, _| instant(Some(visit.head.received_at))).time(),
    OfVisit::of("late", words::LATE, |visit, _| Cell::Flag(visit.head.late)).coded(),
    OfVisit::of("labels", words::MARKS, |visit, _| Cell::Words(&visit.clocks.labels)).coded(),
    OfVisit::of("conflicts", words::CONFLICT_COUNT, |visit, _| whole(visit.conflicts.into())),
    OfVisit::field("lat", "lat_e7", |visit, _| of_position(visit, |position| number(Some(position.lat)))),
    OfVisit::field("lon", "lon_e7", |visit, _| of_position(visit, |position| number(Some(position.lon)))),
    OfVisit::of("accuracy_m", words::ACCURACY_M, |visit, _| of_position(visit, |position| number(position.accuracy_m))),
    OfVisit::field("mock", "mock", |visit, _| {
        of_position(visit, |position| position.mock.map_or(Cell::EMPTY, Cell::Flag))
    })
    .coded(),
    OfVisit::of("notes", words::NOTE_COUNT, |visit, _| whole(visit.notes.len() as i64)),
    OfVisit::of("text", words::NOTE_WORDS, |visit, _| owned(all_words(visit))),
    OfVisit::field("source_file", "source_file", |visit, _| of_source(visit, |source| text(Some(&source.source_file)))),
    OfVisit::field("source_row", "source_row", |visit, _| of_source(visit, |source| whole(source.source_row))),
    OfVisit::field("source_id", "source_id", |visit, _| of_source(visit, |source| text(Some(&source.source_id)))),
];

/// The visits themselves.
pub(super) const VISITS: Sheet<Visit, Visit> =
    Sheet { name: "visits", title: words::VISITS, columns: COLUMNS, items: std::slice::from_ref };

/// Every table of visits, that of the visits first.
pub(super) const ALL: [&dyn SheetOf<Visit>; 7] =
    [&VISITS, &NOTES, &CONCERNS, &COMMITMENTS, &REFERRALS, &CONFLICTS, &CHANGES];

const NOTES: Sheet<Visit, ExportedNote> = Sheet {
    name: "notes",
    title: words::NOTES,
    columns: &[
        OfNote::field("text", "text", |_, note| text(Some(&note.text))),
        OfNote::of("written_by", words::WRITTEN_BY, |_, note| of(note.by.as_ref(), Cell::Person)),
        OfNote::of("written_at", words::WRITTEN_AT, |_, note| instant(Some(note.at))).time(),
        OfNote::field("status", "status", |_, note| code("status", Some(&note.status))).coded(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfNote::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
        OfNote::id("note_id", |_, note| owned(note.id.to_string())),
        OfNote::id("written_by_id", |_, note| of(note.by.as_ref(), |person| owned(person.id.to_string()))),
    ],
    items: |visit| &visit.notes,
};

const CONCERNS: Sheet<Visit, Item> = Sheet {
    name: "concerns",
    title: words::CONCERNS,
    columns: &[
        OfItem::field("category", "category", |_, item| coded(item, "category")).coded(),
        OfItem::field("text", "text", |_, item| field(item, "text")),
        OfItem::field("status", "status", |_, item| status(item)).coded(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfItem::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
        OfItem::id("concern_id", |_, item| owned(item.id.to_string())),
    ],
    items: |visit| &visit.more.concerns,
};

const COMMITMENTS: Sheet<Visit, Item> = Sheet {
    name: "commitments",
    title: words::COMMITMENTS,
    columns: &[
        OfItem::field("to", "to", |_, item| field(item, "to")),
        OfItem::field("text", "text", |_, item| field(item, "text")),
        OfItem::field("due", "due", |_, item| field(item, "due")),
        OfItem::field("fulfilled_at", "fulfilled_at", |_, item| field(item, "fulfilled_at")).time(),
        OfItem::field("evidence", "evidence", |_, item| field(item, "evidence")),
        OfItem::field("status", "status", |_, item| status(item)).coded(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfItem::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
        OfItem::id("commitment_id", |_, item| owned(item.id.to_string())),
    ],
    items: |visit| &visit.more.commitments,
};

const REFERRALS: Sheet<Visit, Item> = Sheet {
    name: "referrals",
    title: words::REFERRALS,
    columns: &[
        OfItem::field("agency", "agency", |_, item| coded(item, "agency")).coded(),
        OfItem::field("reason", "reason", |_, item| field(item, "reason")),
        OfItem::field("external_number", "external_number", |_, item| field(item, "external_number")),
        OfItem::field("due", "due", |_, item| field(item, "due")),
        OfItem::field("referral_status", "referral_status", |_, item| coded(item, "referral_status")).coded(),
        OfItem::field("status", "status", |_, item| status(item)).coded(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfItem::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
        OfItem::id("referral_id", |_, item| owned(item.id.to_string())),
    ],
    items: |visit| &visit.more.referrals,
};

const CONFLICTS: Sheet<Visit, Disputed> = Sheet {
    name: "conflicts",
    title: words::CONFLICTS,
    columns: &[
        disputed::field(),
        disputed::value(),
        disputed::is_shown(),
        disputed::written_by(),
        disputed::written_at(),
        disputed::also_by(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfValue::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
    ],
    items: |visit| &visit.more.conflicts,
};

const CHANGES: Sheet<Visit, Changed> = Sheet {
    name: "changes",
    title: words::CHANGES,
    columns: &[
        OfChange::of("field", words::FIELD, |_, change| Cell::Key(&change.field)).coded(),
        OfChange::of("value", words::VALUE, |_, change| {
            Cell::Value(&change.field, &change.value, change.place.as_ref())
        })
        .coded(),
        OfChange::of("written_by", words::WRITTEN_BY, |_, change| of(change.by.as_ref(), Cell::Person)),
        OfChange::of("device_time", words::PHONE_CLOCK, |_, change| instant(change.device_time)).time(),
        OfChange::of("corrected_time", words::CORRECTED, |_, change| instant(change.corrected_time)).time(),
        OfChange::of("received_at", words::RECEIVED, |_, change| instant(Some(change.received_at))).time(),
        whose_address(),
        whose_beat(),
        when_begun(),
        OfChange::id("visit_id", |visit, _| owned(visit.head.id.to_string())),
    ],
    items: |visit| &visit.more.changes,
};

/// What tells a reader of an item which visit it is of.
const fn whose_address<T>() -> Column<Visit, T> {
    Column::field("address", "address", |visit, _| address(visit))
}

const fn whose_beat<T>() -> Column<Visit, T> {
    Column::<Visit, T>::of("beat", words::BEAT, |visit, _| beat(visit)).coded()
}

const fn when_begun<T>() -> Column<Visit, T> {
    Column::<Visit, T>::of("started_at", words::VISIT_BEGAN, |visit, _| instant(Some(visit.head.started_at))).time()
}

/// The notes that are not withdrawn.
fn all_words(visit: &Visit) -> String {
    let words = visit.notes.iter().filter(|note| note.status != WITHDRAWN).map(|note| note.text.as_str());
    words.collect::<Vec<_>>().join("\n")
}

/// A field of an item as what it is: words, a day or an instant, and what else a foreign app may have put there.
fn field<'a>(item: &'a Item, name: &'static str) -> Cell<'a> {
    match item.fields.get(name) {
        None | Some(Value::Null) => Cell::EMPTY,
        Some(Value::Text(words)) if name == "due" => {
            words.parse().map_or_else(|_| text(Some(words)), |day: Day| Cell::Plain(Plain::Day(day)))
        }
        Some(Value::Int(ms) | Value::Timestamp(ms)) if name.ends_with("_at") => instant(Some(Instant::from_ms(*ms))),
        Some(value) => Cell::Value(name, value, None),
    }
}

fn coded<'a>(item: &'a Item, name: &'static str) -> Cell<'a> {
    item.fields.get(name).map_or(Cell::EMPTY, |value| Cell::Value(name, value, None))
}

/// Who does not say so has not withdrawn it.
fn status(item: &Item) -> Cell<'_> {
    let status = item.fields.get("status").and_then(Value::as_text);
    code("status", status.or(Some(ACTIVE)))
}

fn beat(visit: &Visit) -> Cell<'_> {
    visit.head.beat.as_deref().map_or(Cell::EMPTY, Cell::Beat)
}

fn address(visit: &Visit) -> Cell<'_> {
    of_place(visit, |place| text(place.address.as_deref()))
}

fn of_place(visit: &Visit, cell: fn(&PlaceName) -> Cell<'_>) -> Cell<'_> {
    of(visit.head.place.as_ref(), cell)
}

fn of_position(visit: &Visit, cell: fn(&Position) -> Cell<'static>) -> Cell<'static> {
    visit.head.position.as_ref().map_or(Cell::EMPTY, cell)
}

fn of_source(visit: &Visit, cell: fn(&Source) -> Cell<'_>) -> Cell<'_> {
    of(visit.source.as_ref(), cell)
}
