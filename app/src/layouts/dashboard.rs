//! Navigation, the connection's state and who is signed in.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

use crate::components::{ConnectionPill, Icon, IconName, ThemeSwitch};
use crate::contexts::announcer::use_announcer;
use crate::contexts::project::{in_project, provide_project, use_project};
use crate::contexts::user::{provide_current_user, use_current_user};
use crate::model::CurrentUser;

/// The frame of every page behind the login.
#[component]
pub fn DashboardLayout(children: Children) -> impl IntoView {
    let announcer = use_announcer();
    let project = provide_project();
    provide_current_user();
    show_current_link();
    view! {
        <a class="skip-link" href="#main" rel="external">"Skip to content"</a>
        <div class="frame">
            <header class="sidebar">
                <a class="brand" href=project.href("/") aria-label="Tidewatch, overview"><BrandMark/><span>"Tidewatch"</span></a>
                <nav class="nav" aria-label="Main">
                    <A href=project.href("/") exact=true><Icon name=IconName::Overview/>"Overview"</A>
                    <A href=project.href("/settlements")><Icon name=IconName::Settlements/>"Settlements"</A>
                    <ManagementLinks/>
                </nav>
                <div class="sidebar-foot">
                    <div class="connection" aria-label="Connection" role="group">
                        <ConnectionPill/>
                        <span class="without-scripting">"Reload for news"</span>
                    </div>
                    <ThemeSwitch/>
                    <Account/>
                </div>
            </header>
            <main id="main" class="main" tabindex="-1">{children()}</main>
        </div>
        <p class="visually-hidden" role="status" aria-live="polite">{move || announcer.said().get()}</p>
    }
}

/// Where the links are a bar that scrolls, the one of this page is in sight.
fn show_current_link() {
    /// What is left of the link before it, as a hint that there is more.
    const HINT_PX: i32 = 24;
    let pathname = use_location().pathname;
    Effect::new(move |_| {
        pathname.track();
        // The link is marked as the current one by then.
        request_animation_frame(|| {
            let find = |selector| document().query_selector(selector).ok().flatten();
            if let (Some(nav), Some(link)) = (find(".nav"), find(".nav [aria-current]")) {
                let link: web_sys::HtmlElement = link.unchecked_into();
                nav.set_scroll_left(link.offset_left() - HINT_PX);
            }
        });
    });
}

/// The mark: two waves under a gauge.
#[component]
pub fn BrandMark() -> impl IntoView {
    view! {
        <svg class="brand-mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
            <rect class="brand-tile" width="32" height="32" rx="8"></rect>
            <path class="brand-wave" d="M5 15.5q5.5-6 11 0t11 0"></path>
            <path class="brand-wave brand-wave-low" d="M5 22q5.5-6 11 0t11 0"></path>
        </svg>
    }
}

/// The links for those who run the project, as far as they may follow them.
#[component]
fn ManagementLinks() -> impl IntoView {
    let user = use_current_user();
    let project = use_project();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let user = user.await.ok();
                let may = |permission: &str| user.as_ref().is_some_and(|user| user.may_manage(permission));
                view! {
                    {may("connections.manage").then(|| view! {
                        <A href=project.href("/connections")><Icon name=IconName::Plug/>"Connections"</A>
                        <A href=project.href("/channels")><Icon name=IconName::Channel/>"Channels"</A>
                    })}
                    {may("jobs.read").then(|| view! {
                        <A href=project.href("/jobs")><Icon name=IconName::Stack/>"Jobs"</A>
                    })}
                    {may("webhooks.manage").then(|| view! {
                        <A href=project.href("/webhooks")><Icon name=IconName::Hook/>"Webhooks"</A>
                    })}
                    {may("users.read").then(|| view! {
                        <A href=project.href("/people")><Icon name=IconName::People/>"People"</A>
                    })}
                    {may("keys.manage").then(|| view! {
                        <A href=project.href("/api-keys")><Icon name=IconName::Key/>"API keys"</A>
                    })}
                    {may("audit.view").then(|| view! {
                        <A href=project.href("/audit")><Icon name=IconName::History/>"Audit log"</A>
                    })}
                    {may("users.read").then(|| view! {
                        <A href=project.href("/project")><Icon name=IconName::Gear/>"Project"</A>
                    })}
                }
            })}
        </Transition>
    }
}

#[component]
fn Account() -> impl IntoView {
    let user = use_current_user();
    view! {
        <Transition fallback=|| view! { <div class="account"></div> }>
            {move || Suspend::new(async move { user.await.ok().map(|user| view! { <AccountOf user/> }) })}
        </Transition>
    }
}

#[component]
fn AccountOf(user: CurrentUser) -> impl IntoView {
    let title = format!("{} · {}", user.email, user.roles.join(", "));
    let project = use_project();
    let name = user.name.clone();
    view! {
        <div class="account">
            <p class="account-name" title=title><A href=project.href("/sessions")>{name}</A></p>
            <ProjectSwitcher user/>
            <form method="post" action="/logout">
                <button class="button button-quiet button-small">"Log out"</button>
            </form>
        </div>
    }
}

/// The project's name; where somebody is in several, a menu of them. Another project is another
/// document: its links leave the router.
#[component]
fn ProjectSwitcher(user: CurrentUser) -> impl IntoView {
    if user.projects.len() < 2 {
        return Either::Left(view! { <p class="account-project">{user.project_name}</p> });
    }
    let here = user.project_slug;
    Either::Right(view! {
        <details class="account-project switcher">
            <summary><span>{user.project_name}</span><Icon name=IconName::Switch/></summary>
            <ul aria-label="Projects">
                {user
                    .projects
                    .into_iter()
                    .map(|link| {
                        let current = (link.slug == here).then_some("true");
                        let href = in_project("/", &link.slug);
                        view! { <li><a href=href rel="external" aria-current=current>{link.name}</a></li> }
                    })
                    .collect_view()}
            </ul>
        </details>
    })
}
