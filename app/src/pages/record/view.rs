//! The record as it stands, live.

use leptos::prelude::*;
use leptos_meta::Title;
use tidewatch_modules::FieldKind;

use super::checks::{Checks, LastChecks};
use super::comments::Comments;
use super::deliveries::{Deliveries, Notified, Proofs, Told};
use super::facts::Facts;
use super::moves::Moves;
use crate::api::get_record;
use crate::components::field_value::field_value;
use crate::components::{CopyableId, Freshness, Icon, IconName, StatusBadge, Timeline, WhileAllowed};
use crate::contexts::names::Names;
use crate::contexts::project::use_project;
use crate::live::reduce::DetailState;
use crate::live::{Anchor, use_live};
use crate::model::{RecordDetail, Snapshot};

/// A record that follows its events.
#[component]
pub(super) fn RecordView(
    snapshot: Snapshot<RecordDetail>,
    proofs: Proofs,
    told: Told,
    checks: LastChecks,
) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let first = snapshot.data.record.clone();
    let module = StoredValue::new(snapshot.data.module.clone());
    let state = RwSignal::new(DetailState::new(snapshot.data));
    let project = use_project();
    let id = first.id.to_string();
    let asked = (module.with_value(|module| module.name.to_string()), id.clone());
    let proven = asked.clone();
    let live = use_live(state, anchor, move || get_record(project.slug(), asked.0.clone(), asked.1.clone()));

    provide_context(Names {
        people: Memo::new(move |_| state.with(|state| state.detail().people.clone())),
        organizations: Memo::new(move |_| state.with(|state| state.detail().organizations.clone())),
    });
    let record = Memo::new(move |_| state.with(|state| state.detail().record.clone()));
    let timeline = Memo::new(move |_| {
        state.with(|state| state.detail().timeline.iter().rev().cloned().collect::<Vec<_>>())
    });
    let has_older = Memo::new(move |_| state.with(|state| state.detail().has_older_events()));
    let all_events = StoredValue::new(module.with_value(|module| {
        project.href(&format!("/events?resourceTypes={}&resourceId={id}", module.aggregate_type))
    }));
    let (path, title, name, amount, progress, troubles) = module.with_value(|module| {
        let of_kind =
            |is: fn(&FieldKind) -> bool| module.fields.iter().find(|field| is(&field.kind)).cloned();
        (
            project.href(&format!("/{}", module.name)),
            module.title.to_string(),
            module.name.to_string(),
            of_kind(|kind| *kind == FieldKind::Money),
            of_kind(|kind| matches!(kind, FieldKind::Progress { .. })),
            module.fields.iter().filter(|field| field.trouble).cloned().collect::<Vec<_>>(),
        )
    });
    let called = Memo::new(move |_| module.with_value(|module| record.read().title(module)));
    let troubles = StoredValue::new(troubles);
    let trouble = Memo::new(move |_| {
        let record = record.read();
        troubles.with_value(|fields| {
            fields.iter().find_map(|field| Some(format!("{}: {}", field.label, record.text(&field.name)?)))
        })
    });
    let tone = move || {
        let status = record.read().status.clone();
        module.with_value(|module| module.status(&status).map_or("warn", |status| status.tone.as_str()))
    };
    view! {
        <Title text=called.get_untracked()/>
        <WhileAllowed live what="this record">
        <article
            class="page record"
            data-module=name.clone()
            data-id=id.clone()
            data-version=move || record.read().version.to_string()
            data-status=move || record.read().status.clone()
        >
            <p class="breadcrumb"><a href=path.clone()>{title.clone()}</a></p>
            <header class="record-head">
                <div>
                    <h1>{move || called.get()}</h1>
                    <CopyableId id=id.clone() whole=true/>
                </div>
                {amount.clone().map(|field| view! {
                    <p class="record-amount">{move || field_value(&field, &record.read())}</p>
                })}
            </header>
            <div class="record-state">
                {move || view! { <StatusBadge module status=record.read().status.clone()/> }}
                {progress.clone().map(|field| move || has_progress(&field, record))}
                <Freshness as_of/>
            </div>
            {move || trouble.get().map(|text| view! {
                <p class="alert" data-tone=tone()><Icon name=IconName::Alert/><span>{text}</span></p>
            })}
            <Moves state live/>
            <div class="columns">
                <div>
                    <section aria-labelledby="facts"><h2 id="facts">"Facts"</h2><Facts state/></section>
                    <Comments state/>
                </div>
                <section aria-labelledby="history">
                    <h2 id="history">"History"</h2>
                    <Timeline events=timeline module label="Events, newest first"/>
                    <Show when=move || has_older.get()>
                        <p class="timeline-rest"><a href=all_events.get_value()>"All of its events"</a></p>
                    </Show>
                </section>
            </div>
            <Checks id=id.clone() checks/>
            <Deliveries state asked=proven.clone() proofs/>
            <Notified asked=proven.clone() told/>
        </article>
        </WhileAllowed>
    }
}

/// The progress, where there is any: a dash would say nothing.
fn has_progress(
    field: &tidewatch_modules::Field,
    record: Memo<tidewatch_modules::Record>,
) -> Option<AnyView> {
    let record = record.read();
    let FieldKind::Progress { of, .. } = &field.kind else { return None };
    record.number(of).filter(|total| *total > 0)?;
    Some(field_value(field, &record))
}
