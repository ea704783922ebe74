//! Something that a person enters for a record or a move.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::money::{Currency, format_minor};
use tidewatch_modules::module::label_of;
use tidewatch_modules::{Input, InputKind};

use crate::contexts::names::Names;

/// An input with its label and hint.
#[component]
pub fn RecordInput(
    /// What it takes.
    input: Input,
    /// Its name in the form.
    #[prop(into)]
    name: String,
    /// What an amount is counted in, where that is not entered beside it.
    #[prop(optional, into)]
    currency: Signal<Option<Currency>>,
) -> impl IntoView {
    let Input { label, kind, required, hint, .. } = input;
    let is_money = kind == InputKind::Money;
    // Where the currency is chosen beside it, most have two digits as the euro has.
    let example = move || format_minor(125_050, currency.get().unwrap_or(Currency::EUR));
    let control = match kind {
        InputKind::Text => {
            view! { <input type="text" name=name required=required maxlength="1000" autocomplete="off"/> }
                .into_any()
        }
        InputKind::Paragraph => {
            view! { <textarea name=name required=required rows="3" maxlength="10000"></textarea> }.into_any()
        }
        InputKind::Number => {
            view! { <input type="number" name=name required=required step="1" inputmode="numeric"/> }
                .into_any()
        }
        InputKind::Money => view! {
            <input type="text" name=name required=required inputmode="decimal" maxlength="30" placeholder=example autocomplete="off"/>
        }
        .into_any(),
        InputKind::Organization => view! { <OrganizationSelect name required/> }.into_any(),
        InputKind::Choice(choices) => view! {
            <select name=name required=required>
                {(!required).then(|| view! { <option value="">"–"</option> })}
                {choices.into_iter().map(|choice| {
                    let label = choice_label(&choice);
                    view! { <option value=choice.to_string()>{label}</option> }
                }).collect_view()}
            </select>
        }
        .into_any(),
    };
    view! {
        <label class="field">
            <span>
                {label.to_string()}
                {move || currency.get().filter(|_| is_money).map(|currency| format!(" in {currency}"))}
                {(!required).then_some(" (optional)")}
            </span>
            {control}
            {hint.map(|hint| view! { <small class="hint">{hint.to_string()}</small> })}
        </label>
    }
}

/// The organizations by name where the page knows them; else their id is entered.
#[component]
fn OrganizationSelect(name: String, required: bool) -> impl IntoView {
    let names = use_context::<Names>();
    move || {
        let known = names.map(|names| names.organizations.get()).unwrap_or_default();
        if known.is_empty() {
            let example = "org_…, as the project's page shows it";
            return Either::Left(view! {
                <input type="text" name=name.clone() required=required placeholder=example autocomplete="off"/>
            });
        }
        Either::Right(view! {
            <select name=name.clone() required=required>
                {(!required).then(|| view! { <option value="">"–"</option> })}
                {known.into_iter().map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }).collect_view()}
            </select>
        })
    }
}

/// Codes stay as they are; words are written as words.
#[must_use]
pub fn choice_label(choice: &str) -> String {
    if choice.chars().all(|c| c.is_ascii_uppercase()) { choice.to_owned() } else { label_of(choice) }
}
