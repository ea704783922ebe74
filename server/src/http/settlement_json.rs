//! A settlement on the wire.

use serde::Serialize;
use tidewatch_events::catalog::settlement::{Network, SettlementStatus};
use tidewatch_events::id::{OrganizationId, SettlementId};
use tidewatch_events::money::Currency;
use tidewatch_events::{Position, Timestamp};

use crate::domain::settlement::Settlement;

/// A settlement as API clients receive it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementJson {
    id: SettlementId,
    status: SettlementStatus,
    version: i64,
    organization_id: Option<OrganizationId>,
    reference: String,
    amount_minor: i64,
    currency: Currency,
    network: Option<Network>,
    confirmations: u32,
    required: u32,
    gas_estimate: Option<i64>,
    gas_actual: Option<i64>,
    tx_hash: Option<String>,
    error: Option<String>,
    hold_reason: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The names of the moves that it may make now.
    moves: Vec<&'static str>,
}

impl From<&Settlement> for SettlementJson {
    fn from(settlement: &Settlement) -> Self {
        Self {
            id: settlement.id,
            status: settlement.status,
            version: settlement.version,
            organization_id: settlement.organization_id,
            reference: settlement.reference.clone(),
            amount_minor: settlement.amount_minor,
            currency: settlement.currency,
            network: settlement.network.clone(),
            confirmations: settlement.confirmations,
            required: settlement.required,
            gas_estimate: settlement.gas_estimate,
            gas_actual: settlement.gas_actual,
            tx_hash: settlement.tx_hash.clone(),
            error: settlement.error.clone(),
            hold_reason: settlement.hold_reason.clone(),
            created_at: settlement.created_at,
            updated_at: settlement.updated_at,
            moves: settlement.allowed_moves().map(|rule| rule.name).collect(),
        }
    }
}

/// A settlement with a position of the stream that lies before its last event was published or
/// right behind it: a stream opened `after` it misses nothing that comes later.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PositionedSettlement {
    /// The settlement.
    #[serde(flatten)]
    pub settlement: SettlementJson,
    /// Where to go on from.
    pub position: Position,
}
