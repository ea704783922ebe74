//! What can be done with a settlement now.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;
use tidewatch_events::id::SettlementId;

use crate::api::MoveSettlement;
use crate::components::{Icon, IconName, StatusBadge};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::Live;
use crate::live::reduce::DetailState;
use crate::model::{AvailableMove, InputKind, MoveInput, SettlementRow};

/// One form a move. Each carries the version that is on the screen: who acts on an older one is
/// told what is there now.
#[component]
pub fn Moves(state: RwSignal<DetailState>, live: Live) -> impl IntoView {
    let action = ServerAction::<MoveSettlement>::new();
    let answer = action.value();
    Effect::new(move |_| {
        if answer.with(Option::is_some) {
            live.refetch();
        }
    });
    let id = state.with_untracked(|state| state.detail().settlement.id);
    let version = Memo::new(move |_| state.with(|state| state.detail().settlement.version));
    let moves = Memo::new(move |_| state.with(|state| state.detail().moves.clone()));
    let is_old = move || state.with(DetailState::moves_are_old);
    let may_act = Memo::new(move |_| state.with(|state| state.detail().may_act));
    let error =
        move || answer.with(|answer| answer.as_ref().and_then(|answer| answer.as_ref().err().cloned()));
    view! {
        <section class="moves" aria-label="Moves" aria-busy=move || is_old().to_string()>
            <For each=move || moves.get() key=|offer: &AvailableMove| offer.name.clone() let:offer>
                <MoveForm offer id version action/>
            </For>
            <Show when=move || !may_act.get()>
                <p class="hint">"You can look, and change nothing: that takes the permission settlements.act."</p>
            </Show>
            {move || error().map(|error| view! { <Refusal error/> })}
        </section>
    }
}

#[component]
fn MoveForm(
    offer: AvailableMove,
    id: SettlementId,
    version: Memo<i64>,
    action: ServerAction<MoveSettlement>,
) -> impl IntoView {
    let AvailableMove { name, label, inputs, destructive } = offer;
    let class = if destructive { "button button-danger" } else { "button" };
    let needs_a_second_look = destructive || !inputs.is_empty();
    let button = label.clone();
    let data_move = name.clone();
    let form = view! {
        <ActionForm action attr:class="form form-inline" attr:data-move=data_move>
            <input type="hidden" name="project" value=use_project().slug()/>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="request[move]" value=name/>
            <input type="hidden" name="request[expectedVersion]" value=move || version.get().to_string()/>
            {inputs.into_iter().map(|input| view! { <Field input/> }).collect_view()}
            <button class=class disabled=move || action.pending().get()>{button}</button>
        </ActionForm>
    };
    if needs_a_second_look {
        Either::Left(view! {
            <details class="disclosure">
                <summary class=class>{label} "…"</summary>
                <div class="panel">{form}</div>
            </details>
        })
    } else {
        Either::Right(form)
    }
}

#[component]
fn Field(input: MoveInput) -> impl IntoView {
    let kind = match input.kind {
        InputKind::Text => "text",
        InputKind::Number => "number",
    };
    let required = input.required;
    view! {
        <label class="field field-wide">
            <span>{input.label}{(!required).then_some(" (optional)")}</span>
            <input type=kind name=format!("request[fields][{}]", input.name) required=required autocomplete="off"/>
        </label>
    }
}

#[component]
fn Refusal(error: AppError) -> impl IntoView {
    match error {
        AppError::Conflict { current, message } => {
            Either::Left(view! { <Conflict current=*current message/> })
        }
        other => Either::Right(view! {
            <p class="alert" data-tone="bad" role="alert" data-error=other.name()>
                <Icon name=IconName::Alert/><span>{other.to_string()}</span>
            </p>
        }),
    }
}

#[component]
fn Conflict(current: SettlementRow, message: String) -> impl IntoView {
    view! {
        <div class="alert" data-tone="warn" role="alert" data-error="conflict" data-current-version=current.version.to_string()>
            <Icon name=IconName::Alert/>
            <div>
                <p><strong>"Somebody was faster. "</strong>{message}</p>
                <p>"It now stands at " <StatusBadge status=current.status/> ", version " {current.version} ". Nothing of yours was done: look again, then decide."</p>
            </div>
        </div>
    }
}
