//! Data together with the place in the stream that it belongs to.

use serde::{Deserialize, Serialize};
use tidewatch_events::{Position, Timestamp};

/// Data and stream position, read in one repeatable-read snapshot: the events behind `position`,
/// applied to `data`, give what a later read would.
///
/// Rows may be ahead of `position`: they show what is committed, the position what is published. So
/// an event behind it may be in `data` already, and whoever applies it looks at versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot<T> {
    /// What was read.
    pub data: T,
    /// `data` contains every event up to here.
    pub position: Position,
    /// The same as a token (`pos_…`) to open the stream with.
    pub resume_token: String,
    /// When it was read.
    pub as_of: Timestamp,
}
