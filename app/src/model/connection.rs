//! Who is connected.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use tidewatch_events::{Channel, Timestamp};

/// A live connection of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Which.
    pub id: ConnectionId,
    /// `sse`, `poll` or `socketio`.
    pub kind: String,
    /// The instance that has it, by name.
    pub instance: String,
    /// Whose: `user:usr_…` or `key:key_…`.
    pub actor: String,
    /// What that one is called.
    pub actor_name: String,
    /// From where.
    pub address: Option<String>,
    /// With what program, as it says itself.
    pub client: String,
    /// Since when.
    pub connected_at: Timestamp,
    /// The channels that it listens to; none: all that it may see.
    pub channels: Vec<String>,
    /// The API keys on whose word it is connected or in a private channel.
    pub keys: Vec<ApiKeyId>,
    /// Events a second that it is given, over some seconds; `None` until its instance has counted.
    pub rate: Option<f32>,
    /// Events that wait for it; `None` until its instance has counted.
    pub waiting: Option<u64>,
    /// Somebody has asked for its end, which takes a second or two.
    pub ending: bool,
}

/// In which order connections are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionSort {
    /// The newest first.
    #[default]
    Newest,
    /// Those for which most events wait first.
    Waiting,
    /// Those that are given most events a second first.
    Rate,
}

/// The text is no order of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be newest, waiting or rate")]
pub struct ParseConnectionSortError;

impl ConnectionSort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Newest, Self::Waiting, Self::Rate];

    /// The order as addresses have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Waiting => "waiting",
            Self::Rate => "rate",
        }
    }
}

impl FromStr for ConnectionSort {
    type Err = ParseConnectionSortError;

    fn from_str(text: &str) -> Result<Self, ParseConnectionSortError> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(ParseConnectionSortError)
    }
}

/// Which connections are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionQuery {
    /// On this channel.
    pub channel: Option<Channel>,
    /// On the word of this API key.
    pub key: Option<ApiKeyId>,
    /// With this somewhere in who they are, from where and with which program.
    pub q: Option<String>,
    /// In which order.
    pub sort: ConnectionSort,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// How many are connected to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceCount {
    /// The instance's name.
    pub instance: String,
    /// `sse`, `poll` or `socketio`.
    pub kind: String,
    /// How many connections of this project it has.
    pub connections: u64,
}

/// A page of connections, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionPage {
    /// The connections.
    pub connections: Vec<Connection>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<String>,
    /// All connections of the project, by instance and kind, whatever was asked for.
    pub counts: Vec<InstanceCount>,
}
