//! `tidewatch tail`: the stream in the terminal.

use std::io::{self, ErrorKind, Write};

use clap::Args;
use futures::StreamExt;
use secrecy::SecretString;
use tidewatch_client::events::{Envelope, ResumePoint};
use tidewatch_client::{GapCause, Notice, Publisher, State, Subscriber};

#[derive(Debug, Args)]
pub(super) struct Tail {
    /// Where the server is
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000")]
    url: String,

    /// API key with the scope events.read, or *
    #[arg(long = "api-key", alias = "key", env = "TIDEWATCH_API_KEY", hide_env_values = true)]
    key: SecretString,

    /// Event types, such as settlement.*,order.created
    #[arg(long, value_delimiter = ',')]
    types: Vec<String>,

    /// Channels; for private ones the key signs its own tokens, which needs the scope tokens.sign
    #[arg(long, value_delimiter = ',')]
    channels: Vec<String>,

    /// Kinds of aggregates, such as Settlement
    #[arg(long, value_delimiter = ',')]
    resource_types: Vec<String>,

    /// One aggregate, by its id
    #[arg(long)]
    resource_id: Option<String>,

    /// Where to begin: an event id, a position or position token, an RFC 3339 time, latest or earliest
    #[arg(long, default_value = "latest")]
    after: ResumePoint,

    /// One event a line, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Tail) -> anyhow::Result<()> {
    let shutdown = super::shutdown_signal()?;
    let (private, public): (Vec<String>, Vec<String>) =
        command.channels.into_iter().partition(|name| name.starts_with("private"));
    let mut subscriber = Subscriber::builder(command.url.as_str())
        .api_key(command.key.clone())
        .types(command.types)
        .channels(public)
        .resource_types(command.resource_types)
        .after(command.after);
    if let Some(id) = command.resource_id {
        subscriber = subscriber.resource_id(id);
    }
    let signer = Publisher::new(&command.url, command.key.clone())?;
    for name in private {
        subscriber = subscriber.private_channel_signed_by(name, &signer);
    }
    let mut stream = subscriber.build()?;
    let style = Style::of_standard_output(command.json);
    loop {
        let notice = tokio::select! {
            notice = stream.next() => notice,
            () = shutdown.cancelled() => return Ok(()),
        };
        match notice {
            Some(Notice::Event(event)) => match writeln!(io::stdout().lock(), "{}", style.line(&event)) {
                // Whoever read this has seen enough: `tidewatch tail | head`.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            },
            Some(Notice::GaveUp(error)) => return Err(error.into()),
            Some(notice) => tell(&notice),
            None => return Ok(()),
        }
    }
}

/// What is no event goes to standard error, where no other program reads it.
fn tell(notice: &Notice) {
    let text = match notice {
        Notice::State(State::Live { connection_id }) => format!("live ({connection_id})"),
        Notice::State(State::Reconnecting { wait, loss }) => {
            format!("{loss}; again in {:.1} s", wait.as_secs_f64())
        }
        Notice::System(message) => format!("{:?}: {}", message.code, message.message),
        Notice::Gap(gap) => match gap.cause {
            GapCause::History => format!("events are missing; the next ones come behind {}", gap.behind),
            _ => "other events than before may be seen now".to_owned(),
        },
        Notice::Unreadable(unreadable) => {
            format!("a message `{}` cannot be read: {}", unreadable.name, unreadable.reason)
        }
        _ => return,
    };
    // A closed standard error is no reason to stop.
    let _ = writeln!(io::stderr().lock(), "tidewatch: {}", printable(&text));
}

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Json,
    Plain,
    Color,
}

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

impl Style {
    fn of_standard_output(json: bool) -> Self {
        if json {
            Self::Json
        } else if super::wants_color() {
            Self::Color
        } else {
            Self::Plain
        }
    }

    fn line(self, event: &Envelope) -> String {
        if self == Self::Json {
            // Our own type always is JSON.
            return serde_json::to_string(event).unwrap_or_default();
        }
        let (dim, bold, reset) = if self == Self::Color { (DIM, BOLD, RESET) } else { ("", "", "") };
        let Envelope { position, occurred_at, event_type, aggregate_type, aggregate_version, .. } = event;
        let id = printable(&event.aggregate_id);
        let payload = printable(&event.payload.to_string());
        format!(
            "{dim}{occurred_at} {position}{reset} {bold}{event_type}{reset} {aggregate_type} {id} \
             {dim}v{aggregate_version}{reset} {payload}"
        )
    }
}

/// The text without characters that a terminal would take for orders.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Envelope {
        serde_json::from_value(json!({
            "eventId": "evt_01h455vb4pex5vsknk084sn02q", "eventType": "order.created", "aggregateType": "Order",
            "aggregateId": "ord_1\u{1b}[2J", "aggregateVersion": 3, "occurredAt": "2026-11-20T20:43:52.832Z",
            "position": 7, "payload": { "a": "\u{9b}2J" }, "metadata": {},
        }))
        .expect("an event")
    }

    #[test]
    fn one_line_says_what_happened_to_what() {
        assert_eq!(
            Style::Plain.line(&event()),
            "2026-11-20T20:43:52.832Z 7 order.created Order ord_1\u{fffd}[2J v3 {\"a\":\"\u{fffd}2J\"}",
            "and gives no orders to the terminal"
        );
        assert!(Style::Color.line(&event()).contains("\x1b[1;36morder.created\x1b[0m"));
    }

    #[test]
    fn json_is_the_event_itself() {
        let line = Style::Json.line(&event());
        assert_eq!(serde_json::from_str::<Envelope>(&line).expect("an event"), event());
    }
}
