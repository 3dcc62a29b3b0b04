//! `simulate`: worlds by the thousand, or one of them told line by line.

use std::{process::ExitCode, time::Duration};

use aralau_simulation::{
    campaign::{Size, campaign, live, replay},
    world::World,
};
use clap::Parser;
use serde_json::json;

/// Runs simulated deployments and judges every invariant.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many seeds; without --minutes 100.
    #[arg(long)]
    count: Option<u64>,
    /// For how long.
    #[arg(long)]
    minutes: Option<f64>,
    /// Only this one.
    #[arg(long)]
    seed: Option<u64>,
    /// Tell it line by line.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Keep the files of its server and phones.
    #[arg(long, requires = "seed")]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => one(seed, &arguments),
        None => many(&arguments),
    }
}

fn one(seed: u64, arguments: &Arguments) -> ExitCode {
    let lived = live(|| {
        let mut world = World::new(seed, arguments.trace)?;
        if arguments.keep {
            println!("files: {}", world.keep().display());
        }
        Ok(world)
    });
    match lived {
        Ok(outcome) => {
            println!("seed {seed}: {outcome:?}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("seed {seed}: {}: {}", violation.invariant, violation.what);
            ExitCode::FAILURE
        }
    }
}

fn many(arguments: &Arguments) -> ExitCode {
    let within = arguments.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let count = arguments.count.unwrap_or(if within.is_some() { u64::MAX } else { 100 });
    let size = Size { first: arguments.first, count, within };
    let sum = campaign(size, |seed, violation| {
        eprintln!("seed {seed}: {}: {}\n    {}", violation.invariant, violation.what, replay(seed));
    });
    let line = json!({
        "campaign": "simulation",
        "first": arguments.first,
        "count": sum.worlds,
        "failed": sum.failed.len(),
        "operations": sum.operations,
        "faults": sum.faults,
        "words": sum.words,
        "displaced": sum.displaced,
        "rows": sum.rows,
    });
    println!("{line}");
    if sum.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
