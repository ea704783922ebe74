//! What the bell says: how many are unread, as the server counts them, so that all tabs and browsers say the same.

use std::collections::BTreeSet;
use std::time::Duration;

use tidewatch_events::Envelope;
use tidewatch_events::id::NotificationId;

use super::Reducer;
use crate::model::{NotificationCount, Snapshot};

/// What is so old that it is kept no longer goes without an event.
const REFRESH: Duration = Duration::from_secs(300);

/// The bell's number, and what came for which nobody has said yet that it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BellState {
    count: NotificationCount,
    is_stale: bool,
    unconfirmed: BTreeSet<NotificationId>,
}

impl BellState {
    /// The number as it was loaded.
    #[must_use]
    pub fn new(snapshot: &Snapshot<NotificationCount>) -> Self {
        Self { count: snapshot.data, is_stale: false, unconfirmed: BTreeSet::new() }
    }

    /// What it says.
    #[must_use]
    pub const fn count(&self) -> NotificationCount {
        self.count
    }

    /// Those that came, and of which no event says that they were delivered.
    #[must_use]
    pub const fn unconfirmed(&self) -> &BTreeSet<NotificationId> {
        &self.unconfirmed
    }

    /// Forgets what waits to be confirmed: it is being done.
    pub fn take_unconfirmed(&mut self) -> Vec<NotificationId> {
        std::mem::take(&mut self.unconfirmed).into_iter().collect()
    }
}

impl Reducer for BellState {
    type Data = NotificationCount;

    const REFRESH: Option<Duration> = Some(REFRESH);

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let Some(step) = envelope.event_type.as_str().strip_prefix("notification.") else { return false };
        if step == "escalated" {
            // Of the message, not of anybody's notification.
            return false;
        }
        let Ok(id) = envelope.aggregate_id.parse() else { return false };
        // To be delivered or seen changes no number.
        self.is_stale |= !matches!(step, "delivered" | "seen");
        if step == "sent" { self.unconfirmed.insert(id) } else { self.unconfirmed.remove(&id) }
    }

    fn replace(&mut self, snapshot: Snapshot<NotificationCount>) {
        self.count = snapshot.data;
        self.is_stale = false;
    }

    fn wants_refetch(&self) -> bool {
        self.is_stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{at, event};
    use crate::model::Notification;

    fn told(event_type: &str, number: u128) -> Envelope {
        Envelope {
            event_type: event_type.parse().expect("a type"),
            aggregate_id: Notification::example(number).id.to_string(),
            ..event(1)
        }
    }

    fn read(unread: u64) -> Snapshot<NotificationCount> {
        Snapshot {
            data: NotificationCount { unread, unacknowledged: 0 },
            position: at(1),
            resume_token: String::new(),
            as_of: event(1).occurred_at,
        }
    }

    #[test]
    fn is_counted_anew_when_the_number_may_have_changed() {
        for (event_type, wanted) in [
            ("notification.sent", true),
            ("notification.read", true),
            ("notification.archived", true),
            ("notification.settled", true),
            ("notification.delivered", false),
            ("notification.seen", false),
            ("notification.escalated", false),
            ("settlement.created", false),
        ] {
            let mut bell = BellState::new(&read(1));
            bell.apply(&told(event_type, 1));
            assert_eq!(bell.wants_refetch(), wanted, "{event_type}");
        }
        let mut bell = BellState::new(&read(1));
        bell.apply(&told("notification.sent", 1));
        bell.replace(read(2));
        assert_eq!((bell.count().unread, bell.wants_refetch()), (2, false));
    }

    #[test]
    fn what_came_is_confirmed_once_by_whichever_tab() {
        let mut bell = BellState::new(&read(0));
        assert!(bell.apply(&told("notification.sent", 1)));
        bell.apply(&told("notification.sent", 2));
        bell.apply(&told("notification.sent", 3));
        // Another tab was faster with one, and another one is on somebody's screen.
        bell.apply(&told("notification.delivered", 1));
        bell.apply(&told("notification.seen", 3));
        assert_eq!(bell.take_unconfirmed(), [Notification::example(2).id]);
        assert!(bell.unconfirmed().is_empty());
    }
}
