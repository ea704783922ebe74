//! JSON as it is.

use leptos::prelude::*;
use serde_json::Value;

/// A value, indented, in a box that scrolls.
#[component]
pub fn Json(
    /// The value.
    value: Value,
) -> impl IntoView {
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    view! { <pre class="json" tabindex="0"><code>{text}</code></pre> }
}
