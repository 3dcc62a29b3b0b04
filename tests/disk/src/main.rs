//! `store-faults`: the campaigns in which the stores' disks fail. Without a name, all of them share the minutes.

use std::process::ExitCode;

use aralau_disk::campaign::run::{Campaign, Cases, run};
use aralau_torture::campaign::Size;
use clap::Parser;

/// Fails the disks of a server and of a phone, one operation after another, and looks whether anything acknowledged is
/// missing afterwards.
#[derive(Debug, Parser)]
struct Arguments {
    /// disk-once, disk-persistent, disk-full, power-cut-server, power-cut-device, copied-away; all, if none is named.
    #[arg(value_parser = named)]
    campaigns: Vec<Campaign>,
    /// The first case: an operation, or a seed.
    #[arg(long)]
    first: Option<u64>,
    /// Only every so-manieth case.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// How many cases of each; a campaign of operations ends by itself.
    #[arg(long)]
    count: Option<u64>,
    /// For about how long, all in all.
    #[arg(long)]
    minutes: Option<f64>,
    /// Of the day, and the first case of the campaigns that have no end.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn named(name: &str) -> Result<Campaign, String> {
    let found = Campaign::ALL.into_iter().find(|campaign| campaign.name() == name);
    found.ok_or_else(|| format!("there is no campaign {name:?}"))
}

fn main() -> ExitCode {
    // Failing is the disks' business here: what the server logs of it is shown only on demand, by ARALAU_LOG=error.
    let off = tracing_subscriber::filter::LevelFilter::OFF.into();
    let filter = tracing_subscriber::EnvFilter::builder().with_default_directive(off).with_env_var("ARALAU_LOG");
    let filter = filter.from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let campaigns = if arguments.campaigns.is_empty() { Campaign::ALL.to_vec() } else { arguments.campaigns.clone() };
    let cases = Cases { first: arguments.first, every: arguments.every.max(1), seed: arguments.seed };
    let mut holds = true;
    for campaign in &campaigns {
        let minutes = arguments.minutes.map(|minutes| minutes / campaigns.len() as f64);
        match run(*campaign, cases, Size::new(arguments.count, minutes)) {
            Ok(tally) => {
                holds &= tally.failed == 0;
                println!("{}", serde_json::to_string(&tally).unwrap_or_default());
            }
            Err(what) => {
                holds = false;
                eprintln!("{}: not even an undisturbed day holds: {what}", campaign.name());
            }
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
