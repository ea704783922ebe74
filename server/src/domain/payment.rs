//! Payments: money from customers.
//!
//! ```text
//! created ─authorize▶ authorized ─capture▶ captured ─settle▶ settled
//!    └───────fail──────────┘                   └──refund──┬──────┘
//!            ▼                                             ▼
//!          failed                        partially_refunded ⟲ ─▶ refunded
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::id::OrderId;
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::{checked_amount, checked_text};
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, Effect, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

use super::settlement::CURRENCIES;

/// How customers pay.
const METHODS: &[&str] = &["card", "sepa", "ideal", "wallet"];

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    reference: String,
    amount_minor: i64,
    currency: Currency,
    method: String,
    order_id: Option<OrderId>,
    refunded_minor: i64,
    error: Option<String>,
    /// The account that its money is on: what is refunded comes from there.
    held_in: Option<String>,
}

/// What is given for a new payment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPayment {
    reference: String,
    amount_minor: i64,
    currency: Currency,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    order_id: Option<OrderId>,
}

/// The moves of a payment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum PaymentMove {
    /// The customer's bank has agreed.
    Authorize {},
    /// The money is taken.
    Capture {},
    /// The money is on our account.
    Settle {},
    /// It came to nothing.
    Fail {
        /// Why.
        error: String,
    },
    /// Money goes back.
    Refund {
        /// Minor units; `None`: all that is left.
        #[serde(default)]
        amount_minor: Option<i64>,
    },
}

impl Aggregate for Payment {
    type New = NewPayment;
    type Move = PaymentMove;

    fn module() -> Module {
        Module::new(
            "payment",
            AggregateType::PAYMENT,
            "pay",
            Permission::PAYMENTS_READ,
            Permission::PAYMENTS_ACT,
        )
        .with_icon("card")
        .with_statuses([
            status("created", Tone::Neutral),
            status("authorized", Tone::Active),
            status("captured", Tone::Active),
            status("settled", Tone::Good).ended(),
            status("failed", Tone::Bad).ended(),
            status("partially_refunded", Tone::Warn).ended(),
            status("refunded", Tone::Warn).ended(),
        ])
        .with_fields([
            field("reference", "Reference", FieldKind::Text).searched(),
            field("amountMinor", "Amount", FieldKind::Money).listed(),
            field("currency", "Currency", FieldKind::Text).narrowed_by(CURRENCIES),
            field("method", "Method", FieldKind::Text).listed().narrowed_by(METHODS),
            field("orderId", "Order", FieldKind::Link),
            field("refundedMinor", "Refunded", FieldKind::Money),
            field("error", "What went wrong", FieldKind::Text).searched().trouble(),
        ])
        .with_moves([
            rule("authorize", &["created"], &["authorized"]),
            rule("capture", &["authorized"], &["captured"]).labelled("Capture").irreversible().in_bulk(),
            rule("settle", &["captured"], &["settled"]),
            rule("fail", &["created", "authorized"], &["failed"])
                .labelled("Mark as failed")
                .with_inputs([input("error", "What went wrong", InputKind::Text)])
                .destructive()
                .irreversible(),
            rule(
                "refund",
                &["captured", "settled", "partially_refunded"],
                &["partially_refunded", "refunded"],
            )
            .labelled("Refund")
            .with_inputs([input("amountMinor", "Amount", InputKind::Money)
                .optional()
                .hinted("Left empty: all that is left.")])
            .destructive()
            .irreversible(),
        ])
        .created_with([
            input("reference", "Reference", InputKind::Text),
            input("amountMinor", "Amount", InputKind::Money),
            choice("currency", "Currency", CURRENCIES),
            choice("method", "Method", METHODS),
        ])
    }

    fn create(new: NewPayment, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let method = new.method.unwrap_or_else(|| METHODS[0].to_owned());
        if !METHODS.contains(&method.as_str()) {
            return Err(MoveError::Invalid {
                field: "method".to_owned(),
                message: format!("must be one of {}", METHODS.join(", ")),
            });
        }
        let payment = Self {
            reference: checked_text("reference", &new.reference, 200)?,
            amount_minor: checked_amount("amountMinor", new.amount_minor)?,
            currency: new.currency,
            method,
            order_id: new.order_id,
            refunded_minor: 0,
            error: None,
            held_in: None,
        };
        Ok((payment, Outcome::plain()))
    }

    fn make(&mut self, step: PaymentMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            PaymentMove::Authorize {} => Outcome::plain(),
            PaymentMove::Capture {} => {
                self.held_in = Some("cash".to_owned());
                let paid = self.order_id.map(|order| Effect::Move {
                    module: "orders",
                    id: tidewatch_events::id::RecordId::new(OrderId::PREFIX, order.uuid()),
                    step: json!({ "move": "pay" }),
                });
                let received = Outcome::plain().told_as("payment.received").and(Effect::transfer(
                    "unearned",
                    "cash",
                    self.currency,
                    self.amount_minor,
                ));
                paid.into_iter().fold(received, Outcome::and)
            }
            PaymentMove::Settle {} => {
                self.held_in = Some("bank".to_owned());
                Outcome::plain().and(Effect::transfer("cash", "bank", self.currency, self.amount_minor))
            }
            PaymentMove::Fail { error } => {
                let error = checked_text("error", &error, 1000)?;
                self.error = Some(error.clone());
                Outcome::plain().saying("reason", error)
            }
            PaymentMove::Refund { amount_minor } => self.refund(amount_minor)?,
        })
    }
}

impl Payment {
    fn refund(&mut self, amount_minor: Option<i64>) -> Result<Outcome, MoveError> {
        let left = self.amount_minor - self.refunded_minor;
        let amount = checked_amount("amountMinor", amount_minor.unwrap_or(left))?;
        if amount > left {
            return Err(MoveError::Invalid {
                field: "amountMinor".to_owned(),
                message: format!("must be at most {left}, which is what is left of it"),
            });
        }
        self.refunded_minor += amount;
        let to = if amount == left { "refunded" } else { "partially_refunded" };
        let account = if self.held_in.as_deref() == Some("cash") { "cash" } else { "bank" };
        Ok(Outcome::plain()
            .leading_to(to)
            .told_as("payment.refunded")
            .saying("refundAmount", amount)
            .and(Effect::transfer(account, "unearned", self.currency, amount)))
    }
}
