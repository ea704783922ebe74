//! Channels, and who listens to them.

use serde::{Deserialize, Serialize};
use tidewatch_events::{Channel, Envelope, Timestamp};

use super::Connection;

/// A channel that somebody listens to, or on which something went out lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelRow {
    /// Its name.
    pub name: Channel,
    /// How many connections listen to it.
    pub listeners: u64,
    /// How many events went out on it in the last minute.
    pub per_minute: u64,
    /// When the last event of it happened, if that is among the project's last ones.
    pub last_event_at: Option<Timestamp>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelDetail {
    /// Its name, and how much goes on.
    pub row: ChannelRow,
    /// Who listens, newest first; the first [`ChannelDetail::MAX_LISTENERS`].
    pub listeners: Vec<Connection>,
    /// Its last events that the reader may see, newest first.
    pub events: Vec<Envelope>,
}

impl ChannelDetail {
    /// Most listeners that are named.
    pub const MAX_LISTENERS: u32 = 50;
    /// Most events that are shown.
    pub const MAX_EVENTS: usize = 20;
}

/// The project's channels, and the one that is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channels {
    /// Those with most listeners first.
    pub channels: Vec<ChannelRow>,
    /// The one that was asked for.
    pub selected: Option<ChannelDetail>,
    /// Whether the reader may publish.
    pub may_publish: bool,
    /// Whether the reader may sign tokens.
    pub may_sign: bool,
}
