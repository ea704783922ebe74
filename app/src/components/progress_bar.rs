//! So much of so much.

use leptos::prelude::*;

/// How much is done of how much.
#[component]
pub fn ProgressBar(
    /// What is counted.
    #[prop(into)]
    label: String,
    /// So much is done,
    done: u64,
    /// of so much.
    total: u64,
) -> impl IntoView {
    let share = done.min(total) as f64 / total.max(1) as f64 * 100.0;
    let text = format!("{done} of {total}");
    view! {
        <span class="progress">
            <span
                class="progress-track"
                role="progressbar"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax=total.to_string()
                aria-valuenow=done.min(total).to_string()
                aria-valuetext=text.clone()
            >
                <span class="progress-fill" style=format!("inline-size:{share:.1}%")></span>
            </span>
            <span class="progress-text" aria-hidden="true">{text}</span>
        </span>
    }
}
