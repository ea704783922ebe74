//! Receipts: the steps that a recipient takes with a notification, as a table in pure code.
//!
//! ```text
//!  sent ──▶ delivered ──▶ seen ──▶ read ◀──▶ unread        what comes later says that what comes
//!                          └─────▶ acknowledged            before it has been
//!  archived ◀──▶ unarchived, but for what waits to be acknowledged
//! ```

use tidewatch_app::model::NotificationStep;
use tidewatch_events::catalog::access::{
    NotificationAcknowledged, NotificationArchived, NotificationDelivered, NotificationMarkedUnread,
    NotificationRead, NotificationSeen, NotificationSent, NotificationSettled, NotificationUnarchived,
};
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{Metadata, NewEvent, Priority, ProjectId, SubjectRef};
use time::OffsetDateTime;

/// By which way a recipient came to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A page of the dashboard.
    Page,
    /// The API.
    Api,
    /// The Socket.IO gateway.
    SocketIo,
    /// The bell inside another product.
    Embed,
}

impl Way {
    /// The way as database and events have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::SocketIo => "socketio",
            Self::Embed => "embed",
        }
    }
}

/// How far a recipient is with a notification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// When a client of theirs had it.
    pub delivered_at: Option<OffsetDateTime>,
    /// When it was shown to them.
    pub seen_at: Option<OffsetDateTime>,
    /// When they read it.
    pub read_at: Option<OffsetDateTime>,
    /// When they acknowledged it.
    pub acknowledged_at: Option<OffsetDateTime>,
    /// When they put it away.
    pub archived_at: Option<OffsetDateTime>,
}

/// What of the message matters to its recipients' steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// Whether somebody has.
    pub settled: bool,
}

/// Why a step is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// There is nothing to acknowledge.
    #[error("this notification needs no acknowledgement")]
    NeedsNone,
    /// It would be forgotten.
    #[error("this notification waits to be acknowledged; acknowledge it, then archive it")]
    Waits,
}

impl Progress {
    /// How far the recipient is behind this step; `None`: the step changes nothing.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn after(
        self,
        step: NotificationStep,
        terms: Terms,
        now: OffsetDateTime,
    ) -> Result<Option<Self>, StepError> {
        let (set, earlier) = (Some(now), |time: Option<OffsetDateTime>| time.or(Some(now)));
        let seen = Self { delivered_at: earlier(self.delivered_at), seen_at: earlier(self.seen_at), ..self };
        let next = match step {
            NotificationStep::Deliver => Self { delivered_at: earlier(self.delivered_at), ..self },
            NotificationStep::See => seen,
            NotificationStep::Read => Self { read_at: earlier(self.read_at), ..seen },
            NotificationStep::Unread => Self { read_at: None, ..self },
            NotificationStep::Acknowledge if !terms.must_acknowledge => return Err(StepError::NeedsNone),
            // Said once, it is said; that it counts as unread again is no reason to say it again.
            NotificationStep::Acknowledge if self.acknowledged_at.is_some() => self,
            NotificationStep::Acknowledge => {
                Self { read_at: earlier(self.read_at), acknowledged_at: set, ..seen }
            }
            NotificationStep::Archive if self.waits(terms) => return Err(StepError::Waits),
            NotificationStep::Archive => Self { archived_at: earlier(self.archived_at), ..self },
            NotificationStep::Unarchive => Self { archived_at: None, ..self },
        };
        Ok((next != self).then_some(next))
    }

    const fn waits(self, terms: Terms) -> bool {
        terms.must_acknowledge && !terms.settled && self.acknowledged_at.is_none()
    }
}

/// Whose receipt something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptRef {
    /// In which project.
    pub project: ProjectId,
    /// Which.
    pub id: NotificationId,
    /// Whose it is.
    pub user: UserId,
    /// Its version after that.
    pub version: i64,
}

