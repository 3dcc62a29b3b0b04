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
    /// A binary of another package.
    There(There),
}

#[derive(Clone, Copy, Debug)]
struct There {
    /// The package's; the part is absent where this is, or has no binary.
    folder: &'static str,
    package: &'static str,
    binary: &'static str,
    /// How it is told where chance begins.
    seed: &'static str,
    /// It is run with each of these, which share the part's minutes.
    runs: &'static [&'static [&'static str]],
}

const SIMULATION: There = There {
    folder: "tests/simulation",
    package: "aralau-simulation",
    binary: "simulate",
    seed: "--first",
    runs: &[&[]],
};

const DISK: There =
    There { folder: "tests/disk", package: "aralau-disk", binary: "store-faults", seed: "--seed", runs: &[&[]] };

const FUZZ: There = There {
    folder: "tests/fuzz",
    package: "aralau-fuzz",
    binary: "fuzz-campaign",
    seed: "--seed",
    runs: &[
        &["--target", "wire"],
        &["--target", "change"],
        &["--target", "apply"],
        &["--target", "body"],
        &["--target", "csv"],
        &["--target", "query"],
    ],
};

const PARTS: &[Part] = &[
    Part { name: "simulation", home: Home::There(SIMULATION) },
    Part { name: "disk", home: Home::There(DISK) },
    Part { name: "server-kills", home: Home::Here },
    Part { name: "phone-kills", home: Home::Here },
    Part { name: "line", home: Home::Here },
    Part { name: "fuzz", home: Home::There(FUZZ) },
    Part { name: "load", home: Home::Here },
    Part { name: "rogue", home: Home::Here },
    Part { name: "soak", home: Home::Here },
];

/// All parts that this checkout has.
pub fn present() -> impl Iterator<Item = Part> {
    PARTS.iter().copied().filter(|part| match part.home {
        Home::Here => true,
        Home::There(there) => root().join(there.folder).join("src/main.rs").exists(),
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
        let commands = self.commands(seed)?;
        let (mut tallies, mut holds) = (Vec::new(), true);
        let minutes = minutes / commands.len() as f64;
        for mut command in commands {
            let (more, ended_well) = finish(command.args(["--minutes", &minutes.to_string()]))?;
            // A campaign that says nothing of what it did proves nothing.
            holds &= ended_well && !more.is_empty() && more.iter().all(|tally| tally.failed == 0);
            tallies.extend(more);
        }
        Ok(Outcome { tallies, holds, took: began.elapsed() })
    }

    fn commands(&self, seed: u64) -> Result<Vec<Command>> {
        let seed = seed.to_string();
        let There { package, binary, seed: flag, runs, .. } = match self.home {
            Home::Here => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["campaign", self.name, "--seed", &seed]);
                return Ok(vec![command]);
            }
            Home::There(there) => there,
        };
        let command = |run: &&[&str]| {
            let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            command.args(["run", "--quiet", "--release", "-p", package, "--bin", binary, "--", flag, &seed]).args(*run);
            command
        };
        Ok(runs.iter().map(command).collect())
    }
}

/// Runs campaigns to their end: their lines, and whether they ended well.
fn finish(command: &mut Command) -> Result<(Vec<Tally>, bool)> {
    let mut child = command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut tallies = Vec::new();
    for line in BufReader::new(child.stdout.take().context("piped")?).lines() {
        let line = line?;
        match serde_json::from_str::<Tally>(&line) {
            Ok(tally) => tallies.push(tally),
            Err(_) => eprintln!("{line}"),
        }
    }
    Ok((tallies, child.wait()?.success()))
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
