//! A release that a second person has to agree to.

use leptos::prelude::*;

use super::outcome::ASKED_BY;
use crate::components::{Icon, IconName};
use crate::contexts::names::person_called;
use crate::live::reduce::DetailState;

/// Who asked for the release, where it waits for somebody else: the actor as events name it.
pub(super) fn asked_by(state: &DetailState) -> Option<String> {
    state.detail().record.text(ASKED_BY).map(ToOwned::to_owned)
}

/// Whether the one who looks asked for it, and so cannot be the second.
pub(super) fn is_mine(state: &DetailState) -> bool {
    let me = state.detail().me.map(|me| me.to_string());
    me.is_some() && asked_by(state).as_deref().and_then(|actor| actor.strip_prefix("user:")) == me.as_deref()
}

/// Says that a second person has to release it, and who asked.
#[component]
pub(super) fn SecondPerson(state: RwSignal<DetailState>) -> impl IntoView {
    let asked = Memo::new(move |_| state.with(asked_by));
    let mine = Memo::new(move |_| state.with(is_mine));
    let says = move |actor: &str| {
        if mine.get() {
            "You asked for its release. Somebody else has to release it: it is above the limit for one person."
                .to_owned()
        } else {
            let who = person_called(actor);
            format!(
                "{who} asked for its release. Whoever releases it now is the second person, and it goes on."
            )
        }
    };
    move || {
        asked.get().map(|actor| {
            view! {
                <p class="alert" data-tone="warn" data-second-person=mine.get().to_string()>
                    <Icon name=IconName::People/><span>{says(&actor)}</span>
                </p>
            }
        })
    }
}
