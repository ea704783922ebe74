//! Which page stands where.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Outlet, ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::contexts::announcer::provide_announcer;
use crate::contexts::clock::provide_clock;
use crate::contexts::form_answer::provide_form_answer;
use crate::contexts::hydration::provide_hydration;
use crate::contexts::notifications::provide_notifications_done;
use crate::contexts::toasts::provide_toasts;
use crate::layouts::DashboardLayout;
use crate::live::provide_live;
use crate::pages::NotFoundPage;
use crate::pages::lazy::{
    ApiKeysRoute, AuditRoute, ChannelsRoute, ConnectionsRoute, EventRoute, EventsRoute, InvitationRoute,
    JobRoute, JobsRoute, LoginRoute, NotificationRoute, NotificationRuleRoute, NotificationRulesRoute,
    NotificationSettingsRoute, NotificationsRoute, OpenNotificationRoute, OverviewRoute, PeopleRoute,
    ProjectRoute, RecordRoute, RecordsRoute, SessionsRoute, SystemRoute, UnsubscribeRoute, WebhookRoute,
    WebhooksRoute, WitnessRoute,
};

/// The whole UI.
///
/// Pages render in one piece ([`SsrMode::Async`]): without JavaScript a streamed page would stay
/// at its loading state, and the status code must be known before the first byte.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_hydration();
    provide_clock();
    provide_announcer();
    provide_toasts();
    provide_notifications_done();
    provide_form_answer();
    provide_live();
    let (is_routing, set_is_routing) = signal(false);
    view! {
        <Title formatter=|title: String| format!("{title} · Tidewatch")/>
        <div class="routing" data-routing=move || is_routing.get().to_string() aria-hidden="true"></div>
        <Router set_is_routing>
            <Routes fallback=|| view! { <DashboardLayout><NotFoundPage/></DashboardLayout> }>
                <Route path=path!("/login") view={Lazy::<LoginRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/invitation") view={Lazy::<InvitationRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/unsubscribe") view={Lazy::<UnsubscribeRoute>::new()} ssr=SsrMode::Async/>
                <ParentRoute
                    path=path!("")
                    view=|| view! { <DashboardLayout><Outlet/></DashboardLayout> }
                    ssr=SsrMode::Async
                >
                    <Route path=path!("") view={Lazy::<OverviewRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/events") view={Lazy::<EventsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/events/:id") view={Lazy::<EventRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/connections") view={Lazy::<ConnectionsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/channels") view={Lazy::<ChannelsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs") view={Lazy::<JobsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/jobs/:id") view={Lazy::<JobRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/webhooks") view={Lazy::<WebhooksRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/webhooks/:id") view={Lazy::<WebhookRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notifications") view={Lazy::<NotificationsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notifications/settings") view={Lazy::<NotificationSettingsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notifications/:id") view={Lazy::<NotificationRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notifications/:id/open") view={Lazy::<OpenNotificationRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notification-rules") view={Lazy::<NotificationRulesRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/notification-rules/:id") view={Lazy::<NotificationRuleRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/people") view={Lazy::<PeopleRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys") view={Lazy::<ApiKeysRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/audit") view={Lazy::<AuditRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/witness") view={Lazy::<WitnessRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/system") view={Lazy::<SystemRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/project") view={Lazy::<ProjectRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/sessions") view={Lazy::<SessionsRoute>::new()} ssr=SsrMode::Async/>
                    // Every module has these two; the server knows which there are.
                    <Route path=path!("/:module") view={Lazy::<RecordsRoute>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/:module/:id") view={Lazy::<RecordRoute>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
