//! What one wants of notifications.

mod preferences;
mod push;
mod quiet;

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;

use self::preferences::Preferences;
use self::push::PushButton;
use self::quiet::Quiet;
use crate::api::{SaveNotificationSettings, get_notification_settings};
use crate::components::change_form::Refused;
use crate::components::{Done, ErrorState, Loading};
use crate::contexts::form_answer::{on_answer, times_done, use_form_action};
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;
use crate::live::use_connection;
use crate::model::{self, DigestInterval};

/// The settings' page.
#[component]
pub fn NotificationSettingsPage() -> impl IntoView {
    use_connection();
    let project = use_project();
    let action = use_form_action::<SaveNotificationSettings>();
    // Read anew once they are saved: rows that were taken away go, and there is an empty one again. What was refused
    // stays as it was entered.
    let saved = times_done(action);
    let settings = Resource::new(
        move || saved.get(),
        move |saved| async move {
            get_notification_settings(project.slug()).await.map(|settings| (saved, settings.data))
        },
    );
    view! {
        <Title text="Notification settings"/>
        <div class="page">
            <p class="breadcrumb"><a href=project.href("/notifications")>"Notifications"</a></p>
            <h1>"Notification settings"</h1>
            <Answer action/>
            <Transition fallback=|| view! { <Loading what="your settings"/> }>
                {move || Suspend::new(async move {
                    match settings.await {
                        // New elements each time: one that somebody has touched would keep their choice, though its row
                        // is another one's by now.
                        Ok((saved, page)) => Either::Left(view! {
                            <For each=move || [saved] key=|saved| *saved let:_saved>
                                <Settings page=page.clone() action/>
                            </For>
                        }),
                        Err(error) => Either::Right(view! { <ErrorState error what="your settings"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

/// What came of saving: a toast where a script runs.
#[component]
fn Answer(action: ServerAction<SaveNotificationSettings>) -> impl IntoView {
    let (toasts, done) = (use_toasts(), use_notifications_done());
    on_answer(action, move |answer| {
        if answer.is_ok() {
            toasts.say("Your settings are saved.", None);
            done.tell();
        }
    });
    let answer = action.value();
    view! {
        <div class="change-answer" aria-live="polite">
            {move || match answer.get() {
                Some(Ok(())) if action.version().get_untracked() == 0 => {
                    view! { <Done text="Your settings are saved."/> }.into_any()
                }
                Some(Err(error)) => view! { <Refused error/> }.into_any(),
                _ => ().into_any(),
            }}
        </div>
    }
}

#[component]
fn Settings(
    page: model::NotificationSettingsPage,
    action: ServerAction<SaveNotificationSettings>,
) -> impl IntoView {
    let model::NotificationSettingsPage { settings, known_types, time_zones, email, sends_email, push_key } =
        page;
    let (pushes, digest) = (push_key.is_some(), settings.digest);
    view! {
        <ActionForm action attr:class="form" attr:data-settings="">
            <input type="hidden" name="project" value=use_project().slug()/>
            <Preferences preferences=settings.preferences known_types sends_email pushes/>
            {if sends_email {
                Either::Left(view! { <Digest digest email/> })
            } else {
                // What is not shown stays as it is.
                Either::Right(view! { <input type="hidden" name="settings[digest]" value=digest.as_str()/> })
            }}
            <Quiet quiet=settings.quiet time_zone=settings.time_zone time_zones/>
            <div><button class="button button-primary" disabled=move || action.pending().get()>"Save the settings"</button></div>
        </ActionForm>
        // At the end, for it comes once the browser has said what it can: nothing below it moves.
        <PushButton push_key/>
    }
}

#[component]
fn Digest(digest: DigestInterval, email: String) -> impl IntoView {
    let option = |interval: DigestInterval| {
        let text = match interval {
            DigestInterval::Off => "Never",
            DigestInterval::Hourly => "Once an hour",
            DigestInterval::Daily => "Once a day",
            DigestInterval::Weekly => "Once a week",
        };
        view! { <option value=interval.as_str() selected=interval == digest>{text}</option> }
    };
    view! {
        <section class="card" aria-labelledby="digest">
            <h2 id="digest">"E-mail digest"</h2>
            <label class="field form-narrow">
                <span>"Sent"</span>
                <select name="settings[digest]">{DigestInterval::ALL.into_iter().map(option).collect_view()}</select>
            </label>
            <p class="card-foot">"It goes to " <strong class="breakable">{email}</strong> ", and only while something of it is unread."</p>
        </section>
    }
}
