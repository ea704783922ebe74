//! One's notifications.

mod folders;
mod group;
mod list;
pub mod one;
mod row;
mod seen;
pub mod settings;
mod steps;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use self::folders::{Folders, Search};
use self::list::InboxView;
use crate::address::with_parameters;
use crate::api::list_notifications;
use crate::components::error_state::encode;
use crate::components::{ErrorState, Icon, IconName, Loading};
use crate::contexts::project::use_project;
use crate::model::{InboxQuery, NOTIFICATIONS, NotificationFolder};

/// The inbox, as the address says.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let project = use_project();
    let inbox = Resource::new(
        move || query.get(),
        move |query| async move {
            list_notifications(project.slug(), query.clone()).await.map(|inbox| (query, inbox))
        },
    );
    view! {
        <Title text="Notifications"/>
        <div class="page notifications">
            <header class="page-head">
                <h1>"Notifications"</h1>
                <a class="button button-small" href=project.href("/notifications/settings")><Icon name=IconName::Gear/>"Settings"</a>
            </header>
            <div class="inbox-head">
                <Folders query/>
                <Search query/>
            </div>
            <Transition fallback=|| view! { <Loading what="your notifications"/> }>
                {move || Suspend::new(async move {
                    match inbox.await {
                        Ok((query, snapshot)) => Either::Left(view! { <InboxView query snapshot/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="your notifications"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

/// What the address asks for.
fn read_query(params: &ParamsMap) -> InboxQuery {
    let text =
        |name: &str| params.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    InboxQuery {
        folder: text("folder").and_then(|folder| folder.parse().ok()).unwrap_or_default(),
        search: text("search").unwrap_or_default(),
        group: text("group"),
        after: text("after").and_then(|after| after.parse().ok()),
    }
}

/// The address of what a query asks for, without the project.
fn address(query: &InboxQuery) -> String {
    let said = |text: &str| (!text.is_empty()).then(|| encode(text));
    with_parameters(
        NOTIFICATIONS,
        [
            ("folder", (query.folder != NotificationFolder::default()).then(|| query.folder.to_string())),
            ("search", said(&query.search)),
            ("group", query.group.as_deref().and_then(said)),
            ("after", query.after.map(|after| after.to_string())),
        ],
    )
}

/// A folder as people read it.
const fn title_of(folder: NotificationFolder) -> &'static str {
    match folder {
        NotificationFolder::Unread => "Unread",
        NotificationFolder::Open => "Open",
        NotificationFolder::All => "All",
        NotificationFolder::Archived => "Archived",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> InboxQuery {
        let mut params = ParamsMap::new();
        for (name, value) in parameters {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        read_query(&params)
    }

    #[test]
    fn addresses_say_what_is_asked_for() {
        assert_eq!(address(&InboxQuery::default()), "/notifications");
        let query = read(&[
            ("folder", "archived"),
            ("search", " gas & fees "),
            ("group", "settlement a"),
            ("after", "ntf_01h455vb4pex5vsknk084sn02q"),
        ]);
        assert_eq!(
            address(&query),
            "/notifications?folder=archived&search=gas%20%26%20fees&group=settlement%20a\
             &after=ntf_01h455vb4pex5vsknk084sn02q"
        );
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        assert_eq!(read(&[("folder", "gone"), ("after", "x"), ("group", " ")]), InboxQuery::default());
    }
}
