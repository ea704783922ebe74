//! Invoices: open ─pay▶ paid, open ─void▶ void.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::id::TicketId;
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::{checked_amount, checked_text};
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, Effect, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

use super::settlement::CURRENCIES;

/// An invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    reference: String,
    amount_minor: i64,
    currency: Currency,
    ticket_id: Option<TicketId>,
}

/// What is given for a new invoice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewInvoice {
    reference: String,
    amount_minor: i64,
    currency: Currency,
    #[serde(default)]
    ticket_id: Option<TicketId>,
}

/// The moves of an invoice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub enum InvoiceMove {
    /// The money is there.
    Pay {},
    /// It counts no longer.
    Void {},
}

impl Aggregate for Invoice {
    type New = NewInvoice;
    type Move = InvoiceMove;

    fn module() -> Module {
        Module::new(
            "invoice",
            AggregateType::INVOICE,
            "inv",
            Permission::PAYMENTS_READ,
            Permission::PAYMENTS_ACT,
        )
        .with_icon("receipt")
        .with_statuses([
            status("open", Tone::Active),
            status("paid", Tone::Good).ended(),
            status("void", Tone::Warn).ended(),
        ])
        .with_fields([
            field("reference", "Reference", FieldKind::Text).searched(),
            field("amountMinor", "Amount", FieldKind::Money).listed(),
            field("currency", "Currency", FieldKind::Text).narrowed_by(CURRENCIES),
            field("ticketId", "Ticket", FieldKind::Link),
        ])
        .with_moves([
            rule("pay", &["open"], &["paid"]).labelled("Mark as paid").irreversible().in_bulk(),
            rule("void", &["open"], &["void"]).labelled("Void").destructive().irreversible(),
        ])
        .created_with([
            input("reference", "Reference", InputKind::Text),
            input("amountMinor", "Amount", InputKind::Money),
            choice("currency", "Currency", CURRENCIES),
        ])
    }

    fn create(new: NewInvoice, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let invoice = Self {
            reference: checked_text("reference", &new.reference, 200)?,
            amount_minor: checked_amount("amountMinor", new.amount_minor)?,
            currency: new.currency,
            ticket_id: new.ticket_id,
        };
        let owed = Effect::transfer("services", "receivable", invoice.currency, invoice.amount_minor);
        Ok((invoice, Outcome::plain().and(owed)))
    }

    fn make(&mut self, step: InvoiceMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        let to = match step {
            InvoiceMove::Pay {} => "bank",
            InvoiceMove::Void {} => "services",
        };
        Ok(Outcome::plain().and(Effect::transfer("receivable", to, self.currency, self.amount_minor)))
    }
}
