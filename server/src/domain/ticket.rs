//! Tickets: work that a contractor quotes and, once that is approved, does. Who does the work hands nothing on,
//! approves nothing and calls nothing off: that takes a permission of its own.
//!
//! ```text
//! created ─quote▶ quoted ⟲ ─approve▶ approved ─finish▶ done
//!    └────cancel────┘▶ cancelled
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::id::{InvoiceId, OrganizationId};
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Permission, SubjectRef};
use tidewatch_modules::aggregate::{checked_amount, checked_text};
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, Effect, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

use super::incident::optional_text;
use super::settlement::CURRENCIES;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    title: String,
    description: Option<String>,
    /// The organization that does the work, and so sees the ticket.
    contractor_id: Option<OrganizationId>,
    quote_minor: Option<i64>,
    currency: Option<Currency>,
    invoice_id: Option<InvoiceId>,
    cancel_reason: Option<String>,
}

/// What is given for a new ticket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTicket {
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    contractor_id: Option<OrganizationId>,
}

/// The moves of a ticket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum TicketMove {
    /// That organization is to do it.
    Hand {
        /// Which.
        contractor_id: OrganizationId,
    },
    /// The work would cost so much.
    Quote {
        /// Minor units.
        amount_minor: i64,
        /// ISO 4217.
        currency: Currency,
    },
    /// The price is right: an invoice is written.
    Approve {},
    /// The work is done.
    Finish {},
    /// It is called off.
    Cancel {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Ticket {
    type New = NewTicket;
    type Move = TicketMove;

    fn module() -> Module {
        Module::new("ticket", AggregateType::TICKET, "tkt", Permission::TICKETS_READ, Permission::TICKETS_ACT)
            .with_icon("ticket")
            .with_statuses([
                status("created", Tone::Neutral).waits(),
                status("quoted", Tone::Warn).waits(),
                status("approved", Tone::Active),
                status("done", Tone::Good).ended(),
                status("cancelled", Tone::Warn).ended(),
            ])
            .with_fields([
                field("title", "Title", FieldKind::Text).searched(),
                field("quoteMinor", "Quote", FieldKind::Money).listed(),
                field("currency", "Currency", FieldKind::Text),
                field("description", "Description", FieldKind::Paragraph).searched(),
                field("contractorId", "Contractor", FieldKind::Organization),
                field("invoiceId", "Invoice", FieldKind::Link),
                field("cancelReason", "Why it was cancelled", FieldKind::Text).searched().trouble(),
            ])
            .with_moves([
                rule("hand", &["created", "quoted"], &[])
                    .requires(Permission::TICKETS_APPROVE)
                    .labelled("Hand to a contractor")
                    .with_inputs([input("contractorId", "Contractor", InputKind::Organization)]),
                rule("quote", &["created", "quoted"], &["quoted"]).labelled("Quote").with_inputs([
                    input("amountMinor", "Price", InputKind::Money),
                    choice("currency", "Currency", CURRENCIES),
                ]),
                rule("approve", &["quoted"], &["approved"])
                    .labelled("Approve")
                    .requires(Permission::TICKETS_APPROVE)
                    .irreversible()
                    .in_bulk(),
                rule("finish", &["approved"], &["done"]).labelled("Mark as done").irreversible().in_bulk(),
                rule("cancel", &["created", "quoted"], &["cancelled"])
                    .labelled("Cancel the ticket")
                    .requires(Permission::TICKETS_APPROVE)
                    .with_inputs([input("reason", "Reason", InputKind::Text)])
                    .destructive()
                    .irreversible(),
            ])
            .created_with([
                input("title", "Title", InputKind::Text),
                input("description", "Description", InputKind::Paragraph).optional(),
            ])
    }

    fn create(new: NewTicket, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let ticket = Self {
            title: checked_text("title", &new.title, 200)?,
            description: optional_text("description", new.description.as_deref(), 10_000)?,
            contractor_id: new.contractor_id,
            quote_minor: None,
            currency: None,
            invoice_id: None,
            cancel_reason: None,
        };
        // To name one from the beginning is to hand it to them.
        Ok((ticket, handed_to(Outcome::plain(), new.contractor_id)))
    }

    fn make(&mut self, step: TicketMove, _: &str, context: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            TicketMove::Hand { contractor_id } => {
                self.contractor_id = Some(contractor_id);
                let outcome =
                    Outcome::plain().told_as("ticket.updated").saying("changed", vec!["contractorId"]);
                handed_to(outcome, Some(contractor_id))
            }
            TicketMove::Quote { amount_minor, currency } => {
                self.quote_minor = Some(checked_amount("amountMinor", amount_minor)?);
                self.currency = Some(currency);
                Outcome::plain().told_as("ticket.quoted").saying("amountMinor", amount_minor)
            }
            TicketMove::Approve {} => self.approve(context)?,
            TicketMove::Finish {} => Outcome::plain(),
            TicketMove::Cancel { reason } => {
                let reason = checked_text("reason", &reason, 1000)?;
                self.cancel_reason = Some(reason.clone());
                Outcome::plain().saying("reason", reason)
            }
        })
    }

    fn audience(&self) -> Vec<SubjectRef> {
        self.contractor_id.map(SubjectRef::Organization).into_iter().collect()
    }
}

/// The organization sees the ticket from then on: it is one that is there, and who hands it on may do so.
fn handed_to(outcome: Outcome, contractor: Option<OrganizationId>) -> Outcome {
    match contractor {
        Some(contractor) => outcome.naming("contractorId", contractor).requiring(Permission::TICKETS_APPROVE),
        None => outcome,
    }
}

impl Ticket {
    fn approve(&mut self, context: &Context<'_>) -> Result<Outcome, MoveError> {
        let (Some(amount), Some(currency)) = (self.quote_minor, self.currency) else {
            return Err(MoveError::Broken("a quoted ticket has its quote".to_owned()));
        };
        let invoice = context.new_id(InvoiceId::PREFIX);
        self.invoice_id = Some(InvoiceId::from_uuid(invoice.uuid()));
        let reference: String = self.title.chars().take(180).collect();
        let new = json!({
            "reference": format!("Ticket: {reference}"), "amountMinor": amount, "currency": currency,
            "ticketId": context.id,
        });
        Ok(Outcome::plain().told_as("ticket.approved").and(Effect::Create {
            module: "invoices",
            id: invoice,
            new,
        }))
    }
}
