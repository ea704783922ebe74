//! `tidewatch publish`: sends events to a channel.

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;
use serde_json::{Value, json};
use tidewatch_client::events::EventId;
use tidewatch_client::{ChannelPublisher, Draft, Publisher};

use super::say;

/// The payload that stands for standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Where the server is
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000")]
    url: String,

    /// API key with the scope events.publish, or *
    #[arg(long = "api-key", alias = "key", env = "TIDEWATCH_API_KEY", hide_env_values = true)]
    key: SecretString,

    /// The channel's name; one that begins with `private` is for readers with a token
    channel: String,

    /// The payload as JSON, or - for one a line on standard input
    payload: String,

    /// The events' type, such as order.created
    #[arg(long = "type")]
    event_type: Option<String>,

    /// Run again with the same one within a day, it publishes nothing twice
    #[arg(long)]
    idempotency_key: Option<String>,

    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Publish) -> anyhow::Result<()> {
    let publisher = Publisher::new(&command.url, command.key.clone())?;
    let channel = publisher.channel(command.channel.as_str());
    let ids = if command.payload == STANDARD_INPUT {
        let text = std::io::read_to_string(std::io::stdin()).context("standard input cannot be read")?;
        publish_lines(&publisher, &channel, &command, &text).await?
    } else {
        let payload = parse(&command.payload).context("PAYLOAD is no JSON")?;
        let mut draft = draft(&channel, &command, payload);
        if let Some(key) = &command.idempotency_key {
            draft = draft.idempotency_key(key.as_str());
        }
        vec![draft.send().await?]
    };
    show(&ids, command.json);
    Ok(())
}

async fn publish_lines(
    publisher: &Publisher,
    channel: &ChannelPublisher,
    command: &Publish,
    text: &str,
) -> anyhow::Result<Vec<EventId>> {
    let mut messages = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let payload = parse(line).with_context(|| format!("line {} is no JSON", index + 1))?;
        messages.push(draft(channel, command, payload).into_message()?);
    }
    let published = match &command.idempotency_key {
        Some(key) => publisher.publish_all_as(key, messages).await,
        None => publisher.publish_all(messages).await,
    };
    published.map_err(|error| {
        let hint = format!(
            "the same input with --idempotency-key {} publishes the rest and nothing twice",
            error.idempotency_key
        );
        anyhow::Error::new(error).context(hint)
    })
}

fn draft(channel: &ChannelPublisher, command: &Publish, payload: Value) -> Draft {
    match &command.event_type {
        Some(event_type) => channel.event(event_type, payload),
        None => channel.message(payload),
    }
}

fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

fn show(ids: &[EventId], as_json: bool) {
    if as_json {
        let events: Vec<Value> = ids.iter().map(|id| json!({ "eventId": id })).collect();
        say(format_args!("{}", json!({ "events": events })));
    } else {
        ids.iter().for_each(|id| say(format_args!("{id}")));
    }
}
