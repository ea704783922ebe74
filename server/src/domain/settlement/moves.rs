//! What each move does to a settlement.

use schemars::JsonSchema;
use serde::Deserialize;
use tidewatch_events::access::Actor;
use tidewatch_events::catalog::settlement::{Network, SettlementStatus};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::{Context, Effect, MoveError, Outcome};

use super::Settlement;

/// A move with what it needs, as a client sends it: `{"move": "confirm", "confirmations": 3}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SettlementMove {
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
    Submit {},
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
    Retry {},
    /// Stop it until released.
    Hold {
        /// Why.
        reason: String,
    },
    /// Let it go on where it was held, or ask for that.
    Release {},
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

impl Settlement {
    pub(super) fn step(
        &mut self,
        step: SettlementMove,
        status: SettlementStatus,
        context: &Context<'_>,
    ) -> Result<Outcome, MoveError> {
        match step {
            SettlementMove::SelectNetwork { network, score, reasoning, required } => {
                self.select_network(network, score, reasoning.as_deref(), required)
            }
            SettlementMove::EstimateGas { gas_estimate } => self.estimate_gas(gas_estimate),
            SettlementMove::Submit {} => Ok(Outcome::plain()),
            SettlementMove::Confirm { confirmations } => self.confirm(status, confirmations),
            SettlementMove::Settle { tx_hash, gas_actual } => self.settle(&tx_hash, gas_actual),
            SettlementMove::Fail { error } => {
                self.error = Some(checked_text("error", &error, 1000)?);
                Ok(Outcome::plain().told_as("settlement.failed"))
            }
            SettlementMove::Retry {} => {
                (self.confirmations, self.required) = (0, 0);
                (self.gas_estimate, self.gas_actual, self.tx_hash, self.error) = (None, None, None, None);
                Ok(Outcome::plain())
            }
            SettlementMove::Hold { reason } => {
                let reason = checked_text("reason", &reason, 1000)?;
                self.held_from = Some(status);
                self.hold_reason = Some(reason.clone());
                Ok(Outcome::plain().saying("reason", reason))
            }
            SettlementMove::Release {} => self.release(context),
        }
    }

    fn select_network(
        &mut self,
        network: Option<Network>,
        score: Option<u8>,
        reasoning: Option<&str>,
        required: Option<u32>,
    ) -> Result<Outcome, MoveError> {
        let wished = network.is_none();
        let network = network.or_else(|| self.network.clone()).ok_or_else(|| {
            MoveError::invalid("network", "must be given, for none was wished for at creation")
        })?;
        let score = score.unwrap_or(100);
        if score > 100 {
            return Err(MoveError::invalid("score", "must be 0 to 100"));
        }
        let required = required.unwrap_or_else(|| usual_confirmations(&network));
        if !(1..=10_000).contains(&required) {
            return Err(MoveError::invalid("required", "must be 1 to 10000 confirmations"));
        }
        let reasoning = match reasoning {
            Some(text) => checked_text("reasoning", text, 1000)?,
            None if wished => "wished for at creation".to_owned(),
            None => "chosen by the caller".to_owned(),
        };
        self.network = Some(network);
        self.required = required;
        Ok(Outcome::plain()
            .told_as("settlement.network_selected")
            .saying("score", score)
            .saying("reasoning", reasoning))
    }

    fn estimate_gas(&mut self, gas_estimate: i64) -> Result<Outcome, MoveError> {
        if gas_estimate < 0 {
            return Err(MoveError::invalid("gasEstimate", "must be 0 or more"));
        }
        self.gas_estimate = Some(gas_estimate);
        Ok(Outcome::plain().told_as("settlement.gas_estimated"))
    }

    fn confirm(&mut self, status: SettlementStatus, confirmations: u32) -> Result<Outcome, MoveError> {
        if confirmations <= self.confirmations {
            return Err(MoveError::invalid("confirmations", "must be more than were seen before"));
        }
        self.confirmations = confirmations.min(self.required);
        if confirmations >= self.required {
            return Ok(Outcome::plain().leading_to("confirmed"));
        }
        let outcome = Outcome::plain().leading_to("confirming");
        if status == SettlementStatus::Submitted {
            return Ok(outcome);
        }
        Ok(outcome.told_as("settlement.confirmation_progress"))
    }

    fn settle(&mut self, tx_hash: &str, gas_actual: Option<i64>) -> Result<Outcome, MoveError> {
        let tx_hash = checked_text("txHash", tx_hash, 200)?;
        let gas_actual = gas_actual.or(self.gas_estimate).unwrap_or_default();
        if gas_actual < 0 {
            return Err(MoveError::invalid("gasActual", "must be 0 or more"));
        }
        self.tx_hash = Some(tx_hash);
        self.gas_actual = Some(gas_actual);
        Ok(Outcome::plain().told_as("settlement.settled").and(Effect::transfer(
            "bank",
            "payouts",
            self.currency,
            self.amount_minor,
        )))
    }

    fn release(&mut self, context: &Context<'_>) -> Result<Outcome, MoveError> {
        if self.amount_minor > context.approval_limit_minor {
            // Persons, not actors: who has a session and a key, or two keys, is one.
            let person = context.person.ok_or_else(|| {
                MoveError::NotYours(
                    "above the limit two persons have to release, and it cannot be told for whom this API key \
                     acts: use one that a person has made"
                        .to_owned(),
                )
            })?;
            let person = Actor::User(person).to_string();
            // A key that asked before persons were told apart has asked for nobody.
            match self.release_requested_by.as_deref().filter(|first| first.starts_with("user:")) {
                None => {
                    self.release_requested_by = Some(person);
                    return Ok(Outcome::plain()
                        .leading_to("held")
                        .told_as("settlement.updated")
                        .saying("changed", vec!["releaseRequestedBy"]));
                }
                Some(first) if first == person => {
                    return Err(MoveError::NotYours(
                        "you asked for this release, by yourself or by a key of yours; above the limit a second \
                         person has to do it"
                            .to_owned(),
                    ));
                }
                Some(_) => {}
            }
        }
        self.hold_reason = None;
        self.release_requested_by = None;
        let back = self.held_from.take().unwrap_or(SettlementStatus::Created);
        Ok(Outcome::plain().leading_to(back.as_str()))
    }
}
