//! Runs a campaign of random inputs against one target and prints its line.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use aralau_fuzz::{
    campaign::{self, Size},
    target,
};
use clap::Parser;

#[derive(Debug, Parser)]
struct Campaign {
    /// Which door.
    #[arg(long, value_parser = ["wire", "change", "apply", "body", "csv", "query"])]
    target: String,
    /// Executions, at most.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Minutes, at most.
    #[arg(long)]
    minutes: Option<f64>,
    /// Number of the first execution; each has its own input.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where inputs that failed are kept.
    #[arg(long, default_value = "target/fuzz-artifacts")]
    artifacts: PathBuf,
    /// Runs this one input instead, and prints nothing.
    #[arg(long)]
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let asked = Campaign::parse();
    let target = target(&asked.target).expect("one of those listed");
    if let Some(path) = asked.input {
        let input = std::fs::read(&path).expect("a readable input");
        return if campaign::holds(target, &input) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (count, time) = match asked.minutes {
        None if asked.count == u64::MAX => (1_000, None),
        minutes => (asked.count, minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0))),
    };
    let size = Size { first: asked.seed, count, time };
    let report = campaign::run(target, size, Some(&asked.artifacts));
    println!("{}", report.line(target, asked.seed));
    if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
