//! `tidewatch completions`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

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
    generate(command.shell, &mut Cli::command(), name_of_program(), &mut script);
    // A closed pipe is no reason to fail.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Ok(())
}

/// As what the program was called: one with modules of its own has a name of its own.
fn name_of_program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
    name.unwrap_or("tidewatch").to_owned()
}
