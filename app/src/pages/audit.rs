//! Who changed what.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use serde_json::Value;
use tidewatch_events::id::{AuditEntryId, RecordId};

use crate::address::with_parameters;
use crate::api::list_audit_entries;
use crate::components::error_state::encode;
use crate::components::time_input::read_time;
use crate::components::{
    CopyableId, EmptyState, ErrorState, Json, Loading, Pagination, ReadFreshness, RelativeTime, SavedViews,
    TimeInput, WhileAllowed,
};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::reduce::Polled;
use crate::live::{Anchor, use_live};
use crate::model::{AuditEntry, AuditPage as Entries, AuditQuery, Snapshot};

/// The texts of the filter: name in the address, label, example.
const TEXTS: [(&str, &str, &str); 3] = [
    ("actor", "Who", "ann@ or usr_…"),
    ("action", "What", "role.update or role."),
    ("target", "To what", "stl_… or a name"),
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
            {move || view! { <Filter query=query.get()/> }}
            <Transition fallback=|| view! { <Loading what="the audit log"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok((query, snapshot)) => Either::Left(view! {
                            <SavedViews path="/audit" query=asked(&query)/>
                            <EntryList query snapshot/>
                        }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the audit log"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

fn read_query(params: &ParamsMap) -> Result<AuditQuery, AppError> {
    let text =
        |name: &str| params.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let time = |name: &str| {
        let invalid = || AppError::Invalid {
            field: name.to_owned(),
            message: "must be a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z".to_owned(),
        };
        text(name).map(|text| read_time(&text).ok_or_else(invalid)).transpose()
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

/// What narrows the log and its page, as parameters of an address.
fn parameters(query: &AuditQuery) -> [(&'static str, Option<String>); 6] {
    [
        ("actor", query.actor.as_deref().map(encode)),
        ("action", query.action.as_deref().map(encode)),
        ("target", query.target.as_deref().map(encode)),
        ("from", query.from.map(|at| encode(&at.to_string()))),
        ("to", query.to.map(|at| encode(&at.to_string()))),
        ("after", query.after.map(|id| id.to_string())),
    ]
}

/// The page of the log behind this entry; the first one without.
fn href(query: &AuditQuery, after: Option<AuditEntryId>) -> String {
    with_parameters("/audit", parameters(&AuditQuery { after, ..query.clone() }))
}

/// What the address asks for, without the page.
fn asked(query: &AuditQuery) -> String {
    href(query, None).split_once('?').map(|(_, asked)| asked.to_owned()).unwrap_or_default()
}

/// All that is asked for, as a file.
fn export(query: &AuditQuery, kind: &str) -> String {
    let all = AuditQuery { after: None, ..query.clone() };
    let address = with_parameters("/api/v1/audit/export", parameters(&all));
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}export={kind}")
}

fn is_filtered(query: &AuditQuery) -> bool {
    AuditQuery { after: None, ..query.clone() } != AuditQuery::default()
}

#[component]
fn Filter(
    /// What the address asks for, or what it says wrongly.
    query: Result<AuditQuery, AppError>,
) -> impl IntoView {
    // Rendered anew with each address.
    let params = use_query_map();
    let project = use_project();
    let said = move |name: &str| params.read_untracked().get(name).unwrap_or_default();
    let is_narrowed = query.as_ref().map_or(true, is_filtered);
    let (asked, error) = match query {
        Ok(query) => (Some(query), None),
        Err(error) => (None, Some(error)),
    };
    let wrong = move |name: &str| match &error {
        Some(AppError::Invalid { field, message }) if field == name => Some((said(name), message.clone())),
        _ => None,
    };
    let (from, to) = asked
        .as_ref()
        .map_or_else(|| (read_time(&said("from")), read_time(&said("to"))), |asked| (asked.from, asked.to));
    view! {
        <form method="get" action="/audit" class="form form-inline panel" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            {TEXTS
                .map(|(name, label, example)| {
                    let is_first = (name == TEXTS[0].0).then_some("");
                    view! {
                        <label class="field field-wide">
                            <span>{label}</span>
                            <input type="text" name=name value=said(name) placeholder=example autocomplete="off" data-search=is_first/>
                        </label>
                    }
                })
                .into_iter()
                .collect_view()}
            <TimeInput name="from" label="From (UTC)" at=from wrong=wrong("from")/>
            <TimeInput name="to" label="Before (UTC)" at=to wrong=wrong("to")/>
            <button class="button">"Filter"</button>
            {is_narrowed.then(|| view! { <a class="button button-quiet" href=project.href("/audit")>"Show all"</a> })}
            {asked.map(|asked| view! {
                <a class="button" rel="external" href=project.href(&export(&asked, "csv")) download="">"Export as CSV"</a>
                <a class="button" rel="external" href=project.href(&export(&asked, "json")) download="">"Export as JSON"</a>
            })}
        </form>
    }
}

#[component]
fn EntryList(query: AuditQuery, snapshot: Snapshot<Entries>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(state, anchor, move || list_audit_entries(project.slug(), asked.clone()));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let entries = Memo::new(move |_| state.with(|state| state.data().entries.clone()));
    let is_empty = Memo::new(move |_| entries.read().is_empty());
    let is_filtered = is_filtered(&query);
    let newest = query.after.map(|_| project.href(&href(&query, None)));
    let query = StoredValue::new(query);
    let older = Memo::new(move |_| {
        let next = state.with(|state| state.data().next)?;
        Some(project.href(&query.with_value(|query| href(query, Some(next)))))
    });
    view! {
        <WhileAllowed live what="the audit log">
        <p class="page-meta"><ReadFreshness as_of/></p>
        <Show when=move || is_empty.get()>
            <Nothing is_filtered/>
        </Show>
        <ol class="list audit" data-count=move || entries.read().len().to_string() hidden=move || is_empty.get()>
            <For each=move || entries.get() key=|entry: &AuditEntry| entry.id let:entry>
                <Entry entry/>
            </For>
        </ol>
        <Pagination newest=newest.clone() older/>
        </WhileAllowed>
    }
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        Either::Left(view! {
            <EmptyState title="No change is like this">
                <p>"Look for a part of a name, for a whole id, or at other days. " <a href=use_project().href("/audit")>"Show all"</a></p>
            </EmptyState>
        })
    } else {
        Either::Right(view! {
            <EmptyState title="Nothing was changed"><p>"Every change that a person or a key makes appears here."</p></EmptyState>
        })
    }
}

#[component]
fn Entry(entry: AuditEntry) -> impl IntoView {
    let project = use_project();
    let name_or_id = |name: &str, id: &str| if name.is_empty() { id.to_owned() } else { name.to_owned() };
    let target = name_or_id(&entry.target_name, &entry.target);
    let actor = name_or_id(&entry.actor_name, &entry.actor);
    let (id, action) = (entry.id.to_string(), entry.action.clone());
    let key = id.clone();
    let alone = project.href(&format!("/api/v1/audit/{id}"));
    view! {
        <li data-id=key data-action=action>
            <details class="audit-entry">
                <summary>
                    <span class="audit-action">{entry.action}</span>
                    <span class="audit-target">{target.clone()}</span>
                    <span class="audit-actor">{actor.clone()}</span>
                    <RelativeTime at=entry.at in_row=true/>
                </summary>
                <dl class="facts">
                    <div><dt>"Who"</dt><dd><Named id=entry.actor name=actor/></dd></div>
                    <div><dt>"What"</dt><dd><Named id=entry.target name=target/></dd></div>
                    <div><dt>"Request"</dt><dd><CopyableId id=entry.request_id whole=true/></dd></div>
                    <div>
                        <dt>"Entry"</dt>
                        <dd><CopyableId id whole=true/> " " <a rel="external" href=alone>"As JSON"</a></dd>
                    </div>
                </dl>
                <div class="columns">
                    <Side title="Before" value=entry.before/>
                    <Side title="After" value=entry.after/>
                </div>
            </details>
        </li>
    }
}

/// Who or what it was: by its name a link to its page, where its id is of something that has one.
#[component]
fn Named(id: String, name: String) -> impl IntoView {
    let project = use_project();
    let page = id_in(&id).map(|id| project.href(&format!("/records/{id}")));
    view! {
        {page.map(|href| view! { <a rel="external" href=href>{name}</a> " " })}
        <CopyableId id whole=true/>
    }
}

/// The id in an actor such as `user:usr_…`, or in a target that is one.
fn id_in(text: &str) -> Option<RecordId> {
    text.rsplit(':').next().and_then(|id| id.parse().ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn params(said: &[(&'static str, &str)]) -> ParamsMap {
        let mut params = ParamsMap::new();
        for (name, value) in said {
            params.insert(*name, (*value).to_owned());
        }
        params
    }

    #[test]
    fn reads_back_what_it_wrote_and_exports_the_same() {
        let asked = params(&[("actor", "ann@"), ("from", "2026-11-20"), ("to", ""), ("project", "quay")]);
        let query = read_query(&asked).expect("a query");
        assert_eq!(href(&query, None), "/audit?actor=ann%40&from=2026-11-20T00%3A00%3A00.000Z");
        assert_eq!(
            export(&query, "json"),
            "/api/v1/audit/export?actor=ann%40&from=2026-11-20T00%3A00%3A00.000Z&export=json"
        );
        assert_eq!(export(&AuditQuery::default(), "csv"), "/api/v1/audit/export?export=csv");
        assert!(is_filtered(&query) && !is_filtered(&AuditQuery::default()));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let wrong = read_query(&params(&[("to", "yesterday")]));
        assert!(matches!(wrong, Err(AppError::Invalid { field, .. }) if field == "to"));
    }

    #[test]
    fn finds_the_id_of_who_and_what() {
        let id = "usr_01h455vb4pex5vsknk084sn02q";
        assert_eq!(id_in(&format!("user:{id}")).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(id_in(id).map(|id| id.to_string()).as_deref(), Some(id));
        for other in ["system:relay", "operator", ""] {
            assert_eq!(id_in(other), None, "{other}");
        }
    }
}
