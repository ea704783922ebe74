//! Where a record stands, by icon, word and colour.

use leptos::prelude::*;
use tidewatch_modules::module::label_of;
use tidewatch_modules::{Module, Tone};

use super::{Badge, IconName};

/// The icon that says the same as a colour.
#[must_use]
pub const fn icon_of(tone: Tone) -> IconName {
    match tone {
        Tone::Neutral => IconName::Dot,
        Tone::Active => IconName::Hourglass,
        Tone::Good => IconName::CheckCircle,
        Tone::Warn => IconName::Alert,
        Tone::Bad => IconName::Cross,
    }
}

/// The part that the word of a status plays in any module. Where a module is at hand, it says better
/// ([`Module::status`]); a feed of all modules has words alone.
#[must_use]
pub fn tone_of_word(status: &str) -> Tone {
    match status {
        "settled" | "completed" | "success" | "resolved" | "done" | "paid" => Tone::Good,
        "failed" | "error" => Tone::Bad,
        "held" | "warn" | "acknowledged" | "refunded" | "partially_refunded" | "cancelled" | "void"
        | "quoted" => Tone::Warn,
        "created" | "network_selected" | "gas_estimated" | "info" | "debug" | "paused" => Tone::Neutral,
        _ => Tone::Active,
    }
}

/// Where a record stands.
#[component]
pub fn StatusBadge(
    /// What it is; left out: the word alone says what there is to say.
    #[prop(optional)]
    module: Option<StoredValue<Module>>,
    /// The status.
    #[prop(into)]
    status: String,
) -> impl IntoView {
    let known = module.and_then(|module| module.with_value(|module| module.status(&status).cloned()));
    let (tone, text) = known.map_or_else(
        || (tone_of_word(&status), label_of(&status)),
        |known| (known.tone, known.label.into_owned()),
    );
    view! { <Badge tone=tone.as_str() icon=icon_of(tone) status text/> }
}
