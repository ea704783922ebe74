//! The form that makes a rule, or says anew what one says.

use leptos::prelude::*;
use tidewatch_events::id::NotificationRuleId;

use crate::components::change_form::{ChangeAction, ChangeForm};
use crate::model::{NotificationNotation, NotificationPriority};

/// The name of a field of the rule.
fn name(field: &str) -> String {
    format!("change[saveNotificationRule][rule][{field}]")
}

/// A rule as text, field by field.
#[component]
pub(super) fn RuleForm(
    action: ChangeAction,
    /// Which one; none makes one.
    #[prop(optional)]
    id: Option<NotificationRuleId>,
    /// The version of it that this replaces.
    #[prop(optional)]
    version: Option<Signal<u64>>,
    /// What it says now.
    notation: NotificationNotation,
) -> impl IntoView {
    let save = if id.is_some() { "Save the rule" } else { "Make the rule" };
    let NotificationNotation {
        name: called, types, conditions, audience, must_acknowledge, escalation, ..
    } = notation.clone();
    view! {
        <ChangeForm action name="saveNotificationRule" class="form rule-form">
            {id.map(|id| view! { <input type="hidden" name="change[saveNotificationRule][id]" value=id.to_string()/> })}
            {version.map(|version| view! {
                <input type="hidden" name="change[saveNotificationRule][expectedVersion]" value=move || version.get().to_string()/>
            })}
            <label class="field">
                <span>"Name"</span>
                <input type="text" name=name("name") value=called required=true maxlength="100" autocomplete="off" placeholder="Failed settlements"/>
            </label>
            <fieldset class="rule-part">
                <legend>"When"</legend>
                <label class="field">
                    <span>"Event types, with commas between them"</span>
                    <input type="text" name=name("types") value=types required=true maxlength="2000" autocomplete="off" placeholder="settlement.failed, payment.*"/>
                </label>
                <label class="field">
                    <span>"Only if all of this holds, one condition a line (may stay empty)"</span>
                    <textarea name=name("conditions") rows="3" maxlength="10000" placeholder="/amountMinor > 100000" aria-describedby="help-conditions">{conditions}</textarea>
                </label>
                <Help id="help-conditions" title="How conditions are written">
                    <p>"Where in the event's payload, as a JSON pointer, an operator, and a value: JSON, or a bare word."</p>
                    <pre>"/toStatus = failed\n/network != base\n/amountMinor > 100000\n/reason contains gas\n/assigneeId exists"</pre>
                </Help>
            </fieldset>
            <fieldset class="rule-part">
                <legend>"Whom it tells"</legend>
                <label class="field">
                    <span>"People, with commas between them"</span>
                    <input type="text" name=name("audience") value=audience required=true maxlength="4000" autocomplete="off" placeholder="role:operator, payload:/assigneeId" aria-describedby="help-audience"/>
                </label>
                <Help id="help-audience" title="Who can be told">
                    <dl class="rule-help">
                        <div><dt><code>"role:operator"</code></dt><dd>"everybody of a role"</dd></div>
                        <div><dt><code>"org:org_…"</code></dt><dd>"everybody in an organization"</dd></div>
                        <div><dt><code>"user:usr_…"</code></dt><dd>"one person"</dd></div>
                        <div><dt><code>"payload:/assigneeId"</code></dt><dd>"whom the payload names there"</dd></div>
                        <div><dt><code>"event"</code></dt><dd>"those to whom the event is addressed"</dd></div>
                    </dl>
                    <p>"Nobody is told of what they may not see: an event that is addressed to somebody stays theirs."</p>
                </Help>
            </fieldset>
            <Message notation/>
            <fieldset class="rule-part">
                <legend>"Until somebody has done something about it"</legend>
                <label class="check">
                    <input type="checkbox" name=name("mustAcknowledge") value="true" checked=must_acknowledge/>
                    <span>"Somebody has to acknowledge it"</span>
                </label>
                <label class="field">
                    <span>"Who is told next while nobody does, one step a line (may stay empty)"</span>
                    <textarea name=name("escalation") rows="2" maxlength="10000" placeholder="15m role:admin" aria-describedby="help-escalation">{escalation}</textarea>
                </label>
                <Help id="help-escalation" title="How steps are written">
                    <p>"After how long, counted from the step before, and whom: 300 (seconds), 90s, 15m, 2h or 1d."</p>
                    <pre>"15m role:admin\n2h role:admin, user:usr_01h455vb4pex5vsknk084sn02q"</pre>
                </Help>
            </fieldset>
            <div><button class="button button-primary" disabled=move || action.pending().get()>{save}</button></div>
        </ChangeForm>
    }
}

/// What a notification says.
#[component]
fn Message(notation: NotificationNotation) -> impl IntoView {
    let NotificationNotation { title, body, link, group, priority, .. } = notation;
    let is_chosen = move |one: NotificationPriority| match priority.as_str() {
        "" => one == NotificationPriority::Normal,
        chosen => one.as_str() == chosen,
    };
    let option = move |one: NotificationPriority| {
        let text = match one {
            NotificationPriority::Low => "Low: it can wait",
            NotificationPriority::Normal => "Normal",
            NotificationPriority::High => "High: it is looked at first",
        };
        view! { <option value=one.as_str() selected=is_chosen(one)>{text}</option> }
    };
    view! {
        <fieldset class="rule-part">
            <legend>"What it says"</legend>
            <label class="field">
                <span>"Title"</span>
                <input type="text" name=name("title") value=title required=true maxlength="500" autocomplete="off" placeholder="{{/reference}} failed" aria-describedby="help-message"/>
            </label>
            <label class="field">
                <span>"Text (may stay empty)"</span>
                <textarea name=name("body") rows="2" maxlength="4000" placeholder="{{/error}}">{body}</textarea>
            </label>
            <div class="rule-row">
                <label class="field">
                    <span>"Where it leads (may stay empty)"</span>
                    <input type="text" name=name("link") value=link maxlength="1000" autocomplete="off" placeholder="/settlements/{{id}}"/>
                </label>
                <label class="field">
                    <span>"What belongs together (may stay empty)"</span>
                    <input type="text" name=name("group") value=group maxlength="500" autocomplete="off" placeholder="{{/reference}}"/>
                </label>
                <label class="field">
                    <span>"Priority"</span>
                    <select name=name("priority")>{NotificationPriority::ALL.into_iter().map(option).collect_view()}</select>
                </label>
            </div>
            <Help id="help-message" title="What can be filled in">
                <dl class="rule-help">
                    <div><dt><code>"{{/reference}}"</code></dt><dd>"what the payload has at this JSON pointer"</dd></div>
                    <div><dt><code>"{{type}}"</code></dt><dd>"the event's type"</dd></div>
                    <div><dt><code>"{{id}}"</code></dt><dd>"the id of what it happened to"</dd></div>
                    <div><dt><code>"{{time}}"</code></dt><dd>"when it happened"</dd></div>
                </dl>
                <p>"It leads to a page of this dashboard, such as /settlements/{{id}}, or to an https: address."</p>
            </Help>
        </fieldset>
    }
}

#[component]
fn Help(id: &'static str, title: &'static str, children: Children) -> impl IntoView {
    view! {
        <details class="rule-hint">
            <summary>{title}</summary>
            <div id=id>{children()}</div>
        </details>
    }
}
