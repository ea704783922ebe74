//! What a stream says beside events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::ConnectionId;
use crate::position::Position;

/// SSE event name of [`Connected`].
pub const CONNECTED: &str = "connected";
/// SSE event name of [`Heartbeat`].
pub const HEARTBEAT: &str = "heartbeat";
/// SSE event name of an array of events, where the reader asked for `batch`.
pub const BATCH: &str = "batch";
/// SSE event name of [`SystemMessage`].
pub const SYSTEM_MESSAGE: &str = "system_message";

/// The first message of every stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// This connection, for logs and support.
    pub connection_id: ConnectionId,
    /// The reader has everything up to here; what follows comes behind it.
    pub position: Position,
    /// Seconds between two heartbeats; silence of two of them is a loss.
    pub heartbeat_seconds: f64,
    /// The instance that serves the stream.
    pub instance: String,
    /// Whether the stream goes on from where the reader asked. `false` after a gap: the reader
    /// must read the present state anew.
    pub recovered: bool,
    /// Stands for what the reader may see. When it is another one than on the stream before, what was
    /// read until then may have to go, and other things may be there: read the present state anew.
    #[serde(default)]
    pub rights: String,
    /// Whether somebody follows traces: then a page can tell when it had an event whose trace is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub traced: bool,
}

/// Shows that the stream is alive. Its SSE `id` is a position token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// Everything up to here was offered to the reader.
    pub position: Position,
}

/// Something that the service tells the reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SystemMessage {
    /// What kind of message: for programs.
    pub code: SystemCode,
    /// What it means: for people.
    pub message: String,
    /// Details, by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// The kinds of system messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SystemCode {
    /// A request of the client was carried out.
    Success,
    /// A request of the client failed.
    Error,
    /// The reader was taken off channels; `data.channels` names them.
    RemovedFromChannel,
    /// Events between the reader's position and now are not to be had from this stream;
    /// `data.oldestPosition` is the oldest one kept. The reader must read the state anew.
    HistoryGap,
    /// The reader was too slow and is disconnected; it can resume from its position.
    Lagged,
    /// The session, key or token that opened the stream has ended.
    SessionExpired,
    /// What the reader may see has changed; the stream goes on with the new rights.
    PermissionsChanged,
    /// The instance is going down; the reader should connect again after `retry`.
    ServerDraining,
    /// Too many requests or connections.
    RateLimited,
}
