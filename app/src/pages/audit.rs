//! Who changed what.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use serde_json::Value;

use crate::api::list_audit_entries;
use crate::components::error_state::encode;
use crate::components::{EmptyState, ErrorState, Json, Loading, ReadFreshness, RelativeTime, WhileAllowed};
use crate::contexts::project::use_project;
use crate::live::reduce::Polled;
use crate::live::{Anchor, use_live};
use crate::model::{AuditEntry, AuditPage as Entries, AuditQuery, Snapshot};

/// The fields of the filter: name in the address, label, example.
const FIELDS: [(&str, &str, &str); 5] = [
    ("actor", "Who", "ann@ or usr_…"),
    ("action", "What", "role.update or role."),
    ("target", "To what", "stl_… or a name"),
    ("from", "From (UTC)", "2026-01-31T00:00:00Z"),
    ("to", "Until (UTC)", "2026-02-01T00:00:00Z"),
];

/// The audit log, newest first.
#[component]
pub fn AuditPage() -> impl IntoView {
    let params = use_query_map();
    let project = use_project();
    let query = Memo::new(move |_| read_query(&params.read()));
    let page = Resource::new(
        move || query.get(),
        move |query| async move {
            match query {
                Ok(query) => {
                    list_audit_entries(project.slug(), query.clone()).await.map(|page| (query, page))
                }
                Err(error) => Err(error),
            }
        },
    );
    view! {
        <Title text="Audit log"/>
        <div class="page">
            <h1>"Audit log"</h1>
            <Filter/>
            <Transition fallback=|| view! { <Loading what="the audit log"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok((query, snapshot)) => Either::Left(view! { <EntryList query snapshot/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the audit log"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

fn read_query(params: &ParamsMap) -> Result<AuditQuery, crate::AppError> {
    let text =
        |name: &str| params.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let time = |name: &str| {
        let invalid = |_| crate::AppError::Invalid {
            field: name.to_owned(),
            message: format!("`{name}` must be a time such as 2026-01-31T00:00:00Z"),
        };
        text(name).map(|text| text.parse().map_err(invalid)).transpose()
    };
    Ok(AuditQuery {
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        from: time("from")?,
        to: time("to")?,
        after: text("after").and_then(|text| text.parse().ok()),
    })
}

/// The filter as a query, without the page.
fn filter_query(params: &ParamsMap) -> String {
    let said = FIELDS.iter().filter_map(|(name, ..)| {
        let value = params.get(name).filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", encode(&value)))
    });
    said.collect::<Vec<_>>().join("&")
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[component]
fn Filter() -> impl IntoView {
    let params = use_query_map();
    let project = use_project();
    let export = move || project.href(&with_query("/api/v1/audit/export", &filter_query(&params.read())));
    view! {
        <form method="get" action="/audit" class="form form-inline panel">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            {FIELDS
                .map(|(name, label, example)| view! {
                    <label class="field field-wide">
                        <span>{label}</span>
                        <input type="text" name=name value=move || params.read().get(name).unwrap_or_default() placeholder=example autocomplete="off"/>
                    </label>
                })
                .into_iter()
                .collect_view()}
            <button class="button">"Filter"</button>
            <a class="button" rel="external" href=export download="">"Export as CSV"</a>
        </form>
    }
}

#[component]
fn EntryList(query: AuditQuery, snapshot: Snapshot<Entries>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let params = use_query_map();
    let project = use_project();
    let live = use_live(state, anchor, move || list_audit_entries(project.slug(), query.clone()));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let entries = Memo::new(move |_| state.with(|state| state.data().entries.clone()));
    let is_empty = Memo::new(move |_| entries.read().is_empty());
    let older = Memo::new(move |_| {
        let next = state.with(|state| state.data().next)?;
        let query = params.with_untracked(filter_query);
        let joint = if query.is_empty() { String::new() } else { format!("{query}&") };
        Some(project.href(&format!("/audit?{joint}after={next}")))
    });
    view! {
        <WhileAllowed live what="the audit log">
        <p class="page-meta"><ReadFreshness as_of/></p>
        <Show when=move || is_empty.get()>
            <EmptyState title="Nothing was changed"><p>"Every change that a person or a key makes appears here."</p></EmptyState>
        </Show>
        <ol class="list audit" data-count=move || entries.read().len().to_string() hidden=move || is_empty.get()>
            <For each=move || entries.get() key=|entry: &AuditEntry| entry.id let:entry>
                <Entry entry/>
            </For>
        </ol>
        <nav class="pagination" aria-label="Pages">
            {move || older.get().map(|href| view! { <a class="button" href=href rel="next">"Older"</a> })}
        </nav>
        </WhileAllowed>
    }
}

#[component]
fn Entry(entry: AuditEntry) -> impl IntoView {
    let target = if entry.target_name.is_empty() { entry.target.clone() } else { entry.target_name.clone() };
    let (id, action) = (entry.id.to_string(), entry.action.clone());
    view! {
        <li data-id=id data-action=action>
            <details class="audit-entry">
                <summary>
                    <span class="audit-action">{entry.action}</span>
                    <span class="audit-target">{target}</span>
                    <span class="audit-actor">{if entry.actor_name.is_empty() { entry.actor.clone() } else { entry.actor_name }}</span>
                    <RelativeTime at=entry.at in_row=true/>
                </summary>
                <dl class="facts">
                    <div><dt>"Who"</dt><dd><code>{entry.actor}</code></dd></div>
                    <div><dt>"What"</dt><dd><code>{entry.target}</code></dd></div>
                    <div><dt>"Request"</dt><dd><code>{entry.request_id}</code></dd></div>
                </dl>
                <div class="columns">
                    <Side title="Before" value=entry.before/>
                    <Side title="After" value=entry.after/>
                </div>
            </details>
        </li>
    }
}

#[component]
fn Side(title: &'static str, value: Option<Value>) -> impl IntoView {
    view! {
        <section>
            <h2 class="side-title">{title}</h2>
            {match value {
                Some(value) => Either::Left(view! { <Json value/> }),
                None => Either::Right(view! { <p class="hint">"It was not there."</p> }),
            }}
        </section>
    }
}
