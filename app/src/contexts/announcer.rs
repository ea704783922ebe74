//! The one polite live region: what a screen reader is told without being asked.

use std::time::Duration;

use leptos::prelude::*;

/// Two announcements are at least so far apart; of those in between the last one counts.
const SPACING: Duration = Duration::from_secs(3);

/// Announces texts, throttled.
#[derive(Clone, Copy)]
pub struct Announcer {
    said: RwSignal<String>,
    waiting: RwSignal<Option<String>>,
    quiet: RwSignal<bool>,
}

/// Puts the announcer into the context.
pub fn provide_announcer() {
    provide_context(Announcer {
        said: RwSignal::new(String::new()),
        waiting: RwSignal::new(None),
        quiet: RwSignal::new(false),
    });
}

/// The announcer.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_announcer() -> Announcer {
    expect_context()
}

impl Announcer {
    /// What was announced last.
    #[must_use]
    pub fn said(self) -> Signal<String> {
        self.said.into()
    }

    /// Announces `text`, at once or when the spacing is over.
    pub fn say(self, text: impl Into<String>) {
        self.waiting.set(Some(text.into()));
        if !self.quiet.get_untracked() {
            self.speak();
        }
    }

    fn speak(self) {
        let Some(text) = self.waiting.try_update(Option::take).flatten() else {
            self.quiet.try_set(false);
            return;
        };
        self.said.set(text);
        self.quiet.set(true);
        set_timeout(move || self.speak(), SPACING);
    }
}
