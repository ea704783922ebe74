//! Events in words.

use serde_json::Value;
use tidewatch_events::access::Actor;
use tidewatch_events::id::UserId;
use tidewatch_events::money::{Currency, format_minor};
use tidewatch_events::{AggregateType, Envelope};
use tidewatch_modules::Tone;
use tidewatch_modules::module::label_of;

use crate::components::status_badge::tone_of_word;
use crate::format;

/// What an event says to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub title: String,
    /// What else there is to say of it.
    pub detail: Option<String>,
    /// What its mark is coloured and shaped by.
    pub tone: Tone,
}

/// An event in words. One of an unknown type is called by its type.
#[must_use]
pub fn describe(event: &Envelope) -> Words {
    let said = Said(event);
    let tone = match said.text("status") {
        // Of an invoice or a balance the same word says that all is as it should be.
        Some("open") if event.aggregate_type == AggregateType::INCIDENT => Tone::Bad,
        Some("open") | None => Tone::Neutral,
        Some(status) => tone_of_word(status),
    };
    let (title, detail) = said.words();
    Words { title, detail, tone }
}

struct Said<'a>(&'a Envelope);

impl Said<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.payload.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.0.payload.get(name).and_then(Value::as_i64)
    }

    fn count(&self, name: &str) -> String {
        let number = self.number(name).unwrap_or_default();
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{}", format::count(number.unsigned_abs()))
    }

    fn money(&self, name: &str) -> Option<String> {
        let currency: Currency = self.text("currency")?.parse().ok()?;
        Some(format!("{} {currency}", format_minor(self.number(name)?, currency)))
    }

    fn network(&self) -> &str {
        self.text("network").unwrap_or("no network")
    }

    fn reason(&self) -> Option<String> {
        self.text("reason").or_else(|| self.text("error")).map(ToOwned::to_owned)
    }

    fn words(&self) -> (String, Option<String>) {
        let from = || self.text("fromStatus").map(label_of).unwrap_or_default();
        match self.0.event_type.as_str() {
            "settlement.network_selected" => (
                format!("Network {} selected", self.network()),
                Some(format!(
                    "Score {} of 100. {}",
                    self.count("score"),
                    self.text("reasoning").unwrap_or_default()
                )),
            ),
            "settlement.gas_estimated" => {
                ("Gas estimated".into(), Some(format!("{} on {}", self.count("gasEstimate"), self.network())))
            }
            "settlement.confirmation_progress" => {
                (format!("{} of {} confirmations", self.count("confirmations"), self.count("required")), None)
            }
            "settlement.settled" => (
                "Settled".into(),
                Some(format!(
                    "Gas {} on {}, transaction {}",
                    self.count("gasActual"),
                    self.network(),
                    self.text("txHash").unwrap_or_default()
                )),
            ),
            "settlement.failed" => (format!("Failed while {}", from().to_lowercase()), self.reason()),
            "payment.received" => ("Money received".into(), self.money("amountMinor")),
            "payment.refunded" => ("Refunded".into(), self.money("refundAmount")),
            "balance.updated" => (
                format!("Moved by {}", self.money("deltaMinor").unwrap_or_default()),
                self.money("balanceMinor").map(|balance| format!("{balance} on it now")),
            ),
            "ticket.quoted" => ("Quoted".into(), self.money("amountMinor")),
            "ticket.approved" => ("Approved".into(), self.money("quoteMinor")),
            "automation.started" => ("Started".into(), self.text("note").map(ToOwned::to_owned)),
            "automation.progressed" => {
                (format!("{} of {} steps", self.count("done"), self.count("total")), None)
            }
            "automation.completed" => ("Completed".into(), self.text("note").map(ToOwned::to_owned)),
            "automation.failed" => ("Failed".into(), self.reason()),
            "log.added" => ("Logged".into(), self.text("message").map(ToOwned::to_owned)),
            "comment.created" => ("Commented".into(), self.text("text").map(ToOwned::to_owned)),
            other => self.usual(other),
        }
    }

    /// What events of any module say alike.
    fn usual(&self, event_type: &str) -> (String, Option<String>) {
        let move_of = (self.text("fromStatus"), self.text("toStatus"));
        match (event_type.split_once('.').map(|(_, what)| what), move_of) {
            (Some("created"), _) if self.text("status").is_some() => ("Created".into(), None),
            (Some("status_changed"), (Some(from), Some(to))) => {
                (format!("{} → {}", label_of(from), label_of(to)), self.reason())
            }
            (Some("updated"), _) => {
                let changed = self.0.payload.get("changed").and_then(Value::as_array);
                let names: Vec<String> =
                    changed.into_iter().flatten().filter_map(Value::as_str).map(words_of).collect();
                ("Changed".into(), Some(names.join(", ")).filter(|names| !names.is_empty()))
            }
            // A type that a module gave its move: it says what happened, and the move from where to where.
            (Some(what), (Some(from), Some(to))) => {
                (label_of(what), Some(format!("{} → {}", label_of(from), label_of(to))))
            }
            _ => (event_type.to_owned(), None),
        }
    }
}

