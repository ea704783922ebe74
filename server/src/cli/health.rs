//! `tidewatch health`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use url::Url;

use super::answer::{Answer, AnswerFormat};

#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    format: AnswerFormat,

    /// Where the server is
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000", value_parser = parse_url)]
    url: Url,

    /// Ask whether it is alive at all, in place of whether it takes work
    #[arg(long)]
    alive: bool,

    /// Seconds that it has to answer
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    within: u64,
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "must be an address such as http://127.0.0.1:3000".to_owned())
}

/// 0: it is; 1: it is not, or does not answer.
pub(super) async fn run(command: Health) -> anyhow::Result<ExitCode> {
    let (path, state) = if command.alive { ("/healthz", "alive") } else { ("/readyz", "ready") };
    let client = reqwest::Client::builder().timeout(Duration::from_secs(command.within)).build()?;
    let url = command.url.join(path).context("--url is no address of a server")?;
    let answer = async { client.get(url.clone()).send().await?.error_for_status().map(drop) }.await;
    let is_so = answer.is_ok();
    let why = answer.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
    let line = match &why {
        None => format!("{} is {state}.", command.url),
        Some(why) => format!("{} is not {state}: {why}", command.url),
    };
    Answer::new([line], json!({ "url": command.url.as_str(), state: is_so, "why": why })).say(command.format);
    Ok(if is_so { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
