//! The table of moves.
//!
//! ```text
//! created ─select_network▶ network_selected ─estimate_gas▶ gas_estimated ─submit▶ submitted
//!    ▲                                                                               │ confirm
//!    │ retry                                                                         ▼
//!  failed ◀─fail─ (any open one)          settled ◀─settle─ confirmed ◀─confirm─ confirming ⟲
//!  held ◀─hold─ (any open one), ─release▶ where it was held
//! ```

use serde::Deserialize;
use tidewatch_events::catalog::settlement::{
    Network, SettlementConfirmationProgress, SettlementFailed, SettlementGasEstimated,
    SettlementNetworkSelected, SettlementSettled, SettlementStatus, SettlementStatusChanged,
};
use tidewatch_events::{NewEvent, Timestamp};

use super::model::Settlement;
use SettlementStatus::{
    Confirmed, Confirming, Created, Failed, GasEstimated, Held, NetworkSelected, Settled, Submitted,
};

/// A move with what it needs, as a client sends it: `{"move": "confirm", "confirmations": 3}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Move {
    /// Choose the network.
    SelectNetwork {
        /// The network; `None`: the one wished for at creation.
        #[serde(default)]
        network: Option<Network>,
        /// How well it fits, 0 to 100.
        #[serde(default)]
        score: Option<u8>,
        /// Why it was chosen.
        #[serde(default)]
        reasoning: Option<String>,
        /// Confirmations needed; `None`: the network's usual number.
        #[serde(default)]
        required: Option<u32>,
    },
    /// Say what the transfer should cost.
    EstimateGas {
        /// In the network's smallest unit of account.
        gas_estimate: i64,
    },
    /// Hand it to the network.
    Submit,
    /// Count confirmations; enough of them confirm it.
    Confirm {
        /// Confirmations seen in all.
        confirmations: u32,
    },
    /// Say that the money is there.
    Settle {
        /// The transaction on the network.
        tx_hash: String,
        /// What it cost; `None`: as estimated.
        #[serde(default)]
        gas_actual: Option<i64>,
    },
    /// Give it up.
    Fail {
        /// What went wrong.
        error: String,
    },
    /// Begin again.
    Retry,
    /// Stop it until released.
    Hold {
        /// Why.
        reason: String,
    },
    /// Let it go on where it was held.
    Release,
}

/// A move without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveKind {
    /// See [`Move::SelectNetwork`].
    SelectNetwork,
    /// See [`Move::EstimateGas`].
    EstimateGas,
    /// See [`Move::Submit`].
    Submit,
    /// See [`Move::Confirm`].
    Confirm,
    /// See [`Move::Settle`].
    Settle,
    /// See [`Move::Fail`].
    Fail,
    /// See [`Move::Retry`].
    Retry,
    /// See [`Move::Hold`].
    Hold,
    /// See [`Move::Release`].
    Release,
}

/// Something that a person enters for a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveInput {
    /// Its field on the wire.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// Whether it is a whole number.
    pub number: bool,
    /// Whether it must be given.
    pub required: bool,
}

/// A row of the table.
#[derive(Debug)]
pub struct MoveRule {
    /// Which move.
    pub kind: MoveKind,
    /// Its name on the wire.
    pub name: &'static str,
    /// What its button says; `None`: the network's business, no button.
    pub label: Option<&'static str>,
    /// Where it may begin.
    pub from: &'static [SettlementStatus],
    /// Where it may lead.
    pub to: &'static [SettlementStatus],
    /// What a person enters for it.
    pub inputs: &'static [MoveInput],
    /// Whether its button warns.
    pub destructive: bool,
}

const OPEN: &[SettlementStatus] = &[Created, NetworkSelected, GasEstimated, Submitted, Confirming, Confirmed];

const fn automatic(
    kind: MoveKind,
    name: &'static str,
    from: &'static [SettlementStatus],
    to: &'static [SettlementStatus],
) -> MoveRule {
    MoveRule { kind, name, label: None, from, to, inputs: &[], destructive: false }
}

const fn text(name: &'static str, label: &'static str) -> MoveInput {
    MoveInput { name, label, number: false, required: true }
}

