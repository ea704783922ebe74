//! What a button that copies has to say.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::clipboard;
use super::{Icon, IconName};
use crate::contexts::announcer::use_announcer;

/// How long a button shows what came of it.
const SHOWN: Duration = Duration::from_secs(2);

/// What came of copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is in the clipboard.
    Yes,
    /// The browser did not let it in.
    No,
}

/// Copies a text, and says so where it was. Where the browser does not let it, `otherwise` helps.
pub(super) fn copy(text: String, state: RwSignal<Option<Copied>>, otherwise: impl Fn() + 'static) {
    let announcer = use_announcer();
    spawn_local(async move {
        let copied = if clipboard::copy(&text).await { Copied::Yes } else { Copied::No };
        match copied {
            Copied::Yes => announcer.say("Copied"),
            Copied::No => {
                otherwise();
                announcer.say("The browser does not let this page copy. It is selected: press Ctrl C.");
            }
        }
        // The page may have been left meanwhile.
        state.try_set(Some(copied));
        set_timeout(
            move || {
                state.try_set(None);
            },
            SHOWN,
        );
    });
}

/// The icon of a button that copies.
#[component]
pub(super) fn CopyIcon(state: RwSignal<Option<Copied>>) -> impl IntoView {
    move || {
        let name = match state.get() {
            None => IconName::Copy,
            Some(Copied::Yes) => IconName::Check,
            Some(Copied::No) => IconName::Alert,
        };
        view! { <Icon name/> }
    }
}
