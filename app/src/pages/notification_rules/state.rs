//! Whether a rule makes notifications.

use leptos::prelude::*;

use crate::components::{Badge, IconName};

/// Enabled or disabled, by icon and word.
#[component]
pub(super) fn RuleState(enabled: bool) -> impl IntoView {
    let (tone, icon, status, text) = match enabled {
        true => ("good", IconName::Signal, "enabled", "Enabled"),
        false => ("neutral", IconName::Pause, "disabled", "Disabled"),
    };
    view! { <p class="list-state"><Badge tone icon status text/></p> }
}
