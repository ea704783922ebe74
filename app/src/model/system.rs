//! How Tidewatch itself does.

use serde::{Deserialize, Serialize};
use tidewatch_events::{Position, Timestamp};

use super::JobCount;

/// How Tidewatch itself does, as one instance sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SystemStatus {
    /// What needs a person now, in words; nothing: all is well.
    pub concerns: Vec<String>,
    /// The version of the instance that answers.
    pub version: String,
    /// Its name.
    pub instance: String,
    /// All instances that are alive.
    pub instances: Vec<InstanceStatus>,
    /// The project's stream.
    pub stream: StreamStatus,
    /// Jobs by queue and state.
    pub jobs: Vec<JobCount>,
    /// Postgres.
    pub database: DatabaseStatus,
    /// The days of events that are kept, newest first.
    pub partitions: Vec<Partition>,
    /// How the instance is set, by variable; no secrets.
    pub settings: Vec<Setting>,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// Its name.
    pub name: String,
    /// When it was heard of last.
    pub seen_at: Timestamp,
    /// How many connections of all projects it has.
    pub connections: u64,
    /// What carries events to it beside Postgres.
    pub broker: Option<BrokerStatus>,
}

/// The instance that gives events their positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RelayLeader {
    /// Its name.
    pub instance: String,
    /// Since when it does.
    pub since: Timestamp,
}

/// What carries events to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BrokerStatus {
    /// `redis` or `nats`.
    pub name: String,
    /// Whether it was heard in the last 3 s. Where not, the instance reads events from Postgres.
    pub heard: bool,
}

/// A project's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// The last position.
    pub last_position: Position,
    /// The oldest that is kept.
    pub oldest_position: Position,
    /// Events of all projects that are committed and not published, counted up to some thousands.
    pub waiting: u64,
    /// There are more than that.
    pub more_waiting: bool,
    /// How long the oldest of them waits, in milliseconds.
    pub lag_ms: Option<i64>,
    /// Who publishes; `None`: nobody does.
    pub relay: Option<RelayLeader>,
    /// How far the instance that answers has read.
    pub instance_position: Position,
}

/// Postgres, as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// Its version.
    pub version: String,
    /// How large the database is, in bytes.
    pub bytes: u64,
    /// Connections to all of its databases.
    pub connections: u32,
    /// Most that it takes.
    pub max_connections: u32,
    /// How long the oldest transaction has been open, in milliseconds.
    pub oldest_transaction_ms: Option<i64>,
    /// The last change of the schema.
    pub schema_version: i64,
}

/// A day of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// Its table.
    pub name: String,
    /// About how many events.
    pub events: u64,
    /// With its indexes, in bytes.
    pub bytes: u64,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// What it is.
    pub value: String,
}
