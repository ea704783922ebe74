//! A time as people say it, with the exact one on hover and focus.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::contexts::clock::use_clock;
use crate::format;

/// `<time>`: absolute in UTC until the page is hydrated, then "3 min ago".
#[component]
pub fn RelativeTime(
    /// The time.
    at: Timestamp,
) -> impl IntoView {
    let clock = use_clock();
    let absolute = format::absolute(at);
    let first = absolute.clone();
    let text = Memo::new(move |_| match clock.get() {
        Some(now) => format::ago(now.wall - at.unix_millis()),
        None => first.clone(),
    });
    view! {
        <time class="time" datetime=at.to_string() title=absolute tabindex="0">
            {move || text.get()}
        </time>
    }
}
