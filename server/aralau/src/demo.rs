//! The demonstration: inspectors' devices log visits without a network, come back in any order over a bad line, and
//! headquarters' history grows whole. Everything in it is real: server, HTTP, device stores.

mod cast;
mod headquarters;
mod line;
mod script;
mod stage;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use aralau::import;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{command::now, failure::Failure, output};
use headquarters::Headquarters;
use script::{Chance, Script};
use stage::Stage;

#[derive(Debug, Args)]
pub struct Demo {
    /// How many inspectors, each with a device.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=200), conflicts_with = "from")]
    devices: u16,
    /// How many visits, made up.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "from")]
    visits: u32,
    /// Relive real inspections from a table instead; every word of its `team` column gets a device.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Stop after the check, instead of serving what came of it.
    #[arg(long)]
    once: bool,
    /// Where to serve; a free port if left out.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Chances come from here: the same seed, the same cuts and the same order.
    #[arg(long)]
    seed: Option<u64>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Summary {
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    distinct_visits: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_rows: Option<usize>,
    devices: usize,
    visits_at_headquarters: usize,
    notes_logged: usize,
    notes_at_headquarters: usize,
    visits_in_conflict: usize,
    quarantined: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dirty: Option<std::collections::BTreeMap<&'static str, usize>>,
    connections_cut: u64,
    bytes_on_the_line: u64,
    seconds: f64,
    lost: usize,
}

/// SplitMix64: chances that a seed repeats.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(line::SPLITMIX_STEP);
        line::splitmix(self.0)
    }
}

impl Chance for Dice {
    fn uuid(&mut self) -> uuid::Uuid {
        let bytes = (u128::from(self.roll()) << 64 | u128::from(self.roll())).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }
}

impl Demo {
    pub fn run(&self, json: bool) -> Result<(), Failure> {
        crate::command::start_log("error", false)?;
        let say = |text: &str| {
            if !json {
                output::line(text)
            }
        };
        let began = Instant::now();
        let seed = self.seed.unwrap_or_else(|| now().0.cast_unsigned());
        let mut dice = Dice(seed);
        let import = self.from.as_ref().map(|path| read(path)).transpose()?;
        let mut stage = Stage::build(self.listen, seed)?;
        say(&format!("A server on {}, its folder {}.", stage.url(), stage.data().display()));
        let hq = Headquarters::new(&stage)?;
        if !self.once {
            say(&format!("Headquarters' console is at {}/; to watch, sign in with\n  {}", stage.url(), hq.token()));
        }

        let names: Vec<String> = match &import {
            Some(import) => import.inspectors.clone(),
            None => cast::names(usize::from(self.devices)),
        };
        let places = match &import {
            Some(import) => stage.furnish_with(&import.places)?,
            None => stage.furnish()?,
        };
        let script = match &import {
            Some(import) => Script::of_import(import, &mut dice),
            None => Script::made_up(&names, &places, self.visits as usize, &stage.calendar(now())?, &mut dice),
        };
        say(&format!("{} inspectors enroll their devices over a line that cuts connections.", names.len()));
        stage.enroll(&names, &bar(names.len(), "devices enrolled", json))?;

        let acts = script.inspectors.values().map(Vec::len).sum::<usize>();
        say(&format!(
            "The network is gone. {} visits are logged, {acts} acts in all, partners at the same doors.",
            script.visits
        ));
        stage.act(&script, &bar(acts, "acts offline", json))?;

        say("They come back, in random order.");
        let mut order: Vec<usize> = (0..names.len()).collect();
        (1..order.len()).rev().for_each(|last| order.swap(last, dice.below(last + 1)));
        stage.come_back(&order, &bar(2 * names.len(), "syncs", json))?;

        let seen = hq.look(&bar(script.visits, "visits read at headquarters", json))?;
        let lost = script.lost(&seen);
        let line = stage.line();
        let summary = Summary {
            rows: import.as_ref().map(|import| import.rows),
            distinct_visits: script.visits,
            duplicate_rows: import.as_ref().map(|import| import.duplicate_rows),
            devices: names.len(),
            visits_at_headquarters: seen.visits.len(),
            notes_logged: script.notes,
            notes_at_headquarters: seen.notes,
            visits_in_conflict: seen.in_conflict.len(),
            quarantined: hq.quarantined()?,
            rejected_rows: import.as_ref().map(|import| import.rejected.len()),
            dirty: import
                .as_ref()
                .map(|import| import.dirt_counts().into_iter().map(|(dirt, rows)| (dirt.code(), rows)).collect()),
            connections_cut: line.cuts.load(Ordering::Relaxed),
            bytes_on_the_line: line.bytes.load(Ordering::Relaxed),
            seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            lost,
        };
        if !json {
            tell(&summary, &hq, &seen, &mut stage)?;
        }
        output::show(json, &summary, |summary| {
            let Summary { distinct_visits, visits_at_headquarters, lost, .. } = summary;
            format!("\n  logged {distinct_visits} = at headquarters {visits_at_headquarters}, lost {lost}")
        });
        if lost > 0 {
            return Err(Failure::new("lost", format!("{lost} visits or notes are not at headquarters")));
        }
        if !self.once {
            stage.go_on(&hq, json)?;
        }
        Ok(())
    }
}

fn read(path: &std::path::Path) -> Result<import::Import, Failure> {
    let file = std::fs::read(path).map_err(|error| Failure::new("file", format!("{}: {error}", path.display())))?;
    import::read(&file).map_err(|error| Failure::new("import", format!("{}: {error}", path.display())))
}

/// On stderr, and only where somebody watches.
fn bar(length: usize, what: &'static str, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} {msg} {elapsed}");
    let bar = ProgressBar::new(length as u64).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What headquarters sees, in words.
fn tell(summary: &Summary, hq: &Headquarters, seen: &headquarters::Seen, stage: &mut Stage) -> Result<(), Failure> {
    output::line(&format!(
        "\nHeadquarters sees {} visits with {} notes, {} in conflict, {} entries in quarantine.\nThe line carried {} KB and cut {} connections.",
        summary.visits_at_headquarters,
        summary.notes_at_headquarters,
        summary.visits_in_conflict,
        summary.quarantined,
        summary.bytes_on_the_line / 1000,
        summary.connections_cut,
    ));
    if let Some(rows) = summary.rows {
        let dirt = summary.dirty.iter().flatten().map(|(code, rows)| format!("{code} {rows}"));
        output::line(&format!(
            "The table: {rows} rows, {} exact duplicates, {} rejected.\nIts dirt, kept and labelled: {}.",
            summary.duplicate_rows.unwrap_or(0),
            summary.rejected_rows.unwrap_or(0),
            dirt.collect::<Vec<_>>().join(", ")
        ));
    }
    let Some(visit) = seen.in_conflict.first() else { return Ok(()) };
    output::line(&format!("\nOne visit that two people saw differently, {}:", hq.place(visit)?));
    hq.history(visit)?.iter().for_each(|change| output::line(&format!("  {change}")));
    if let Some(settled) = hq.settle(visit)? {
        output::line(&format!("  conflict in {}: {}", settled.field, settled.values.join(" | ")));
        let everybody = stage.everybody_agrees(visit)?;
        output::line(&format!("  headquarters settles it: {} — {everybody} devices now show that", settled.chosen));
    }
    Ok(())
}
