//! One notification of the reader's.

use tidewatch_events::Envelope;

use super::Reducer;
use crate::model::{Notification, Snapshot};

/// A notification that follows its events.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationState {
    notification: Notification,
    is_stale: bool,
}

impl NotificationState {
    /// The notification as it was loaded.
    #[must_use]
    pub const fn new(notification: Notification) -> Self {
        Self { notification, is_stale: false }
    }

    /// What is shown.
    #[must_use]
    pub const fn notification(&self) -> &Notification {
        &self.notification
    }
}

impl Reducer for NotificationState {
    type Data = Notification;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let row = &mut self.notification;
        let version = u64::try_from(envelope.aggregate_version).unwrap_or_default();
        if envelope.aggregate_id != row.id.to_string() || version <= row.version {
            return false;
        }
        let is_next = version == row.version + 1;
        row.version = version;
        self.is_stale |= !is_next || !become_of(row, envelope);
        true
    }

    fn replace(&mut self, snapshot: Snapshot<Notification>) {
        *self = Self::new(snapshot.data);
    }

    fn wants_refetch(&self) -> bool {
        self.is_stale
    }
}

/// What an event makes of a notification; `false` where that cannot be told.
pub(super) fn become_of(row: &mut Notification, envelope: &Envelope) -> bool {
    let at = Some(envelope.occurred_at);
    // What comes later says that what comes before it has been.
    let is_seen = |row: &mut Notification| {
        row.delivered_at = row.delivered_at.or(at);
        row.seen_at = row.seen_at.or(at);
    };
    match envelope.event_type.as_str() {
        "notification.delivered" => row.delivered_at = at,
        "notification.seen" => is_seen(row),
        "notification.read" => {
            is_seen(row);
            row.read_at = at;
        }
        "notification.marked_unread" => row.read_at = None,
        "notification.acknowledged" => {
            is_seen(row);
            row.read_at = row.read_at.or(at);
            row.acknowledged_at = at;
            row.settled_at = row.settled_at.or(at);
        }
        "notification.settled" => row.settled_at = row.settled_at.or(at),
        "notification.archived" => row.archived_at = at,
        "notification.unarchived" => row.archived_at = None,
        _ => return false,
    }
    true
}
