//! What is known of a record.

use leptos::prelude::*;
use tidewatch_modules::{FieldKind, Record};

use crate::components::RelativeTime;
use crate::components::field_value::field_value;
use crate::live::reduce::DetailState;

/// The facts as a list of terms.
#[component]
pub(super) fn Facts(state: RwSignal<DetailState>) -> impl IntoView {
    let record = Memo::new(move |_| state.with(|state| state.detail().record.clone()));
    let organization = Memo::new(move |_| state.with(|state| state.detail().organization.clone()));
    // The title stands above, what is wrong and how far it is as well.
    let fields = state.with_untracked(|state| {
        let module = &state.detail().module;
        let is_fact = |field: &&tidewatch_modules::Field| {
            field.name != module.title_field
                && field.name != "currency"
                && Some(&field.name) != module.amount_field.as_ref()
                && !field.trouble
                && !matches!(field.kind, FieldKind::Progress { .. })
        };
        module.fields.iter().filter(is_fact).cloned().collect::<Vec<_>>()
    });
    view! {
        <dl class="facts">
            {move || organization.get().map(|name| view! { <div><dt>"Organization"</dt><dd>{name}</dd></div> })}
            {fields
                .into_iter()
                .map(|field| {
                    let (name, label) = (field.name.to_string(), field.label.to_string());
                    let of = field.name.to_string();
                    let is_empty = move || record.read().get(&of).is_null();
                    view! { <div data-field=name hidden=is_empty><dt>{label}</dt><dd>{move || field_value(&field, &record.read())}</dd></div> }
                })
                .collect_view()}
            <div><dt>"Version"</dt><dd class="tabular">{move || record.read().version}</dd></div>
            <div><dt>"Created"</dt><dd>{move || time(record, |record| record.created_at)}</dd></div>
            <div><dt>"Changed"</dt><dd>{move || time(record, |record| record.updated_at)}</dd></div>
        </dl>
    }
}

fn time(record: Memo<Record>, of: fn(&Record) -> tidewatch_events::Timestamp) -> impl IntoView {
    view! { <RelativeTime at=of(&record.read())/> }
}
