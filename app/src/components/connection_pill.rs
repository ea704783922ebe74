//! How the connection stands.

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::contexts::announcer::use_announcer;
use crate::contexts::clock::{Now, use_clock};
use crate::live::machine::Status;
use crate::live::use_live_client;

const fn icon_of(status: Status) -> IconName {
    match status {
        Status::Connecting | Status::Reconnecting { .. } => IconName::Retry,
        Status::Live => IconName::Signal,
        Status::Polling => IconName::Hourglass,
        Status::Paused => IconName::Pause,
        Status::Offline => IconName::Offline,
        Status::SignedOut => IconName::Lock,
    }
}

fn words(status: Status, now: Option<Now>) -> String {
    let word = match status {
        Status::Connecting => "Connecting",
        Status::Live => "Live",
        Status::Reconnecting { at } => return countdown(at, now),
        Status::Polling => "Polling",
        Status::Paused => "Paused",
        Status::Offline => "Offline",
        Status::SignedOut => "Signed out",
    };
    word.to_owned()
}

fn countdown(at: Option<u64>, now: Option<Now>) -> String {
    let left = at.zip(now).map_or(0, |(at, now)| at.saturating_sub(now.monotone).div_ceil(1_000));
    if left == 0 { "Reconnecting".to_owned() } else { format!("Reconnecting in {left} s") }
}

const fn explanation(status: Status) -> &'static str {
    match status {
        Status::Connecting => "Opening the stream of events",
        Status::Live => "Changes appear as they happen",
        Status::Reconnecting { .. } => "The stream was lost; nothing that happens meanwhile is",
        Status::Polling => "The stream is blocked; changes are fetched instead",
        Status::Paused => "Rests while this tab is in the background",
        Status::Offline => "No network; goes on by itself when it is back",
        Status::SignedOut => "The session has ended",
    }
}

/// What a screen reader is told; nothing of the countdown, and nothing of the first connection.
const fn announcement(status: Status) -> Option<&'static str> {
    match status {
        Status::Connecting | Status::Paused => None,
        Status::Live => Some("Live updates are on"),
        Status::Reconnecting { .. } => Some("Connection lost, reconnecting"),
        Status::Polling => Some("Live updates by polling"),
        Status::Offline => Some("Offline"),
        Status::SignedOut => Some("Signed out. Log in again for live updates"),
    }
}

/// The connection's state as icon and word.
#[component]
pub fn ConnectionPill() -> impl IntoView {
    let status = use_live_client().status();
    let clock = use_clock();
    let announcer = use_announcer();
    let kind = Memo::new(move |_| status.get().as_str());
    let text = Memo::new(move |_| words(status.get(), clock.get()));
    Effect::new(move |before: Option<&'static str>| {
        let kind = kind.get();
        let went_live_first = before == Some("connecting") && kind == "live";
        if before.is_some()
            && !went_live_first
            && let Some(text) = announcement(status.get_untracked())
        {
            announcer.say(text);
        }
        kind
    });
    view! {
        <span class="pill" data-state=move || kind.get() title=move || explanation(status.get())>
            {move || { kind.track(); view! { <Icon name=icon_of(status.get_untracked())/> } }}
            <span class="pill-text">{move || text.get()}</span>
        </span>
        <Show when=move || kind.get() == "signed_out">
            <a class="button button-small" rel="external" href="/login">"Log in"</a>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_down_to_the_next_attempt() {
        let now = Some(Now { wall: 0, monotone: 10_000 });
        let status = Status::Reconnecting { at: Some(13_200) };
        assert_eq!(words(status, now), "Reconnecting in 4 s");
        assert_eq!(words(Status::Reconnecting { at: None }, now), "Reconnecting");
        assert_eq!(words(Status::Live, None), "Live");
    }
}
