//! The time of day, for texts such as "12 s ago".
//!
//! Before hydration there is none: the server renders absolute times, and the browser's first
//! render must be the same.

use std::time::Duration;

use leptos::prelude::*;

use crate::contexts::hydration::use_hydrated;
use crate::live::machine::Millis;

/// A moment by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970 by the browser's clock, which can be wrong and can jump.
    pub wall: i64,
    /// Milliseconds that only go forward.
    pub monotone: Millis,
}

#[derive(Clone, Copy)]
struct Clock(RwSignal<Option<Now>>);

/// Milliseconds that only go forward. In the browser alone.
#[must_use]
pub fn monotone() -> Millis {
    window().performance().map_or(0, |performance| performance.now() as Millis)
}

fn now() -> Now {
    Now { wall: js_sys::Date::now() as i64, monotone: monotone() }
}

/// Starts a clock that ticks each second once the page is hydrated.
pub fn provide_clock() {
    let time = RwSignal::new(None);
    provide_context(Clock(time));
    let hydrated = use_hydrated();
    Effect::new(move |_| {
        if !hydrated.get() {
            return;
        }
        time.set(Some(now()));
        if let Ok(interval) = set_interval_with_handle(move || time.set(Some(now())), Duration::from_secs(1))
        {
            on_cleanup(move || interval.clear());
        }
    });
}

/// The time, a second old at most; `None` before hydration.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_clock() -> Signal<Option<Now>> {
    expect_context::<Clock>().0.into()
}
