//! Where a job stands.

use leptos::prelude::*;
use tidewatch_events::job::JobState;

use super::{Badge, IconName};

/// A state as people read it.
#[must_use]
pub const fn title_of(state: JobState) -> &'static str {
    match state {
        JobState::Scheduled => "Scheduled",
        JobState::Waiting => "Waiting",
        JobState::Running => "Running",
        JobState::Completed => "Completed",
        JobState::Cancelled => "Called off",
        JobState::Dead => "Given up",
    }
}

/// Where a job is in its life.
#[component]
pub fn JobBadge(
    /// The state.
    state: JobState,
) -> impl IntoView {
    let (tone, icon) = match state {
        JobState::Scheduled => ("neutral", IconName::Hourglass),
        JobState::Waiting => ("neutral", IconName::Dot),
        JobState::Running => ("active", IconName::Play),
        JobState::Completed => ("good", IconName::CheckCircle),
        JobState::Cancelled => ("warn", IconName::Pause),
        JobState::Dead => ("bad", IconName::Cross),
    };
    view! { <Badge tone icon status=state.as_str() text=title_of(state)/> }
}