impl ReceiptRef {
    /// That it was sent by this step of the escalation.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    pub fn sent(self, step: u32, high: bool, metadata: Metadata) -> Result<NewEvent, serde_json::Error> {
        let (notification_id, recipient) = (self.id, self.name());
        let event = NotificationSent { notification_id, recipient, step };
        let mut event = self.addressed(NewEvent::of(self.project, self.id, self.version, &event)?, metadata);
        if high {
            event.routing.priority = Priority::High;
        }
        Ok(event)
    }

    /// That its recipient has taken this step.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    pub fn taken(
        self,
        step: NotificationStep,
        way: Way,
        metadata: Metadata,
    ) -> Result<NewEvent, serde_json::Error> {
        let (notification_id, recipient) = (self.id, self.name());
        let (project, id, version) = (self.project, self.id, self.version);
        let event = match step {
            NotificationStep::Deliver => {
                NewEvent::of(project, id, version, &NotificationDelivered { notification_id, recipient })
            }
            NotificationStep::See => {
                NewEvent::of(project, id, version, &NotificationSeen { notification_id, recipient })
            }
            NotificationStep::Read => {
                NewEvent::of(project, id, version, &NotificationRead { notification_id, recipient })
            }
            NotificationStep::Unread => {
                NewEvent::of(project, id, version, &NotificationMarkedUnread { notification_id, recipient })
            }
            NotificationStep::Acknowledge => {
                let way = way.as_str().to_owned();
                NewEvent::of(
                    project,
                    id,
                    version,
                    &NotificationAcknowledged { notification_id, recipient, way },
                )
            }
            NotificationStep::Archive => {
                NewEvent::of(project, id, version, &NotificationArchived { notification_id, recipient })
            }
            NotificationStep::Unarchive => {
                NewEvent::of(project, id, version, &NotificationUnarchived { notification_id, recipient })
            }
        };
        Ok(self.addressed(event?, metadata))
    }

    /// That another recipient was the first to acknowledge the message.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    pub fn settled(self, metadata: Metadata) -> Result<NewEvent, serde_json::Error> {
        let event = NotificationSettled { notification_id: self.id, recipient: self.name() };
        Ok(self.addressed(NewEvent::of(self.project, self.id, self.version, &event)?, metadata))
    }

    fn name(self) -> SubjectRef {
        SubjectRef::User(self.user)
    }

    /// What becomes of a receipt is for its recipient alone: not even the staff hears of it by events. For them it is
    /// whatever their role says of notifications, as their inbox is.
    fn addressed(self, event: NewEvent, metadata: Metadata) -> NewEvent {
        let mut event = event.with_metadata(metadata);
        event.routing.audience.insert(self.name());
        event.routing.permissions.clear();
        event
    }
}

#[cfg(test)]
mod tests {
    use NotificationStep::{Acknowledge, Archive, Deliver, Read, See, Unarchive, Unread};
    use proptest::prelude::*;
    use time::Duration;

    use super::*;

    const PLAIN: Terms = Terms { must_acknowledge: false, settled: false };
    const OPEN: Terms = Terms { must_acknowledge: true, settled: false };
    const SETTLED: Terms = Terms { must_acknowledge: true, settled: true };

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    /// Takes the steps one after the other, a second apart, and says how far that leads and which of them changed
    /// something.
    fn take(steps: &[NotificationStep], terms: Terms) -> (Progress, Vec<bool>) {
        let mut progress = Progress::default();
        let changed = (1..).zip(steps).map(|(second, step)| {
            let next = progress.after(*step, terms, at(second)).expect("a step");
            progress = next.unwrap_or(progress);
            next.is_some()
        });
        let changed = changed.collect();
        (progress, changed)
    }

    #[test]
    fn a_later_step_takes_the_earlier_ones_along_and_moves_none_of_them() {
        let (progress, _) = take(&[Deliver, Read], PLAIN);
        assert_eq!((progress.delivered_at, progress.seen_at), (Some(at(1)), Some(at(2))));
        assert_eq!((progress.read_at, progress.acknowledged_at), (Some(at(2)), None));
        let (progress, _) = take(&[See, Acknowledge], OPEN);
        assert_eq!((progress.seen_at, progress.read_at), (Some(at(1)), Some(at(2))));
        assert_eq!(progress.acknowledged_at, Some(at(2)));
    }

    #[test]
    fn what_changes_nothing_is_no_step() {
        assert_eq!(take(&[Read, Read, See, Deliver], PLAIN).1, [true, false, false, false]);
        assert_eq!(take(&[Unread, Unarchive], PLAIN).1, [false, false]);
        assert_eq!(take(&[Acknowledge, Unread, Acknowledge], OPEN).1, [true, true, false]);
        assert_eq!(take(&[Archive, Archive, Unarchive, Unarchive], PLAIN).1, [true, false, true, false]);
    }

    #[test]
    fn what_waits_to_be_acknowledged_is_not_put_away() {
        let fresh = Progress::default();
        assert_eq!(fresh.after(Archive, OPEN, at(1)), Err(StepError::Waits));
        assert_eq!(fresh.after(Acknowledge, PLAIN, at(1)), Err(StepError::NeedsNone));
        assert!(fresh.after(Archive, SETTLED, at(1)).is_ok_and(|next| next.is_some()));
        assert_eq!(take(&[Acknowledge, Archive], OPEN).1, [true, true]);
        assert_eq!(take(&[Acknowledge], SETTLED).1, [true], "others may say so, too");
    }

    proptest! {
        #[test]
        fn what_comes_later_never_stands_without_what_comes_before(
            steps in prop::collection::vec(prop::sample::select(&NotificationStep::ALL[..]), 0..20),
            must_acknowledge: bool,
        ) {
            let terms = Terms { must_acknowledge, settled: false };
            let mut progress = Progress::default();
            for (second, step) in (1..).zip(steps) {
                if let Ok(Some(next)) = progress.after(step, terms, at(second)) {
                    prop_assert_ne!(next, progress);
                    progress = next;
                }
                prop_assert!(progress.seen_at.is_none() || progress.delivered_at <= progress.seen_at);
                prop_assert!(progress.read_at.is_none() || progress.seen_at <= progress.read_at);
                prop_assert!(progress.acknowledged_at.is_none() || progress.seen_at.is_some());
                prop_assert!(!(progress.archived_at.is_some() && progress.waits(terms)));
            }
        }
    }
}
