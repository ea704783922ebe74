//! Something was done.

use leptos::prelude::*;

use super::{Icon, IconName};

/// Says what was done, where no toast does.
#[component]
pub fn Done(
    /// What.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <p class="alert" data-tone="good" role="status"><Icon name=IconName::CheckCircle/><span>{text}</span></p>
    }
}
