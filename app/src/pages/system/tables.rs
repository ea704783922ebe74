//! The tables of the page.

use leptos::prelude::*;

use crate::components::{JobBadge, RelativeTime};
use crate::format;
use crate::model::{BrokerStatus, SystemStatus};

/// Who serves.
#[component]
pub(super) fn Instances(status: Memo<SystemStatus>) -> impl IntoView {
    let instances = Memo::new(move |_| status.read().instances.clone());
    let relay = Memo::new(move |_| status.read().stream.relay.clone());
    view! {
        <section class="with-table" aria-labelledby="instances">
            <h2 id="instances">"Instances"</h2>
            <div class="table-wrap">
                <table class="table" data-instances=move || instances.read().len().to_string()>
                    <thead><tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Heard of"</th>
                        <th scope="col">"Events come by"</th>
                        <th scope="col" class="numeric">"Connections"</th>
                    </tr></thead>
                    <tbody>
                        {move || instances.get().into_iter().map(|instance| view! {
                            <tr class="plain-row">
                                <th scope="row">{instance.name}</th>
                                <td data-label="Heard of"><RelativeTime at=instance.seen_at/></td>
                                <td data-label="Events come by">{way(instance.broker.as_ref())}</td>
                                <td class="numeric tabular" data-label="Connections">{format::count(instance.connections)}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
            <p class="page-meta">
                {move || format!("This page came from {}, version {}. ", status.read().instance, status.read().version)}
                {move || match relay.get() {
                    Some(leader) => view! { {leader.instance} " publishes, since " <RelativeTime at=leader.since/> "." }.into_any(),
                    None => view! { "Nobody publishes." }.into_any(),
                }}
            </p>
        </section>
    }
}

/// What waits, and what went wrong.
#[component]
pub(super) fn Jobs(status: Memo<SystemStatus>) -> impl IntoView {
    let jobs = Memo::new(move |_| status.read().jobs.clone());
    view! {
        <section class="with-table" aria-labelledby="jobs">
            <h2 id="jobs">"Jobs"</h2>
            <Show when=move || jobs.read().is_empty()><p class="hint">"There is no job."</p></Show>
            <Show when=move || !jobs.read().is_empty()>
                <div class="table-wrap">
                    <table class="table">
                        <thead><tr>
                            <th scope="col">"Queue"</th>
                            <th scope="col">"State"</th>
                            <th scope="col" class="numeric">"Jobs"</th>
                        </tr></thead>
                        <tbody>
                            {move || jobs.get().into_iter().map(|count| view! {
                                <tr class="plain-row">
                                    <th scope="row">{count.queue}</th>
                                    <td data-label="State"><JobBadge state=count.state/></td>
                                    <td class="numeric tabular" data-label="Jobs">
                                        {if count.more { "more than " } else { "" }} {format::count(count.jobs)}
                                    </td>
                                </tr>
                            }).collect_view()}
                        </tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

/// How much of the past is kept.
#[component]
pub(super) fn Partitions(status: Memo<SystemStatus>) -> impl IntoView {
    let partitions = Memo::new(move |_| status.read().partitions.clone());
    view! {
        <section class="with-table" aria-labelledby="partitions">
            <h2 id="partitions">"Events by day"</h2>
            <Show when=move || partitions.read().is_empty()><p class="hint">"None is kept, or none was counted yet."</p></Show>
            <div class="table-wrap">
                <table class="table">
                    <thead><tr>
                        <th scope="col">"Table"</th>
                        <th scope="col" class="numeric">"Events, about"</th>
                        <th scope="col" class="numeric">"Size"</th>
                    </tr></thead>
                    <tbody>
                        {move || partitions.get().into_iter().map(|partition| view! {
                            <tr class="plain-row">
                                <th scope="row"><code>{partition.name}</code></th>
                                <td class="numeric tabular" data-label="Events, about">{format::count(partition.events)}</td>
                                <td class="numeric tabular" data-label="Size">{format::bytes(partition.bytes)}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
        </section>
    }
}

/// How it is set.
#[component]
pub(super) fn Settings(status: Memo<SystemStatus>) -> impl IntoView {
    let settings = Memo::new(move |_| status.read().settings.clone());
    let database = Memo::new(move |_| {
        let database = &status.read().database;
        format!("PostgreSQL {}, schema {}.", database.version, database.schema_version)
    });
    view! {
        <section class="with-table" aria-labelledby="settings">
            <h2 id="settings">"Settings"</h2>
            <p class="page-meta">{move || database.get()}</p>
            <dl class="facts facts-wide">
                {move || settings.get().into_iter().map(|setting| view! {
                    <div><dt><code>{setting.name}</code></dt><dd class="tabular">{setting.value}</dd></div>
                }).collect_view()}
            </dl>
        </section>
    }
}

/// How events come to an instance.
fn way(broker: Option<&BrokerStatus>) -> String {
    let Some(BrokerStatus { name, heard }) = broker else { return "Postgres".to_owned() };
    let name = match name.as_str() {
        "redis" => "Redis",
        "nats" => "NATS",
        other => other,
    };
    if *heard { name.to_owned() } else { format!("Postgres, while {name} is not heard") }
}
