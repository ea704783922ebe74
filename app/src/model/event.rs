//! A page of the events explorer.

use serde::{Deserialize, Serialize};
use tidewatch_events::{AggregateType, Envelope, Position};

use super::EventQuery;

/// Events that a query asks for, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// What was asked for.
    pub query: EventQuery,
    /// The events.
    pub events: Vec<Envelope>,
    /// `before` of the following page; `None`: there is nothing further back.
    pub next: Option<Position>,
    /// Where the search stopped before the page was full: everything at or above it was looked at.
    pub looked_to: Option<Position>,
    /// The last position of the stream as it stood at the moment that was asked for.
    pub as_of: Option<Position>,
    /// Where records stood at that moment.
    pub board: Option<Board>,
}

/// How many records stood where at a moment, by their latest event until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Board {
    /// The numbers, by kind of record.
    pub counts: Vec<StatusCount>,
    /// Only events from here on were counted; `None`: all there ever were.
    pub since: Option<Position>,
    /// Whether `since` is where the count was broken off, and not where the log begins.
    pub cut_short: bool,
}

/// How many records of one kind stood at one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusCount {
    /// What they are.
    pub aggregate_type: AggregateType,
    /// Where they stood.
    pub status: String,
    /// How many.
    pub records: u64,
}
