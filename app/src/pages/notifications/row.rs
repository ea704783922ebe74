//! One notification in the list.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use tidewatch_events::id::NotificationId;

use super::steps::{StepAction, StepForm};
use crate::api::move_notifications;
use crate::components::{Badge, IconName, RelativeTime};
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::live::reduce::InboxList;
use crate::model::{Destination, Notification, NotificationPriority, NotificationStep};

/// A row that follows its notification. It stays the same element while that changes, so that focus and pointer stay
/// where they are.
#[component]
pub(super) fn Row(list: RwSignal<InboxList>, action: StepAction, id: NotificationId) -> impl IntoView {
    let first = list.with_untracked(|list| list.row(id).cloned());
    first.map(|first| view! { <KnownRow list action first/> })
}

#[component]
fn KnownRow(list: RwSignal<InboxList>, action: StepAction, first: Notification) -> impl IntoView {
    let constant = first.clone();
    let id = first.id;
    let row = Memo::new(move |before: Option<&Notification>| {
        let now = list.with(|list| list.row(id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let is_leaving = Memo::new(move |_| list.with(|list| list.is_leaving(id)));
    let is_unread = Memo::new(move |_| row.read().read_at.is_none());
    let waits = Memo::new(move |_| row.read().waits());
    view! {
        <article
            class="notification"
            class:is-unread=is_unread
            class:is-leaving=is_leaving
            class:waits=waits
            aria-labelledby=format!("title-{id}")
            data-id=id.to_string()
            data-version=move || row.read().version.to_string()
            data-priority=constant.priority.as_str()
            data-unread=move || is_unread.get().to_string()
        >
            <div class="notification-text">
                <p class="notification-title" id=format!("title-{id}")>
                    <Show when=move || is_unread.get()><span class="unread-mark"><span class="visually-hidden">"Unread: "</span></span></Show>
                    <TitleLink row constant=constant.clone()/>
                </p>
                {(!constant.body.is_empty()).then(|| view! { <p class="notification-body">{constant.body.clone()}</p> })}
                <div class="notification-meta">
                    <Priority priority=constant.priority/>
                    {move || view! { <State notification=row.get()/> }}
                    <span class="notification-when"><RelativeTime at=constant.sent_at in_row=true/></span>
                    {constant.muted.then(|| view! { <span class="tag">"muted"</span> })}
                </div>
            </div>
            <Steps row action title=constant.title.clone()/>
        </article>
    }
}

/// The title leads on, and to follow it is to read. By the address that it has without a script the server notes that.
#[component]
fn TitleLink(row: Memo<Notification>, constant: Notification) -> impl IntoView {
    let (project, done, navigate) = (use_project(), use_notifications_done(), use_navigate());
    let id = constant.id;
    let destination = constant.destination();
    // Not the router's: the server leads on from there.
    let (path, rel) = match &destination {
        Some(_) => (format!("/notifications/{id}/open"), Some("external")),
        None => (format!("/notifications/{id}"), None),
    };
    let open = move |event: MouseEvent| {
        let Some(Destination::Here(path)) = destination.clone() else { return };
        if event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()
        {
            return;
        }
        event.prevent_default();
        if row.with_untracked(|row| row.read_at.is_none()) {
            spawn_local(async move {
                let _ = move_notifications(project.slug(), vec![id], NotificationStep::Read).await;
                done.tell();
            });
        }
        navigate(&project.href(&path), Default::default());
    };
    view! { <a class="row-link" href=project.href(&path) rel=rel on:click=open>{constant.title}</a> }
}

/// How urgent it is, by icon and word.
#[component]
pub(super) fn Priority(priority: NotificationPriority) -> impl IntoView {
    let (tone, icon, text) = match priority {
        NotificationPriority::Low => ("neutral", IconName::Down, "Low"),
        NotificationPriority::Normal => ("neutral", IconName::Dot, "Normal"),
        NotificationPriority::High => ("bad", IconName::Up, "High"),
    };
    view! { <Badge tone icon status=priority.as_str() text/> }
}

/// How it stands with being acknowledged, where that matters.
#[component]
pub(super) fn State(notification: Notification) -> impl IntoView {
    if !notification.must_acknowledge {
        return None;
    }
    let (tone, icon, status, text) = match (notification.acknowledged_at, notification.settled_at) {
        (Some(_), _) => ("good", IconName::CheckCircle, "acknowledged", "Acknowledged"),
        (None, Some(_)) => ("neutral", IconName::Check, "settled", "Acknowledged by somebody else"),
        (None, None) => ("warn", IconName::Hourglass, "waits", "To acknowledge"),
    };
    Some(view! { <Badge tone icon status text/> })
}

/// What can be done with it now.
#[component]
pub(super) fn Steps(row: Memo<Notification>, action: StepAction, title: String) -> impl IntoView {
    let id = row.read_untracked().id;
    let waits = Memo::new(move |_| row.read().waits());
    let toggle = Signal::derive(move || match row.read().read_at {
        None => NotificationStep::Read,
        Some(_) => NotificationStep::Unread,
    });
    let put_away = Signal::derive(move || match row.read().archived_at {
        None => NotificationStep::Archive,
        Some(_) => NotificationStep::Unarchive,
    });
    let title = StoredValue::new(title);
    view! {
        <div class="notification-steps">
            <Show when=move || waits.get()>
                <StepForm action id step=NotificationStep::Acknowledge primary=true title=title.get_value()/>
            </Show>
            <StepForm action id step=toggle title=title.get_value()/>
            // What waits for somebody is not put away.
            <Show when=move || !waits.get()>
                <StepForm action id step=put_away title=title.get_value()/>
            </Show>
        </div>
    }
}
