//! A store that grows: what a visit costs the server at each power of ten, and how fast headquarters' questions are
//! answered then.
//!
//! Every visit is a signed entry of a frame that is decoded, verified, decided, projected and indexed as if it had come over
//! the wire; only HTTP and its compression are left out. Prints a line of JSON for each measurement.

mod ask;
mod fill;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use aralau_client_sdk::{
    Millis,
    seams::{Clock as _, SystemClock, SystemEntropy},
};
use aralau_tests::cost;
use clap::Parser;
use serde_json::json;

use crate::fill::{Cost, INTERVAL_MS, Organisation, Plan};

/// Fills a data folder with visits, and asks it questions.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct Arguments {
    /// Visits in the end.
    #[arg(long, default_value_t = 100_000)]
    visits: usize,
    /// Beats, with two inspectors each.
    #[arg(long, default_value_t = 100)]
    beats: usize,
    /// Questions a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// For how many seconds; 0 asks nothing.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Where the store is made, and stays; without it in a temporary folder.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Dated so that the last visit is of today, with concerns and promises: for a server that is then started on it.
    #[arg(long, requires = "data")]
    serve_after: bool,
}

/// When the first visit arrives, unless the last one is to be of today.
const BEGIN: Millis = Millis(1_780_000_000_000);

/// Visits of a sample of what one costs.
const SAMPLE: usize = 10_000;
/// Samples, of the last visits before each power of ten; their median is told.
const SAMPLES: usize = 10;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.beats > 0, "--beats: at least one");
    let temporary = tempfile::tempdir()?;
    let folder = arguments.data.clone().unwrap_or_else(|| temporary.path().join("data"));
    let plan = plan(&arguments);
    let mut organisation = Organisation::begin(&folder, plan)?;
    let empty = organisation.disk_bytes()?;
    let mut made = 0;
    let mut step = SAMPLE.min(arguments.visits);
    while made < arguments.visits {
        organisation.write((step - made).saturating_sub(SAMPLES * SAMPLE))?;
        let (mut costs, mut beside) = (Vec::new(), Vec::new());
        let mut left = (step - made).min(SAMPLES * SAMPLE);
        while left > 0 {
            let visits = left.min(SAMPLE);
            costs.push(organisation.write(visits)?);
            beside.push(cost_in_an_empty_store(plan)?);
            left -= visits;
        }
        made = step;
        let disk = organisation.disk_bytes()?;
        let (cpu_ms, empty_ms) = (median(&costs, |cost| cost.cpu_ms), median(&beside, |cost| cost.cpu_ms));
        println!(
            "{}",
            json!({
                "visits": made,
                "cpu_ms_a_visit": cpu_ms,
                "cpu_ms_a_visit_in_an_empty_store": empty_ms,
                "ratio": (cpu_ms / empty_ms * 100.0).round() / 100.0,
                "wall_ms_a_visit": median(&costs, |cost| cost.wall_ms),
                "disk_bytes_a_visit": disk.saturating_sub(empty) / made as u64,
                "peak_memory_mib": cost::peak_memory_mib(std::process::id()),
            })
        );
        if arguments.seconds > 0 {
            for asked in ask::ask(&organisation, arguments.rate, arguments.seconds)? {
                println!("{}", asked.to_json(made));
            }
        }
        step = (step * 10).min(arguments.visits);
    }
    Ok(())
}

fn plan(arguments: &Arguments) -> Plan {
    let begin = if arguments.serve_after {
        let whole = INTERVAL_MS.saturating_mul(arguments.visits as u64);
        SystemClock::new(&mut SystemEntropy).now().plus(-whole.cast_signed())
    } else {
        BEGIN
    };
    Plan { beats: arguments.beats, begin, follow_up: arguments.serve_after }
}

/// A machine that others use too is faster and slower by the minute: what a visit costs in a large store is compared with
/// what it costs right then in one that begins.
fn cost_in_an_empty_store(plan: Plan) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    Organisation::begin(folder.path(), plan)?.write(SAMPLE)
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut sorted: Vec<f64> = costs.iter().map(of).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
