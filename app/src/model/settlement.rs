//! Settlements as the overview shows them.

use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;
use tidewatch_events::catalog::settlement::{Network, SettlementStatus};
use tidewatch_events::id::SettlementId;
use tidewatch_events::money::Currency;

/// A settlement in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementRow {
    /// Which one.
    pub id: SettlementId,
    /// The customer's own reference.
    pub reference: String,
    /// The amount in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network, once it is chosen.
    pub network: Option<Network>,
    /// Where it stands.
    pub status: SettlementStatus,
    /// Confirmations seen so far.
    pub confirmations: u32,
    /// Confirmations that its network asks for; 0 while no network is chosen.
    pub required: u32,
    /// Who asked for its release, where a second person has to agree.
    #[serde(default)]
    pub release_requested_by: Option<String>,
    /// One more with each change.
    pub version: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
