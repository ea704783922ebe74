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
    /// A notification was sent.
    "notification.sent" on NOTIFICATION for NOTIFICATIONS_READ => NotificationSent {
        /// Which notification.
        notification_id: NotificationId,
        /// Whom it is for.
        recipient: SubjectRef,
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