/// A field's name in words: `releaseRequestedBy` is `release requested by`.
fn words_of(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// Who did it, in a few words; `named` is what a person is called, where that is known.
#[must_use]
pub fn actor(event: &Envelope, named: impl FnOnce(UserId) -> Option<String>) -> Option<String> {
    Some(match event.metadata.actor.as_ref()? {
        Actor::User(id) => match named(*id) {
            Some(name) => format!("by {name}"),
            None => format!("by person {}", format::short_id(&id.to_string())),
        },
        Actor::Key(id) => format!("by API key {}", format::short_id(&id.to_string())),
        Actor::System(name) => format!("by Tidewatch ({name})"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::{AggregateType, EventId, EventType, Metadata, Position, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(event_type: &'static str, payload: Value) -> Envelope {
        Envelope {
            event_id: EventId::from_uuid(Uuid::from_u128(1)),
            event_type: EventType::from_static(event_type),
            aggregate_type: AggregateType::SETTLEMENT,
            aggregate_id: "stl".into(),
            aggregate_version: 1,
            occurred_at: Timestamp::from_unix_millis(0).expect("a time"),
            position: Position::START,
            payload,
            metadata: Metadata { actor: Some(Actor::System("relay".into())), ..Metadata::default() },
        }
    }

    #[test]
    fn says_what_happened_and_why() {
        for (event_type, payload, title, detail, tone) in [
            (
                "settlement.failed",
                json!({ "status": "failed", "fromStatus": "gas_estimated", "error": "no gas" }),
                "Failed while gas estimated",
                Some("no gas"),
                Tone::Bad,
            ),
            (
                "order.status_changed",
                json!({ "status": "paid", "fromStatus": "created", "toStatus": "paid" }),
                "Created → Paid",
                None,
                Tone::Good,
            ),
            (
                "payment.refunded",
                json!({ "status": "refunded", "refundAmount": 1250, "currency": "EUR" }),
                "Refunded",
                Some("12.50 EUR"),
                Tone::Warn,
            ),
            (
                "parcel.handed_over",
                json!({ "status": "done", "fromStatus": "on_its_way", "toStatus": "done" }),
                "Handed over",
                Some("On its way → Done"),
                Tone::Good,
            ),
            (
                "settlement.updated",
                json!({ "status": "held", "changed": ["releaseRequestedBy"] }),
                "Changed",
                Some("release requested by"),
                Tone::Warn,
            ),
        ] {
            let words = describe(&event(event_type, payload));
            assert_eq!(
                (words.title.as_str(), words.detail.as_deref(), words.tone),
                (title, detail, tone),
                "{event_type}"
            );
        }
    }

    #[test]
    fn calls_what_it_does_not_know_by_its_type() {
        let unknown = event("door.opened", json!({}));
        let words = describe(&unknown);
        assert_eq!((words.title.as_str(), words.detail, words.tone), ("door.opened", None, Tone::Neutral));
        assert_eq!(actor(&unknown, |_| None).as_deref(), Some("by Tidewatch (relay)"));
    }

    #[test]
    fn calls_people_by_their_names() {
        let ann: UserId = "usr_01h455vb4pex5vsknk084sn02q".parse().expect("an id");
        let mut made = event("settlement.created", json!({ "status": "created" }));
        made.metadata.actor = Some(Actor::User(ann));
        let named = |id: UserId| (id == ann).then(|| "Ann".to_owned());
        assert_eq!(actor(&made, named).as_deref(), Some("by Ann"));
        assert_eq!(actor(&made, |_| None).as_deref(), Some("by person usr_01h4…n02q"));
    }
}
