//! The settlement as it stands, live.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use super::facts::Facts;
use super::moves::Moves;
use crate::api::get_settlement;
use crate::components::{
    Amount, CopyableId, Freshness, Icon, IconName, ProgressBar, StatusBadge, Timeline, WhileAllowed,
};
use crate::contexts::project::use_project;
use crate::live::reduce::DetailState;
use crate::live::{Anchor, use_live};
use crate::model::{SettlementDetail, SettlementRow, Snapshot};

/// A settlement that follows its events.
#[component]
pub fn SettlementView(snapshot: Snapshot<SettlementDetail>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let first = snapshot.data.settlement.clone();
    let id = first.id;
    let state = RwSignal::new(DetailState::new(snapshot.data));
    let project = use_project();
    let live = use_live(state, anchor, move || get_settlement(project.slug(), id));

    let row = Memo::new(move |_| state.with(|state| state.detail().settlement.clone()));
    let trouble = Memo::new(move |_| state.with(|state| trouble(state.detail())));
    let timeline = Memo::new(move |_| {
        state.with(|state| state.detail().timeline.iter().rev().cloned().collect::<Vec<_>>())
    });
    view! {
        <Title text=first.reference.clone()/>
        <WhileAllowed live what="this settlement">
        <article
            class="page settlement"
            data-id=first.id.to_string()
            data-version=move || row.read().version.to_string()
            data-status=move || row.read().status.as_str()
        >
            <p class="breadcrumb"><a href=project.href("/settlements")>"Settlements"</a></p>
            <header class="settlement-head">
                <div>
                    <h1>{first.reference.clone()}</h1>
                    <CopyableId id=first.id.to_string() whole=true/>
                </div>
                <p class="settlement-amount"><Amount minor=first.amount_minor currency=first.currency/></p>
            </header>
            <div class="settlement-state">
                {move || view! { <StatusBadge status=row.read().status/> }}
                {move || progress(&row.read())}
                <Freshness as_of/>
            </div>
            {move || trouble.get().map(|(tone, text)| view! {
                <p class="alert" data-tone=tone><Icon name=IconName::Alert/><span>{text}</span></p>
            })}
            <Moves state live/>
            <div class="columns">
                <section aria-labelledby="facts"><h2 id="facts">"Facts"</h2><Facts state/></section>
                <section aria-labelledby="history">
                    <h2 id="history">"History"</h2>
                    <Timeline events=timeline label="Events, newest first"/>
                </section>
            </div>
        </article>
        </WhileAllowed>
    }
}

fn trouble(detail: &SettlementDetail) -> Option<(&'static str, String)> {
    if let Some(error) = &detail.error {
        return Some(("bad", error.clone()));
    }
    detail.hold_reason.as_ref().map(|reason| ("warn", format!("Held: {reason}")))
}

fn progress(row: &SettlementRow) -> impl IntoView + use<> {
    if row.required > 0 {
        Either::Left(
            view! { <ProgressBar label="Confirmations" done=row.confirmations.into() total=row.required.into()/> },
        )
    } else {
        Either::Right(())
    }
}
