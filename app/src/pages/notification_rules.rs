//! Rules: which events become notifications, for whom, and what these say.

mod draft;
mod form;
mod state;
pub mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use self::form::RuleForm;
use self::state::RuleState;
use crate::api::{ChangeProject, list_notification_rules};
use crate::components::change_form::{ChangeAction, ChangeAnswer};
use crate::components::{
    EmptyState, ErrorState, Icon, IconName, Loading, ReadFreshness, RelativeTime, WhileAllowed,
};
use crate::contexts::form_answer::{times_done, use_form_action};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{NotificationNotation, NotificationRule, Snapshot};

/// The project's rules.
#[component]
pub fn NotificationRulesPage() -> impl IntoView {
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let rules = Resource::new(|| (), move |()| list_notification_rules(project.slug()));
    view! {
        <Title text="Notification rules"/>
        <div class="page">
            <h1>"Notification rules"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the rules"/> }>
                {move || Suspend::new(async move {
                    match rules.await {
                        Ok(snapshot) => Either::Left(view! { <NewRule action/> <Rules snapshot action/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the rules"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

/// The form that makes one; it is empty again, and folded, once that is done.
#[component]
fn NewRule(action: ChangeAction) -> impl IntoView {
    let made = times_done(action);
    // New elements each time: those that are there keep what was entered.
    view! {
        <For each=move || [made.get()] key=|made| *made let:_made>
            <details class="disclosure">
                <summary class="button"><Icon name=IconName::Plus/>"New rule"</summary>
                <div class="panel"><RuleForm action notation=NotificationNotation::default()/></div>
            </details>
        </For>
    }
}

#[component]
fn Rules(snapshot: Snapshot<Vec<NotificationRule>>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || list_notification_rules(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let rules = Memo::new(move |_| state.with(|state| state.data().clone()));
    let is_empty = Memo::new(move |_| rules.with(Vec::is_empty));
    view! {
        <WhileAllowed live what="the rules">
            <p class="page-meta"><ReadFreshness as_of/></p>
            <Show when=move || is_empty.get()>
                <EmptyState title="No rules yet">
                    <p>"A rule tells people of what happens: of these events, if this holds, those people, with these words."</p>
                    <p>"Make the first one above; who it tells finds it in their inbox at once."</p>
                </EmptyState>
            </Show>
            <Show when=move || !is_empty.get()>
                <section class="card" aria-label="Rules">
                    <ul class="list" data-count=move || rules.with(Vec::len).to_string()>
                        <For each=move || rules.get() key=key_of let:rule>
                            <RuleItem rule/>
                        </For>
                    </ul>
                </section>
            </Show>
        </WhileAllowed>
    }
}

/// Whatever changes of one replaces that one alone.
fn key_of(rule: &NotificationRule) -> String {
    format!("{} {} {}", rule.id, rule.version, rule.sent)
}

#[component]
fn RuleItem(rule: NotificationRule) -> impl IntoView {
    let href = use_project().href(&format!("/notification-rules/{}", rule.id));
    let notation = NotificationNotation::from(&rule.rule);
    let conditions = match rule.rule.conditions.len() {
        0 => String::new(),
        1 => ", if one condition holds".to_owned(),
        many => format!(", if {many} conditions hold"),
    };
    view! {
        <li class="list-item" data-id=rule.id.to_string() data-enabled=rule.enabled.to_string()>
            <div class="list-main">
                <p class="list-title">
                    <a href=href>{rule.rule.name.clone()}</a>
                    {rule.rule.must_acknowledge.then(|| view! { <span class="tag">"to acknowledge"</span> })}
                </p>
                <p class="list-detail">{notation.types} {conditions}</p>
            </div>
            <div class="list-side">
                <p>"tells " {rule.tells.join(", ")}</p>
                <p class="list-detail">
                    {format!("{} sent · ", format::count(rule.sent))} "changed " <RelativeTime at=rule.updated_at/>
                </p>
            </div>
            <RuleState enabled=rule.enabled/>
        </li>
    }
}
