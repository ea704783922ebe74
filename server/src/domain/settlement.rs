//! Settlements: money on its way over a network.
//!
//! ```text
//! created ─select_network▶ network_selected ─estimate_gas▶ gas_estimated ─submit▶ submitted
//!    ▲                                                                               │ confirm
//!    │ retry                                                                         ▼
//!  failed ◀─fail─ (any open one)          settled ◀─settle─ confirmed ◀─confirm─ confirming ⟲
//!  held ◀─hold─ (any open one), ─release▶ where it was held
//! ```
//!
//! Above the approval limit two people release: the first asks for it, another one does it.

mod moves;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::catalog::settlement::{Network, SettlementStatus};
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::{checked_amount, checked_text};
use tidewatch_modules::module::{Status, choice, field, input, rule, status};
use tidewatch_modules::{
    Aggregate, Context, FieldKind, InputKind, Module, MoveError, MoveRule, Outcome, Tone,
};

pub use moves::SettlementMove;

/// Currencies that forms offer; any other code can be given by API.
pub const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "CHF", "JPY", "SEK", "PLN", "KWD"];
/// Networks that forms offer; any other name can be given by API.
const NETWORKS: &[&str] = &["polygon", "base", "arbitrum", "ethereum", "solana", "sepa"];
/// Where work goes on by itself.
const OPEN: &[&str] =
    &["created", "network_selected", "gas_estimated", "submitted", "confirming", "confirmed"];

/// A settlement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The customer's own reference.
    reference: String,
    /// The amount in minor units of `currency`.
    amount_minor: i64,
    /// ISO 4217.
    currency: Currency,
    /// The network: wished for while created, chosen afterwards.
    network: Option<Network>,
    /// Confirmations seen so far.
    confirmations: u32,
    /// Confirmations needed; 0 while no network is chosen.
    required: u32,
    /// What the transfer should cost, in the network's smallest unit of account.
    gas_estimate: Option<i64>,
    /// What it cost.
    gas_actual: Option<i64>,
    /// The transaction on the network.
    tx_hash: Option<String>,
    /// What went wrong.
    error: Option<String>,
    /// Where a held one goes on when released.
    held_from: Option<SettlementStatus>,
    /// Why it is held.
    hold_reason: Option<String>,
    /// The person who asked for its release, where a second one has to agree: `user:usr_…`.
    release_requested_by: Option<String>,
}

/// What is given for a new settlement.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSettlement {
    reference: String,
    amount_minor: i64,
    currency: Currency,
    /// The network wished for; `None`: chosen later.
    #[serde(default)]
    network: Option<Network>,
}

impl Aggregate for Settlement {
    type New = NewSettlement;
    type Move = SettlementMove;

    fn module() -> Module {
        Module::new(
            "settlement",
            AggregateType::SETTLEMENT,
            "stl",
            Permission::SETTLEMENTS_READ,
            Permission::SETTLEMENTS_ACT,
        )
        .with_icon("settlements")
        .with_statuses(SettlementStatus::ALL.map(described))
        .with_fields([
            field("reference", "Reference", FieldKind::Text).searched(),
            field("amountMinor", "Amount", FieldKind::Money).listed(),
            field("currency", "Currency", FieldKind::Text).narrowed_by(CURRENCIES),
            field("network", "Network", FieldKind::Text).listed().narrowed_by(NETWORKS),
            field(
                "confirmations",
                "Confirmations",
                FieldKind::Progress { of: "required".into(), unit: "confirmations".into() },
            )
            .listed(),
            field("required", "Confirmations needed", FieldKind::Number),
            field("gasEstimate", "Gas, estimated", FieldKind::Number),
            field("gasActual", "Gas, actual", FieldKind::Number),
            field("txHash", "Transaction", FieldKind::Code),
            field("error", "What went wrong", FieldKind::Text).trouble(),
            field("heldFrom", "Held from", FieldKind::Text),
            field("holdReason", "Held", FieldKind::Text).trouble(),
            field("releaseRequestedBy", "Release asked for by", FieldKind::Person),
        ])
        .with_moves(table())
        .created_with([
            input("reference", "Reference", InputKind::Text),
            input("amountMinor", "Amount", InputKind::Money),
            choice("currency", "Currency", CURRENCIES),
            choice("network", "Network", NETWORKS).optional().hinted("Left open: chosen later."),
        ])
    }

    fn create(new: NewSettlement, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let settlement = Self {
            reference: checked_text("reference", &new.reference, 200)?,
            amount_minor: checked_amount("amountMinor", new.amount_minor)?,
            currency: new.currency,
            network: new.network,
            confirmations: 0,
            required: 0,
            gas_estimate: None,
            gas_actual: None,
            tx_hash: None,
            error: None,
            held_from: None,
            hold_reason: None,
            release_requested_by: None,
        };
        Ok((settlement, Outcome::plain()))
    }

    fn make(
        &mut self,
        step: SettlementMove,
        status: &str,
        context: &Context<'_>,
    ) -> Result<Outcome, MoveError> {
        let status = status.parse().map_err(|_| MoveError::Broken(format!("the status {status}")))?;
        self.step(step, status, context)
    }
}

fn described(name: SettlementStatus) -> Status {
    let tone = match name {
        SettlementStatus::Created | SettlementStatus::NetworkSelected | SettlementStatus::GasEstimated => {
            Tone::Neutral
        }
        SettlementStatus::Submitted | SettlementStatus::Confirming | SettlementStatus::Confirmed => {
            Tone::Active
        }
        SettlementStatus::Settled => Tone::Good,
        SettlementStatus::Failed => Tone::Bad,
        SettlementStatus::Held => Tone::Warn,
    };
    let described = status(name.as_str(), tone);
    if name == SettlementStatus::Settled { described.ended() } else { described }
}

fn table() -> [MoveRule; 9] {
    let anywhere_open: Vec<&str> = OPEN.iter().copied().chain(["held"]).collect();
    [
        rule("select_network", &["created"], &["network_selected"]),
        rule("estimate_gas", &["network_selected"], &["gas_estimated"]),
        rule("submit", &["gas_estimated"], &["submitted"]),
        rule("confirm", &["submitted", "confirming"], &["confirming", "confirmed"]),
        rule("settle", &["confirmed"], &["settled"]),
        rule("retry", &["failed"], &["created"]).labelled("Retry").in_bulk(),
        rule("release", &["held"], &anywhere_open).labelled("Release").in_bulk(),
        rule("hold", OPEN, &["held"])
            .labelled("Hold")
            .with_inputs([input("reason", "Reason", InputKind::Text)])
            .in_bulk()
            .undone_by("release"),
        rule("fail", OPEN, &["failed"])
            .labelled("Mark as failed")
            .with_inputs([input("error", "What went wrong", InputKind::Text)])
            .destructive(),
    ]
}
