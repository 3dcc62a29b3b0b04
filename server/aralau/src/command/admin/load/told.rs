//! What a load says of itself.

use std::fmt::{self, Write as _};

use aralau::tables::{NotRead, Notice, ReadTable, Tables};
use aralau_server::store::{
    FieldChange, FieldValue, GrantEnded, PersonAdded, PlaceAdded, PlaceChanged, PlaceMoved, Plan,
};
use serde::Serialize;
use serde_json::json;

use crate::output;

/// Lines of one kind that a person is shown; a script is given all.
const MOST_SHOWN: usize = 20;

/// What was read and what becomes, or became, of it.
pub struct Told<'a> {
    /// Nothing was changed.
    pub dry_run: bool,
    /// What was read.
    pub tables: &'a Tables,
    /// What follows from it.
    pub plan: &'a Plan,
}

/// As a script is given it.
#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    beats: usize,
    places: usize,
    people: usize,
    read: &'a [ReadTable],
    plan: &'a Plan,
    warnings: Vec<Notice>,
}

/// That a column is not read, and which it may be.
pub fn column_not_read(NotRead { column, meant }: &NotRead) -> String {
    let meant = meant.map(|meant| format!(" Is {meant:?} meant?")).unwrap_or_default();
    format!("Column {column:?} is not read.{meant}")
}

impl Told<'_> {
    /// Says it.
    pub fn show(&self, json: bool) {
        let made = self.plan.made();
        let report = Report {
            dry_run: self.dry_run,
            beats: made.beats,
            places: made.places,
            people: made.people,
            read: &self.tables.read,
            plan: self.plan,
            warnings: self.plan.warnings.iter().filter_map(|warning| self.tables.notice(warning)).collect(),
        };
        output::show(json, &report, |report| self.words(report).unwrap_or_default().trim_end().to_owned());
    }

    fn words(&self, report: &Report<'_>) -> Result<String, fmt::Error> {
        let mut text = String::new();
        for table in report.read {
            writeln!(text, "Read: {} from {}.", counted(table.rows, row_of(table)), table.file)?;
            for column in &table.columns_not_read {
                writeln!(text, "  {}", column_not_read(column))?;
            }
            if let Some(beat) = &table.beat {
                writeln!(text, "  No column names the beat: it is {beat:?}, as the sheet is called.")?;
            }
            if let Some(first) = table.totals_not_read.first() {
                let rows = counted(table.totals_not_read.len(), "row");
                writeln!(text, "  Totals are not read: {rows}, the first of them row {first}.")?;
            }
            if !table.sheets_not_read.is_empty() {
                writeln!(text, "  Sheets not read: {}.", table.sheets_not_read.join(", "))?;
            }
        }
        self.summary(&mut text)?;
        if self.dry_run {
            self.details(&mut text)?;
        }
        let warnings = &report.warnings;
        listed(&mut text, "To look at", warnings, |Notice { code, file, row, column, value, message, .. }| {
            format!("{file}, row {row}, column {column:?}, {value:?}: {message} [{code}]")
        })?;
        if self.dry_run {
            writeln!(text, "Nothing is changed. Without --dry-run it is done.")?;
        }
        Ok(text)
    }

    fn summary(&self, text: &mut String) -> fmt::Result {
        let plan = self.plan;
        writeln!(
            text,
            "New: {}, {}, {}.",
            counted(plan.beats_added.len(), "beat"),
            counted(plan.places_added.len(), "place"),
            counted_as(plan.people_added.len(), "person", "people")
        )?;
        let others = [
            (plan.places_changed.len(), "place", "Changed"),
            (plan.places_moved.len(), "place", "Moved to another beat"),
            (plan.beats_renamed.len(), "beat", "Renamed"),
            (plan.outlines_set.len(), "outline", "Drawn"),
            (plan.grants_added.len(), "right", "Granted"),
            (plan.grants_ended.len(), "right", "Ended"),
            (plan.left.repeated_rows, "row", "Said twice"),
        ];
        for (count, what, verb) in others.into_iter().filter(|(count, ..)| *count > 0) {
            writeln!(text, "{verb}: {}.", counted(count, what))?;
        }
        let left = plan.left;
        writeln!(
            text,
            "Left as is: {}, {}, {}.",
            counted(left.beats, "beat"),
            counted(left.places, "place"),
            counted_as(left.people, "person", "people")
        )?;
        if left.places_not_listed > 0 {
            let places = counted(left.places_not_listed, "place");
            writeln!(text, "In the same beats, but in no row: {places}, left as they are.")?;
        }
        if !plan.grants_kept.is_empty() {
            let rights = counted(plan.grants_kept.len(), "right");
            writeln!(text, "Not in the table of staff: {rights} of listed people; --replace-grants ends them.")?;
        }
        Ok(())
    }

    fn details(&self, text: &mut String) -> fmt::Result {
        let plan = self.plan;
        listed(text, "New beats", &plan.beats_added, |beat| format!("{} {:?}", beat.code, beat.name))?;
        listed(text, "Renamed beats", &plan.beats_renamed, |beat| {
            format!("{}: {:?} → {:?}", beat.code, beat.from, beat.to)
        })?;
        listed(text, "New people", &plan.people_added, |PersonAdded { name, .. }| name.clone())?;
        listed(text, "Rights that begin", &plan.grants_added, |grant| format!("{} on {}", grant.name, grant.beat))?;
        let ends = |GrantEnded { name, beat, .. }: &GrantEnded| format!("{name} on {beat}");
        listed(text, "Rights that end", &plan.grants_ended, ends)?;
        listed(text, "Rights that --replace-grants would end", &plan.grants_kept, ends)?;
        listed(text, "New places", &plan.places_added, |PlaceAdded { beat, place, .. }| {
            format!("{beat}: {}", place.address.as_deref().unwrap_or_default())
        })?;
        listed(text, "Changed places", &plan.places_changed, |PlaceChanged { beat, address, changes, .. }| {
            let changes: Vec<String> = changes.iter().map(change).collect();
            format!("{beat}: {}: {}", address.as_deref().unwrap_or_default(), changes.join(", "))
        })?;
        listed(text, "Moved places", &plan.places_moved, |PlaceMoved { from_beat, to_beat, place, .. }| {
            format!("{from_beat} → {to_beat}: {}", place.address.as_deref().unwrap_or_default())
        })
    }
}

fn row_of(table: &ReadTable) -> &'static str {
    if table.kind == "areas" { "outline" } else { "row" }
}

fn change(FieldChange { field, from, to }: &FieldChange) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Text(text) => format!("{text:?}"),
        FieldValue::Point(point) => format!("{}, {}", point.lat, point.lon),
    };
    let from = from.as_ref().map_or("nothing".to_owned(), value);
    let field = json!(field);
    format!("{} {from} → {}", field.as_str().unwrap_or_default(), value(to))
}

/// The first few of a list under a title, and how many more there are.
fn listed<T>(text: &mut String, title: &str, values: &[T], words: impl Fn(&T) -> String) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    writeln!(text, "{title}:")?;
    values.iter().take(MOST_SHOWN).try_for_each(|value| writeln!(text, "  {}", words(value)))?;
    match values.len().saturating_sub(MOST_SHOWN) {
        0 => Ok(()),
        more => writeln!(text, "  and {more} more; --json has all"),
    }
}

fn counted(count: usize, what: &str) -> String {
    counted_as(count, what, &format!("{what}s"))
}

fn counted_as(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
