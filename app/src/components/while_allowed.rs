//! Data that goes from the screen with the right to see it.

use leptos::either::Either;
use leptos::prelude::*;

use super::ErrorState;
use crate::live::Live;

/// Shows `children` as long as their data may be seen, and afterwards why it may not.
#[component]
pub fn WhileAllowed(
    /// What the data's reader is told.
    live: Live,
    /// What was asked for, such as `the settlements`.
    what: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let refused = live.refused();
    move || match refused.get() {
        None => Either::Left(children()),
        Some(error) => Either::Right(view! { <ErrorState error what lost=true/> }),
    }
}
