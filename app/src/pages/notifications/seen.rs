//! What is shown counts as seen once somebody can see it. That the server cannot tell: it renders for tabs in the
//! background, too.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidewatch_events::id::NotificationId;

use crate::api::move_notifications;
use crate::contexts::project::use_project;
use crate::live::reduce::InboxList;
use crate::model::NotificationStep;

/// Says of what is on the screen that it was seen, each once, while the page is visible. `opened` are the groups whose
/// folded part is.
pub(super) fn see_what_is_shown(list: RwSignal<InboxList>, opened: RwSignal<BTreeSet<String>>) {
    let project = use_project();
    let is_visible = use_visibility();
    let told = StoredValue::new(BTreeSet::<NotificationId>::new());
    Effect::new(move |_| {
        if !is_visible.get() {
            return;
        }
        let mut unseen = opened.with(|opened| list.with(|list| list.unseen(opened)));
        told.update_value(|told| unseen.retain(|id| told.insert(*id)));
        if unseen.is_empty() {
            return;
        }
        spawn_local(async move {
            let seen = move_notifications(project.slug(), unseen.clone(), NotificationStep::See).await;
            if seen.is_err() {
                // It is said with what comes next.
                told.try_update_value(|told| told.retain(|id| !unseen.contains(id)));
            }
        });
    });
}

/// Whether the tab is before somebody's eyes.
fn use_visibility() -> Signal<bool> {
    let is_visible = RwSignal::new(false);
    Effect::new(move |_| {
        is_visible.set(!document().hidden());
        let listener = window_event_listener_untyped("visibilitychange", move |_| {
            is_visible.try_set(!document().hidden());
        });
        on_cleanup(move || listener.remove());
    });
    is_visible.into()
}
