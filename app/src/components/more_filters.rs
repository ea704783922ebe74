//! Filters that few ask for, out of the way of what they narrow.

use leptos::prelude::*;

/// The rest of a form's filters, behind a summary until one of them is in use: what they narrow begins the higher.
/// Works without JavaScript.
#[component]
pub fn MoreFilters(
    /// What they filter by, such as `Currency, time`.
    #[prop(into)]
    by: String,
    /// Whether one of them is in use.
    in_use: bool,
    /// Their fields.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="more-filters" open=in_use>
            <summary>{by}</summary>
            <div class="form-inline">{children()}</div>
        </details>
    }
}
