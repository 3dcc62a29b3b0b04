//! `torture`: runs the campaigns, alone or together, and keeps their ledger. `./dev torture` calls it.

use std::{io::BufRead as _, path::PathBuf, process::ExitCode};

use anyhow::{Result, ensure};
use aralau_torture::{
    campaign::{Size, Tally},
    kill, ledger, line, load, parts, rogue, soak,
};
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(about = "Tries thousands of times what must never fail.")]
enum Torture {
    /// All parts, or some: the minutes are shared among them.
    Run {
        /// In all.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only this part; may be repeated.
        #[arg(long)]
        part: Vec<String>,
        /// Add what was done to tests/ledger.jsonl, and its sums to the documentation. What failed is added in any case.
        #[arg(long)]
        record: bool,
    },
    /// One campaign of this package; its tally is one line on stdout.
    Campaign {
        name: Campaign,
        /// How many.
        #[arg(long)]
        count: Option<u64>,
        /// For how long.
        #[arg(long)]
        minutes: Option<f64>,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Of what a rogue phone does only this; may be repeated.
        #[arg(long)]
        worst: Vec<rogue::Worst>,
    },
    /// The ledger.
    #[command(flatten)]
    Ledger(Ledger),
    /// A phone that logs and syncs until it is killed.
    #[command(hide = true)]
    Phone { home: PathBuf, seed: u64 },
}

#[derive(Subcommand)]
enum Ledger {
    /// Adds campaigns' lines, read from stdin, to the ledger.
    Record {
        /// What was tried, if it is not this checkout as it is.
        #[arg(long)]
        revision: Option<String>,
    },
    /// Prints the ledger's sums.
    Sums {
        /// Into the documentation as well.
        #[arg(long)]
        write: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Campaign {
    ServerKills,
    PhoneKills,
    Line,
    Load,
    Rogue,
    Soak,
}

fn main() -> Result<ExitCode> {
    let holds = match Torture::parse() {
        Torture::Run { minutes, seed, part, record } => run(minutes, seed, &part, record)?,
        Torture::Campaign { name, count, minutes, seed, worst } => {
            let tally = campaign(name, seed, count, minutes, &worst)?;
            println!("{}", serde_json::to_string(&tally)?);
            tally.failed == 0
        }
        Torture::Ledger(Ledger::Record { revision }) => {
            let revision = revision.map_or_else(ledger::revision, Ok)?;
            let tallies = std::io::stdin().lock().lines().map(|line| Ok(serde_json::from_str(&line?)?));
            ledger::append(&revision, &tallies.collect::<Result<Vec<Tally>>>()?)?;
            true
        }
        Torture::Ledger(Ledger::Sums { write }) => {
            print!("{}", ledger::table(&ledger::read()?));
            if write {
                ledger::write()?;
            }
            true
        }
        Torture::Phone { home, seed } => kill::phone::live(&home, seed),
    };
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(minutes: f64, seed: u64, names: &[String], record: bool) -> Result<bool> {
    let known: Vec<_> = parts::present().collect();
    let unknown = names.iter().find(|name| !known.iter().any(|part| part.name == **name));
    ensure!(unknown.is_none(), "no part {unknown:?}; there are {:?}", known.iter().map(|p| p.name).collect::<Vec<_>>());
    let is_wanted = |part: &parts::Part| names.is_empty() || names.iter().any(|name| name == part.name);
    let wanted: Vec<_> = known.into_iter().filter(is_wanted).collect();
    let revision = ledger::revision()?;
    let (holds, tallies) = parts::run(&wanted, minutes, seed)?;
    // What failed is recorded whether or not anybody asked for it.
    let wanted = |tally: &&Tally| record || tally.failed > 0;
    let recorded: Vec<_> = tallies.iter().filter(wanted).cloned().collect();
    if !recorded.is_empty() {
        ledger::append(&revision, &recorded)?;
        ledger::write()?;
    }
    Ok(holds)
}

fn campaign(
    name: Campaign,
    seed: u64,
    count: Option<u64>,
    minutes: Option<f64>,
    worsts: &[rogue::Worst],
) -> Result<Tally> {
    let worsts = if worsts.is_empty() { &rogue::Worst::ALL } else { worsts };
    let size = Size::new(count, minutes);
    Ok(match name {
        Campaign::ServerKills => kill::server::campaign(seed, size),
        Campaign::PhoneKills => kill::phone::campaign(&std::env::current_exe()?, seed, size),
        Campaign::Line => line::campaign(seed, size),
        Campaign::Load => load::campaign(seed, size, load::PROMISED),
        Campaign::Rogue => rogue::campaign(seed, size, rogue::PROMISED, worsts),
        Campaign::Soak => soak::campaign(seed, minutes.unwrap_or(30.0)),
    })
}