/// Every allowed move. What is not here is not possible.
pub const RULES: &[MoveRule] = &[
    automatic(MoveKind::SelectNetwork, "select_network", &[Created], &[NetworkSelected]),
    automatic(MoveKind::EstimateGas, "estimate_gas", &[NetworkSelected], &[GasEstimated]),
    automatic(MoveKind::Submit, "submit", &[GasEstimated], &[Submitted]),
    automatic(MoveKind::Confirm, "confirm", &[Submitted, Confirming], &[Confirming, Confirmed]),
    automatic(MoveKind::Settle, "settle", &[Confirmed], &[Settled]),
    MoveRule { label: Some("Retry"), ..automatic(MoveKind::Retry, "retry", &[Failed], &[Created]) },
    MoveRule { label: Some("Release"), ..automatic(MoveKind::Release, "release", &[Held], OPEN) },
    MoveRule {
        label: Some("Hold"),
        inputs: &[text("reason", "Reason")],
        ..automatic(MoveKind::Hold, "hold", OPEN, &[Held])
    },
    MoveRule {
        label: Some("Mark as failed"),
        inputs: &[text("error", "What went wrong")],
        destructive: true,
        ..automatic(MoveKind::Fail, "fail", OPEN, &[Failed])
    },
];

/// The row of a move.
#[must_use]
pub fn rule(kind: MoveKind) -> &'static MoveRule {
    // Every kind has a row; a test holds that.
    RULES.iter().find(|rule| rule.kind == kind).unwrap_or(&RULES[0])
}

/// Why a move was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MoveError {
    /// The settlement has changed since the caller looked.
    #[error("the settlement is at version {current}, not {expected}")]
    StaleVersion {
        /// The version that the caller expected.
        expected: i64,
        /// The version that it has.
        current: i64,
    },
    /// The table does not have this move from here.
    #[error("a settlement that is {from} cannot make the move {name}")]
    NotAllowed {
        /// Where it stands.
        from: SettlementStatus,
        /// The move's name.
        name: &'static str,
    },
    /// A detail of the move will not do.
    #[error("{field}: {message}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The event cannot be written.
    #[error("the event cannot be written as JSON: {0}")]
    Event(String),
}

fn invalid(field: &'static str, message: &'static str) -> MoveError {
    MoveError::Invalid { field, message }
}

fn checked_text(field: &'static str, text: &str, limit: usize) -> Result<String, MoveError> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > limit || trimmed.chars().any(char::is_control) {
        return Err(invalid(
            field,
            if limit == 200 {
                "must be 1 to 200 characters without control characters"
            } else {
                "must be 1 to 1000 characters without control characters"
            },
        ));
    }
    Ok(trimmed.to_owned())
}

/// Confirmations after which a transfer on a network counts as final, as exchanges commonly ask.
fn usual_confirmations(network: &Network) -> u32 {
    match network.as_str() {
        "ethereum" => 12,
        "polygon" => 20,
        "arbitrum" | "optimism" | "base" => 10,
        "solana" => 32,
        "bitcoin" => 6,
        "sepa" | "swift" => 1,
        _ => 6,
    }
}

impl Move {
    /// Which move.
    #[must_use]
    pub const fn kind(&self) -> MoveKind {
        match self {
            Self::SelectNetwork { .. } => MoveKind::SelectNetwork,
            Self::EstimateGas { .. } => MoveKind::EstimateGas,
            Self::Submit => MoveKind::Submit,
            Self::Confirm { .. } => MoveKind::Confirm,
            Self::Settle { .. } => MoveKind::Settle,
            Self::Fail { .. } => MoveKind::Fail,
            Self::Retry => MoveKind::Retry,
            Self::Hold { .. } => MoveKind::Hold,
            Self::Release => MoveKind::Release,
        }
    }
}

