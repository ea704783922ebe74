//! The parts in which the browser loads the pages: each when somebody first goes there. Until then it has the frame and
//! the live client.
//!
//! A part is one file; what several parts share is in files of its own. The server names those of the page that it
//! renders in the document's head, so that they come together with the frame, and the part itself in `html[data-part]`,
//! so that the browser has it before it takes the page over: until then the page's links and forms are the server's.
//!
//! A part may not come: there is no network, or the server is of another build by now. Then the address is asked for as
//! a document, which needs no part; and a document whose part does not come either stays as the server rendered it.

#![expect(clippy::enum_variant_names, reason = "pages are named as their components")]

use std::convert::Infallible;
use std::future::pending;

use leptos::prelude::*;
use leptos_meta::Html;
use leptos_router::LazyRoute;
use leptos_router::hooks::use_location;

use super::{
    ApiKeysPage, AuditPage, ChannelsPage, ConnectionsPage, EventPage, EventsPage, InvitationPage, JobPage,
    JobsPage, LoginPage, NotificationPage, NotificationRulePage, NotificationRulesPage,
    NotificationSettingsPage, NotificationsPage, OpenNotificationPage, OverviewPage, PeoplePage, ProjectPage,
    RecordPage, RecordsPage, SessionsPage, SystemPage, UnsubscribePage, WebhookPage, WebhooksPage,
    WitnessPage,
};

/// Where the document says which part its page is in.
const PART: &str = "data-part";

/// A part could not be loaded. Why is on the browser's console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the dashboard could not be loaded")]
pub struct PartMissing;

#[cfg(target_arch = "wasm32")]
impl From<leptos::wasm_split::SplitLoaderError> for PartMissing {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}

/// Declares the parts, the pages in them and what a route needs to show one.
///
/// `#[lazy]` would panic where a part does not come, and with it all that runs in the page.
macro_rules! parts {
    ($(
        $(#[doc = $doc:literal])+
        $part:ident($pages:ident) / $preload:ident { $($page:ident => $route:ident),+ $(,)? }
    )+) => {
        $(
            /// The pages of a part.
            #[derive(Debug, Clone, Copy)]
            enum $pages { $($page),+ }

            impl $pages {
                fn show(self) -> AnyView {
                    match self {
                        $(Self::$page => in_document(stringify!($part), view! { <$page/> }.into_any())),+
                    }
                }
            }

            $(#[doc = $doc])+
            #[cfg(target_arch = "wasm32")]
            #[leptos::wasm_split::wasm_split(
                $part,
                wasm_split_path = ::leptos::wasm_split,
                preload($preload),
                fallible
            )]
            fn $part(page: $pages) -> Result<AnyView, PartMissing> {
                Ok(page.show())
            }

            $(#[doc = $doc])+
            #[cfg(not(target_arch = "wasm32"))]
            async fn $part(page: $pages) -> Result<AnyView, PartMissing> {
                leptos::prefetch_lazy_fn_on_server(stringify!($part));
                Ok(page.show())
            }

            /// On the server every part is there.
            #[cfg(not(target_arch = "wasm32"))]
            async fn $preload() -> Result<(), PartMissing> {
                Ok(())
            }

            $(
                #[doc = concat!("The route of [`", stringify!($page), "`].")]
                #[derive(Debug)]
                pub struct $route;

                impl LazyRoute for $route {
                    fn data() -> Self {
                        Self
                    }

                    async fn view(_: Self) -> AnyView {
                        match $part($pages::$page).await {
                            Ok(view) => view,
                            Err(PartMissing) => match go_by_document().await {},
                        }
                    }

                    async fn preload() {
                        if $preload().await.is_err() {
                            match go_by_document().await {}
                        }
                    }
                }
            )+
        )+

        /// Loads the part of this name; what is no part's name is in the frame.
        async fn load_part(name: &str) -> Result<(), PartMissing> {
            $(
                if name == stringify!($part) {
                    return $preload().await.map_err(|_| PartMissing);
                }
            )+
            Ok(())
        }
    };
}

/// Loads the part of the page that the document shows.
///
/// # Errors
/// When it does not come. The page is better left as it is then.
pub async fn load_part_of_document() -> Result<(), PartMissing> {
    let part = document().document_element().and_then(|html| html.get_attribute(PART));
    load_part(&part.unwrap_or_default()).await
}

/// A page, and its part's name in the document.
fn in_document(part: &'static str, page: AnyView) -> AnyView {
    view! {
        <Html {..} data-part=part/>
        {page}
    }
    .into_any()
}

/// Asks for the address that somebody is on their way to as a document. The page that they leave stays until that comes.
async fn go_by_document() -> Infallible {
    // Without what stands behind `#`: the same document with it would be looked at, not asked for.
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let question_mark = if search.is_empty() { "" } else { "?" };
    let _ = window().location().assign(&format!("{path}{question_mark}{}", search.trim_start_matches('?')));
    pending().await
}

// As few as make a difference: what some of them share is a file for each combination of them.
parts! {
    /// What is shown to who is not signed in.
    door(DoorPages) / load_door {
        LoginPage => LoginRoute,
        InvitationPage => InvitationRoute,
        UnsubscribePage => UnsubscribeRoute,
    }
    /// How everything stands: the charts.
    overview(OverviewPages) / load_overview { OverviewPage => OverviewRoute }
    /// The lists of the modules, and their records.
    records(RecordsPages) / load_records { RecordsPage => RecordsRoute, RecordPage => RecordRoute }
    /// What somebody is told.
    notifications(NotificationsPages) / load_notifications {
        NotificationsPage => NotificationsRoute,
        NotificationPage => NotificationRoute,
        OpenNotificationPage => OpenNotificationRoute,
        NotificationSettingsPage => NotificationSettingsRoute,
    }
    /// What happens and is done behind all that, and who runs it.
    operation(OperationPages) / load_operation {
        EventsPage => EventsRoute,
        EventPage => EventRoute,
        ConnectionsPage => ConnectionsRoute,
        ChannelsPage => ChannelsRoute,
        JobsPage => JobsRoute,
        JobPage => JobRoute,
        WebhooksPage => WebhooksRoute,
        WebhookPage => WebhookRoute,
        NotificationRulesPage => NotificationRulesRoute,
        NotificationRulePage => NotificationRuleRoute,
        WitnessPage => WitnessRoute,
        SystemPage => SystemRoute,
        PeoplePage => PeopleRoute,
        ApiKeysPage => ApiKeysRoute,
        AuditPage => AuditRoute,
        ProjectPage => ProjectRoute,
        SessionsPage => SessionsRoute,
    }
}
