//! The witness: whether tables and events say the same.

mod report;
mod runs;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use self::report::Report;
use self::runs::{Runs, WitnessBadge};
use crate::api::{ChangeProject, get_witness};
use crate::components::change_form::{ChangeAction, ChangeAnswer, ChangeForm};
use crate::components::{EmptyState, ErrorState, Loading, ReadFreshness, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Snapshot, WitnessPage as Witness};

/// What the witness found.
#[component]
pub fn WitnessPage() -> impl IntoView {
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let page = Resource::new(|| (), move |()| get_witness(project.slug()));
    view! {
        <Title text="Witness"/>
        <div class="page">
            <h1>"Witness"</h1>
            <p class="hint">"Rebuilds every record from its events alone and compares it with its row. What differs is an incident."</p>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the witness"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(snapshot) => Either::Left(view! { <WitnessView snapshot action/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the witness"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn WitnessView(snapshot: Snapshot<Witness>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_witness(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let newest = Memo::new(move |_| state.with(|state| state.data().runs.first().cloned()));
    let may_run = Memo::new(move |_| state.with(|state| state.data().may_run));
    let runs = Memo::new(move |_| state.with(|state| state.data().runs.clone()));
    let report = Memo::new(move |_| state.with(|state| state.data().report.clone()));
    view! {
        <WhileAllowed live what="the witness">
            <div class="record-state">
                {move || newest.get().map(|run| view! { <WitnessBadge outcome=run.outcome/> })}
                <ReadFreshness as_of/>
            </div>
            <Show when=move || may_run.get()>
                <ChangeForm action name="runWitness">
                    <input type="hidden" name="change" value="runWitness"/>
                    <button class="button button-primary" disabled=move || action.pending().get()>"Run now"</button>
                </ChangeForm>
            </Show>
            {move || match report.get() {
                Some(report) => Either::Left(view! { <Report report/> }),
                None => Either::Right(view! {
                    <EmptyState title="Nothing was compared yet"><p>"The witness looks by the clock, and at once where somebody asks."</p></EmptyState>
                }),
            }}
            <Show when=move || runs.with(|runs| !runs.is_empty())>
                <Runs runs/>
            </Show>
        </WhileAllowed>
    }
}
