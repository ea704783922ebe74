//! The one polite live region: what a screen reader is told without being asked.

use std::collections::VecDeque;
use std::time::Duration;

use leptos::prelude::*;

/// Two announcements are at least so far apart; of what merely happens in between the last one counts.
const SPACING: Duration = Duration::from_secs(3);

/// Announces texts, throttled.
#[derive(Clone, Copy)]
pub struct Announcer {
    said: RwSignal<String>,
    /// What somebody waits to hear, in order: none of it is left out.
    answers: RwSignal<VecDeque<String>>,
    waiting: RwSignal<Option<String>>,
    quiet: RwSignal<bool>,
}

/// Puts the announcer into the context.
pub fn provide_announcer() {
    provide_context(Announcer {
        said: RwSignal::new(String::new()),
        answers: RwSignal::default(),
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

    /// Announces `text`, at once or when the spacing is over: something that happens by itself.
    pub fn say(self, text: impl Into<String>) {
        self.waiting.set(Some(text.into()));
        if !self.quiet.get_untracked() {
            self.speak();
        }
    }

    /// Announces what came of something that the person has just done: before all that happens by itself, and never
    /// instead of another answer.
    pub fn answer(self, text: impl Into<String>) {
        self.answers.update(|answers| answers.push_back(text.into()));
        if !self.quiet.get_untracked() {
            self.speak();
        }
    }

    fn speak(self) {
        let answer = self.answers.try_update(VecDeque::pop_front).flatten();
        let Some(text) = answer.or_else(|| self.waiting.try_update(Option::take).flatten()) else {
            self.quiet.try_set(false);
            return;
        };
        self.said.set(text);
        self.quiet.set(true);
        set_timeout(move || self.speak(), SPACING);
    }
}
