//! `tidewatch configuration`: the reference of all settings, made of their definitions.
//!
//! `docs/configuration.md` is what it prints, and a test compares the two: what is documented is what the program reads.

use std::error::Error as _;
use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use super::{Cli, say};

/// Where settings are shown that have no heading of their own.
const OTHERS: &str = "Others";

/// Prints the reference.
#[expect(clippy::unnecessary_wraps, reason = "a command like the others")]
pub(super) fn run() -> anyhow::Result<()> {
    say(format_args!("{}", reference().trim_end()));
    Ok(())
}

/// A variable of the environment, and the flag that says the same.
struct Setting {
    /// Of which command; empty: of all.
    command: String,
    arg: Arg,
}

impl Setting {
    fn variable(&self) -> String {
        self.arg.get_env().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }
}

/// Every setting that a variable can say, command by command.
fn settings() -> Vec<Setting> {
    fn collect(command: &Command, path: &str, settings: &mut Vec<Setting>) {
        let own = command.get_arguments().filter(|arg| arg.get_env().is_some());
        settings.extend(own.map(|arg| Setting { command: path.to_owned(), arg: arg.clone() }));
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            collect(command, format!("{path} {}", command.get_name()).trim(), settings);
        }
    }
    let mut settings = Vec::new();
    collect(&Cli::command(), "", &mut settings);
    settings
}

