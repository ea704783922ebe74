//! What came of a step with notifications.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::NotificationId;

use super::{NotificationCount, NotificationStep};

/// What was done, to say it and to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationsMoved {
    /// With which.
    pub ids: Vec<NotificationId>,
    /// What.
    pub step: NotificationStep,
    /// What the badge says now.
    pub count: NotificationCount,
}

impl NotificationsMoved {
    /// What was done, for people; `None` where nobody needs to be told.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let done = match self.step {
            NotificationStep::Read => "marked as read",
            NotificationStep::Unread => "marked as unread",
            NotificationStep::Acknowledge => "acknowledged",
            NotificationStep::Archive => "archived",
            NotificationStep::Unarchive => "back in the inbox",
            NotificationStep::Deliver | NotificationStep::See => return None,
        };
        Some(match self.ids.len() {
            1 => format!("The notification is {done}."),
            many => format!("{many} notifications are {done}."),
        })
    }

    /// What takes it back, where something does.
    #[must_use]
    pub const fn undo(&self) -> Option<NotificationStep> {
        match self.step {
            NotificationStep::Read => Some(NotificationStep::Unread),
            NotificationStep::Archive => Some(NotificationStep::Unarchive),
            NotificationStep::Unarchive => Some(NotificationStep::Archive),
            _ => None,
        }
    }
}