impl Settlement {
    /// The moves that it may make from where it stands.
    pub fn allowed_moves(&self) -> impl Iterator<Item = &'static MoveRule> {
        let status = self.status;
        RULES.iter().filter(move |rule| rule.from.contains(&status))
    }

    /// Makes a move: the settlement after it, and the event that tells of it.
    ///
    /// # Errors
    /// See [`MoveError`]; the settlement is as it was.
    pub fn make(
        &self,
        step: Move,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<(Self, NewEvent), MoveError> {
        if expected_version != self.version {
            return Err(MoveError::StaleVersion { expected: expected_version, current: self.version });
        }
        let rule = rule(step.kind());
        if !rule.from.contains(&self.status) {
            return Err(MoveError::NotAllowed { from: self.status, name: rule.name });
        }
        let mut next = self.clone();
        next.version += 1;
        // Clocks step; the order of versions stays that of times for whoever reads both.
        next.updated_at = now.max(self.updated_at);
        let event = match step {
            Move::SelectNetwork { network, score, reasoning, required } => {
                next.select_network(network, score, reasoning, required)?
            }
            Move::EstimateGas { gas_estimate } => next.estimate_gas(gas_estimate)?,
            Move::Submit => next.change_status(self.status, Submitted, None)?,
            Move::Confirm { confirmations } => next.confirm(self, confirmations)?,
            Move::Settle { tx_hash, gas_actual } => next.settle(&tx_hash, gas_actual)?,
            Move::Fail { error } => next.fail(self.status, &error)?,
            Move::Retry => {
                next.confirmations = 0;
                next.required = 0;
                (next.gas_estimate, next.gas_actual, next.tx_hash, next.error) = (None, None, None, None);
                next.change_status(self.status, Created, None)?
            }
            Move::Hold { reason } => {
                let reason = checked_text("reason", &reason, 1000)?;
                next.held_from = Some(self.status);
                next.hold_reason = Some(reason.clone());
                next.change_status(self.status, Held, Some(reason))?
            }
            Move::Release => {
                next.hold_reason = None;
                let back = next.held_from.take().unwrap_or(Created);
                next.change_status(self.status, back, None)?
            }
        };
        Ok((next, event))
    }

    fn write<P: tidewatch_events::EventPayload>(&self, payload: &P) -> Result<NewEvent, MoveError> {
        self.event(payload).map_err(|error| MoveError::Event(error.to_string()))
    }

    fn change_status(
        &mut self,
        from_status: SettlementStatus,
        to_status: SettlementStatus,
        reason: Option<String>,
    ) -> Result<NewEvent, MoveError> {
        self.status = to_status;
        self.write(&SettlementStatusChanged { settlement: self.facts(), from_status, to_status, reason })
    }

    fn select_network(
        &mut self,
        network: Option<Network>,
        score: Option<u8>,
        reasoning: Option<String>,
        required: Option<u32>,
    ) -> Result<NewEvent, MoveError> {
        let wished = network.is_none();
        let network = network
            .or_else(|| self.network.clone())
            .ok_or(invalid("network", "must be given, for none was wished for at creation"))?;
        let score = score.unwrap_or(100);
        if score > 100 {
            return Err(invalid("score", "must be 0 to 100"));
        }
        let required = required.unwrap_or_else(|| usual_confirmations(&network));
        if !(1..=10_000).contains(&required) {
            return Err(invalid("required", "must be 1 to 10000 confirmations"));
        }
        let reasoning = match reasoning {
            Some(text) => checked_text("reasoning", &text, 1000)?,
            None if wished => "wished for at creation".to_owned(),
            None => "chosen by the caller".to_owned(),
        };
        self.status = NetworkSelected;
        self.network = Some(network);
        self.required = required;
        self.write(&SettlementNetworkSelected { settlement: self.facts(), score, reasoning })
    }

    fn estimate_gas(&mut self, gas_estimate: i64) -> Result<NewEvent, MoveError> {
        if gas_estimate < 0 {
            return Err(invalid("gasEstimate", "must be 0 or more"));
        }
        self.status = GasEstimated;
        self.gas_estimate = Some(gas_estimate);
        self.write(&SettlementGasEstimated { settlement: self.facts(), gas_estimate })
    }

    fn confirm(&mut self, before: &Self, confirmations: u32) -> Result<NewEvent, MoveError> {
        if confirmations <= before.confirmations {
            return Err(invalid("confirmations", "must be more than were seen before"));
        }
        self.confirmations = confirmations.min(self.required);
        if confirmations >= self.required {
            return self.change_status(before.status, Confirmed, None);
        }
        if before.status == Submitted {
            return self.change_status(before.status, Confirming, None);
        }
        self.write(&SettlementConfirmationProgress { settlement: self.facts() })
    }

    fn settle(&mut self, tx_hash: &str, gas_actual: Option<i64>) -> Result<NewEvent, MoveError> {
        let tx_hash = checked_text("txHash", tx_hash, 200)?;
        let gas_actual = gas_actual.or(self.gas_estimate).unwrap_or_default();
        if gas_actual < 0 {
            return Err(invalid("gasActual", "must be 0 or more"));
        }
        self.status = Settled;
        self.tx_hash = Some(tx_hash.clone());
        self.gas_actual = Some(gas_actual);
        self.write(&SettlementSettled { settlement: self.facts(), tx_hash, gas_actual })
    }

    fn fail(&mut self, from_status: SettlementStatus, error: &str) -> Result<NewEvent, MoveError> {
        let error = checked_text("error", error, 1000)?;
        self.status = Failed;
        self.error = Some(error.clone());
        self.write(&SettlementFailed { settlement: self.facts(), from_status, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settlement::NewSettlement;
    use proptest::prelude::*;
    use tidewatch_events::ProjectId;
    use tidewatch_events::id::SettlementId;
    use uuid::Uuid;

    const KINDS: [MoveKind; 9] = [
        MoveKind::SelectNetwork,
        MoveKind::EstimateGas,
        MoveKind::Submit,
        MoveKind::Confirm,
        MoveKind::Settle,
        MoveKind::Fail,
        MoveKind::Retry,
        MoveKind::Hold,
        MoveKind::Release,
    ];

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_795_000_000_000).expect("a time")
    }

    fn created() -> Settlement {
        let new = NewSettlement {
            reference: "INV-1".into(),
            amount_minor: 100,
            currency: "EUR".parse().expect("a currency"),
            network: Some("polygon".parse().expect("a network")),
            organization_id: None,
        };
        let project = ProjectId::from_uuid(Uuid::from_u128(1));
        Settlement::create(SettlementId::from_uuid(Uuid::from_u128(2)), project, new, now())
            .expect("created")
            .0
    }

    fn example(kind: MoveKind, confirmations: u32) -> Move {
        match kind {
            MoveKind::SelectNetwork => {
                Move::SelectNetwork { network: None, score: None, reasoning: None, required: Some(3) }
            }
            MoveKind::EstimateGas => Move::EstimateGas { gas_estimate: 21_000 },
            MoveKind::Submit => Move::Submit,
            MoveKind::Confirm => Move::Confirm { confirmations },
            MoveKind::Settle => Move::Settle { tx_hash: "0xabc".into(), gas_actual: None },
            MoveKind::Fail => Move::Fail { error: "out of gas".into() },
            MoveKind::Retry => Move::Retry,
            MoveKind::Hold => Move::Hold { reason: "look at it".into() },
            MoveKind::Release => Move::Release,
        }
    }

    #[test]
    fn every_move_has_one_row() {
        for kind in KINDS {
            assert_eq!(RULES.iter().filter(|rule| rule.kind == kind).count(), 1, "{kind:?}");
            assert_eq!(rule(kind).kind, kind);
        }
    }

    #[test]
    fn walks_to_settled() {
        let mut settlement = created();
        let walk = [
            (example(MoveKind::SelectNetwork, 0), "settlement.network_selected"),
            (example(MoveKind::EstimateGas, 0), "settlement.gas_estimated"),
            (example(MoveKind::Submit, 0), "settlement.status_changed"),
            (example(MoveKind::Confirm, 1), "settlement.status_changed"),
            (example(MoveKind::Confirm, 2), "settlement.confirmation_progress"),
            (example(MoveKind::Confirm, 3), "settlement.status_changed"),
            (example(MoveKind::Settle, 0), "settlement.settled"),
        ];
        for (step, event_type) in walk {
            let (next, event) = settlement.make(step, settlement.version, now()).expect("allowed");
            assert_eq!(event.event_type.as_str(), event_type);
            assert_eq!(event.aggregate_version, next.version);
            settlement = next;
        }
        assert_eq!(settlement.status, Settled);
        assert_eq!(settlement.gas_actual, Some(21_000));
        assert_eq!(settlement.allowed_moves().count(), 0);
    }

    #[test]
    fn a_stale_version_comes_before_all_else() {
        let settlement = created();
        assert_eq!(
            settlement.make(Move::Release, 9, now()),
            Err(MoveError::StaleVersion { expected: 9, current: 1 })
        );
        assert_eq!(
            settlement.make(Move::Release, 1, now()),
            Err(MoveError::NotAllowed { from: Created, name: "release" })
        );
    }

    #[test]
    fn goes_on_where_it_was_held() {
        let mut settlement = created();
        for kind in [MoveKind::SelectNetwork, MoveKind::EstimateGas, MoveKind::Hold, MoveKind::Release] {
            settlement = settlement.make(example(kind, 0), settlement.version, now()).expect("allowed").0;
        }
        assert_eq!(
            (settlement.status, settlement.held_from, settlement.hold_reason),
            (GasEstimated, None, None)
        );
    }

    proptest! {
        /// Whatever is asked in whatever order: a move is made exactly when the table has it, leads
        /// where the table says, and comes with one event of the next version that the catalog accepts.
        #[test]
        fn the_table_is_the_law(steps in proptest::collection::vec((0usize..9, 0u32..6), 1..40)) {
            let mut settlement = created();
            for (index, confirmations) in steps {
                let kind = KINDS[index];
                let rule = rule(kind);
                match settlement.make(example(kind, confirmations), settlement.version, now()) {
                    Ok((next, event)) => {
                        prop_assert!(rule.from.contains(&settlement.status));
                        prop_assert!(rule.to.contains(&next.status));
                        prop_assert_eq!(next.version, settlement.version + 1);
                        prop_assert_eq!(event.aggregate_version, next.version);
                        let entry = tidewatch_events::catalog::find(&event.event_type).expect("in the catalog");
                        prop_assert!(entry.check_payload(&event.payload).is_ok());
                        prop_assert!(next.confirmations <= next.required);
                        prop_assert_eq!(next.status == Held, next.held_from.is_some());
                        settlement = next;
                    }
                    Err(MoveError::NotAllowed { .. }) => prop_assert!(!rule.from.contains(&settlement.status)),
                    Err(MoveError::Invalid { field, .. }) => prop_assert_eq!(field, "confirmations"),
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
        }
    }
}
