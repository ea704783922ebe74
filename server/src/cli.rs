//! The commands of the binary `tidewatch`.

mod answer;
mod completions;
mod doctor;
mod health;
mod keys;
mod migrate;
mod new;
mod office;
mod projects;
mod publish;
mod secret_files;
mod seed;
mod serve;
mod simulate;
mod tail;
mod users;
mod verify;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::installation::Tidewatch;

/// An admin dashboard with integrated live events.
#[derive(Debug, Parser)]
#[command(name = "tidewatch", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the dashboard, the API and the streams
    Serve(Box<crate::config::ServeConfig>),
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Make the demo project with its operator, its supervisor and their API keys
    Seed(seed::Seed),
    /// List and make projects
    Projects(projects::Projects),
    /// List, make, rotate and delete API keys
    Keys(keys::Keys),
    /// List, make, change and disable people
    Users(users::Users),
    /// Compare all tables with the events: 0 where they say the same, 1 where not, 2 where it cannot be looked at
    Verify(verify::Verify),
    /// Drive all modules through realistic lives, as a customer with API keys would
    Simulate(simulate::Simulate),
    /// Publish events to a channel
    Publish(publish::Publish),
    /// Show events as they happen
    Tail(tail::Tail),
    /// Begin something of your own
    New(new::New),
    /// Ask a server whether it takes work: 0 where it does, 1 where not
    Health(health::Health),
    Doctor(Box<doctor::Doctor>),
    /// Print what a shell needs to complete commands and flags
    Completions(completions::Completions),
}

impl Cli {
    /// Reads the arguments and the environment. Where they will not do, says so and ends the program: with code 2, or 0 for
    /// help and version.
    #[must_use]
    pub fn from_environment() -> Self {
        let command = match secret_files::take_secrets(Self::command(), |name| std::env::var_os(name)) {
            Ok(command) => command,
            Err(said) => Self::command().error(ErrorKind::ValueValidation, said).exit(),
        };
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Carries out a command. The code that it ends with says something only where a command has more to say than that it
/// went well.
///
/// # Errors
/// What went wrong, for the person who called it.
pub async fn run(cli: Cli, tidewatch: &Tidewatch) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Verify(command) => return Ok(verify::run(command, tidewatch.modules()).await),
        Command::Health(command) => return health::run(command).await,
        Command::Doctor(command) => return doctor::run(*command, tidewatch).await,
        Command::Completions(command) => completions::run(&command),
        Command::New(command) => new::run(&command),
        Command::Serve(config) => serve::run(*config, tidewatch).await,
        Command::Migrate(command) => migrate::run(command, tidewatch).await,
        Command::Seed(command) => seed::run(command).await,
        Command::Projects(command) => projects::run(command).await,
        Command::Keys(command) => keys::run(command, tidewatch.modules()).await,
        Command::Users(command) => users::run(command).await,
        Command::Simulate(command) => simulate::run(command, tidewatch.modules()).await,
        Command::Publish(command) => publish::run(command).await,
        Command::Tail(command) => tail::run(command).await,
    }
    .map(|()| ExitCode::SUCCESS)
}

/// Cancelled at Ctrl-C or SIGTERM.
fn shutdown_signal() -> anyhow::Result<tokio_util::sync::CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = tokio_util::sync::CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(shutdown)
}

/// The hash of a password: it takes its time, and not the runtime's.
async fn hash(password: secrecy::SecretString) -> anyhow::Result<String> {
    Ok(tokio::task::spawn_blocking(move || crate::access::password::hash(&password)).await??)
}

/// Whether standard output is colored: colors are for terminals, and not where `NO_COLOR` asks for none
/// (<https://no-color.org>).
fn wants_color() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::IsTerminal::is_terminal(&std::io::stdout()) && !no_color
}

/// Says something to the person at the terminal.
fn say(text: std::fmt::Arguments<'_>) {
    // A closed pipe is no reason to fail.
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{text}\n"));
}
