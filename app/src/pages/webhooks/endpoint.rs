//! How an endpoint stands.

use leptos::prelude::*;

use crate::components::{Badge, IconName};
use crate::model::{DisabledReason, Webhook};

/// Whether it is told, and if not, why.
#[component]
pub(super) fn WebhookState(webhook: Webhook) -> impl IntoView {
    let (tone, icon, status, text) = match (webhook.disabled_reason, webhook.enabled, webhook.failing_since) {
        (Some(DisabledReason::Gone), ..) => ("bad", IconName::Cross, "gone", "Gone (410)"),
        (Some(DisabledReason::Failing), ..) => ("bad", IconName::Cross, "given_up", "Given up"),
        (_, false, _) => ("neutral", IconName::Pause, "disabled", "Disabled"),
        (None | Some(DisabledReason::Person), true, Some(_)) => {
            ("warn", IconName::Alert, "failing", "Failing")
        }
        (None | Some(DisabledReason::Person), true, None) => ("good", IconName::Signal, "enabled", "Enabled"),
    };
    view! { <Badge tone icon status text/> }
}
