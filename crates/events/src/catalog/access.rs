//! People and what is sent to them.

use super::catalog;
use crate::access::SubjectRef;
use crate::id::{NotificationId, UserId};

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
}
