//! Web Push: a button for this browser. Where the browser or the server knows none, there is none.

mod browser;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Icon, IconName};
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;

/// How it stands with this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pushed {
    /// Not known yet, or it cannot be.
    Impossible,
    /// The browser was told to let nobody push.
    Refused,
    /// This person is told nothing here of this project, as far as the server says.
    Off,
    /// They are told.
    On,
    /// That is being changed.
    Working,
}

/// Turns Web Push on and off in this browser; nothing without a key.
#[component]
pub(super) fn PushButton(push_key: Option<String>) -> impl IntoView {
    let state = RwSignal::new(Pushed::Impossible);
    let key = StoredValue::new(push_key);
    let project = use_project();
    Effect::new(move |_| {
        if key.with_value(Option::is_none) || !browser::is_supported() {
            return;
        }
        spawn_local(async move {
            let now = match browser::is_subscribed(&project.slug()).await {
                true => Pushed::On,
                false if browser::is_refused() => Pushed::Refused,
                false => Pushed::Off,
            };
            state.try_set(now);
        });
    });
    view! {
        <Show when=move || state.get() != Pushed::Impossible>
            <section class="card" aria-labelledby="push">
                <h2 id="push">"In this browser"</h2>
                <Switch state key/>
            </section>
        </Show>
    }
}

#[component]
fn Switch(state: RwSignal<Pushed>, key: StoredValue<Option<String>>) -> impl IntoView {
    let (toasts, project) = (use_toasts(), use_project());
    let press = move |_| {
        let (before, slug) = (state.get_untracked(), project.slug());
        let key = key.get_value().unwrap_or_default();
        state.set(Pushed::Working);
        spawn_local(async move {
            let done = match before {
                Pushed::On => browser::unsubscribe(&slug)
                    .await
                    .map(|()| (Pushed::Off, "This browser is told nothing any more.")),
                _ => {
                    browser::subscribe(&slug, &key).await.map(|()| (Pushed::On, "This browser is told now."))
                }
            };
            let now = match done {
                Ok((now, text)) => {
                    toasts.say(text, None);
                    now
                }
                Err(_) if browser::is_refused() => Pushed::Refused,
                Err(error) => {
                    toasts.complain(error);
                    before
                }
            };
            state.try_set(now);
        });
    };
    let text = move || match state.get() {
        Pushed::Refused => {
            "Your browser was told to show no notifications of this site. Allow them in its settings for this site, then reload."
        }
        Pushed::On => "This browser shows notifications, also while no page of Tidewatch is open.",
        _ => "Notifications can be shown by this browser, also while no page of Tidewatch is open.",
    };
    let label = move || match state.get() {
        Pushed::On => "Turn off here",
        Pushed::Working => "One moment…",
        _ => "Turn on here",
    };
    view! {
        <p>{text}</p>
        <Show when=move || state.get() != Pushed::Refused>
            <div>
                <button type="button" class="button" data-push=move || format!("{:?}", state.get()).to_lowercase()
                    aria-disabled=move || (state.get() == Pushed::Working).then_some("true") on:click=press>
                    <Icon name=IconName::Bell/>{label}
                </button>
            </div>
        </Show>
    }
}
