//! Notifications: rules turn events into messages, each recipient of which has a receipt that says what became of it.
//!
//! ```text
//!  published log      one transaction for up to 200 events     jobs, each one transaction
//!  ┌───────────┐ by   ┌─────────────────────────────┐          ┌──────────────────────────────────────┐
//!  │ position  │ ───▶ │ Dispatch: which rule asked  │ ───────▶ │ notify: message, receipts, an event  │
//!  │ 41 42 43  │cursor│ for it and may see it → a   │          │ for each, e-mail and push, escalate ─┼─┐
//!  └───────────┘      │ job, and the cursor behind  │          └──────────────────────────────────────┘ │ later,
//!                     └─────────────────────────────┘          ┌──────────────────────────────────────┐ │ unless
//!                                                              │ escalate: who is next is told, too   │◀┘ somebody
//!                                                              └──────────────────────────────────────┘ acknowledged
//! ```
//!
//! A message says what all its recipients are told; a receipt is one recipient's alone, an aggregate of its own: each
//! step that they take ([`receipts`]) is one transaction with its event, which nobody but them hears of.

pub mod audience;
pub mod conditions;
pub mod dispatcher;
pub mod outside;
pub mod preferences;
pub mod receipts;
pub mod retention;
pub mod send;
pub mod template;

use sqlx::PgPool;
use tidewatch_outbox::Outbox;

use crate::walker::Alarm;

/// What makes notifications of events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// Connections with all rights of the database's owner, for who dispatches and sends.
    pub pool: PgPool,
    /// Begins transactions on them that record events.
    pub outbox: Outbox,
    /// Wakes the dispatcher.
    pub alarm: Alarm,
}

impl Notifications {
    /// Works on this pool, and records events by an outbox over it.
    #[must_use]
    pub fn new(pool: PgPool, outbox: Outbox) -> Self {
        Self { outbox, pool, alarm: Alarm::default() }
    }
}
