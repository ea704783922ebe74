//! Which page stands where.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Outlet, ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::contexts::announcer::provide_announcer;
use crate::contexts::clock::provide_clock;
use crate::contexts::form_answer::provide_form_answer;
use crate::contexts::toasts::provide_toasts;
use crate::layouts::DashboardLayout;
use crate::live::provide_live;
use crate::pages::{
    ApiKeysPage, AuditPage, ChannelsPage, ConnectionsPage, EventPage, EventsPage, InvitationPage, JobPage,
    JobsPage, LoginPage, NotFoundPage, OverviewPage, PeoplePage, ProjectPage, RecordPage, RecordsPage,
    SessionsPage, SystemPage, WebhookPage, WebhooksPage, WitnessPage,
};

/// The whole UI.
///
/// Pages render in one piece ([`SsrMode::Async`]): without JavaScript a streamed page would stay
/// at its loading state, and the status code must be known before the first byte.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_clock();
    provide_announcer();
    provide_toasts();
    provide_form_answer();
    provide_live();
    let (is_routing, set_is_routing) = signal(false);
    Effect::new(|_| {
        // For tests and styles: from here on the page reacts.
        if let Some(html) = document().document_element() {
            let _ = html.set_attribute("data-hydrated", "true");
        }
    });
    view! {
        <Title formatter=|title: String| format!("{title} · Tidewatch")/>
        <div class="routing" data-routing=move || is_routing.get().to_string() aria-hidden="true"></div>
        <Router set_is_routing>
            <Routes fallback=|| view! { <DashboardLayout><NotFoundPage/></DashboardLayout> }>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/invitation") view=InvitationPage ssr=SsrMode::Async/>
                <ParentRoute
                    path=path!("")
                    view=|| view! { <DashboardLayout><Outlet/></DashboardLayout> }
                    ssr=SsrMode::Async
                >
                    <Route path=path!("") view=OverviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/events") view=EventsPage ssr=SsrMode::Async/>
                    <Route path=path!("/events/:id") view=EventPage ssr=SsrMode::Async/>
                    <Route path=path!("/connections") view=ConnectionsPage ssr=SsrMode::Async/>
                    <Route path=path!("/channels") view=ChannelsPage ssr=SsrMode::Async/>
                    <Route path=path!("/jobs") view=JobsPage ssr=SsrMode::Async/>
                    <Route path=path!("/jobs/:id") view=JobPage ssr=SsrMode::Async/>
                    <Route path=path!("/webhooks") view=WebhooksPage ssr=SsrMode::Async/>
                    <Route path=path!("/webhooks/:id") view=WebhookPage ssr=SsrMode::Async/>
                    <Route path=path!("/people") view=PeoplePage ssr=SsrMode::Async/>
                    <Route path=path!("/api-keys") view=ApiKeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/audit") view=AuditPage ssr=SsrMode::Async/>
                    <Route path=path!("/witness") view=WitnessPage ssr=SsrMode::Async/>
                    <Route path=path!("/system") view=SystemPage ssr=SsrMode::Async/>
                    <Route path=path!("/project") view=ProjectPage ssr=SsrMode::Async/>
                    <Route path=path!("/sessions") view=SessionsPage ssr=SsrMode::Async/>
                    // Every module has these two; the server knows which there are.
                    <Route path=path!("/:module") view=RecordsPage ssr=SsrMode::Async/>
                    <Route path=path!("/:module/:id") view=RecordPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
