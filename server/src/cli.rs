//! The commands of the binary `tidewatch`.

mod answer;
mod completions;
mod configuration;
mod doctor;
mod examples;
mod health;
mod keys;
mod migrate;
mod new;
mod office;
mod progress;
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

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::installation::Tidewatch;
use crate::telemetry;

/// An admin dashboard with integrated live events.
#[derive(Debug, Parser)]
#[command(name = "tidewatch", version, about, max_term_width = 100, after_help = examples::TIDEWATCH)]
pub struct Cli {
    /// What is logged: a level, or a level for each part, such as info,tidewatch_hub=debug
    #[arg(long, global = true, help_heading = "Logs", env = "TIDEWATCH_LOG", value_name = "FILTER",
          default_value = telemetry::DEFAULT_FILTER, hide_default_value = true,
          value_parser = telemetry::parse_filter)]
    log: String,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the dashboard, the API and the streams
    #[command(after_help = examples::SERVE)]
    Serve(Box<crate::config::ServeConfig>),
    /// Bring the database's schema up to date
    #[command(after_help = examples::MIGRATE)]
    Migrate(migrate::Migrate),
    /// Make the demo project with its operator, its supervisor and their API keys
    #[command(after_help = examples::SEED)]
    Seed(seed::Seed),
    /// List and make projects
    #[command(after_help = examples::PROJECTS)]
    Projects(projects::Projects),
    /// List, make, rotate and delete API keys
    #[command(after_help = examples::KEYS)]
    Keys(keys::Keys),
    /// List, make, change and disable people
    #[command(after_help = examples::USERS)]
    Users(users::Users),
    /// Compare all tables with the events
    #[command(after_help = examples::VERIFY)]
    Verify(verify::Verify),
    /// Drive all modules through realistic lives, as a customer with API keys would
    #[command(after_help = examples::SIMULATE)]
    Simulate(simulate::Simulate),
    /// Publish events to a channel
    #[command(after_help = examples::PUBLISH)]
    Publish(publish::Publish),
    /// Show events as they happen
    #[command(after_help = examples::TAIL)]
    Tail(tail::Tail),
    /// Begin something of your own
    #[command(after_help = examples::NEW)]
    New(new::New),
    /// Ask a server whether it takes work
    #[command(after_help = examples::HEALTH)]
    Health(health::Health),
    #[command(after_help = examples::DOCTOR)]
    Doctor(Box<doctor::Doctor>),
    /// Print what a shell needs to complete commands and flags
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Completions),
    /// Print the reference of all settings, for docs/configuration.md
    #[command(hide = true)]
    Configuration,
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
        let matches = command.clone().try_get_matches().unwrap_or_else(|error| named(error, &command).exit());
        let cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let Command::Serve(config) = &cli.command
            && let Err(said) = config.check_shutdown()
        {
            Self::command().error(ErrorKind::ValueValidation, said).exit();
        }
        cli
    }

    /// What is logged.
    #[must_use]
    pub fn log_filter(&self) -> &str {
        &self.log
    }
}

/// The same error, which says of a wrong value in which variable it stands, where it stands in one: who set it there has
/// never seen the flag that it names.
fn named(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    fn variable_of(command: &clap::Command, shown: &str) -> Option<String> {
        let of_it = |arg: &&clap::Arg| arg.to_string() == shown;
        let own = command.get_arguments().find(of_it).and_then(clap::Arg::get_env);
        own.map(|name| name.to_string_lossy().into_owned())
            .or_else(|| command.get_subcommands().find_map(|command| variable_of(command, shown)))
    }
    // Before, arguments do not know how they are shown.
    let mut command = command.clone();
    command.build();
    let (Some(ContextValue::String(shown)), Some(ContextValue::String(value))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue))
    else {
        return error;
    };
    let variable = variable_of(&command, shown).filter(|name| {
        std::env::var(name).is_ok_and(|set| set == *value || set.split(',').any(|part| part == value))
    });
    if let Some(variable) = variable {
        let tip = StyledStr::from(format!("it stands in the variable {variable}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
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
        Command::Configuration => configuration::run(),
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
