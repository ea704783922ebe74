//! By which ways a person wants to be told.

use super::EmailPreference;

/// By which ways a person wants to be told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationWishes {
    /// Whether the bell counts it.
    pub in_app: bool,
    /// Whether, and how, it is told by e-mail.
    pub email: EmailPreference,
    /// Whether it is told by Web Push.
    pub push: bool,
}

impl Default for NotificationWishes {
    /// What holds of what nobody has said anything of: in the app, in digests, pushed.
    fn default() -> Self {
        Self { in_app: true, email: EmailPreference::Digest, push: true }
    }
}
