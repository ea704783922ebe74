//! People and what is sent to them.

use super::catalog;
use crate::access::SubjectRef;
use crate::id::{CommentId, NotificationId, RecordId, UserId};

catalog! {
    /// A person joined the project.
    "user.created" on USER for USERS_READ => UserCreated {
        /// Which person; nothing more of them is told.
        user_id: UserId,
    }
    /// Something about a person changed.
    "user.updated" on USER for USERS_READ => UserUpdated {
        /// Which person.
        user_id: UserId,
        /// The names of the fields that changed, never their values.
        changed: Vec<String>,
    }
    /// A notification was sent to a person; only that person is told.
    "notification.sent" on NOTIFICATION for NOTIFICATIONS_READ => NotificationSent {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
        /// By which step of the escalation: 0 is the rule's own audience.
        step: u32,
    }
    /// A client of the recipient has a notification.
    "notification.delivered" on NOTIFICATION for NOTIFICATIONS_READ => NotificationDelivered {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// A notification was shown to its recipient.
    "notification.seen" on NOTIFICATION for NOTIFICATIONS_READ => NotificationSeen {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// The recipient has read a notification.
    "notification.read" on NOTIFICATION for NOTIFICATIONS_READ => NotificationRead {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// The recipient wants a notification to count as unread.
    "notification.marked_unread" on NOTIFICATION for NOTIFICATIONS_READ => NotificationMarkedUnread {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// The recipient has said that a notification is done.
    "notification.acknowledged" on NOTIFICATION for NOTIFICATIONS_READ => NotificationAcknowledged {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
        /// By which way: `page`, `api`, `socketio` or `embed`.
        way: String,
    }
    /// Another recipient was the first to acknowledge what this one was told, too.
    "notification.settled" on NOTIFICATION for NOTIFICATIONS_READ => NotificationSettled {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// The recipient has put a notification away.
    "notification.archived" on NOTIFICATION for NOTIFICATIONS_READ => NotificationArchived {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// The recipient has taken a notification back out.
    "notification.unarchived" on NOTIFICATION for NOTIFICATIONS_READ => NotificationUnarchived {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
    }
    /// Nobody had acknowledged a notification in time: who is next was told. It is of the message, which its recipients
    /// have in common, and for the staff.
    "notification.escalated" on NOTIFICATION for NOTIFICATIONS_READ => NotificationEscalated {
        /// Which message.
        message_id: NotificationId,
        /// Which step was taken, from 1.
        step: u32,
        /// How many were told by it.
        recipients: u32,
    }
    /// Somebody wrote something about a record. What they wrote needs, beside this permission, those of
    /// the record.
    "comment.created" on COMMENT for EVENTS_READ => CommentCreated {
        /// Which comment.
        comment_id: CommentId,
        /// About which record.
        about: RecordId,
        /// What they wrote.
        text: String,
    }
}
