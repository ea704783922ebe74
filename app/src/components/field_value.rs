//! What a field of a record holds, shown as its kind asks.

use leptos::prelude::*;
use tidewatch_modules::{Field, FieldKind, Record, Tone};

use super::status_badge::icon_of;
use super::{Amount, Badge, CopyableId, ProgressBar, RelativeTime};
use crate::contexts::names::{organization_called, person_called};
use crate::contexts::project::use_project;
use crate::format;

/// The value, or a dash where there is none.
#[must_use]
pub fn field_value(field: &Field, record: &Record) -> AnyView {
    shown(field, record, false)
}

/// The same in a row with a link of its own.
#[must_use]
pub fn cell_value(field: &Field, record: &Record) -> AnyView {
    shown(field, record, true)
}

fn shown(field: &Field, record: &Record, in_row: bool) -> AnyView {
    let text = record.text(&field.name).map(ToOwned::to_owned);
    let number = record.number(&field.name);
    let shown = match &field.kind {
        FieldKind::Money => money(record, number),
        FieldKind::Number => number.map(|number| {
            let sign = if number < 0 { "-" } else { "" };
            view! { <span class="tabular">{sign}{format::count(number.unsigned_abs())}</span> }.into_any()
        }),
        FieldKind::Duration => {
            number.map(|millis| view! { <span class="tabular">{format::span(millis)}</span> }.into_any())
        }
        FieldKind::Time => {
            text.and_then(|text| text.parse().ok()).map(|at| view! { <RelativeTime at in_row/> }.into_any())
        }
        FieldKind::Progress { of, unit } => progress(record, number, of, unit),
        FieldKind::Tag { tones } => text.map(|text| {
            let tone = tones.iter().find(|(word, _)| *word == text).map_or(Tone::Neutral, |(_, tone)| *tone);
            let label = tidewatch_modules::module::label_of(&text);
            view! { <Badge tone=tone.as_str() icon=icon_of(tone) status=text text=label/> }.into_any()
        }),
        FieldKind::Code => text.map(|text| {
            let whole = text.chars().count() <= 40;
            view! { <CopyableId id=text whole/> }.into_any()
        }),
        FieldKind::Link => text.map(|id| {
            let href = use_project().href(&format!("/records/{id}"));
            view! { <a href=href rel="external"><code>{format::short_id(&id)}</code></a> }.into_any()
        }),
        FieldKind::Person => {
            text.map(|actor| view! { <span title=actor.clone()>{person_called(&actor)}</span> }.into_any())
        }
        FieldKind::Organization => text.map(|id| match organization_called(&id) {
            Some(name) => view! { <span title=id>{name}</span> }.into_any(),
            None => view! { <CopyableId id/> }.into_any(),
        }),
        FieldKind::Paragraph => text.map(|text| view! { <span class="paragraph">{text}</span> }.into_any()),
        FieldKind::Text => text.map(IntoAny::into_any),
    };
    shown.unwrap_or_else(|| view! { <span class="nothing">"–"</span> }.into_any())
}

fn money(record: &Record, minor: Option<i64>) -> Option<AnyView> {
    let currency = record.currency()?;
    let minor = minor?;
    Some(view! { <Amount minor currency/> }.into_any())
}

fn progress(record: &Record, done: Option<i64>, of: &str, unit: &str) -> Option<AnyView> {
    let done = u64::try_from(done?).ok()?;
    let total = u64::try_from(record.number(of)?).ok().filter(|total| *total > 0)?;
    let label = tidewatch_modules::module::label_of(unit);
    Some(view! { <ProgressBar label done total/> }.into_any())
}

/// Whether the column of such a field is aligned to the end.
#[must_use]
pub const fn is_numeric(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Money | FieldKind::Number | FieldKind::Duration)
}
