//! A number with its name.

use leptos::prelude::*;

/// One entry of a `dl.numbers`.
#[component]
pub fn Number(
    /// What it counts.
    name: &'static str,
    /// For tests and styles.
    key: &'static str,
    /// What stands there.
    value: Memo<String>,
) -> impl IntoView {
    view! {
        <div class="number" data-key=key>
            <dt>{name}</dt>
            <dd>{move || value.get()}</dd>
        </div>
    }
}
