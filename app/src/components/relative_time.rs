//! A time as people say it, with the exact one on hover and focus.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::contexts::clock::use_clock;
use crate::format;

/// `<time>`: absolute in UTC until the page is hydrated, then "3 min ago". Pointing at it or having the focus on it
/// shows the absolute one beside (`style/components/time.css`).
#[component]
pub fn RelativeTime(
    /// The time.
    at: Timestamp,
    /// Whether it stands in a row with a link of its own: the absolute time is there while that link has the focus, and
    /// a long list has half the stops for who goes through it by keyboard.
    #[prop(optional)]
    in_row: bool,
) -> impl IntoView {
    let clock = use_clock();
    let absolute = format::absolute(at);
    let first = absolute.clone();
    let text = Memo::new(move |_| match clock.get() {
        Some(now) => format::ago(now.wall - at.unix_millis()),
        None => first.clone(),
    });
    view! {
        <time
            class="time"
            class:time-in-row=in_row
            datetime=at.to_string()
            data-absolute=absolute
            tabindex=(!in_row).then_some("0")
        >
            {move || text.get()}
        </time>
    }
}
