//! The parts of `./dev torture`: which campaigns there are, and how each is run in a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{campaign::Tally, ledger::root};

/// A part.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its name on the command line.
    pub name: &'static str,
    home: Home,
}

/// Where a part's campaigns are.
#[derive(Clone, Copy, Debug)]
enum Home {
    /// `torture campaign <name>`.
    Here,
    /// A binary of another package, by the package's folder; absent where that is.
    There { folder: &'static str, package: &'static str, binary: &'static str },
}

const PARTS: &[Part] = &[
    Part {
        name: "simulation",
        home: Home::There { folder: "tests/simulation", package: "aralau-simulation", binary: "simulate" },
    },
    Part { name: "server-kills", home: Home::Here },
    Part { name: "phone-kills", home: Home::Here },
];

/// All parts that this checkout has.
pub fn present() -> impl Iterator<Item = Part> {
    PARTS.iter().copied().filter(|part| match part.home {
        Home::Here => true,
        Home::There { folder, .. } => root().join(folder).join("Cargo.toml").exists(),
    })
}

/// What a part came to.
#[derive(Debug)]
pub struct Outcome {
    /// The lines of its campaigns.
    pub tallies: Vec<Tally>,
    /// Whether it ended well.
    pub holds: bool,
    /// How long it took.
    pub took: Duration,
}

impl Part {
    /// Runs it for about so many minutes.
    pub fn run(&self, minutes: f64, seed: u64) -> Result<Outcome> {
        let began = Instant::now();
        let mut command = self.command()?;
        command.args(["--minutes", &minutes.to_string(), "--seed", &seed.to_string()]);
        let mut child = command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut tallies = Vec::new();
        for line in BufReader::new(child.stdout.take().context("piped")?).lines() {
            let line = line?;
            match serde_json::from_str::<Tally>(&line) {
                Ok(tally) => tallies.push(tally),
                Err(_) => eprintln!("{line}"),
            }
        }
        let ended_well = child.wait()?.success();
        // A part that says nothing of what it did proves nothing.
        let holds = ended_well && !tallies.is_empty() && tallies.iter().all(|tally| tally.failed == 0);
        Ok(Outcome { tallies, holds, took: began.elapsed() })
    }

    fn command(&self) -> Result<Command> {
        match self.home {
            Home::Here => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["campaign", self.name]);
                Ok(command)
            }
            Home::There { package, binary, .. } => {
                let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                command.args(["run", "--quiet", "--release", "-p", package, "--bin", binary, "--"]);
                Ok(command)
            }
        }
    }
}

/// Runs parts one after the other, sharing the minutes among them, a line of result each. Whether all hold, and what was done.
pub fn run(parts: &[Part], minutes: f64, seed: u64) -> Result<(bool, Vec<Tally>)> {
    ensure!(!parts.is_empty(), "there is no such part");
    let mut all_hold = true;
    let mut tallies = Vec::new();
    for part in parts {
        let outcome = part.run(minutes / parts.len() as f64, seed)?;
        all_hold &= outcome.holds;
        for tally in &outcome.tallies {
            let figures = tally.figures.iter().map(|(name, value)| format!(", {name} {value}")).collect::<String>();
            println!("{:<14} {:>9} done, {} failed{figures}", tally.campaign, tally.count, tally.failed);
        }
        let verdict = if outcome.holds { "holds" } else { "DOES NOT HOLD" };
        println!("{:<14} {verdict}, {:.1} minutes", part.name, outcome.took.as_secs_f64() / 60.0);
        tallies.extend(outcome.tallies);
    }
    Ok((all_hold, tallies))
}
