//! Where one is signed in, and one's password.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::{ChangeProject, list_sessions};
use crate::components::change_form::{AskFirst, ChangeAction, ChangeAnswer, ChangeButton, ChangeForm};
use crate::components::{ErrorState, Icon, IconName, Loading, ReadFreshness, RelativeTime, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Session, Snapshot};

/// One's own logins.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let sessions = Resource::new(|| (), move |()| list_sessions(project.slug()));
    view! {
        <Title text="Your sessions"/>
        <div class="page">
            <h1>"Your sessions"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="your sessions"/> }>
                {move || Suspend::new(async move {
                    match sessions.await {
                        Ok(snapshot) => Either::Left(view! { <Sessions snapshot action/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="your sessions"/> }),
                    }
                })}
            </Transition>
            <Password/>
        </div>
    }
}

#[component]
fn Sessions(snapshot: Snapshot<Vec<Session>>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || list_sessions(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let sessions = Memo::new(move |_| state.with(|state| state.data().clone()));
    let has_others = Memo::new(move |_| sessions.read().iter().any(|session| !session.current));
    view! {
        <WhileAllowed live what="your sessions">
        <section class="card" aria-label="Sessions">
            <p class="page-meta"><ReadFreshness as_of/></p>
            <ul class="list" data-count=move || sessions.read().len().to_string()>
                <For each=move || sessions.get() key=Session::clone let:session>
                    <SessionItem session action/>
                </For>
            </ul>
            <Show when=move || has_others.get()>
                <AskFirst
                    label="End all others…"
                    what="Every other browser and API client of yours is signed out within seconds. This one stays."
                    danger=true
                >
                    <ChangeForm action name="endOtherSessions">
                        <input type="hidden" name="change" value="endOtherSessions"/>
                        <button class="button button-danger" disabled=move || action.pending().get()>"End all others"</button>
                    </ChangeForm>
                </AskFirst>
            </Show>
        </section>
        </WhileAllowed>
    }
}

#[component]
fn SessionItem(session: Session, action: ChangeAction) -> impl IntoView {
    let what = if session.api { "API client" } else { "Browser" };
    let client = if session.client.is_empty() { "unknown client".to_owned() } else { session.client };
    let from = (!session.address.is_empty()).then(|| format!(" from {}", session.address));
    view! {
        <li class="list-item" data-id=session.id.to_string() data-current=session.current.to_string()>
            <div class="list-main">
                <p class="list-title">
                    {what} {from}
                    {session.current.then(|| view! { <span class="tag" data-tone="good">"this one"</span> })}
                </p>
                <p class="list-detail">{client}</p>
            </div>
            <p class="list-side list-detail">
                "used " <RelativeTime at=session.last_seen_at/> {format!(" · since {}", format::absolute(session.created_at))}
            </p>
            {(!session.current).then(|| view! {
                <ChangeButton action name="endSession" fields=vec![("id", session.id.to_string())] label="End"/>
            })}
        </li>
    }
}

/// A plain form, which works without JavaScript.
#[component]
fn Password() -> impl IntoView {
    let query = use_query_map();
    let said = move || query.read().get("password");
    let project = use_project();
    view! {
        <section class="card" aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            {move || said().map(|said| {
                let (tone, text) = match said.as_str() {
                    "changed" => ("good", "Your password is changed. All other sessions have ended."),
                    "wrong" => ("bad", "That is not your present password."),
                    "short" => ("bad", "The new password must have 12 characters or more."),
                    "throttled" => ("bad", "Too many attempts. Wait a little, then try again."),
                    _ => ("bad", "The password was not changed."),
                };
                view! {
                    <p class="alert" data-tone=tone role="status">
                        <Icon name=if tone == "good" { IconName::CheckCircle } else { IconName::Alert }/><span>{text}</span>
                    </p>
                }
            })}
            <form method="post" action="/password" class="form form-narrow">
                <input type="hidden" name="next" value=project.href("/sessions")/>
                <label class="field">
                    <span>"Present password"</span>
                    <input type="password" name="current_password" autocomplete="current-password" required=true/>
                </label>
                <label class="field">
                    <span>"New password"</span>
                    <input type="password" name="new_password" autocomplete="new-password" required=true minlength="12"/>
                </label>
                <p class="hint">"12 characters or more. All other sessions end."</p>
                <div><button class="button">"Change the password"</button></div>
            </form>
        </section>
    }
}
