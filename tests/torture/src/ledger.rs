//! What all campaigns did so far: one line each in `tests/ledger.jsonl`, their sums in the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::campaign::Tally;

/// Where the sums stand in the documentation.
const BEGIN: &str = "<!-- sums of tests/ledger.jsonl, written by `torture sums --write` -->";
const END: &str = "<!-- end of the sums -->";

/// What the name of a revision ends with where the tree was not that commit's.
const DIRTY: &str = "-dirty";

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// `2026-11-22`, UTC.
    pub date: String,
    /// The commit, with `-dirty` where the tree was not that commit's.
    pub revision: String,
    /// What was done.
    #[serde(flatten)]
    pub tally: Tally,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ledger() -> PathBuf {
    root().join("tests/ledger.jsonl")
}

fn page() -> PathBuf {
    root().join("docs/explanation/reliability.md")
}

/// What is being tried now: the commit, and whether anything beside the ledger and its sums differs from it.
pub fn revision() -> Result<String> {
    let git = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("git").current_dir(root()).args(arguments).output().context("git")?;
        ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=9", "HEAD"])?;
    let else_than = [":!tests/ledger.jsonl", ":!docs/explanation/reliability.md"];
    let changed = git(&[&["status", "--porcelain", "--", "."], &else_than[..]].concat())?;
    Ok(if changed.is_empty() { commit } else { format!("{commit}{DIRTY}") })
}

/// Adds what was done to the ledger.
pub fn append(revision: &str, tallies: &[Tally]) -> Result<()> {
    let date = chrono::Utc::now().format("%Y-%m-%d").to_string();
    let mut text = String::new();
    for tally in tallies {
        let line = Line { date: date.clone(), revision: revision.to_owned(), tally: tally.clone() };
        writeln!(text, "{}", serde_json::to_string(&line)?)?;
    }
    // One write, so that two that add at once do not mix their lines.
    let mut file = fs::OpenOptions::new().create(true).append(true).open(ledger())?;
    Ok(file.write_all(text.as_bytes())?)
}

/// All lines.
pub fn read() -> Result<Vec<Line>> {
    let text = fs::read_to_string(ledger()).context("tests/ledger.jsonl")?;
    let parse = |(number, line)| serde_json::from_str(line).with_context(|| format!("ledger, line {}", number + 1));
    text.lines().enumerate().map(parse).collect()
}

/// What one campaign comes to.
struct Sum<'a> {
    count: u64,
    failed: u64,
    runs: u64,
    dates: BTreeSet<&'a str>,
    first: &'a str,
    last: &'a str,
}

/// The table that the documentation shows. What was never committed can be tried again by nobody, and is in no sum.
pub fn table(lines: &[Line]) -> String {
    let mut sums: BTreeMap<&str, Sum<'_>> = BTreeMap::new();
    let (kept, dirty): (Vec<_>, Vec<_>) = lines.iter().partition(|line| !line.revision.ends_with(DIRTY));
    for line in kept {
        let (first, last) = (&*line.revision, &*line.revision);
        let nothing = Sum { count: 0, failed: 0, runs: 0, dates: BTreeSet::new(), first, last };
        let sum = sums.entry(&line.tally.campaign).or_insert(nothing);
        sum.count += line.tally.count;
        sum.failed += line.tally.failed;
        sum.runs += 1;
        sum.dates.insert(&line.date);
        sum.last = last;
    }
    let mut table =
        "| campaign | done | failed | runs | from | to | at revisions |\n|---|---:|---:|---:|---|---|---|\n".to_owned();
    for (campaign, sum) in sums {
        let (from, to) = (sum.dates.first().unwrap_or(&""), sum.dates.last().unwrap_or(&""));
        let revisions =
            if sum.first == sum.last { sum.first.to_owned() } else { format!("{} … {}", sum.first, sum.last) };
        let (done, failed, runs) = (thousands(sum.count), thousands(sum.failed), sum.runs);
        table += &format!("| {campaign} | {done} | {failed} | {runs} | {from} | {to} | {revisions} |\n");
    }
    if !dirty.is_empty() {
        let (runs, failed) = (dirty.len(), dirty.iter().map(|line| line.tally.failed).sum::<u64>());
        table += &format!(
            "\nIn no sum: {runs} runs of trees that were never committed so, of which {failed} tries failed.\n"
        );
    }
    table
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The documentation's page with the sums of the ledger, and as it is.
pub fn pages() -> Result<(String, String)> {
    let is = fs::read_to_string(page()).context("docs/explanation/reliability.md")?;
    let (before, rest) = is.split_once(BEGIN).context("the page lacks the mark where the sums begin")?;
    let (_, after) = rest.split_once(END).context("the page lacks the mark where the sums end")?;
    let ought = format!("{before}{BEGIN}\n\n{}\n{END}{after}", table(&read()?));
    Ok((ought, is))
}

/// Brings the documentation's sums up.
pub fn write() -> Result<()> {
    let (ought, _) = pages()?;
    Ok(fs::write(page(), ought)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_campaign_add_up() {
        let line = |date: &str, revision: &str, campaign: &str, count| {
            let tally = Tally { count, ..Tally::new(campaign, 1) };
            Line { date: date.to_owned(), revision: revision.to_owned(), tally }
        };
        let lines = [
            line("2026-01-01", "aaa", "kills", 900),
            line("2026-01-01", "aaa", "fuzz", 7),
            line("2026-01-03", "bbb", "kills", 1_234_567),
            line("2026-01-04", "bbb-dirty", "kills", 5),
        ];
        let table = table(&lines);
        let rows: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| fuzz | 7 | 0 | 1 | 2026-01-01 | 2026-01-01 | aaa |",
                "| kills | 1,235,467 | 0 | 2 | 2026-01-01 | 2026-01-03 | aaa … bbb |",
                "",
                "In no sum: 1 runs of trees that were never committed so, of which 0 tries failed.",
            ]
        );
    }

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let text =
            r#"{"date":"2026-01-01","revision":"aaa","campaign":"kills","first":1,"count":50,"failed":0,"more":7}"#;
        let line: Line = serde_json::from_str(text).unwrap();
        assert_eq!((line.tally.count, &line.tally.figures["more"]), (50, &7.into()));
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
    }

    #[test]
    fn the_documentation_shows_the_ledgers_sums() {
        let (ought, is) = pages().unwrap();
        assert_eq!(ought, is, "bring them up by `torture sums --write`");
    }
}
