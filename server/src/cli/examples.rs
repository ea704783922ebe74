//! What `--help` shows behind the options: how a command is called, and what it ends with.
//!
//! A test reads every line that begins with the program's name as the program itself does.

pub(super) const TIDEWATCH: &str = "\
Every option with a variable beside it can stand in the environment instead; one with a secret also in a file that the variable \
with _FILE names. `tidewatch COMMAND --help` has examples of each.

Examples:
  tidewatch migrate --database-url postgres://ann:secret@127.0.0.1:5432/tidewatch
  tidewatch serve
  tidewatch doctor

Ends with 0 where all went well, 1 where it did not, 2 where what was asked cannot be understood.";

pub(super) const SERVE: &str = "\
Examples:
  tidewatch serve
  TIDEWATCH_LISTEN=0.0.0.0:3000 tidewatch serve --cookie-secure true --trusted-proxies 10.0.0.1
  tidewatch serve --redis-url redis://127.0.0.1:6379 --instance a
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tidewatch serve --log info,tidewatch_outbox=debug

Ends with 0 after SIGTERM or Ctrl-C, when all streams and requests are over; 1 where it cannot start; 2 for a setting that will not do.";

pub(super) const MIGRATE: &str = "\
Examples:
  tidewatch migrate
  tidewatch migrate --database-url postgres://ann:secret@127.0.0.1:5432/tidewatch

Run it before the new release starts. What is up to date is left as it is. Ends with 0 where the schema is up to date, 1 where it cannot \
be brought there.";

pub(super) const SEED: &str = "\
Examples:
  tidewatch seed --write-env .data/demo.env
  tidewatch seed --url http://127.0.0.1:3000 --email ann@example.com --write-env demo.env

Ends with 0 where the accounts are there and stand in the file, 1 otherwise.";

pub(super) const PROJECTS: &str = "\
Examples:
  tidewatch projects list
  tidewatch projects create quay --name \"Quay Side\"

Ends with 0 where it is done, 1 otherwise.";

pub(super) const KEYS: &str = "\
Examples:
  tidewatch keys list
  tidewatch keys create billing --scope events.read --scope settlements.read --expires-in-days 90
  tidewatch keys --project quay create all --scope '*'
  tidewatch keys rotate key_01h455vb4pex5vsknk084sn02q --overlap-hours 1
  tidewatch keys delete key_01h455vb4pex5vsknk084sn02q

TIDEWATCH_SECRET has to be what the server has, where it has one. Ends with 0 where it is done, 1 otherwise.";

pub(super) const USERS: &str = "\
Examples:
  tidewatch users list
  tidewatch users --project quay create ann@example.com --name Ann --role admin
  tidewatch users create bob@example.com --name Bob --role viewer --password-stdin < password.txt
  tidewatch users roles bob@example.com --role operator --role viewer
  tidewatch users password bob@example.com
  tidewatch users disable bob@example.com
  tidewatch users enable bob@example.com
  tidewatch users remove bob@example.com

Ends with 0 where it is done, 1 otherwise.";

pub(super) const VERIFY: &str = "\
Examples:
  tidewatch verify
  tidewatch verify --project quay
  tidewatch verify --json > report.json

Reads in one snapshot and changes nothing, while the server goes on. Ends with 0 where tables and events say the same, 1 where they do \
not, 2 where it could not be looked at.";

pub(super) const SIMULATE: &str = "\
Examples:
  tidewatch simulate --rate 5/s
  tidewatch simulate --modules settlements,payments --count 1000 --seed 7

TIDEWATCH_API_KEY has to hold a key that may act. Ends with 0 after Ctrl-C or so many changes, 1 where the key is not taken.";

pub(super) const PUBLISH: &str = "\
Examples:
  tidewatch publish orders '{\"number\":7}'
  tidewatch publish private-ann --type message.sent '{\"text\":\"hello\"}'
  tidewatch publish orders - --idempotency-key 2026-11-29 < payloads.jsonl

TIDEWATCH_API_KEY has to hold a key with the scope events.publish. Ends with 0 where all is recorded, 1 otherwise.";

pub(super) const TAIL: &str = "\
Examples:
  tidewatch tail
  tidewatch tail --types 'settlement.*,order.created' --after earliest
  tidewatch tail --channels orders --json | head

TIDEWATCH_API_KEY has to hold a key with the scope events.read. Ends with 0 after Ctrl-C or where its reader has left, 1 where the key is \
not taken.";

pub(super) const NEW: &str = "\
Examples:
  tidewatch new module parcel
  tidewatch new module parcel --in crates

Ends with 0 where it is written, 1 otherwise.";

pub(super) const HEALTH: &str = "\
Examples:
  tidewatch health
  tidewatch health --alive --url http://127.0.0.1:3001 --within 1

Ends with 0 where the server says so, 1 where it does not or does not answer.";

pub(super) const DOCTOR: &str = "\
Examples:
  tidewatch doctor
  tidewatch doctor --json | jq .problems

Ends with 0 where nothing is broken, warnings or not; 1 where something is; 2 for a setting that will not do.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  tidewatch completions bash > /etc/bash_completion.d/tidewatch
  tidewatch completions zsh > ~/.zfunc/_tidewatch

They are for the name by which the program was called. Ends with 0 where they are printed, 2 for a shell that has none.";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use crate::cli::Cli;

    /// What of an example the program is given: before a pipe or a file, behind the variables.
    fn arguments(example: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for letter in example.chars() {
            match (letter, quote) {
                ('\'' | '"', None) => quote = Some(letter),
                (_, Some(open)) if letter == open => quote = None,
                (' ', None) => words.push(String::new()),
                _ => words.last_mut().expect("a word").push(letter),
            }
        }
        let words = words.into_iter().skip_while(|word| word.contains('=')).filter(|word| !word.is_empty());
        words.take_while(|word| !matches!(word.as_str(), "|" | ">" | "<")).collect()
    }

    fn examples(command: &Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| line.strip_prefix("  ")).map(arguments);
        lines.collect()
    }

    /// Without what must stand in the environment.
    fn program() -> Command {
        fn lenient(command: Command) -> Command {
            command
                .mut_args(|arg| if arg.get_env().is_some() { arg.required(false) } else { arg })
                .mut_subcommands(lenient)
        }
        lenient(Cli::command())
    }

    #[test]
    fn every_command_says_what_it_ends_with() {
        let program_itself = program();
        let all = std::iter::once(&program_itself).chain(program_itself.get_subcommands());
        for command in all.filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Ends with 0 "), "`{}`: {help}", command.get_name());
        }
    }

    #[test]
    fn every_command_is_shown_by_an_example_that_it_takes() {
        let mut shown = Vec::new();
        let program_itself = program();
        let all = std::iter::once(&program_itself).chain(program_itself.get_subcommands());
        for command in all.filter(|command| !command.is_hide_set()) {
            let examples = examples(command);
            assert!(!examples.is_empty(), "`{}` has no example", command.get_name());
            for example in examples {
                let parsed = program().try_get_matches_from(&example);
                let matches = parsed.unwrap_or_else(|error| panic!("{example:?}: {error}"));
                let mut path = Vec::new();
                let mut at = matches.subcommand();
                while let Some((name, matches)) = at {
                    path.push(name.to_owned());
                    at = matches.subcommand();
                }
                shown.push(path);
            }
        }
        for command in program().get_subcommands().filter(|command| !command.is_hide_set()) {
            for action in command.get_subcommands() {
                let path = vec![command.get_name().to_owned(), action.get_name().to_owned()];
                assert!(shown.contains(&path), "`{path:?}` is in no example");
            }
        }
    }
}
