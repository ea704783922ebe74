//! What belongs together: the newest one, and the others folded behind it.

use std::collections::BTreeSet;

use leptos::prelude::*;
use tidewatch_events::id::NotificationId;

use super::address;
use super::row::Row;
use super::steps::StepAction;
use crate::contexts::project::use_project;
use crate::live::reduce::InboxList;
use crate::model::{InboxQuery, NotificationFolder, NotificationGroup};

/// A group, or one that stands alone; it follows the list.
#[component]
pub(super) fn GroupItem(
    list: RwSignal<InboxList>,
    groups: Memo<Vec<NotificationGroup>>,
    action: StepAction,
    /// The groups that are folded open.
    opened: RwSignal<BTreeSet<String>>,
    first: NotificationGroup,
) -> impl IntoView {
    let key = StoredValue::new(first.key.clone());
    // One that left the list is about to be taken off; until then it shows what it last was.
    let group = Memo::new(move |before: Option<&NotificationGroup>| {
        let now = key.with_value(|key| groups.read().iter().find(|group| group.key == *key).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let folded = Memo::new(move |_| group.read().folded.clone());
    let toggle = move |event: leptos::ev::Event| {
        let details: web_sys::HtmlDetailsElement = event_target(&event);
        opened.update(|opened| {
            let key = key.get_value();
            if details.open() {
                opened.insert(key)
            } else {
                opened.remove(&key)
            };
        });
    };
    let all = use_project().href(&address(&InboxQuery {
        folder: NotificationFolder::All,
        group: Some(key.get_value()),
        ..InboxQuery::default()
    }));
    view! {
        <li class="notification-group" class:has-folded=move || !folded.read().is_empty() data-group=move || key.get_value()>
            <For each=move || group.read().shown.clone() key=|id: &NotificationId| *id let:id>
                <Row list action id/>
            </For>
            <Show when=move || !folded.read().is_empty()>
                <div class="notification-more">
                    <details on:toggle=toggle>
                        <summary>{move || format!("{} more of “{}”", folded.read().len(), key.get_value())}</summary>
                        <For each=move || folded.get() key=|id: &NotificationId| *id let:id>
                            <Row list action id/>
                        </For>
                    </details>
                    <a class="notification-all" href=all.clone()>"Show all"</a>
                </div>
            </Show>
        </li>
    }
}
