//! Servers that are watched: testing ─report▶ success or failed, again and again, by real checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::access::Actor;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, Effect, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

/// The job that checks a server.
pub const CHECK: &str = "server.check";
/// How a server can be checked.
const KINDS: &[&str] = &["tcp", "http"];
/// Seconds between two checks where nobody said otherwise.
const USUAL_INTERVAL: i64 = 30;

/// A server that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// What it is called.
    pub name: String,
    /// `tcp` or `http`.
    pub kind: String,
    /// `host:port`, or an `http://` or `https://` URL.
    pub address: String,
    /// Seconds between two checks.
    pub interval_seconds: i64,
    /// How long the last check took that changed something, in milliseconds.
    pub latency_ms: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What is given for a new server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewServer {
    name: String,
    kind: String,
    address: String,
    #[serde(default)]
    interval_seconds: Option<i64>,
}

/// The moves of a server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ServerMove {
    /// Look at once.
    Check {},
    /// What a check came to.
    Report {
        /// Whether it answered.
        ok: bool,
        /// How long that took.
        #[serde(default)]
        latency_ms: Option<i64>,
        /// Why not.
        #[serde(default)]
        error: Option<String>,
    },
    /// Look no more.
    Pause {},
}

impl Aggregate for Server {
    type New = NewServer;
    type Move = ServerMove;

    fn module() -> Module {
        Module::new("server", AggregateType::SERVER, "srv", Permission::SERVERS_READ, Permission::SERVERS_ACT)
            .with_icon("server")
            .with_statuses([
                status("testing", Tone::Active),
                status("success", Tone::Good),
                status("failed", Tone::Bad).waits(),
                status("paused", Tone::Neutral),
            ])
            .with_fields([
                field("name", "Name", FieldKind::Text).searched(),
                field("kind", "Check", FieldKind::Text).listed().narrowed_by(KINDS),
                field("address", "Address", FieldKind::Code).listed().searched(),
                field("intervalSeconds", "Seconds between checks", FieldKind::Number),
                // Of the check that last changed something: what the last one came to, its checks tell.
                field("latencyMs", "Answer took, when it last changed", FieldKind::Duration),
                field("error", "What went wrong", FieldKind::Text).searched().trouble(),
            ])
            .with_moves([
                rule("check", &["success", "failed", "paused"], &["testing"]).labelled("Check now").in_bulk(),
                rule("report", &["testing", "success", "failed"], &["success", "failed"]),
                rule("pause", &["testing", "success", "failed"], &["paused"])
                    .labelled("Pause checks")
                    .undone_by("check"),
            ])
            .created_with([
                input("name", "Name", InputKind::Text),
                choice("kind", "Check", KINDS),
                input("address", "Address", InputKind::Text).hinted("host:port for tcp, a URL for http"),
                input("intervalSeconds", "Seconds between checks", InputKind::Number).optional(),
            ])
    }

    fn create(new: NewServer, context: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let interval_seconds = new.interval_seconds.unwrap_or(USUAL_INTERVAL);
        if !(5..=86_400).contains(&interval_seconds) {
            return Err(MoveError::invalid("intervalSeconds", "must be 5 to 86400 seconds"));
        }
        let server = Self {
            name: checked_text("name", &new.name, 200)?,
            address: checked_address(&new.kind, &new.address)?,
            kind: new.kind,
            interval_seconds,
            latency_ms: None,
            error: None,
        };
        Ok((server, Outcome::plain().and(check(context))))
    }

    fn make(&mut self, step: ServerMove, _: &str, context: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            ServerMove::Check {} => Outcome::plain().and(check(context)),
            ServerMove::Pause {} => {
                (self.error, self.latency_ms) = (None, None);
                Outcome::plain()
            }
            ServerMove::Report { ok, latency_ms, error } => {
                if !matches!(context.actor, Actor::System(_)) {
                    return Err(MoveError::NotYours("only Tidewatch's own checks report".to_owned()));
                }
                self.latency_ms = latency_ms;
                self.error = error.filter(|_| !ok);
                let outcome = Outcome::plain().leading_to(if ok { "success" } else { "failed" });
                match &self.error {
                    Some(error) => outcome.saying("reason", error.clone()),
                    None => outcome,
                }
            }
        })
    }
}

fn check(context: &Context<'_>) -> Effect {
    Effect::Job { kind: CHECK, payload: json!({ "serverId": context.id }) }
}

fn checked_address(kind: &str, address: &str) -> Result<String, MoveError> {
    let address = checked_text("address", address, 500)?;
    let is_right = match kind {
        "tcp" => address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && !host.contains(['/', '@', ' '])
                && port.parse().is_ok_and(|port: u16| port > 0)
        }),
        "http" => address
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"))),
        _ => return Err(MoveError::invalid("kind", "must be tcp or http")),
    };
    let message = match kind {
        "tcp" => "must be host:port",
        _ => "must be an http:// or https:// URL",
    };
    if is_right { Ok(address) } else { Err(MoveError::invalid("address", message)) }
}
