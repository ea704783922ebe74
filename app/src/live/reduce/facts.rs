//! A row out of an event.

use serde::Deserialize;
use tidewatch_events::catalog::settlement::SettlementFacts;
use tidewatch_events::{AggregateType, Envelope};

use crate::model::SettlementRow;

/// The settlement as it is after the event; `None` for events of other things, and for one whose
/// payload is not what the catalog says.
pub(super) fn row_of(envelope: &Envelope) -> Option<SettlementRow> {
    if envelope.aggregate_type != AggregateType::SETTLEMENT {
        return None;
    }
    let facts = SettlementFacts::deserialize(&envelope.payload).ok()?;
    Some(SettlementRow {
        id: facts.settlement_id,
        reference: facts.reference,
        amount_minor: facts.amount_minor,
        currency: facts.currency,
        network: facts.network,
        status: facts.status,
        confirmations: facts.confirmations,
        required: facts.required,
        release_requested_by: envelope
            .payload
            .get("releaseRequestedBy")
            .and_then(serde_json::Value::as_str)
            .map(ToOwned::to_owned),
        version: envelope.aggregate_version,
        created_at: facts.created_at,
        updated_at: envelope.occurred_at,
    })
}
