//! Navigation, the connection's state and who is signed in.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::components::{ConnectionPill, Icon, IconName, ThemeSwitch};
use crate::contexts::announcer::use_announcer;
use crate::contexts::user::provide_current_user;
use crate::model::CurrentUser;

/// The frame of every page behind the login.
#[component]
pub fn DashboardLayout(children: Children) -> impl IntoView {
    let announcer = use_announcer();
    view! {
        <a class="skip-link" href="#main" rel="external">"Skip to content"</a>
        <div class="frame">
            <header class="sidebar">
                <a class="brand" href="/" aria-label="Tidewatch, overview"><BrandMark/><span>"Tidewatch"</span></a>
                <nav class="nav" aria-label="Main">
                    <A href="/" exact=true><Icon name=IconName::Overview/>"Overview"</A>
                    <A href="/settlements"><Icon name=IconName::Settlements/>"Settlements"</A>
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

#[component]
fn Account() -> impl IntoView {
    let user = provide_current_user();
    view! {
        <Transition fallback=|| view! { <div class="account"></div> }>
            {move || Suspend::new(async move { user.await.ok().map(|user| view! { <AccountOf user/> }) })}
        </Transition>
    }
}

#[component]
fn AccountOf(user: CurrentUser) -> impl IntoView {
    let title = format!("{} · {}", user.email, user.roles.join(", "));
    view! {
        <div class="account">
            <p class="account-name" title=title>{user.name}</p>
            <p class="account-project">{user.project_name}</p>
            <form method="post" action="/logout">
                <button class="button button-quiet button-small">"Log out"</button>
            </form>
        </div>
    }
}
