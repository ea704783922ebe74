//! How an endpoint stands.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::components::{Badge, IconName};
use crate::model::{DisabledReason, Webhook};

/// A single attempt that fails is tried again; past this, in milliseconds, somebody should know.
const FAILING_MS: i64 = 60_000;

/// Whether it has taken nothing for so long that it matters.
pub(super) fn is_failing(webhook: &Webhook, as_of: Timestamp) -> bool {
    let since = webhook.failing_since.map(|since| as_of.unix_millis() - since.unix_millis());
    webhook.enabled && since.is_some_and(|since| since >= FAILING_MS)
}

/// Whether it is told, and if not, why.
#[component]
pub(super) fn WebhookState(webhook: Webhook, as_of: Timestamp) -> impl IntoView {
    let (tone, icon, status, text) = match webhook.disabled_reason {
        Some(DisabledReason::Gone) => ("bad", IconName::Cross, "gone", "Gone (410)"),
        Some(DisabledReason::Failing) => ("bad", IconName::Cross, "given_up", "Given up"),
        Some(DisabledReason::Person) => ("neutral", IconName::Pause, "disabled", "Disabled"),
        None if is_failing(&webhook, as_of) => ("warn", IconName::Alert, "failing", "Failing"),
        None => ("good", IconName::Signal, "enabled", "Enabled"),
    };
    view! { <p class="list-state"><Badge tone icon status text/></p> }
}
