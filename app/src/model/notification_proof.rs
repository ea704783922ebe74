//! What became of notifications, for operators.

use serde::{Deserialize, Serialize};
use tidewatch_events::{EventId, Timestamp};

/// What became of an event's notifications: for operators.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationProof {
    /// The rule that made it.
    pub rule: String,
    /// The event.
    pub event_id: EventId,
    /// What it says.
    pub title: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// When somebody did.
    pub acknowledged_at: Option<Timestamp>,
    /// When the next step is due.
    pub escalates_at: Option<Timestamp>,
    /// The step of the escalation that was taken last; 0: none was.
    pub step: u32,
    /// Steps of the escalation that were taken and reached nobody who had not been told.
    pub empty_steps: Vec<u32>,
    /// How many there are of it, listed or not.
    pub totals: ProofTotals,
    /// Whom it was sent to, and what became of it; in the order of the steps. Of many recipients some of each step, first
    /// those who acknowledged.
    pub receipts: Vec<ProofReceipt>,
}

/// How many recipients of a notification are how far, for operators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProofTotals {
    /// It was sent to so many.
    pub sent: u64,
    /// A client of so many had it.
    pub delivered: u64,
    /// So many were shown it.
    pub seen: u64,
    /// So many have read it.
    pub read: u64,
    /// So many have acknowledged it.
    pub acknowledged: u64,
}

/// A recipient of a notification, for operators.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProofReceipt {
    /// Who: their address.
    pub recipient: String,
    /// By which step of the escalation: 0 is the rule's own audience.
    pub step: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When a client of theirs had it.
    pub delivered_at: Option<Timestamp>,
    /// When it was shown.
    pub seen_at: Option<Timestamp>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// By which way: `page`, `api`, `socketio` or `embed`.
    pub acknowledged_by_way: Option<String>,
    /// When it went out by e-mail.
    pub emailed_at: Option<Timestamp>,
    /// When it was pushed.
    pub pushed_at: Option<Timestamp>,
}
