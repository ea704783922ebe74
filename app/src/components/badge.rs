//! Where something stands, by icon, word and colour.

use leptos::prelude::*;

use super::{Icon, IconName};

/// A word in a pill. The icon and the colour only repeat it.
#[component]
pub fn Badge(
    /// The role that its colour plays: `neutral`, `active`, `good`, `warn` or `bad`.
    tone: &'static str,
    /// Its icon.
    icon: IconName,
    /// For tests and styles.
    #[prop(into)]
    status: String,
    /// The word.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <span class="badge" data-tone=tone data-status=status><Icon name=icon/>{text}</span> }
}
