//! Navigation, the connection's state and who is signed in.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

use crate::components::{
    Bell, CommandPalette, ConnectionPill, Icon, IconName, PauseButton, ThemeSwitch, ToastArea,
};
use crate::contexts::announcer::use_announcer;
use crate::contexts::form_answer::forget_form_answer_on_navigation;
use crate::contexts::project::{Project, in_project, provide_project, use_project};
use crate::contexts::user::{provide_current_user, use_current_user};
use crate::model::{CurrentUser, OVERVIEW};
use crate::navigation::{API_REFERENCE, Place, Section, places_of};

/// The frame of every page behind the login.
#[component]
pub fn DashboardLayout(children: Children) -> AnyView {
    let announcer = use_announcer();
    let project = provide_project();
    provide_current_user();
    close_menu_on_navigation();
    forget_form_answer_on_navigation();
    view! {
        <a class="skip-link" href="#main" rel="external">"Skip to content"</a>
        <div class="frame">
            <header class="sidebar">
                <div class="sidebar-head">
                    <a class="brand" href=project.href(OVERVIEW) aria-label="Tidewatch, overview"><BrandMark/><span>"Tidewatch"</span></a>
                    <Bell/>
                </div>
                <CommandPalette/>
                <button type="button" class="button button-small menu-button" popovertarget="menu"><Icon name=IconName::Lines/>"Menu"</button>
                // Where there is no room beside the page, the navigation opens by the button above: with and
                // without JavaScript.
                <nav class="nav" id="menu" popover="auto" aria-label="Main">
                    <UserLinks/>
                </nav>
                <div class="sidebar-foot">
                    <div class="connection" aria-label="Connection" role="group">
                        <ConnectionPill/>
                        <PauseButton/>
                        <span class="without-scripting">"Reload for news"</span>
                    </div>
                    <ThemeSwitch/>
                    <Account/>
                </div>
            </header>
            <main id="main" class="main" tabindex="-1">
                <PartMissingNotice/>
                {children()}
            </main>
        </div>
        <ToastArea/>
        <p class="visually-hidden" role="status" aria-live="polite">{move || announcer.said().get()}</p>
    }
    // Every page is in it: with its type, each would have to be laid out together with all that the frame holds.
    .into_any()
}

/// What to do where the page's part did not come. It is seen then alone, and no script runs then: an empty address is the
/// document's own.
#[component]
fn PartMissingNotice() -> impl IntoView {
    view! {
        <div class="alert part-missing" data-tone="warn" role="alert">
            <Icon name=IconName::Alert/>
            <p>"A part of this page could not be loaded: it shows no news by itself, but its links and forms work."</p>
            <a class="button button-small" rel="external" href="">"Reload"</a>
        </div>
    }
}

/// Who has followed a link of the menu has seen it.
fn close_menu_on_navigation() {
    let pathname = use_location().pathname;
    Effect::new(move |_| {
        pathname.track();
        let menu = document().get_element_by_id("menu");
        // A browser that knows no popovers shows no menu to close.
        let hide = menu.as_ref().and_then(|menu| js_sys::Reflect::get(menu, &"hidePopover".into()).ok());
        if let (Some(menu), Some(hide)) =
            (menu, hide.and_then(|hide| hide.dyn_into::<js_sys::Function>().ok()))
        {
            let _ = hide.call0(&menu);
        }
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

/// The links to modules and to what those need who run the project, as far as they may follow them.
#[component]
fn UserLinks() -> impl IntoView {
    let user = use_current_user();
    let project = use_project();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let user = user.await.ok();
                let places = places_of(user.as_ref());
                let part = |section: Section, title: &'static str| {
                    let places = places.iter().filter(|place| place.section == section).cloned();
                    let links: Vec<_> = places.map(|place| view! { <PlaceLink place project/> }).collect();
                    let title = (!title.is_empty() && !links.is_empty()).then(|| view! { <p class="nav-title" aria-hidden="true">{title}</p> });
                    (title, links).into_any()
                };
                // Another document, and the same for all projects.
                let reference = user.is_some_and(|user| user.staff).then(|| view! {
                    <a href=API_REFERENCE rel="external"><Icon name=IconName::Lines/>"API reference"</a>
                });
                let [work, machinery, project] =
                    [part(Section::Work, ""), part(Section::Machinery, "Machinery"), part(Section::Project, "Project")];
                (work, machinery, project, reference)
            })}
        </Transition>
    }
}

#[component]
fn PlaceLink(place: Place, project: Project) -> impl IntoView {
    // Every address begins like the overview's.
    let exact = place.path == OVERVIEW;
    view! { <A href=project.href(&place.path) exact><Icon name=place.icon/>{place.label}</A> }
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
