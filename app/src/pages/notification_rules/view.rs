//! One rule.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use tidewatch_events::id::NotificationRuleId;

use super::draft::{ChangedMeanwhile, Draft, follow};
use super::form::RuleForm;
use super::state::RuleState;
use crate::api::{ChangeProject, get_notification_rule};
use crate::components::change_form::{ChangeAction, ChangeAnswer, ChangeButton, use_deletion};
use crate::components::{CopyableId, ErrorState, Loading, ReadFreshness, RelativeTime, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{NotificationNotation, NotificationRule, Snapshot};
use crate::pages::GonePage;

/// Where all of them are.
const NOTIFICATION_RULES: &str = "/notification-rules";

/// A rule, what it has made, and what can be done.
#[component]
pub fn NotificationRulePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let project = use_project();
    let rule = Resource::new(
        move || id.get(),
        move |id| async move {
            let id: NotificationRuleId = id.parse().map_err(|_| AppError::NotFound)?;
            get_notification_rule(project.slug(), id).await
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading what="the rule"/> }>
            {move || Suspend::new(async move {
                match rule.await {
                    Ok(snapshot) => view! { <RuleView snapshot/> }.into_any(),
                    Err(AppError::NotFound) => view! {
                        <GonePage what="Notification rule" all="Notification rules" list=NOTIFICATION_RULES/>
                    }
                    .into_any(),
                    Err(error) => view! {
                        <Title text="Notification rule"/>
                        <div class="page"><h1>"Notification rule"</h1><ErrorState error what="the rule"/></div>
                    }
                    .into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn RuleView(snapshot: Snapshot<NotificationRule>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let first = snapshot.data.clone();
    let id = first.id;
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_notification_rule(project.slug(), id));
    let action = use_form_action::<ChangeProject>();
    refetch_after(action, live);
    let rule = Memo::new(move |_| state.with(|state| state.data().clone()));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    // What somebody writes is not taken from them by what somebody else saves.
    let notation = StoredValue::new(NotificationNotation::from(&first.rule));
    let draft = RwSignal::new(Draft::new(first.clone()));
    let (version, is_behind) = follow(rule, draft, action);
    view! {
        <Title text=first.rule.name.clone()/>
        <WhileAllowed live what="this rule">
        <article class="page rule" data-id=id.to_string() data-enabled=move || rule.read().enabled.to_string()>
            <p class="breadcrumb"><a href=project.href(NOTIFICATION_RULES)>"Notification rules"</a></p>
            <header>
                <h1>{move || rule.read().rule.name.clone()}</h1>
                <CopyableId id=id.to_string() whole=true/>
            </header>
            <div class="record-state">
                {move || view! { <RuleState enabled=rule.read().enabled/> }}
                <p class="page-meta"><ReadFreshness as_of/></p>
            </div>
            <ChangeAnswer action/>
            <Actions rule action/>
            <Facts rule/>
            <section class="card" aria-labelledby="edit">
                <h2 id="edit">"What it says"</h2>
                <ChangedMeanwhile rule draft is_behind/>
                <RuleForm action id=id version=Signal::from(version) notation=notation.get_value()/>
            </section>
        </article>
        </WhileAllowed>
    }
}

#[component]
fn Actions(rule: Memo<NotificationRule>, action: ChangeAction) -> impl IntoView {
    let id = rule.read_untracked().id.to_string();
    let deletion = use_deletion(NOTIFICATION_RULES);
    let fields = StoredValue::new(vec![("id", id)]);
    let enabled = Memo::new(move |_| rule.read().enabled);
    let switch = move || {
        let (label, wanted) = if enabled.get() { ("Disable", "false") } else { ("Enable", "true") };
        let mut fields = fields.get_value();
        fields.push(("enabled", wanted.to_owned()));
        view! { <ChangeButton action name="setNotificationRuleEnabled" fields label/> }
    };
    view! {
        <div class="button-row">
            {switch}
            <details class="disclosure">
                <summary class="button button-small button-danger">"Delete…"</summary>
                <div class="panel">
                    <p>"It tells nobody anything more. What it has told them stays in their inboxes."</p>
                    <ChangeButton action=deletion name="deleteNotificationRule" fields=fields.get_value() danger=true label="Delete the rule"/>
                </div>
            </details>
        </div>
    }
}

#[component]
fn Facts(rule: Memo<NotificationRule>) -> impl IntoView {
    let first = rule.get_untracked();
    view! {
        <dl class="facts">
            <div><dt>"Sent"</dt><dd class="tabular">{move || format::count(rule.read().sent)}</dd></div>
            <div><dt>"Changed"</dt><dd>{move || view! { <RelativeTime at=rule.read().updated_at/> " by " {rule.read().updated_by.clone()} }}</dd></div>
            <div><dt>"Made"</dt><dd><RelativeTime at=first.created_at/> " by " {first.created_by.clone()}</dd></div>
        </dl>
    }
}
