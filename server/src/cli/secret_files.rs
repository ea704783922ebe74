//! Secrets out of files: for each setting that holds one, `NAME_FILE` names a file with its value, as containers and
//! systemd's credentials hand secrets over.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

/// The same commands, with the secrets that stand in files in place of those that stand nowhere. Which settings are secrets
/// is said where they are: by `hide_env_values`.
///
/// # Errors
/// A file cannot be read, or a setting is given twice: what to tell whoever called the program.
pub(super) fn take_secrets(
    command: Command,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, String> {
    let error = RefCell::new(None);
    let command = in_all(command, &|arg: clap::Arg| {
        if !arg.is_hide_env_values_set() {
            return arg;
        }
        let Some(name) = arg.get_env().and_then(|name| name.to_str()).map(ToOwned::to_owned) else {
            return arg;
        };
        match read(&name, &variable) {
            Ok(None) => arg,
            Ok(Some(value)) => arg.required(false).default_value(value).hide_default_value(true),
            Err(said) => {
                error.borrow_mut().get_or_insert(said);
                arg
            }
        }
    });
    error.into_inner().map_or(Ok(command), Err)
}

fn in_all(command: Command, change: &impl Fn(clap::Arg) -> clap::Arg) -> Command {
    command.mut_args(change).mut_subcommands(|command| in_all(command, change))
}

fn read(name: &str, variable: &impl Fn(&str) -> Option<OsString>) -> Result<Option<String>, String> {
    let file = format!("{name}_FILE");
    let Some(path) = variable(&file).map(PathBuf::from) else { return Ok(None) };
    if variable(name).is_some() {
        return Err(format!("{name} and {file} are both set: one of them has to go"));
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{file} names {}, which cannot be read: {error}", path.display()))?;
    // Editors end a file with a new line; no secret does.
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::Cli;

    const SECRET: &str = "correct horse battery staple and more";

    /// Parses the arguments where these variables are set.
    fn parse(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        let command = take_secrets(Cli::command(), variable)?;
        let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
        Cli::from_arg_matches(&matches).map(|cli| format!("{cli:?}")).map_err(|error| error.to_string())
    }

    fn file(content: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("tidewatch-secret-{}", uuid::Uuid::now_v7()));
        std::fs::write(&path, content).expect("a file");
        path
    }

    #[test]
    fn a_secret_stands_in_a_file() {
        let path = file(&format!("{SECRET}\n"));
        let serve = ["tidewatch", "serve", "--database-url", "postgres://ann@127.0.0.1/tidewatch"];
        let variables = [("TIDEWATCH_SECRET_FILE", path.to_str().expect("text"))];
        let parsed = parse(&serve, &variables).expect("it is read");
        assert!(parsed.contains("secret: Some") && !parsed.contains("horse"), "{parsed}");
        let short = file("short\n");
        let refused = parse(&serve, &[("TIDEWATCH_SECRET_FILE", short.to_str().expect("text"))]);
        assert!(refused.is_err_and(|said| said.contains("32 characters")));
        // Deep in the commands as well. What the environment of whoever runs this test says of it does not matter.
        let key = ["tidewatch", "tail"];
        let parsed =
            parse(&key, &[("TIDEWATCH_API_KEY_FILE", path.to_str().expect("text"))]).expect("it is read");
        assert!(parsed.contains("Tail") && !parsed.contains("horse"), "{parsed}");
        let url = file("postgres://ann:hunter2@127.0.0.1/tidewatch\n");
        let help =
            parse(&["tidewatch", "serve", "--help"], &[("DATABASE_URL_FILE", url.to_str().expect("text"))]);
        assert!(help.is_err_and(|help| !help.contains("hunter2")), "no help shows it");
        for path in [path, short, url] {
            std::fs::remove_file(path).expect("it is there");
        }
    }

    #[test]
    fn what_is_given_twice_or_is_not_there_is_said() {
        let serve = ["tidewatch", "serve"];
        let twice = [("TIDEWATCH_SECRET", SECRET), ("TIDEWATCH_SECRET_FILE", "/nonexistent")];
        assert!(parse(&serve, &twice).is_err_and(|said| said.contains("both set")));
        let gone = [("DATABASE_URL_FILE", "/nonexistent")];
        assert!(
            parse(&serve, &gone).is_err_and(|said| said.contains("DATABASE_URL_FILE names /nonexistent"))
        );
        // What is no secret is read from no file.
        let other = [("TIDEWATCH_LISTEN_FILE", "/nonexistent"), ("DATABASE_URL", "x")];
        let serve = ["tidewatch", "serve", "--database-url", "postgres://ann@127.0.0.1/tidewatch"];
        assert!(parse(&serve, &other).is_ok());
    }
}
