//! What pages tell the bell: that they did something with notifications.

use leptos::prelude::*;

/// Counts what was done with notifications on this tab's pages.
#[derive(Debug, Clone, Copy)]
pub struct NotificationsDone(RwSignal<u32>);

/// Puts the count into the context.
pub fn provide_notifications_done() {
    provide_context(NotificationsDone(RwSignal::new(0)));
}

/// The count.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_notifications_done() -> NotificationsDone {
    expect_context()
}

impl NotificationsDone {
    /// Something was done: whoever counts notifications counts anew.
    pub fn tell(self) {
        self.0.update(|count| *count += 1);
    }

    /// Changes each time that something was done.
    #[must_use]
    pub fn count(self) -> Signal<u32> {
        self.0.into()
    }
}
