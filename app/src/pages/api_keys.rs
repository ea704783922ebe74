//! Keys for programs.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use tidewatch_events::id::ApiKeyId;

use crate::address::with_parameters;
use crate::api::{ChangeProject, list_api_keys};
use crate::components::change_form::{ChangeAction, ChangeAnswer, ChangeButton, ChangeForm};
use crate::components::error_state::encode;
use crate::components::{
    CopyableId, EmptyState, ErrorState, Icon, IconName, Loading, Pagination, ReadFreshness, RelativeTime,
    TextFilter, WhileAllowed,
};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{ApiKey, ApiKeyPage, ApiKeyQuery, Snapshot};

/// The scopes that are offered first; every permission is one as well.
const SCOPES: [(&str, &str); 6] = [
    ("events.read", "Read the stream and everything on it"),
    ("events.publish", "Publish events"),
    ("tokens.sign", "Sign tokens for private channels"),
    ("settlements.act", "Create settlements and move them on"),
    ("keys.manage", "Manage API keys"),
    ("*", "Everything"),
];

/// The project's API keys.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let keys = Resource::new(
        move || query.get(),
        move |query| async move { (query.clone(), list_api_keys(project.slug(), query).await) },
    );
    view! {
        <Title text="API keys"/>
        <div class="page">
            <h1>"API keys"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the API keys"/> }>
                {move || Suspend::new(async move {
                    match keys.await {
                        (query, Ok(snapshot)) => Either::Left(view! { <NewKey action/> <Keys query snapshot action/> }),
                        (_, Err(error)) => Either::Right(view! { <ErrorState error what="the API keys"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

fn read_query(params: &ParamsMap) -> ApiKeyQuery {
    let words = params.get("q").map(|words| words.trim().to_owned());
    ApiKeyQuery {
        q: words.filter(|words| !words.is_empty()),
        after: params.get("after").and_then(|after| after.parse().ok()),
    }
}

fn href(query: &ApiKeyQuery, after: Option<ApiKeyId>) -> String {
    let words = query.q.as_deref().map(encode);
    with_parameters("/api-keys", [("q", words), ("after", after.map(|after| after.to_string()))])
}

#[component]
fn NewKey(action: ChangeAction) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary class="button"><Icon name=IconName::Plus/>"New API key"</summary>
            <div class="panel">
                <ChangeForm action name="createApiKey" class="form">
                    <label class="field">
                        <span>"Name"</span>
                        <input type="text" name="change[createApiKey][name]" required=true maxlength="200" placeholder="Billing service" autocomplete="off"/>
                    </label>
                    <fieldset class="choices">
                        <legend>"Scopes"</legend>
                        {SCOPES
                            .map(|(scope, meaning)| view! {
                                <label class="choice">
                                    <input type="checkbox" name="change[createApiKey][scopes][]" value=scope/>
                                    <span><code>{scope}</code> " " {meaning}</span>
                                </label>
                            })
                            .into_iter()
                            .collect_view()}
                    </fieldset>
                    <label class="field">
                        <span>"Ends after"</span>
                        <select name="change[createApiKey][expiresInDays]">
                            <option value="90">"90 days"</option>
                            <option value="30">"30 days"</option>
                            <option value="365">"1 year"</option>
                            <option value="">"never"</option>
                        </select>
                    </label>
                    <div><button class="button button-primary" disabled=move || action.pending().get()>"Make the key"</button></div>
                </ChangeForm>
                <p class="hint">"The key is shown once. Only a digest of it is kept."</p>
            </div>
        </details>
    }
}

#[component]
fn Keys(query: ApiKeyQuery, snapshot: Snapshot<ApiKeyPage>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(state, anchor, move || list_api_keys(project.slug(), asked.clone()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let keys = Memo::new(move |_| state.with(|state| state.data().api_keys.clone()));
    let is_filtered = query.q.is_some();
    let newest = query.after.map(|_| project.href(&href(&query, None)));
    let query = StoredValue::new(query);
    let older = Memo::new(move |_| {
        let next = state.with(|state| state.data().next)?;
        Some(project.href(&query.with_value(|query| href(query, Some(next)))))
    });
    let is_empty = Memo::new(move |_| keys.read().is_empty());
    view! {
        <WhileAllowed live what="the API keys">
        <TextFilter path="/api-keys" placeholder="A name, a scope, who made it"/>
        <p class="page-meta"><ReadFreshness as_of/></p>
        <Show when=move || is_empty.get()>
            {move || if !is_filtered {
                view! { <EmptyState title="No API keys yet"><p>"A program signs in with one: " <code>"Authorization: Bearer tw_…"</code></p></EmptyState> }
            } else {
                view! { <EmptyState title="No key is like this"><p>"Look for a part of a name, of a scope or of who made it."</p></EmptyState> }
            }}
        </Show>
        <section class="card" aria-label="API keys" hidden=move || is_empty.get()>
            <ul class="list" data-count=move || keys.read().len().to_string()>
                // Whether it ends changes what can be done about it; when it was used last does not.
                <For each=move || keys.get() key=|key: &ApiKey| (key.id, key.expired, key.rotated_to) let:key>
                    <KeyItem key=key keys action/>
                </For>
            </ul>
        </section>
        <Pagination newest=newest.clone() older/>
        </WhileAllowed>
    }
}

/// A link to what is connected by a key, for those who may see that.
#[component]
fn ItsConnections(id: ApiKeyId) -> impl IntoView {
    let (user, project) = (use_current_user(), use_project());
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let may_see = user.await.is_ok_and(|user| user.may_manage("connections.manage"));
                may_see.then(|| view! {
                    <a class="button button-small" href=project.href(&format!("/connections?key={id}"))>"Its connections"</a>
                })
            })}
        </Transition>
    }
}

#[component]
fn KeyItem(key: ApiKey, keys: Memo<Vec<ApiKey>>, action: ChangeAction) -> impl IntoView {
    let id = key.id.to_string();
    let (shown, copied, deleted) = (id.clone(), id.clone(), id.clone());
    let state = match (key.expired, &key.rotated_to) {
        (true, _) => Some(("bad", "expired")),
        (false, Some(_)) => Some(("warn", "being replaced")),
        (false, None) => None,
    };
    let (which, first_used) = (key.id, key.last_used_at);
    let used = Memo::new(move |_| {
        let keys = keys.read();
        keys.iter().find(|key| key.id == which).map_or(first_used, |key| key.last_used_at)
    });
    let end = key.expires_at.map(|at| format!(" · ends {}", format::absolute(at)));
    let may_rotate = !key.expired && key.rotated_to.is_none();
    view! {
        <li class="list-item" data-id=shown>
            <div class="list-main">
                <p class="list-title">
                    {key.name}
                    {state.map(|(tone, text)| view! { <span class="tag" data-tone=tone>{text}</span> })}
                </p>
                <p class="list-detail"><code>{format!("tw_…{}", key.hint)}</code> " · by " {key.created_by}</p>
                <CopyableId id=copied/>
            </div>
            <div class="list-side">
                <p class="tags">{key.scopes.into_iter().map(|scope| view! { <span class="tag">{scope}</span> }).collect_view()}</p>
                <p class="list-detail">
                    {move || match used.get() {
                        Some(at) => Either::Left(view! { "used " <RelativeTime at/> }),
                        None => Either::Right("never used"),
                    }}
                    {end}
                </p>
            </div>
            <div class="button-row list-more">
                <ItsConnections id=key.id/>
                {may_rotate.then(|| view! {
                    <details class="disclosure">
                        <summary class="button button-small">"Rotate…"</summary>
                        <div class="panel">
                            <ChangeForm action name="rotateApiKey">
                                <input type="hidden" name="change[rotateApiKey][id]" value=id/>
                                <label class="field">
                                    <span>"The old key counts for"</span>
                                    <select name="change[rotateApiKey][overlapHours]">
                                        <option value="24">"24 hours more"</option>
                                        <option value="1">"1 hour more"</option>
                                        <option value="168">"7 days more"</option>
                                        <option value="0">"no longer"</option>
                                    </select>
                                </label>
                                <button class="button button-primary" disabled=move || action.pending().get()>"Make the new key"</button>
                            </ChangeForm>
                        </div>
                    </details>
                })}
                <details class="disclosure">
                    <summary class="button button-small button-danger">"Delete…"</summary>
                    <div class="panel">
                        <p>"Whatever uses it is cut off within seconds."</p>
                        <ChangeButton action name="deleteApiKey" fields=vec![("id", deleted)] danger=true label="Delete the key"/>
                    </div>
                </details>
            </div>
        </li>
    }
}
