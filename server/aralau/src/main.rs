//! `aralau`: the one binary. The composition root: it owns the sockets, the clock and the randomness, and is the only
//! place that knows both the server and the client.

mod command;
mod demo;
mod failure;
mod output;
mod target;
mod web;

use std::process::ExitCode;

use clap::{Parser as _, error::ErrorKind};

/// musl's own has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a misspelt command line ends with, as is usual.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match command::Aralau::try_parse() {
        Ok(command) => command,
        Err(error) if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") => {
            failure::Failure::new("usage", sentence(&error)).report(true);
            return ExitCode::from(USAGE);
        }
        Err(error) => error.exit(),
    };
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(command.json()),
    }
}

/// What is wrong with a command line, without the page on how to use it.
fn sentence(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; see --help".to_owned();
    }
    let page = error.render().to_string();
    let first = page.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}
