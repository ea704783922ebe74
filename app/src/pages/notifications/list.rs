//! The rows of an inbox, live.

use std::collections::BTreeSet;

use leptos::form::ActionForm;
use leptos::prelude::*;
use tidewatch_events::id::NotificationId;
use wasm_bindgen::JsCast;

use super::group::GroupItem;
use super::seen::see_what_is_shown;
use super::steps::{StepAnswer, tell_of_steps};
use super::{address, title_of};
use crate::api::{MoveNotifications, ReadNotifications, list_notifications};
use crate::components::change_form::Refused;
use crate::components::{Done, EmptyState, Freshness, Icon, IconName, LiveTable, Pagination, WhileAllowed};
use crate::contexts::form_answer::{on_answer, use_form_action};
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;
use crate::contexts::user::use_current_user;
use crate::format;
use crate::live::reduce::InboxList;
use crate::live::{Anchor, Live, refetch_after, use_live};
use crate::model::{
    Inbox, InboxQuery, Notification, NotificationFolder, NotificationGroup, NotificationsMoved, Snapshot,
};

/// A page of notifications.
#[component]
pub(super) fn InboxView(query: InboxQuery, snapshot: Snapshot<Inbox>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let list = RwSignal::new(InboxList::new(query.clone(), snapshot));
    let (project, asked) = (use_project(), query.clone());
    let live = use_live(list, anchor, move || list_notifications(project.slug(), asked.clone()));
    let action = use_form_action::<MoveNotifications>();
    refetch_after(action, live);
    tell_of_steps(action, live, move |moved| take_off(list, moved));
    let read_all = use_form_action::<ReadNotifications>();
    tell_of_reading_all(read_all, list, live);
    let opened = RwSignal::new(BTreeSet::new());
    see_what_is_shown(list, opened);

    let groups = Memo::new(move |_| list.with(InboxList::groups));
    let is_empty = Memo::new(move |_| groups.read().is_empty());
    let newest = query.after.map(|_| project.href(&address(&InboxQuery { after: None, ..query.clone() })));
    let asked = StoredValue::new(query.clone());
    let older = Memo::new(move |_| {
        let after = Some(list.with(|list| list.inbox().next)?);
        Some(project.href(&address(&InboxQuery { after, ..asked.get_value() })))
    });
    // Of what somebody looked for, or put away, "all" would be something else.
    let is_whole =
        !query.is_narrowed() && query.after.is_none() && query.folder != NotificationFolder::Archived;
    view! {
        <WhileAllowed live what="your notifications">
            <StepAnswer action/>
            <Waiting list folder=asked.read_value().folder/>
            <ReadAllAnswer action=read_all/>
            <div class="inbox" tabindex="-1" data-folder=asked.read_value().folder.as_str()>
                <LiveTable list what="notifications" freshness=move || view! {
                    <Freshness as_of/>
                    {is_whole.then(|| view! { <ReadAll list action=read_all/> })}
                }>
                    <ol class="notification-list" aria-label=title_of(asked.read_value().folder)>
                        <For each=move || groups.get() key=|group: &NotificationGroup| group.key.clone() let:group>
                            <GroupItem list groups action opened first=group/>
                        </For>
                    </ol>
                    <Show when=move || is_empty.get()><Nothing query=asked.get_value()/></Show>
                </LiveTable>
            </div>
            <Pagination newest=newest.clone() older/>
        </WhileAllowed>
    }
}

/// What was read and still waits for somebody is not among the unread: it is said where it is.
#[component]
fn Waiting(list: RwSignal<InboxList>, folder: NotificationFolder) -> impl IntoView {
    let all = use_project()
        .href(&address(&InboxQuery { folder: NotificationFolder::All, ..InboxQuery::default() }));
    let elsewhere = Memo::new(move |_| list.with(InboxList::waiting_elsewhere));
    let text = move || match elsewhere.get() {
        1 => "1 notification that you have read waits to be acknowledged. ".to_owned(),
        many => format!("{} notifications that you have read wait to be acknowledged. ", format::count(many)),
    };
    view! {
        <Show when=move || { folder == NotificationFolder::Unread && elsewhere.get() > 0 }>
            <p class="alert" data-tone="warn" data-waiting=move || elsewhere.get().to_string()>
                <Icon name=IconName::Hourglass/>
                <span>{text}<a href=all.clone()>"Show all"</a></span>
            </p>
        </Show>
    }
}

