//! Light, dark, or as the system has it; with room, or compact.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Icon, IconName};
use crate::model::{Density, Theme};
use crate::request;

const fn icon_of(theme: Theme) -> IconName {
    match theme {
        Theme::Light => IconName::Sun,
        Theme::Dark => IconName::Moon,
        Theme::System => IconName::Screen,
    }
}

const fn label_of(theme: Theme) -> &'static str {
    match theme {
        Theme::Light => "Light",
        Theme::Dark => "Dark",
        Theme::System => "As the system",
    }
}

/// A plain form: the server remembers the choice in a cookie and renders with it, so there is
/// nothing to flash.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let location = use_location();
    let current = request::theme();
    let here = move || {
        let search = location.search.get();
        let mark = if search.is_empty() || search.starts_with('?') { "" } else { "?" };
        format!("{}{mark}{search}", location.pathname.get())
    };
    let is_compact = request::density() == Density::Compact;
    // It leads to the other one.
    let other = if is_compact { Density::Comfortable } else { Density::Compact };
    let buttons = Theme::ALL.iter().copied().map(|theme| {
        view! {
            <button
                class="theme-button"
                name="theme"
                value=theme.as_str()
                title=label_of(theme)
                aria-label=format!("Theme: {}", label_of(theme))
                aria-pressed=(theme == current).to_string()
            >
                <Icon name=icon_of(theme)/>
            </button>
        }
    });
    view! {
        <form class="theme-switch" method="post" action="/preferences" aria-label="Appearance">
            <input type="hidden" name="next" value=here/>
            {buttons.collect_view()}
            <button
                class="theme-button"
                name="density"
                value=other.as_str()
                title="Compact rows"
                aria-label="Compact rows"
                aria-pressed=is_compact.to_string()
            >
                <Icon name=IconName::Lines/>
            </button>
        </form>
    }
}
