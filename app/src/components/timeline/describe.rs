//! Events in words.

use std::fmt::Write as _;

use tidewatch_events::Envelope;
use tidewatch_events::access::Actor;
use tidewatch_events::catalog::settlement::{
    SettlementConfirmationProgress, SettlementFacts, SettlementFailed, SettlementGasEstimated,
    SettlementNetworkSelected, SettlementSettled, SettlementStatus, SettlementStatusChanged,
};

use crate::format;

/// What an event says to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub title: String,
    /// What else there is to say of it.
    pub detail: Option<String>,
    /// What its mark is coloured and shaped by.
    pub status: Option<SettlementStatus>,
}

/// An event in words. One of an unknown type is called by its type.
#[must_use]
pub fn describe(event: &Envelope) -> Words {
    let facts: Option<SettlementFacts> = serde_json::from_value(event.payload.clone()).ok();
    let status = facts.as_ref().map(|facts| facts.status);
    let network =
        facts.and_then(|facts| facts.network).map_or_else(|| "no network".to_owned(), |n| n.to_string());
    let (title, detail) = words(event, &network);
    Words { title, detail, status }
}

fn words(event: &Envelope, network: &str) -> (String, Option<String>) {
    if let Some(Ok(said)) = event.payload::<SettlementNetworkSelected>() {
        return (
            format!("Network {network} selected"),
            Some(format!("Score {} of 100. {}", said.score, said.reasoning)),
        );
    }
    if let Some(Ok(said)) = event.payload::<SettlementGasEstimated>() {
        return ("Gas estimated".into(), Some(format!("{} on {network}", amount(said.gas_estimate))));
    }
    if let Some(Ok(said)) = event.payload::<SettlementConfirmationProgress>() {
        let facts = said.settlement;
        return (format!("{} of {} confirmations", facts.confirmations, facts.required), None);
    }
    if let Some(Ok(said)) = event.payload::<SettlementSettled>() {
        return (
            "Settled".into(),
            Some(format!("Gas {} on {network}, transaction {}", amount(said.gas_actual), said.tx_hash)),
        );
    }
    if let Some(Ok(said)) = event.payload::<SettlementFailed>() {
        return (
            format!("Failed while {}", format::status(said.from_status).to_lowercase()),
            Some(said.error),
        );
    }
    if let Some(Ok(said)) = event.payload::<SettlementStatusChanged>() {
        let (from, to) = (format::status(said.from_status), format::status(said.to_status));
        return (format!("{from} → {to}"), said.reason);
    }
    match event.event_type.as_str() {
        "settlement.created" => ("Created".into(), None),
        other => (other.to_owned(), None),
    }
}

fn amount(units: i64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}", format::count(units.unsigned_abs()))
}

/// Who did it, in a few words.
#[must_use]
pub fn actor(event: &Envelope) -> Option<String> {
    let mut text = String::from("by ");
    match event.metadata.actor.as_ref()? {
        Actor::User(id) => write!(text, "person {}", format::short_id(&id.to_string())),
        Actor::Key(id) => write!(text, "API key {}", format::short_id(&id.to_string())),
        Actor::System(name) => write!(text, "Tidewatch ({name})"),
    }
    .ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::{AggregateType, EventId, EventType, Metadata, Position, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(event_type: &'static str, more: &serde_json::Value) -> Envelope {
        let mut payload = json!({
            "settlementId": "stl_01h455vb4pex5vsknk084sn02q", "reference": "INV-1", "amountMinor": 100,
            "currency": "EUR", "network": "polygon", "status": "failed", "confirmations": 0, "required": 12,
            "createdAt": "2026-11-20T20:43:52.832Z",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            payload[name] = value.clone();
        }
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
        let failed =
            describe(&event("settlement.failed", &json!({"fromStatus": "gas_estimated", "error": "no gas"})));
        assert_eq!(failed.title, "Failed while gas estimated");
        assert_eq!(failed.detail.as_deref(), Some("no gas"));
        assert_eq!(failed.status, Some(SettlementStatus::Failed));
        let moved = json!({"fromStatus": "failed", "toStatus": "created", "reason": null});
        assert_eq!(describe(&event("settlement.status_changed", &moved)).title, "Failed → Created");
    }

    #[test]
    fn calls_what_it_does_not_know_by_its_type() {
        let mut unknown = event("door.opened", &json!({}));
        unknown.payload = json!({});
        assert_eq!(describe(&unknown), Words { title: "door.opened".into(), detail: None, status: None });
        assert_eq!(actor(&unknown).as_deref(), Some("by Tidewatch (relay)"));
    }
}
