//! `simulate`: worlds by the thousand, or one of them told line by line.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use aralau_simulation::{
    campaign::{Size, campaign, failure, live},
    world::World,
};
use clap::Parser;
use serde_json::json;

/// How often many worlds say how far they are.
const TELL_EVERY: Duration = Duration::from_secs(15);

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
    /// On and on until this invariant is violated, as it must be in a build that was broken on purpose.
    #[arg(long, conflicts_with_all = ["seed", "minutes"])]
    until: Option<String>,
    /// Tell it line by line.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Write what one of its phones did into this file, for other builds of the client to do again.
    #[arg(long, requires = "seed", conflicts_with_all = ["trace", "keep"])]
    script: Option<PathBuf>,
    /// Keep the files of its server and phones.
    #[arg(long, requires = "seed")]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match (arguments.seed, &arguments.script, &arguments.until) {
        (Some(seed), Some(file), _) => script(seed, file),
        (Some(seed), None, _) => one(seed, &arguments),
        (None, _, Some(invariant)) => until(invariant, &arguments),
        (None, _, None) => many(&arguments),
    }
}

/// Success is a violation of this invariant.
fn until(invariant: &str, arguments: &Arguments) -> ExitCode {
    let count = arguments.count.unwrap_or(1000);
    let mut others = BTreeMap::<_, u64>::new();
    for seed in arguments.first..arguments.first.saturating_add(count) {
        let Err(violation) = live(|| World::new(seed, false)) else { continue };
        if violation.invariant == invariant {
            println!("{}", json!({ "violated": invariant, "seed": seed, "what": violation.what, "others": others }));
            return ExitCode::SUCCESS;
        }
        *others.entry(violation.invariant).or_default() += 1;
    }
    println!("{}", json!({ "violated": null, "seeds": count, "others": others }));
    ExitCode::FAILURE
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

fn script(seed: u64, file: &Path) -> ExitCode {
    let script = match World::script(seed) {
        Ok(script) => script,
        Err(violation) => {
            println!("seed {seed}: {}: {}", violation.invariant, violation.what);
            return ExitCode::FAILURE;
        }
    };
    let json = serde_json::to_vec(&script).expect("serializes");
    if let Err(error) = std::fs::write(file, json) {
        println!("{}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    println!("seed {seed}: {} scenes in {}", script.scenes.len(), file.display());
    ExitCode::SUCCESS
}

fn many(arguments: &Arguments) -> ExitCode {
    let within = arguments.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let count = arguments.count.unwrap_or(if within.is_some() { u64::MAX } else { 100 });
    let size = Size { first: arguments.first, count, within };
    let (mut ended, mut failed, mut told) = (0, 0, Instant::now());
    let sum = campaign(size, |seed, outcome| {
        ended += 1;
        if let Err(violation) = outcome {
            failed += 1;
            eprintln!("{}", failure(seed, violation));
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{ended} worlds, {failed} failed");
        }
    });
    let line = json!({
        "campaign": "simulation",
        "first": arguments.first,
        "count": sum.worlds,
        "failed": sum.failed.len(),
        "failing": sum.failed.iter().map(|(seed, _)| seed).collect::<Vec<_>>(),
        "operations": sum.operations,
        "faults": sum.faults,
        "hostilities": sum.hostilities,
        "words": sum.words,
        "displaced": sum.displaced,
        "rows": sum.rows,
    });
    println!("{line}");
    if sum.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
