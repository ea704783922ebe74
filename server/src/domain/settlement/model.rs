//! The settlement itself.

use std::collections::BTreeSet;

use serde::Deserialize;
use tidewatch_events::catalog::settlement::{Network, SettlementCreated, SettlementFacts, SettlementStatus};
use tidewatch_events::id::{OrganizationId, SettlementId};
use tidewatch_events::money::Currency;
use tidewatch_events::{NewEvent, ProjectId, SubjectRef, Timestamp};

/// A settlement as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// Which one.
    pub id: SettlementId,
    /// Whose.
    pub project_id: ProjectId,
    /// The organization that it belongs to, beside the project.
    pub organization_id: Option<OrganizationId>,
    /// The customer's own reference.
    pub reference: String,
    /// The amount in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network: wished for while created, chosen afterwards.
    pub network: Option<Network>,
    /// Where it stands.
    pub status: SettlementStatus,
    /// Where a held one goes on when released.
    pub held_from: Option<SettlementStatus>,
    /// Why it is held.
    pub hold_reason: Option<String>,
    /// Confirmations seen so far.
    pub confirmations: u32,
    /// Confirmations needed; 0 while no network is chosen.
    pub required: u32,
    /// What the transfer should cost, in the network's smallest unit of account.
    pub gas_estimate: Option<i64>,
    /// What it cost.
    pub gas_actual: Option<i64>,
    /// The transaction on the network.
    pub tx_hash: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// One more with each change.
    pub version: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a caller gives to ask for a settlement.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSettlement {
    /// The customer's own reference, 1 to 200 characters.
    pub reference: String,
    /// The amount in minor units of `currency`, 1 or more.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network wished for; `None`: chosen later.
    #[serde(default)]
    pub network: Option<Network>,
    /// The organization that it belongs to; `None`: the project alone, or the caller's own one where
    /// the caller is not of the project's staff.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
}

impl NewSettlement {
    /// What is wrong with it, by field.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        let length = self.reference.trim().chars().count();
        if !(1..=200).contains(&length) || self.reference.chars().any(char::is_control) {
            problems.push(("reference", "must be 1 to 200 characters without control characters"));
        }
        if self.amount_minor < 1 {
            problems.push(("amountMinor", "must be 1 or more minor units"));
        }
        problems
    }
}

impl Settlement {
    /// A new settlement with its first event.
    ///
    /// # Errors
    /// The event cannot be written as JSON.
    pub fn create(
        id: SettlementId,
        project_id: ProjectId,
        new: NewSettlement,
        now: Timestamp,
    ) -> Result<(Self, NewEvent), serde_json::Error> {
        let settlement = Self {
            id,
            project_id,
            organization_id: new.organization_id,
            reference: new.reference.trim().to_owned(),
            amount_minor: new.amount_minor,
            currency: new.currency,
            network: new.network,
            status: SettlementStatus::Created,
            held_from: None,
            hold_reason: None,
            confirmations: 0,
            required: 0,
            gas_estimate: None,
            gas_actual: None,
            tx_hash: None,
            error: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let event = settlement.event(&SettlementCreated { settlement: settlement.facts() })?;
        Ok((settlement, event))
    }

    /// Whom it and its events are for: the project's staff, and its organization.
    #[must_use]
    pub fn audience(&self) -> BTreeSet<SubjectRef> {
        let organization = self.organization_id.map(SubjectRef::Organization);
        std::iter::once(SubjectRef::staff()).chain(organization).collect()
    }

    /// What each of its events says of it.
    #[must_use]
    pub fn facts(&self) -> SettlementFacts {
        SettlementFacts {
            settlement_id: self.id,
            reference: self.reference.clone(),
            amount_minor: self.amount_minor,
            currency: self.currency,
            network: self.network.clone(),
            status: self.status,
            created_at: self.created_at,
            confirmations: self.confirmations,
            required: self.required,
        }
    }

    /// An event of this settlement at its present version.
    pub(super) fn event<P: tidewatch_events::EventPayload>(
        &self,
        payload: &P,
    ) -> Result<NewEvent, serde_json::Error> {
        let mut event = NewEvent::of(self.project_id, self.id, self.version, payload)?;
        event.occurred_at = Some(self.updated_at);
        event.routing.audience = self.audience();
        Ok(event)
    }
}
