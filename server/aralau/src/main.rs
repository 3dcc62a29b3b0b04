//! `aralau`: the one binary. The composition root: it owns the sockets, the clock and the randomness, and is the only
//! place that knows both the server and the client.

mod command;
mod demo;
mod failure;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let command = command::Aralau::parse();
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(command.json()),
    }
}
