//! Toasts: short messages about what was just done, some with a way back.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use crate::contexts::announcer::use_announcer;

/// A toast goes after so long, unless somebody points at it or is in it.
const STAYS: Duration = Duration::from_secs(10);
/// One with a way back stays longer: who goes there by keyboard, or hears of it last, needs the time.
const STAYS_WITH_UNDO: Duration = Duration::from_secs(30);
/// Most toasts at once; the oldest gives way.
const MOST: usize = 3;

/// A message.
#[derive(Clone)]
pub struct Toast {
    /// To tell it from others.
    pub id: u64,
    /// What it says.
    pub text: String,
    /// Whether it tells of something that went wrong.
    pub is_bad: bool,
    /// Takes back what was done.
    pub undo: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Toast {
    /// How long it stays.
    #[must_use]
    pub const fn stays(&self) -> Duration {
        if self.undo.is_some() { STAYS_WITH_UNDO } else { STAYS }
    }
}

/// What is said now.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    count: StoredValue<u64>,
}

/// Puts the toasts into the context.
pub fn provide_toasts() {
    provide_context(Toasts { shown: RwSignal::new(Vec::new()), count: StoredValue::new(0) });
}

/// The toasts.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// The toasts on the screen, the oldest first.
    #[must_use]
    pub fn shown(self) -> Signal<Vec<Toast>> {
        self.shown.into()
    }

    /// Says that something was done, and how it can be taken back, where it can.
    pub fn say(self, text: impl Into<String>, undo: Option<Arc<dyn Fn() + Send + Sync>>) {
        self.add(text.into(), false, undo);
    }

    /// Says that something went wrong.
    pub fn complain(self, text: impl Into<String>) {
        self.add(text.into(), true, None);
    }

    /// Takes one away.
    pub fn dismiss(self, id: u64) {
        self.shown.try_update(|shown| shown.retain(|toast| toast.id != id));
    }

    fn add(self, text: String, is_bad: bool, undo: Option<Arc<dyn Fn() + Send + Sync>>) {
        let id = self.count.with_value(|count| count + 1);
        self.count.set_value(id);
        // One live region for all: several of them talk over each other.
        use_announcer().answer(text.clone());
        self.shown.update(|shown| {
            shown.push(Toast { id, text, is_bad, undo });
            let beyond = shown.len().saturating_sub(MOST);
            shown.drain(..beyond);
        });
    }
}
