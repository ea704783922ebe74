//! How it went over a range of time: what the charts draw.

use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;
use tidewatch_events::catalog::settlement::Network;
use tidewatch_events::money::Currency;

use super::TimeRange;

/// How settlements and the outbox went, step by step. It counts published events that its reader may see.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trends {
    /// How far back it goes.
    pub range: TimeRange,
    /// Every step of the range, those in which nothing happened too, oldest first.
    pub buckets: Vec<TrendBucket>,
    /// What was settled in all steps together, by currency and network, by name.
    pub volume: Vec<NetworkVolume>,
}

/// One step of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrendBucket {
    /// When it begins.
    pub from: Timestamp,
    /// Settlements settled.
    pub settled: u64,
    /// Settlements failed.
    pub failed: u64,
    /// The longest time between the recording of an event and its publication, in milliseconds; `None` without
    /// events.
    pub lag_max_ms: Option<u64>,
    /// The time within which 95 of 100 events were published, in milliseconds; `None` without events.
    pub lag_p95_ms: Option<u64>,
}

/// What a network carried in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkVolume {
    /// ISO 4217.
    pub currency: Currency,
    /// The network; `None` where the events name none.
    pub network: Option<Network>,
    /// Settled, in minor units.
    pub amount_minor: i64,
}
