//! What an import says of itself.

use std::{
    fmt::{self, Write as _},
    path::Path,
};

use aralau::{
    journal::{Journal, Layout, field::Field, map::Map, propose::Proposal},
    tables::fault::{Fault, Faults},
};
use serde::Serialize;
use serde_json::json;

use super::Outcome;
use crate::{failure::Failure, output};

/// Rejected rows that a person is shown; the file has all.
const MOST_SHOWN: usize = 10;

/// What became of a journal.
pub struct Told<'a> {
    /// Nothing was changed.
    pub dry_run: bool,
    /// What was read.
    pub journal: &'a Journal,
    /// Where its columns were.
    pub layout: &'a Layout,
    /// What was said of it.
    pub map: &'a Map,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// Where the rejected rows are.
    pub rejected_file: Option<&'a Path>,
}

/// As a script is given it.
#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    file: &'a str,
    rows: usize,
    visits: usize,
    known: usize,
    repeated: usize,
    rejected: usize,
    rejected_file: Option<&'a Path>,
    ids_from: &'static str,
    places_made: &'a [String],
    people_made: &'a [String],
    columns_not_imported: &'a [String],
    sheets_not_read: &'a [String],
    codes_not_listed: Vec<String>,
    faults: Vec<Fault>,
    more: usize,
}

impl<'a> Told<'a> {
    /// Says it. Where all that was read is rejected, that is a failure.
    pub fn show(&self, json: bool) -> Result<(), Failure> {
        let report = self.report();
        if report.rejected > 0 && report.visits + report.known + report.repeated == 0 {
            let file =
                self.rejected_file.map(|file| format!(" All of them are in {}.", file.display())).unwrap_or_default();
            let sentence = format!("no row can be imported.{file}");
            let lines = report.faults.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
            let values = serde_json::to_value(&report).unwrap_or_default();
            return Err(Failure::new("all_rejected", sentence).with_parts(lines, values));
        }
        output::show(json, &report, |report| self.words(report).unwrap_or_default().trim_end().to_owned());
        Ok(())
    }

    fn report(&self) -> Report<'a> {
        let Outcome { rows, visits, known, repeated, rejected, places, people } = self.outcome;
        let mut faults = Faults::default();
        rejected.values().flatten().chain(&self.journal.broken).for_each(|fault| faults.push(fault.clone()));
        Report {
            dry_run: self.dry_run,
            file: &self.journal.file,
            rows: *rows,
            visits: *visits,
            known: *known,
            repeated: *repeated,
            rejected: rejected.len() + self.journal.broken.len(),
            rejected_file: self.rejected_file,
            ids_from: if self.layout.has(Field::Id) { "column" } else { "words" },
            places_made: places,
            people_made: people,
            columns_not_imported: &self.layout.surplus,
            sheets_not_read: &self.journal.sheets_not_read,
            codes_not_listed: self.map.unlisted().into_iter().map(|(list, code)| format!("{list}: {code}")).collect(),
            faults: faults.faults,
            more: faults.more,
        }
    }

    fn words(&self, report: &Report<'_>) -> Result<String, fmt::Error> {
        let mut text = String::new();
        writeln!(text, "Read: {} rows from {}.", report.rows, report.file)?;
        if !report.columns_not_imported.is_empty() {
            writeln!(text, "Columns not imported: {}.", report.columns_not_imported.join(", "))?;
        }
        if !report.sheets_not_read.is_empty() {
            writeln!(text, "Sheets not read: {}.", report.sheets_not_read.join(", "))?;
        }
        if report.ids_from == "words" {
            writeln!(
                text,
                "No column names the rows: each is known again by all its words. Changed ones would be other visits."
            )?;
        }
        for code in &report.codes_not_listed {
            writeln!(text, "Code of no list, imported as it stands: {code}.")?;
        }
        for (made, what) in [(report.places_made, "Places"), (report.people_made, "People")] {
            if !made.is_empty() {
                writeln!(text, "{what} made: {}.", made.len())?;
            }
        }
        writeln!(text, "Imported: {} visits.", report.visits)?;
        for (count, what) in [(report.known, "In the store already"), (report.repeated, "Said twice")] {
            if count > 0 {
                writeln!(text, "{what}: {count} rows.")?;
            }
        }
        if report.rejected > 0 {
            let file =
                report.rejected_file.map(|file| format!(", with reasons in {}", file.display())).unwrap_or_default();
            writeln!(text, "Rejected: {} rows{file}.", report.rejected)?;
            report.faults.iter().take(MOST_SHOWN).try_for_each(|fault| writeln!(text, "  {fault}"))?;
            let more = (report.faults.len() + report.more).saturating_sub(MOST_SHOWN);
            if more > 0 {
                writeln!(text, "  and {more} more reasons")?;
            }
        }
        if self.dry_run {
            writeln!(text, "Nothing is changed. Without --dry-run it is done.")?;
        }
        Ok(text)
    }
}

/// Says where a proposed map is, and what it leaves open.
pub fn show_proposal(json: bool, journal: &Journal, proposal: &Proposal, path: &Path) {
    let (lines, mut values) = self::proposal(journal, proposal);
    values["map"] = json!(path);
    output::show(json, &values, |_| {
        let path = path.display();
        format!("{}\nThe map is in {path}. Look it through, then give it with --map.", lines.join("\n"))
    });
}

/// What a map would be, as lines and for a script.
pub fn proposal(journal: &Journal, proposal: &Proposal) -> (Vec<String>, serde_json::Value) {
    let header = &journal.table.header;
    let header = match (header.row, header.rows()) {
        (0, _) => String::new(),
        (row, 1) => format!(", with the header in row {row}"),
        (row, rows) => format!(", with the header in rows {row} to {}", row + rows - 1),
    };
    let mut lines = vec![format!("Read: {} rows from {}{header}.", journal.table.len(), journal.file)];
    lines.extend(proposal.columns.iter().map(|(field, headers)| format!("  {}: {}", field.name(), headers.join(", "))));
    if !proposal.columns.contains_key(&Field::Id) {
        lines.push("  id: no column names each row once; each is known again by all its words".to_owned());
    }
    if !proposal.surplus.is_empty() {
        lines.push(format!("Not imported: {}.", proposal.surplus.join(", ")));
    }
    if !journal.sheets_not_read.is_empty() {
        lines.push(format!("Sheets not read: {}.", journal.sheets_not_read.join(", ")));
    }
    lines.extend(proposal.missing.iter().map(|missing| format!("Missing: {missing}.")));
    if proposal.blanks > 0 {
        lines.push(format!("Words without a meaning yet: {}.", proposal.blanks));
    }
    let values = json!({
        "rows": journal.table.len(),
        "file": journal.file,
        "columns": proposal.columns.iter().map(|(field, headers)| (field.name(), headers)).collect::<std::collections::BTreeMap<_, _>>(),
        "columns_not_imported": proposal.surplus,
        "sheets_not_read": journal.sheets_not_read,
        "blanks": proposal.blanks,
        "missing": proposal.missing,
    });
    (lines, values)
}
