//! One notification under its own address, as e-mails and other devices lead to it.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_params_map;
use tidewatch_events::Timestamp;

use super::row::{Priority, State, Steps};
use super::steps::{StepAnswer, tell_of_steps};
use crate::api::{MoveNotifications, get_notification, open_notification};
use crate::components::{ErrorState, Icon, IconName, Loading, RelativeTime, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::error::AppError;
use crate::live::reduce::NotificationState;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Destination, Notification, Snapshot};
use crate::pages::NotFoundPage;

type Opened = Resource<Result<Snapshot<Notification>, AppError>>;

/// Reads the notification that the address names, which counts as read from then on.
fn use_opened() -> Opened {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let project = use_project();
    Resource::new(
        move || id.get(),
        move |id| async move {
            let id = id.parse().map_err(|_| AppError::NotFound)?;
            open_notification(project.slug(), id).await
        },
    )
}

/// What it says, what became of it, and what can be done.
#[component]
pub fn NotificationPage() -> impl IntoView {
    let opened = use_opened();
    view! {
        <Transition fallback=|| view! { <Loading what="the notification"/> }>
            {move || Suspend::new(async move {
                match opened.await {
                    Ok(snapshot) => view! { <OneView snapshot/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Leads on to what the notification is about; where it leads nowhere, to the notification itself.
#[component]
pub fn OpenNotificationPage() -> impl IntoView {
    let opened = use_opened();
    let project = use_project();
    view! {
        <Transition fallback=|| view! { <Loading what="the notification"/> }>
            {move || Suspend::new(async move {
                match opened.await {
                    Ok(snapshot) => {
                        let to = match snapshot.data.destination() {
                            Some(Destination::Here(path)) => project.href(&path),
                            Some(Destination::Elsewhere(address)) => address,
                            None => project.href(&format!("/notifications/{}", snapshot.data.id)),
                        };
                        view! { <LeadOn to/> }.into_any()
                    }
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The server answers with a redirect. In a browser, whose router knows no other site, the address is gone to.
#[component]
fn LeadOn(to: String) -> impl IntoView {
    let is_elsewhere = !to.starts_with('/');
    let away = to.clone();
    Effect::new(move |_| {
        if is_elsewhere {
            let _ = window().location().replace(&away);
        }
    });
    let is_browser = cfg!(not(feature = "ssr"));
    (!(is_elsewhere && is_browser)).then(|| view! { <Redirect path=to/> })
}

#[component]
fn Failure(error: AppError) -> impl IntoView {
    if error == AppError::NotFound {
        return view! { <NotFoundPage/> }.into_any();
    }
    view! {
        <Title text="Notification"/>
        <div class="page"><h1>"Notification"</h1><ErrorState error what="the notification"/></div>
    }
    .into_any()
}

#[component]
fn OneView(snapshot: Snapshot<Notification>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let first = snapshot.data.clone();
    let id = first.id;
    let state = RwSignal::new(NotificationState::new(snapshot.data));
    let project = use_project();
    let live = use_live(state, anchor, move || get_notification(project.slug(), id));
    let action = use_form_action::<MoveNotifications>();
    refetch_after(action, live);
    tell_of_steps(action, live, |_| {});
    // It was read by being opened.
    let done = use_notifications_done();
    Effect::new(move |_| done.tell());

    let row = Memo::new(move |_| state.with(|state| state.notification().clone()));
    let link = first.destination().map(|destination| match destination {
        Destination::Here(path) => (project.href(&path), "Open what it is about".to_owned(), None),
        Destination::Elsewhere(address) => {
            let text = format!("Open {}", site_of(&address));
            (address, text, Some("external noopener"))
        }
    });
    let first = StoredValue::new(first);
    view! {
        <Title text=first.read_value().title.clone()/>
        <WhileAllowed live what="this notification">
        <article
            class="page notification-page"
            data-id=id.to_string()
            data-unread=move || row.read().read_at.is_none().to_string()
            data-priority=first.read_value().priority.as_str()
        >
            <p class="breadcrumb"><a href=project.href("/notifications")>"Notifications"</a></p>
            <h1>{first.read_value().title.clone()}</h1>
            <div class="record-state">
                <Priority priority=first.read_value().priority/>
                {move || view! { <State notification=row.get()/> }}
            </div>
            <StepAnswer action/>
            <Body body=first.read_value().body.clone()/>
            {link.clone().map(|(href, text, rel)| view! {
                <p><a class="button" href=href rel=rel><Icon name=IconName::Send/>{text}</a></p>
            })}
            <Steps row action title=first.read_value().title.clone()/>
            <Facts row/>
        </article>
        </WhileAllowed>
    }
}

/// The host of an address, which says where it leads.
fn site_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[component]
fn Body(body: String) -> impl IntoView {
    (!body.is_empty()).then(|| view! { <p class="notification-body">{body}</p> })
}

#[component]
fn Facts(row: Memo<Notification>) -> impl IntoView {
    let first = row.get_untracked();
    let (user, project) = (use_current_user(), use_project());
    let event_type = StoredValue::new(first.event_type.clone());
    // The log is for those who may read it.
    let about = move || {
        let event_type = event_type.get_value();
        let href = project.href(&format!("/events?types={event_type}"));
        Suspend::new(async move {
            let may = user.await.is_ok_and(|user| user.may("events.read"));
            match may {
                true => Either::Left(view! { <a href=href><code>{event_type}</code></a> }),
                false => Either::Right(view! { <code>{event_type}</code> }),
            }
        })
    };
    let fact = |name: &'static str, at: fn(&Notification) -> Option<Timestamp>| {
        move || at(&row.read()).map(|at| view! { <div><dt>{name}</dt><dd><RelativeTime at/></dd></div> })
    };
    view! {
        <dl class="facts">
            <div><dt>"About"</dt><dd><Transition>{about}</Transition></dd></div>
            <div><dt>"Happened"</dt><dd><RelativeTime at=first.occurred_at/></dd></div>
            <div><dt>"Sent"</dt><dd><RelativeTime at=first.sent_at/></dd></div>
            {fact("Delivered", |row| row.delivered_at)}
            {fact("Seen", |row| row.seen_at)}
            {fact("Read", |row| row.read_at)}
            {fact("Acknowledged", |row| row.acknowledged_at)}
            {fact("Archived", |row| row.archived_at)}
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_an_address_leads() {
        for address in ["https://a.test/x?y", "https://a.test?y", "https://a.test#z", "https://a.test"] {
            assert_eq!(site_of(address), "a.test");
        }
    }
}
