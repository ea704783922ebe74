//! What a move leads to.

use serde_json::{Map, Value};
use tidewatch_events::id::{OrganizationId, RecordId};
use tidewatch_events::money::Currency;
use tidewatch_events::{EventType, Permission};

use crate::module::Text;

/// What a move, or the making of a record, leads to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Where the record stands afterwards; `None`: where the table of moves says.
    pub status: Option<Text>,
    /// Its event; `None`: `….created` or `….status_changed`.
    pub event_type: Option<EventType>,
    /// What the event says beside the record's facts.
    pub payload: Map<String, Value>,
    /// What happens to others in the same transaction, in this order.
    pub effects: Vec<Effect>,
    /// What it takes beside [`crate::Module::act`], where only some of the details ask for that.
    pub requires: Option<Permission>,
    /// Fields that name an organization: each is refused unless the project has it.
    pub organizations: Vec<(&'static str, OrganizationId)>,
}

/// Something that happens beside the record, in the same transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Money moves between accounts. The deltas of each currency come to zero.
    Post(Vec<Posting>),
    /// Another record is made.
    Create {
        /// In which module, by name.
        module: &'static str,
        /// Its id, drawn by [`crate::Context::new_id`].
        id: RecordId,
        /// What is entered for it.
        new: Value,
    },
    /// Another record makes a move, where it can: what stands elsewhere is left alone.
    Move {
        /// In which module, by name.
        module: &'static str,
        /// Which one.
        id: RecordId,
        /// The move with its details: `{"move": "pay"}`.
        step: Value,
    },
    /// Something is to be done behind the transaction.
    Job {
        /// The job's kind.
        kind: &'static str,
        /// What it needs to know.
        payload: Value,
    },
}

/// One side of a movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Which account, such as `cash`.
    pub account: &'static str,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units; more for a debit, less for a credit.
    pub delta_minor: i64,
}

impl Effect {
    /// `amount_minor` goes from one account to another.
    #[must_use]
    pub fn transfer(from: &'static str, to: &'static str, currency: Currency, amount_minor: i64) -> Self {
        Self::Post(vec![
            Posting { account: from, currency, delta_minor: amount_minor.saturating_neg() },
            Posting { account: to, currency, delta_minor: amount_minor },
        ])
    }
}

impl Outcome {
    /// Nothing but what the table of moves says.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// Told by an event of this type.
    #[must_use]
    pub fn told_as(mut self, event_type: &'static str) -> Self {
        self.event_type = Some(EventType::from_static(event_type));
        self
    }

    /// The event says this as well.
    #[must_use]
    pub fn saying(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload.insert(name.to_owned(), value.into());
        self
    }

    /// The record stands here afterwards.
    #[must_use]
    pub fn leading_to(mut self, status: impl Into<Text>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// It takes this permission beside the module's.
    #[must_use]
    pub fn requiring(mut self, permission: Permission) -> Self {
        self.requires = Some(permission);
        self
    }

    /// The field names this organization, which the project must have.
    #[must_use]
    pub fn naming(mut self, field: &'static str, organization: OrganizationId) -> Self {
        self.organizations.push((field, organization));
        self
    }

    /// This happens as well.
    #[must_use]
    pub fn and(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}
