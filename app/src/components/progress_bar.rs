//! Confirmations, counted.

use leptos::prelude::*;

/// How many of the required confirmations were seen.
#[component]
pub fn ProgressBar(
    /// Seen so far.
    confirmations: u32,
    /// What the network asks for.
    required: u32,
) -> impl IntoView {
    let share = f64::from(confirmations.min(required)) / f64::from(required.max(1)) * 100.0;
    let text = format!("{confirmations} of {required}");
    view! {
        <span class="progress">
            <span
                class="progress-track"
                role="progressbar"
                aria-label="Confirmations"
                aria-valuemin="0"
                aria-valuemax=required.to_string()
                aria-valuenow=confirmations.min(required).to_string()
                aria-valuetext=text.clone()
            >
                <span class="progress-fill" style=format!("inline-size:{share:.1}%")></span>
            </span>
            <span class="progress-text" aria-hidden="true">{text}</span>
        </span>
    }
}
