//! Which notifications: a folder, words, a group. All of it stands in the address.

use leptos::prelude::*;

use super::{address, title_of};
use crate::contexts::project::use_project;
use crate::model::{InboxQuery, NOTIFICATIONS, NotificationFolder};

/// Links to the folders.
#[component]
pub(super) fn Folders(query: Memo<InboxQuery>) -> impl IntoView {
    let project = use_project();
    let link = move |folder: NotificationFolder| {
        let href = project.href(&address(&InboxQuery { folder, ..InboxQuery::default() }));
        let current = move || (query.read().folder == folder).then_some("true");
        view! { <a class="chip" href=href aria-current=current data-folder=folder.as_str()>{title_of(folder)}</a> }
    };
    view! {
        <nav class="chips" aria-label="Folders">
            {NotificationFolder::ALL.into_iter().map(link).collect_view()}
        </nav>
    }
}

/// A form that looks for words in the folder, and what is looked for now. Works without JavaScript.
#[component]
pub(super) fn Search(query: Memo<InboxQuery>) -> impl IntoView {
    let project = use_project();
    let whole = move || InboxQuery { folder: query.read().folder, ..InboxQuery::default() };
    view! {
        <form method="get" action=NOTIFICATIONS class="form form-inline search" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <input type="hidden" name="folder" value=move || query.read().folder.as_str()/>
            <label class="field field-wide">
                <span class="visually-hidden">"Search"</span>
                <input
                    type="search"
                    name="search"
                    value=move || query.read().search.clone()
                    placeholder="Words of the title or the text"
                    autocomplete="off"
                    data-search=""
                />
            </label>
            <button class="button">"Search"</button>
        </form>
        {move || query.read().is_narrowed().then(|| {
            let query = query.get();
            let what = match (&query.group, query.search.is_empty()) {
                (Some(group), true) => format!("Only what belongs to “{group}”."),
                (Some(group), false) => format!("Only what belongs to “{group}” and has “{}”.", query.search),
                (None, _) => format!("Only what has “{}”.", query.search),
            };
            view! {
                <p class="inbox-narrowed">
                    <span>{what}</span>
                    " "
                    <a href=project.href(&address(&whole()))>{format!("Show all of “{}”", title_of(query.folder))}</a>
                </p>
            }
        })}
    }
}
