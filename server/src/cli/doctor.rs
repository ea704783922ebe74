//! `tidewatch doctor`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use crate::config::ServeConfig;
use crate::doctor::{Finding, Level, examine};
use crate::installation::Tidewatch;

/// Find what is wrong with a set-up, and say what to do about it
///
/// Takes the settings of `tidewatch serve` and looks at all that a server with them needs: this machine, Postgres, a
/// broker, a mail server. It changes nothing, and no server has to run.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config: ServeConfig,

    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// 0: nothing is broken; 1: something is.
pub(super) async fn run(command: Doctor, tidewatch: &Tidewatch) -> anyhow::Result<ExitCode> {
    let mut found: Vec<Finding> = Vec::new();
    let is_colored = super::wants_color();
    examine(&command.config, tidewatch, |finding| {
        if !command.json {
            // A closed pipe is no reason to fail.
            let _ = write!(std::io::stdout().lock(), "{}", lines(&finding, is_colored));
        }
        found.push(finding);
    })
    .await;
    let count = |level: Level| found.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    if command.json {
        let report = serde_json::json!({ "problems": problems, "warnings": warnings, "findings": found });
        super::say(format_args!("{report:#}"));
    } else {
        super::say(format_args!("\n{}", summary(problems, warnings)));
    }
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(problems: usize, warnings: usize) -> String {
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match (problems, warnings) {
        (0, 0) => "All is well.".to_owned(),
        (0, _) => format!("Nothing is broken; {}.", many(warnings, "warning")),
        (_, 0) => format!("{}.", many(problems, "problem")),
        (..) => format!("{} and {}.", many(problems, "problem"), many(warnings, "warning")),
    }
}

/// How a finding is written.
fn lines(finding: &Finding, is_colored: bool) -> String {
    let (mark, color) = match finding.level {
        Level::Ok => ("ok", "\x1b[32m"),
        Level::Note => ("note", "\x1b[36m"),
        Level::Warning => ("warning", "\x1b[33m"),
        Level::Problem => ("problem", "\x1b[31m"),
    };
    let (color, reset) = if is_colored { (color, "\x1b[0m") } else { ("", "") };
    let mut lines = format!("{color}{mark:<8}{reset} {:<13} {}\n", finding.check, finding.said);
    if let Some(advice) = &finding.advice {
        lines.push_str(&format!("{:<22} → {advice}\n", ""));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_summed_up() {
        assert_eq!(summary(0, 0), "All is well.");
        assert_eq!(summary(0, 1), "Nothing is broken; 1 warning.");
        assert_eq!(summary(2, 0), "2 problems.");
        assert_eq!(summary(1, 2), "1 problem and 2 warnings.");
    }
}
