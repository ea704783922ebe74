//! As of when what is on the screen is true.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::contexts::clock::{monotone, use_clock};
use crate::format;
use crate::live::use_live_client;

/// "as of 12 s ago" for data that follows events: true as long as the service is heard, visibly stale
/// when nothing was heard for two heartbeats. The server renders the absolute time.
#[component]
pub fn Freshness(
    /// When the page's data was read.
    as_of: Timestamp,
    /// Since when what it speaks of stands still by itself ([`monotone`]), while the page goes on.
    #[prop(optional, into)]
    paused: Signal<Option<u64>>,
) -> impl IntoView {
    let clock = use_clock();
    let client = use_live_client();
    let (status, pulse, page) = (client.status(), client.pulse(), client.held());
    // What stands still twice is as old as the longer of the two.
    let held = Memo::new(move |_| paused.get().into_iter().chain(page.get()).min());
    // Milliseconds since the service was last heard; before it ever was, since the data was read.
    let age = Memo::new(move |_| {
        let now = clock.get()?;
        if let Some(since) = held.get() {
            return Some(now.monotone.saturating_sub(since) as i64);
        }
        let heard = pulse.get().last_heard.map(|heard| now.monotone.saturating_sub(heard) as i64);
        Some(heard.unwrap_or_else(|| (now.wall - as_of.unix_millis()).max(0)))
    });
    let is_stale = Memo::new(move |_| {
        let limit = 2 * pulse.get().heartbeat as i64;
        age.get().is_some_and(|age| {
            limit > 0 && age > limit && status.get() != crate::live::machine::Status::Connecting
        })
    });
    view! { <AsOf as_of=Signal::stored(as_of) age is_stale held=held/> }
}

/// "as of 12 s ago" for data that is read anew: stale when that did not succeed for a while.
#[component]
pub fn ReadFreshness(
    /// When the data on the screen was read.
    #[prop(into)]
    as_of: Signal<Timestamp>,
) -> impl IntoView {
    /// After some reads that did not come back.
    const STALE_MS: i64 = 10_000;
    let clock = use_clock();
    // By the browser's own clock: the server's may be another.
    let read_at = RwSignal::new(None);
    Effect::new(move |_| {
        as_of.track();
        read_at.set(Some(monotone()));
    });
    let age = Memo::new(move |_| Some(clock.get()?.monotone.saturating_sub(read_at.get()?) as i64));
    let is_stale = Memo::new(move |_| age.get().is_some_and(|age| age > STALE_MS));
    view! { <AsOf as_of age is_stale held=use_live_client().held()/> }
}

#[component]
fn AsOf(
    as_of: Signal<Timestamp>,
    age: Memo<Option<i64>>,
    is_stale: Memo<bool>,
    #[prop(into)] held: Signal<Option<u64>>,
) -> impl IntoView {
    let text = Memo::new(move |_| match age.get() {
        Some(age) => format::ago(age),
        None => format::absolute(as_of.get()),
    });
    view! {
        <span class="freshness" data-stale=move || is_stale.get().to_string()>
            "as of "
            <time
                class="time"
                tabindex="0"
                datetime=move || as_of.get().to_string()
                data-absolute=move || format!("Loaded {}", format::absolute(as_of.get()))
            >
                {move || text.get()}
            </time>
            {move || held.get().map(|_| ", paused")}
        </span>
    }
}
