//! What a command has done, for people or for programs.

use clap::Args;
use serde_json::Value;

use super::say;

/// How a command answers.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct AnswerFormat {
    /// Answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

/// What a command has done.
#[derive(Debug)]
pub(super) struct Answer {
    /// For people: a line each.
    lines: Vec<String>,
    /// The same for programs.
    json: Value,
}

impl Answer {
    pub(super) fn new(lines: impl IntoIterator<Item = String>, json: Value) -> Self {
        Self { lines: lines.into_iter().collect(), json }
    }

    /// Says it to whoever called the command.
    pub(super) fn say(self, format: AnswerFormat) {
        if format.json {
            say(format_args!("{:#}", self.json));
        } else {
            self.lines.iter().for_each(|line| say(format_args!("{line}")));
        }
    }
}
