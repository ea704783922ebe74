//! Data together with the place in the stream that it belongs to.

use serde::{Deserialize, Serialize};
use tidewatch_events::{Position, Timestamp};

/// Data and stream position, read in one repeatable-read snapshot: the events behind `position`,
/// applied to `data`, give what a later read would.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot<T> {
    /// What was read.
    pub data: T,
    /// The last position that `data` contains.
    pub position: Position,
    /// The same as a token (`pos_…`) to open the stream with.
    pub resume_token: String,
    /// When it was read.
    pub as_of: Timestamp,
}
