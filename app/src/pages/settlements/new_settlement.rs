//! The form that asks for a settlement.

use leptos::either::{Either, EitherOf3};
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::CreateSettlement;
use crate::components::{Icon, IconName};
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::error::AppError;
use crate::model::SettlementRow;

const CURRENCIES: [&str; 8] = ["EUR", "USD", "GBP", "CHF", "JPY", "SEK", "PLN", "KWD"];
const NETWORKS: [&str; 5] = ["polygon", "ethereum", "arbitrum", "solana", "sepa"];

/// The form, for those who may use it.
#[component]
pub fn NewSettlementForm() -> impl IntoView {
    let user = use_current_user();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match user.await {
                    Ok(user) if user.may("settlements.act") => Either::Left(view! { <Form/> }),
                    Ok(_) => Either::Right(Some(view! {
                        <p class="hint">"You can look, and make none yourself: that takes the permission settlements.act."</p>
                    })),
                    Err(_) => Either::Right(None),
                }
            })}
        </Transition>
    }
}

#[component]
fn Form() -> impl IntoView {
    let action = ServerAction::<CreateSettlement>::new();
    let answer = action.value();
    view! {
        <details class="disclosure" open=move || answer.with(Option::is_some)>
            <summary class="button"><Icon name=IconName::Plus/>"New settlement"</summary>
            <div class="panel">
                <ActionForm action attr:class="form form-inline">
                    <input type="hidden" name="project" value=use_project().slug()/>
                    <label class="field field-wide">
                        <span>"Reference"</span>
                        <input type="text" name="new[reference]" required=true maxlength="200" autocomplete="off" placeholder="INV-1001"/>
                    </label>
                    <label class="field">
                        <span>"Amount in minor units"</span>
                        <input type="number" name="new[amountMinor]" required=true min="1" step="1" inputmode="numeric" placeholder="1248050"/>
                    </label>
                    <label class="field">
                        <span>"Currency"</span>
                        <select name="new[currency]">
                            {CURRENCIES.map(|code| view! { <option value=code>{code}</option> }).into_iter().collect_view()}
                        </select>
                    </label>
                    <label class="field">
                        <span>"Network"</span>
                        <select name="new[network]">
                            <option value="">"Let Tidewatch choose"</option>
                            {NETWORKS.map(|name| view! { <option value=name>{name}</option> }).into_iter().collect_view()}
                        </select>
                    </label>
                    <button class="button button-primary" disabled=move || action.pending().get()>
                        {move || if action.pending().get() { "Creating…" } else { "Create" }}
                    </button>
                </ActionForm>
                <p class="hint">"1248050 minor units of EUR are 12,480.50 EUR; JPY has no smaller unit."</p>
                {move || answer.get().map(|answer| view! { <Answer answer/> })}
            </div>
        </details>
    }
}

#[component]
fn Answer(answer: Result<SettlementRow, AppError>) -> impl IntoView {
    match answer {
        Ok(row) => {
            let href = use_project().href(&format!("/settlements/{}", row.id));
            EitherOf3::A(view! {
                <p class="alert" data-tone="good" role="status">
                    <Icon name=IconName::CheckCircle/>
                    <span>"Created " <a href=href>{row.reference}</a> "."</span>
                </p>
            })
        }
        Err(AppError::Invalid { field, message }) if !field.is_empty() => EitherOf3::B(view! {
            <p class="alert" data-tone="bad" role="alert">
                <Icon name=IconName::Alert/>
                <span><strong>{field}</strong> ": " {message}</span>
            </p>
        }),
        Err(error) => EitherOf3::C(view! {
            <p class="alert" data-tone="bad" role="alert">
                <Icon name=IconName::Alert/>
                <span>{error.to_string()}</span>
            </p>
        }),
    }
}
