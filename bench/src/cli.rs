//! The commands of the binary `tidewatch-bench`.

mod run;

use std::io::Write as _;

use clap::{Parser, Subcommand};

use crate::capacity;
use crate::peers::{self, Peer};
use crate::queues::worker::Worker;

/// The benchmarks of Tidewatch beside their peers.
#[derive(Debug, Parser)]
#[command(name = "tidewatch-bench", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure rows and write the report
    Run(Box<run::Run>),
    /// Write the report anew out of what was measured before
    Report(run::Report),
    /// Say what many instances would hold, computed out of what was measured of one
    Capacity,
    /// Be a process of job workers; the benchmark starts it itself
    Worker(Worker),
    /// Be a peer; the benchmark starts these itself
    Peer {
        #[command(subcommand)]
        peer: Peer,
    },
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, for the person who called it.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Run(command) => command.carry_out(),
        Command::Report(command) => command.carry_out(),
        Command::Capacity => {
            let table = capacity::table(&capacity::examples());
            Ok(std::io::stdout().write_all(table.as_bytes())?)
        }
        Command::Worker(command) => command.carry_out(),
        Command::Peer { peer } => peers::run(&peer),
    }
}
