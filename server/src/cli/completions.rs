//! `tidewatch completions`

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;

/// The shell's own way to have them loaded stands in its manual; for Bash it is
/// `tidewatch completions bash > /etc/bash_completion.d/tidewatch`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "a command like the others")]
pub(super) fn run(command: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(command.shell, &mut Cli::command(), "tidewatch", &mut script);
    // A closed pipe is no reason to fail.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Ok(())
}
