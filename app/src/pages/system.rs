//! How Tidewatch itself does.

mod tables;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use self::tables::{Instances, Jobs, Partitions, Settings};
use crate::api::get_system;
use crate::components::{ErrorState, Icon, IconName, Loading, Number, ReadFreshness, WhileAllowed};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, use_live};
use crate::model::{Snapshot, SystemStatus};

/// What keeps events moving: instances, relay, jobs, Postgres.
#[component]
pub fn SystemPage() -> impl IntoView {
    let project = use_project();
    let page = Resource::new(|| (), move |()| get_system(project.slug()));
    view! {
        <Title text="System"/>
        <div class="page">
            <h1>"System"</h1>
            <Transition fallback=|| view! { <Loading what="the system"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(snapshot) => Either::Left(view! { <SystemView snapshot/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the system"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn SystemView(snapshot: Snapshot<SystemStatus>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_system(project.slug()));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let status = Memo::new(move |_| state.with(|state| state.data().clone()));
    let of = move |read: fn(&SystemStatus) -> String| Memo::new(move |_| status.with(read));
    let concerns = Memo::new(move |_| status.read().concerns.clone());
    view! {
        <WhileAllowed live what="the system">
            <div class="record-state"><Concerns concerns/><ReadFreshness as_of/></div>
            <dl class="numbers" aria-label="Now">
                <Number name="Last position" key="position" value=of(|status| format::count(status.stream.last_position.get()))/>
                <Number name="Oldest kept" key="oldest" value=of(|status| format::count(status.stream.oldest_position.get()))/>
                <Number name="Waiting to be published" key="waiting" value=of(waiting)/>
                <Number name="Outbox lag" key="lag" value=of(lag)/>
                <Number name="This instance is behind by" key="behind" value=of(behind)/>
                <Number name="Database" key="bytes" value=of(|status| format::bytes(status.database.bytes))/>
                <Number name="Postgres connections" key="connections" value=of(|status| format!("{} of {}", status.database.connections, status.database.max_connections))/>
                <Number name="Oldest transaction" key="transaction" value=of(transaction)/>
            </dl>
            <Instances status/>
            <Jobs status/>
            <Partitions status/>
            <Settings status/>
        </WhileAllowed>
    }
}

#[component]
fn Concerns(concerns: Memo<Vec<String>>) -> impl IntoView {
    view! {
        <div class="concerns" data-concerns=move || concerns.with(Vec::len).to_string()>
            {move || {
                let concerns = concerns.get();
                if concerns.is_empty() {
                    return Either::Left(view! {
                        <p class="alert" data-tone="good"><Icon name=IconName::CheckCircle/><span>"All is well: events are published as they are committed."</span></p>
                    });
                }
                Either::Right(concerns.into_iter().map(|concern| view! {
                    <p class="alert" data-tone="warn" role="alert"><Icon name=IconName::Alert/><span>{concern}</span></p>
                }).collect_view())
            }}
        </div>
    }
}

fn waiting(status: &SystemStatus) -> String {
    let more = if status.stream.more_waiting { "more than " } else { "" };
    format!("{more}{}", format::count(status.stream.waiting))
}

fn lag(status: &SystemStatus) -> String {
    status.stream.lag_ms.map_or_else(|| "none".to_owned(), format::span)
}

fn behind(status: &SystemStatus) -> String {
    match status.stream.last_position.since(status.stream.instance_position) {
        0 => "nothing".to_owned(),
        1 => "1 event".to_owned(),
        events => format!("{} events", format::count(events)),
    }
}

fn transaction(status: &SystemStatus) -> String {
    status.database.oldest_transaction_ms.map_or_else(|| "none open".to_owned(), format::span)
}