/// The whole page, in Markdown.
fn reference() -> String {
    let settings = settings();
    let of = |command: &'static str| settings.iter().filter(move |setting| setting.command == command);
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Settings of the server\n");
    let mut groups: Vec<&str> = Vec::new();
    for setting in of("serve").chain(of("")) {
        let group = heading(setting);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for group in groups {
        let _ = write!(page, "\n### {group}\n\n");
        table(&mut page, of("serve").chain(of("")).filter(|setting| heading(setting) == group));
    }
    page.push_str("\n## Settings of other commands\n\n");
    table_of_others(&mut page, &settings);
    page.push_str("\n## Which command reads what\n\n| command | reads |\n|---|---|\n");
    let mut commands: Vec<&str> = settings.iter().map(|setting| setting.command.as_str()).collect();
    commands.dedup();
    for command in commands {
        let reads = match command {
            "" => continue,
            "serve" | "doctor" => "all settings of the server".to_owned(),
            _ => settings
                .iter()
                .filter(|it| it.command == command)
                .map(|it| format!("`{}`", it.variable()))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let _ = writeln!(page, "| `tidewatch {command}` | {reads} |");
    }
    page.push_str(CONCLUSION);
    page
}

fn heading(setting: &Setting) -> &str {
    setting.arg.get_help_heading().unwrap_or(OTHERS)
}

fn table<'a>(page: &mut String, settings: impl Iterator<Item = &'a Setting>) {
    page.push_str("| variable | flag | default | allowed | what it is |\n|---|---|---|---|---|\n");
    for setting in settings {
        let _ = writeln!(page, "{}", row(setting));
    }
}

/// What is not as the server has it: each definition once, a variable's together, with the commands that have it so. To one
/// command a variable can be another thing than to the next.
fn table_of_others(page: &mut String, settings: &[Setting]) {
    page.push_str("| variable | flag | default | allowed | what it is | of |\n|---|---|---|---|---|---|\n");
    let is_of_server = |setting: &&Setting| matches!(setting.command.as_str(), "" | "serve");
    let of_server: Vec<String> = settings.iter().filter(is_of_server).map(row).collect();
    let mut variables: Vec<String> = Vec::new();
    let mut rows: Vec<(usize, String, Vec<String>)> = Vec::new();
    for setting in settings {
        let shown = row(setting);
        if of_server.contains(&shown) {
            continue;
        }
        let command = format!("`{}`", setting.command);
        if let Some((_, _, commands)) = rows.iter_mut().find(|(_, known, _)| *known == shown) {
            commands.push(command);
            continue;
        }
        let variable = setting.variable();
        let place = variables.iter().position(|known| *known == variable).unwrap_or(variables.len());
        if place == variables.len() {
            variables.push(variable);
        }
        rows.push((place, shown, vec![command]));
    }
    rows.sort_by_key(|(place, _, _)| *place);
    for (_, shown, commands) in rows {
        let _ = writeln!(page, "{shown} {} |", commands.join(", "));
    }
}

/// A setting as it is defined for its command.
fn row(setting: &Setting) -> String {
    let Setting { arg, .. } = setting;
    let variable = setting.variable();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match defaults.join(",") {
        text if text.is_empty() => "—".to_owned(),
        text => format!("`{text}`"),
    };
    let mut what = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if setting.is_secret() {
        let _ = write!(what, ". A secret: `{variable}_FILE` names a file with it");
    }
    format!(
        "| `{variable}` | `--{}` | {default} | {} | {} |",
        arg.get_long().unwrap_or_default(),
        in_cell(&allowed(arg).unwrap_or_else(|| "any text".to_owned())),
        in_cell(&what),
    )
}

/// What a value has to be: what the error says that comes of one that will not do, so that it cannot be another.
fn allowed(arg: &Arg) -> Option<String> {
    let named = arg.get_possible_values();
    if !named.is_empty() {
        return Some(
            named.iter().map(|value| format!("`{}`", value.get_name())).collect::<Vec<_>>().join(", "),
        );
    }
    let said = [i64::MAX.to_string(), "-1".to_owned(), "\u{1}".to_owned()]
        .iter()
        .find_map(|value| refusal(arg, value))?;
    if let Some((_, range)) = said.split_once(" is not in ") {
        return Some(match range.split_once("..") {
            Some((least, most)) if most.is_empty() || most.contains(&i64::MAX.to_string()) => {
                format!("{least} or more")
            }
            Some((least, most)) => format!("{least} to {}", most.trim_start_matches('=')),
            None => range.to_owned(),
        });
    }
    let said = said.strip_prefix("must be ").or_else(|| said.strip_prefix("must have ")).unwrap_or(&said);
    Some(
        said.strip_prefix("must begin with ")
            .map_or_else(|| said.to_owned(), |rest| format!("begins with {rest}")),
    )
}

/// Why the setting does not take this value; `None`: it does.
fn refusal(arg: &Arg, value: &str) -> Option<String> {
    let only = Arg::new("value").long("value").value_parser(arg.get_value_parser().clone());
    let parsed = Command::new("probe").arg(only).try_get_matches_from(["probe", &format!("--value={value}")]);
    let error = parsed.err()?;
    Some(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

/// Text in a cell of a table.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('\n', " ")
}

const INTRODUCTION: &str = "\
# Configuration

Every setting is a flag and a variable of the environment; the flag wins. A wrong value names itself and ends the start with code 2; an
empty value is a value, too: leave the variable out instead. [.env.example](../.env.example) has those that are changed most often.

This page is what `tidewatch configuration` prints, out of the definitions that the program reads: a test compares the two. What is
allowed is what the error says that comes of a wrong value.
";

const CONCLUSION: &str = "
Beside these, `NO_COLOR` keeps colors out of what commands print, and an address of Postgres without a password takes it from
`PGPASSWORD` or the file that `PGPASSFILE` names, as `psql` does.
";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use clap::Parser;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");

    #[test]
    fn the_page_is_what_the_program_has() {
        let page = std::fs::read_to_string(PAGE).expect("the page");
        assert!(
            page == reference(),
            "docs/configuration.md is not what the program reads; write it anew:\n\
             cargo run -p tidewatch-server -- configuration > docs/configuration.md"
        );
    }

    /// Who knows the flag of one command knows it of all.
    #[test]
    fn a_variable_has_one_flag_whatever_the_command() {
        let mut flags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for setting in settings() {
            let flag = setting.arg.get_long().unwrap_or_default().to_owned();
            flags.entry(setting.variable()).or_default().insert(flag);
        }
        let several: Vec<_> = flags.iter().filter(|(_, flags)| flags.len() > 1).collect();
        assert!(several.is_empty(), "{several:?}");
    }

    #[test]
    fn the_key_is_taken_by_its_flag_of_before_as_well() {
        for command in [&["publish", "orders", "{}"][..], &["tail"][..]] {
            for flag in ["--api-key", "--key"] {
                let words = ["tidewatch"].iter().chain(command).copied().chain([flag, "tw_key"]);
                let parsed = Cli::try_parse_from(words).map(drop);
                assert!(parsed.is_ok(), "{command:?} {flag}: {parsed:?}");
            }
        }
    }

    /// Which command a definition is of is said where the same variable is something else to another.
    #[test]
    fn each_definition_that_differs_has_a_row_with_its_commands() {
        let page = reference();
        for (variable, rows) in [("TIDEWATCH_API_KEY", 3), ("TIDEWATCH_PROJECT", 2)] {
            let beginning = format!("| `{variable}` |");
            assert_eq!(page.lines().filter(|line| line.starts_with(&beginning)).count(), rows, "{variable}");
        }
        assert!(page.contains("by default all of them | `verify` |"));
    }

    /// The examples name settings that there are, with values that they take.
    #[test]
    fn examples_are_of_settings_that_there_are() {
        let settings = settings();
        for (file, text) in [
            (".env.example", include_str!("../../../.env.example")),
            ("deploy/docker", include_str!("../../../deploy/docker/tidewatch.env.example")),
            ("deploy/systemd", include_str!("../../../deploy/systemd/tidewatch.env.example")),
        ] {
            for line in text.lines() {
                let Some((name, value)) = line.trim_start_matches('#').split_once('=') else { continue };
                // The scripts' own; and a sentence is no setting.
                if name == "TIDEWATCH_RATE" || name.contains(|c: char| !c.is_ascii_uppercase() && c != '_') {
                    continue;
                }
                let setting = settings.iter().find(|setting| setting.variable() == name);
                let setting = setting.unwrap_or_else(|| panic!("{file}: there is no {name}"));
                for value in value.split(setting.arg.get_value_delimiter().unwrap_or('\0')) {
                    let refused = refusal(&setting.arg, value).filter(|_| !value.is_empty());
                    assert!(refused.is_none(), "{file}: {name}={value}: {refused:?}");
                }
            }
        }
    }

    /// What takes any text is a name, or is looked at by whoever it is handed on to.
    #[test]
    fn values_are_looked_at_when_the_program_starts() {
        let free: Vec<String> = settings()
            .iter()
            .filter(|setting| {
                matches!(setting.command.as_str(), "" | "serve") && allowed(&setting.arg).is_none()
            })
            .map(Setting::variable)
            .collect();
        assert_eq!(free, ["TIDEWATCH_INSTANCE", "TIDEWATCH_SITE", "TIDEWATCH_SMTP_CA", "OTEL_SERVICE_NAME"]);
    }
}
