//! Checks of a watched server.

use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerCheck {
    /// When.
    pub checked_at: Timestamp,
    /// Whether the server answered, and rightly.
    pub ok: bool,
    /// How long that took, in milliseconds.
    pub latency_ms: Option<i64>,
    /// Why it did not.
    pub error: Option<String>,
}
