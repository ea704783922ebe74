//! Where a settlement stands, by icon, word and colour.

use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;

use super::{Badge, IconName};
use crate::format;

/// The icon of a status.
#[must_use]
pub const fn icon_of(status: SettlementStatus) -> IconName {
    match status {
        SettlementStatus::Created => IconName::Dot,
        SettlementStatus::NetworkSelected => IconName::Route,
        SettlementStatus::GasEstimated => IconName::Gauge,
        SettlementStatus::Submitted => IconName::Send,
        SettlementStatus::Confirming => IconName::Hourglass,
        SettlementStatus::Confirmed => IconName::Check,
        SettlementStatus::Settled => IconName::CheckCircle,
        SettlementStatus::Failed => IconName::Cross,
        SettlementStatus::Held => IconName::Pause,
    }
}

/// The role that its colour plays.
#[must_use]
pub const fn tone_of(status: SettlementStatus) -> &'static str {
    match status {
        SettlementStatus::Created | SettlementStatus::NetworkSelected | SettlementStatus::GasEstimated => {
            "neutral"
        }
        SettlementStatus::Submitted | SettlementStatus::Confirming | SettlementStatus::Confirmed => "active",
        SettlementStatus::Settled => "good",
        SettlementStatus::Failed => "bad",
        SettlementStatus::Held => "warn",
    }
}

/// Where a settlement stands.
#[component]
pub fn StatusBadge(
    /// The status.
    status: SettlementStatus,
) -> impl IntoView {
    view! { <Badge tone=tone_of(status) icon=icon_of(status) status=status.as_str() text=format::status(status)/> }
}