/// Takes what somebody was done with off their screen, and leads the keyboard on to the one behind it.
fn take_off(list: RwSignal<InboxList>, moved: &NotificationsMoved) {
    let had_focus = document().active_element().is_some_and(|element| {
        moved.ids.iter().any(|id| element.closest(&format!("[data-id=\"{id}\"]")).ok().flatten().is_some())
    });
    let follows = list.with_untracked(|list| {
        let rows = list.visible();
        let place = rows.iter().position(|row| moved.ids.contains(&row.id))?;
        let is_other = |row: &&Notification| !moved.ids.contains(&row.id);
        let behind = rows[place..].iter().find(is_other);
        behind.or_else(|| rows[..place].iter().rev().find(is_other)).map(|row| row.id)
    });
    list.update(|list| list.dismiss(&moved.ids, moved.step));
    let stays = list.with_untracked(|list| moved.ids.iter().any(|id| list.row(*id).is_some()));
    if had_focus && !stays {
        request_animation_frame(move || focus_on(follows));
    }
}

fn focus_on(id: Option<NotificationId>) {
    let row =
        id.and_then(|id| document().query_selector(&format!("[data-id=\"{id}\"] .row-link")).ok().flatten());
    let element = row.or_else(|| document().query_selector(".inbox").ok().flatten());
    if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// A button for all that is unread, up to the newest one on the screen.
#[component]
fn ReadAll(list: RwSignal<InboxList>, action: ServerAction<ReadNotifications>) -> impl IntoView {
    let up_to = Memo::new(move |_| {
        let newest = list.with(|list| list.visible().iter().map(|row| row.id).max());
        newest.filter(|_| list.with(|list| list.visible().iter().any(|row| row.read_at.is_none())))
    });
    view! {
        <Show when=move || up_to.read().is_some()>
            <ActionForm action attr:class="read-all">
                <input type="hidden" name="project" value=use_project().slug()/>
                <input type="hidden" name="up_to" value=move || up_to.get().map(|id| id.to_string())/>
                <button class="button button-small"><Icon name=IconName::Check/>"Mark all read"</button>
            </ActionForm>
        </Show>
    }
}

/// What came of it where no script sent the form.
#[component]
fn ReadAllAnswer(action: ServerAction<ReadNotifications>) -> impl IntoView {
    let answer = action.value();
    move || match answer.get().filter(|_| action.version().get_untracked() == 0) {
        Some(Ok(_)) => view! { <Done text="All are marked as read."/> }.into_any(),
        Some(Err(error)) => view! { <Refused error/> }.into_any(),
        None => ().into_any(),
    }
}

/// What came of it where a script did.
fn tell_of_reading_all(action: ServerAction<ReadNotifications>, list: RwSignal<InboxList>, live: Live) {
    refetch_after(action, live);
    let (toasts, done) = (use_toasts(), use_notifications_done());
    on_answer(action, move |answer| {
        done.tell();
        match answer {
            Ok(_) => {
                list.update(InboxList::read_all);
                toasts.say("All are marked as read.", None);
            }
            Err(error) => toasts.complain(error.to_string()),
        }
    });
}

/// Nothing there, and what to do about it.
#[component]
fn Nothing(query: InboxQuery) -> impl IntoView {
    let project = use_project();
    let folder = move |folder: NotificationFolder| {
        project.href(&address(&InboxQuery { folder, ..InboxQuery::default() }))
    };
    if query.is_narrowed() {
        let all = folder(query.folder);
        return view! {
            <EmptyState title="No notification is like this">
                <p>"Look for a part of a word, or in another folder. " <a href=all>"Show all"</a></p>
            </EmptyState>
        }
        .into_any();
    }
    match query.folder {
        NotificationFolder::Unread | NotificationFolder::Open => view! {
            <EmptyState title="You have read everything">
                <p>"What comes next appears here by itself. " <a href=folder(NotificationFolder::All)>"Read older ones again"</a></p>
            </EmptyState>
        }
        .into_any(),
        NotificationFolder::All => view! {
            <EmptyState title="No notifications yet">
                <p>"You are told here of what needs you. "<a href=project.href("/notifications/settings")>"Say how you want to be told"</a></p>
                <ForWriters/>
            </EmptyState>
        }
        .into_any(),
        NotificationFolder::Archived => view! {
            <EmptyState title="Nothing is archived">
                <p>"Archive what you are done with, and the inbox stays short. It is kept here and can be moved back."</p>
            </EmptyState>
        }
        .into_any(),
    }
}

/// Those who may say of what people are told find out where.
#[component]
fn ForWriters() -> impl IntoView {
    let (user, project) = (use_current_user(), use_project());
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let may = user.await.is_ok_and(|user| user.may_manage("notifications.manage"));
                may.then(|| view! {
                    <p><a href=project.href("/notification-rules")>"Write a rule"</a>" that says who is told of what."</p>
                })
            })}
        </Transition>
    }
}
