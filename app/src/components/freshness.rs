//! As of when what is on the screen is true.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::contexts::clock::use_clock;
use crate::format;
use crate::live::use_live_client;

/// "as of 12 s ago", visibly stale when nothing was heard for two heartbeats. The server renders
/// the absolute time.
#[component]
pub fn Freshness(
    /// When the page's data was read.
    as_of: Timestamp,
) -> impl IntoView {
    let clock = use_clock();
    let client = use_live_client();
    let (status, pulse) = (client.status(), client.pulse());
    // Milliseconds since the service was last heard; before it ever was, since the data was read.
    let age = Memo::new(move |_| {
        let now = clock.get()?;
        let heard = pulse.get().last_heard.map(|heard| now.monotone.saturating_sub(heard) as i64);
        Some(heard.unwrap_or_else(|| (now.wall - as_of.unix_millis()).max(0)))
    });
    let is_stale = Memo::new(move |_| {
        let limit = 2 * pulse.get().heartbeat as i64;
        age.get().is_some_and(|age| {
            limit > 0 && age > limit && status.get() != crate::live::machine::Status::Connecting
        })
    });
    let absolute = format::absolute(as_of);
    let title = absolute.clone();
    let text = Memo::new(move |_| match age.get() {
        Some(age) => format::ago(age),
        None => absolute.clone(),
    });
    view! {
        <span class="freshness" data-stale=move || is_stale.get().to_string()>
            "as of " <time datetime=as_of.to_string() title=format!("Loaded {title}")>{move || text.get()}</time>
        </span>
    }
}
