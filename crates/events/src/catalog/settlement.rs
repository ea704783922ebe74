//! Settlements: money on its way over a network.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::catalog;
use crate::id::SettlementId;
use crate::money::Currency;
use crate::timestamp::Timestamp;

/// Where a settlement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SettlementStatus {
    /// Asked for; no network chosen yet.
    Created,
    /// The network is chosen.
    NetworkSelected,
    /// What the transfer will cost is known.
    GasEstimated,
    /// Handed to the network.
    Submitted,
    /// In a block; confirmations are counted.
    Confirming,
    /// Enough confirmations.
    Confirmed,
    /// Done: the money is there.
    Settled,
    /// Ended without success; can be retried.
    Failed,
    /// Stopped by a person until released.
    Held,
}

impl SettlementStatus {
    /// Every status, in the order of a settlement's life.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::NetworkSelected,
        Self::GasEstimated,
        Self::Submitted,
        Self::Confirming,
        Self::Confirmed,
        Self::Settled,
        Self::Failed,
        Self::Held,
    ];

    /// The status as the wire and the database write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::NetworkSelected => "network_selected",
            Self::GasEstimated => "gas_estimated",
            Self::Submitted => "submitted",
            Self::Confirming => "confirming",
            Self::Confirmed => "confirmed",
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }

    /// Whether work on it goes on by itself: neither ended nor stopped by a person.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Settled | Self::Failed | Self::Held)
    }
}

/// The text is no settlement status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of created, network_selected, gas_estimated, submitted, confirming, confirmed, settled, failed, held"
)]
pub struct ParseStatusError;

impl fmt::Display for SettlementStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SettlementStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, ParseStatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(ParseStatusError)
    }
}

/// The network that carries a settlement, in lower case: `polygon`, `ethereum`, `sepa`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(String);

/// The text is no network name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 lower-case letters, digits, - or _, and begin with a letter")]
pub struct ParseNetworkError;

impl Network {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && text.len() <= 40 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseNetworkError)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What every settlement event says of its settlement, as it is after the change.
///
/// With it a list stays right by events alone: a settlement that moves into a filtered view can be
/// shown without another request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SettlementFacts {
    /// Which settlement.
    pub settlement_id: SettlementId,
    /// The customer's own reference.
    pub reference: String,
    /// The amount in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network, once it is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Where it stands after the change.
    pub status: SettlementStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// Confirmations seen so far.
    pub confirmations: u32,
    /// Confirmations that its network asks for; 0 while no network is chosen.
    pub required: u32,
}

catalog! {
    /// A settlement was asked for.
    "settlement.created" on SETTLEMENT for SETTLEMENTS_READ => SettlementCreated {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
    }
    /// The network that will carry it was chosen. `network` is among the facts.
    "settlement.network_selected" on SETTLEMENT for SETTLEMENTS_READ => SettlementNetworkSelected {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// How well the network fits, 0 to 100.
        score: u8,
        /// Why it was chosen.
        reasoning: String,
    }
    /// What the transfer will cost was estimated. `network` is among the facts.
    "settlement.gas_estimated" on SETTLEMENT for SETTLEMENTS_READ => SettlementGasEstimated {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// The estimate, in the network's smallest unit of account.
        gas_estimate: i64,
    }
    /// Its status changed in a way that has no event of its own.
    "settlement.status_changed" on SETTLEMENT for SETTLEMENTS_READ => SettlementStatusChanged {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// The status before.
        from_status: SettlementStatus,
        /// The status after.
        to_status: SettlementStatus,
        /// Why, where a person said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// The network saw further confirmations. `confirmations`, `required` and `network` are among the facts.
    "settlement.confirmation_progress" on SETTLEMENT for SETTLEMENTS_READ => SettlementConfirmationProgress {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
    }
    /// The money is there. `network` is among the facts.
    "settlement.settled" on SETTLEMENT for SETTLEMENTS_READ => SettlementSettled {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// The transaction on the network.
        tx_hash: String,
        /// What it cost, in the network's smallest unit of account.
        gas_actual: i64,
    }
    /// It ended without success. `network` is among the facts.
    "settlement.failed" on SETTLEMENT for SETTLEMENTS_READ => SettlementFailed {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// The status before.
        from_status: SettlementStatus,
        /// What went wrong.
        error: String,
    }
    /// Something about it changed beside its status.
    "settlement.updated" on SETTLEMENT for SETTLEMENTS_READ => SettlementUpdated {
        /// The settlement after the change.
        #[serde(flatten)]
        settlement: SettlementFacts,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
}
