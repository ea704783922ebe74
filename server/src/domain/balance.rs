//! Balances: what stands on an account in a currency. They move by postings alone, which come to zero.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::module::{field, status};
use tidewatch_modules::{Aggregate, Context, FieldKind, Module, MoveError, Outcome, Tone};

use super::settlement::CURRENCIES;

/// What stands on an account in a currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Which account.
    pub account: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units; debits count up, credits down.
    pub balance_minor: i64,
}

/// Nobody can ask for a balance.
#[derive(Debug, Deserialize)]
pub enum Never {}

impl JsonSchema for Never {
    fn schema_name() -> Cow<'static, str> {
        "Never".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "not": {} })
    }
}

impl Aggregate for Balance {
    type New = Never;
    type Move = Never;

    fn module() -> Module {
        Module::new(
            "balance",
            AggregateType::BALANCE,
            "bal",
            Permission::BALANCES_READ,
            Permission::PAYMENTS_ACT,
        )
        .with_icon("scale")
        .with_statuses([status("open", Tone::Neutral)])
        .with_fields([
            field("account", "Account", FieldKind::Text).searched(),
            field("balanceMinor", "Balance", FieldKind::Money).listed(),
            field("currency", "Currency", FieldKind::Text).narrowed_by(CURRENCIES),
        ])
    }

    fn create(new: Never, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        match new {}
    }

    fn make(&mut self, step: Never, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        match step {}
    }
}
