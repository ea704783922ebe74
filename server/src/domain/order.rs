//! Orders: what customers bought.
//!
//! ```text
//! created ─pay▶ paid ─fulfil▶ fulfilled ─complete▶ completed
//!    └──cancel──┘▶ cancelled
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::{checked_amount, checked_text};
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, Effect, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

use super::settlement::CURRENCIES;

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    reference: String,
    total_minor: i64,
    currency: Currency,
    items: i64,
    cancel_reason: Option<String>,
}

/// What is given for a new order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrder {
    reference: String,
    total_minor: i64,
    currency: Currency,
    #[serde(default)]
    items: Option<i64>,
}

/// The moves of an order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum OrderMove {
    /// The money is there.
    Pay {},
    /// It is sent.
    Fulfil {},
    /// It has arrived.
    Complete {},
    /// It is called off.
    Cancel {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Order {
    type New = NewOrder;
    type Move = OrderMove;

    fn module() -> Module {
        Module::new("order", AggregateType::ORDER, "ord", Permission::ORDERS_READ, Permission::ORDERS_ACT)
            .with_icon("cart")
            .with_statuses([
                status("created", Tone::Neutral),
                status("paid", Tone::Active),
                status("fulfilled", Tone::Active),
                status("completed", Tone::Good).ended(),
                status("cancelled", Tone::Warn).ended(),
            ])
            .with_fields([
                field("reference", "Reference", FieldKind::Text).searched(),
                field("totalMinor", "Total", FieldKind::Money).listed(),
                field("currency", "Currency", FieldKind::Text).narrowed_by(CURRENCIES),
                field("items", "Items", FieldKind::Number).listed(),
                field("cancelReason", "Why it was cancelled", FieldKind::Text).searched().trouble(),
            ])
            .with_moves([
                rule("pay", &["created"], &["paid"]).labelled("Mark as paid"),
                rule("fulfil", &["paid"], &["fulfilled"])
                    .labelled("Mark as fulfilled")
                    .irreversible()
                    .in_bulk(),
                rule("complete", &["fulfilled"], &["completed"])
                    .labelled("Complete")
                    .irreversible()
                    .in_bulk(),
                rule("cancel", &["created", "paid"], &["cancelled"])
                    .labelled("Cancel the order")
                    .with_inputs([input("reason", "Reason", InputKind::Text)])
                    .destructive()
                    .irreversible()
                    .in_bulk(),
            ])
            .created_with([
                input("reference", "Reference", InputKind::Text),
                input("totalMinor", "Total", InputKind::Money),
                choice("currency", "Currency", CURRENCIES),
                input("items", "Items", InputKind::Number).optional(),
            ])
    }

    fn create(new: NewOrder, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let items = new.items.unwrap_or(1);
        if !(1..=100_000).contains(&items) {
            return Err(MoveError::invalid("items", "must be 1 to 100000"));
        }
        let order = Self {
            reference: checked_text("reference", &new.reference, 200)?,
            total_minor: checked_amount("totalMinor", new.total_minor)?,
            currency: new.currency,
            items,
            cancel_reason: None,
        };
        Ok((order, Outcome::plain()))
    }

    fn make(&mut self, step: OrderMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            OrderMove::Pay {} | OrderMove::Fulfil {} => Outcome::plain(),
            OrderMove::Complete {} => {
                Outcome::plain().and(Effect::transfer("revenue", "unearned", self.currency, self.total_minor))
            }
            OrderMove::Cancel { reason } => {
                let reason = checked_text("reason", &reason, 1000)?;
                self.cancel_reason = Some(reason.clone());
                Outcome::plain().saying("reason", reason)
            }
        })
    }
}
