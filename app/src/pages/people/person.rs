//! One person.

use leptos::prelude::*;
use tidewatch_events::id::UserId;

use super::roles::RoleChoice;
use crate::components::change_form::{AskFirst, ChangeAction, ChangeButton, ChangeForm};
use crate::components::{CopyableId, RelativeTime};
use crate::model::{Organization, Person, Role};

/// A person with what they are, and the forms that change it.
#[component]
pub fn PersonItem(
    person: Person,
    me: UserId,
    roles: Memo<Vec<Role>>,
    organizations: Memo<Vec<Organization>>,
    may_manage: bool,
    action: ChangeAction,
) -> impl IntoView {
    let title_of = |name: &String| {
        roles.with_untracked(|roles| {
            roles
                .iter()
                .find(|role| role.name == *name)
                .map_or_else(|| name.clone(), |role| role.title.clone())
        })
    };
    let organization_names = organizations.with_untracked(|all| {
        let of_person = all.iter().filter(|organization| person.organizations.contains(&organization.id));
        of_person.map(|organization| organization.name.clone()).collect::<Vec<_>>().join(", ")
    });
    let is_me = person.id == me;
    let (id, disabled) = (person.id.to_string(), person.disabled.to_string());
    let shown = id.clone();
    let (name, email, joined_at) = (person.name.clone(), person.email.clone(), person.joined_at);
    let kept_out = person.disabled;
    let tags = person
        .roles
        .iter()
        .map(|name| view! { <span class="tag" data-role=name.clone()>{title_of(name)}</span> })
        .collect_view();
    view! {
        <li class="list-item" data-id=id data-disabled=disabled>
            <div class="list-main">
                <p class="list-title">
                    {name}
                    {is_me.then(|| view! { <span class="tag">"you"</span> })}
                    {kept_out.then(|| view! { <span class="tag" data-tone="bad">"kept out"</span> })}
                </p>
                <p class="list-detail">{email}</p>
                <CopyableId id=shown/>
            </div>
            <div class="list-side">
                <p class="tags">{tags}</p>
                <p class="list-detail">
                    {(!organization_names.is_empty()).then(|| format!("{organization_names} · "))}
                    "joined " <RelativeTime at=joined_at/>
                </p>
            </div>
            {may_manage.then(|| view! { <PersonForms person roles organizations action/> })}
        </li>
    }
}

#[component]
fn PersonForms(
    person: Person,
    roles: Memo<Vec<Role>>,
    organizations: Memo<Vec<Organization>>,
    action: ChangeAction,
) -> impl IntoView {
    let id = person.id.to_string();
    let (set, out, gone) = (id.clone(), id.clone(), id);
    let (label, disabled) = if person.disabled { ("Let in again", "false") } else { ("Keep out", "true") };
    view! {
        <details class="disclosure list-more">
            <summary class="button button-small">"Change…"</summary>
            <div class="panel">
                <ChangeForm action name="setPerson" class="form">
                    <input type="hidden" name="change[setPerson][id]" value=set/>
                    <RoleChoice name="change[setPerson][roles][]" roles chosen=person.roles/>
                    <OrganizationChoice name="change[setPerson][organizations][]" organizations chosen=person.organizations/>
                    <div><button class="button button-primary" disabled=move || action.pending().get()>"Save"</button></div>
                </ChangeForm>
                <div class="button-row">
                    <ChangeButton
                        action
                        name="setDisabled"
                        fields=vec![("id", out), ("disabled", disabled.to_owned())]
                        label=label
                    />
                    <AskFirst
                        label="Remove…"
                        what="Their pages close within seconds, their roles are gone, and only another invitation brings them back. What they did stays."
                        danger=true
                    >
                        <ChangeButton action name="removePerson" fields=vec![("id", gone)] danger=true label="Remove from the project"/>
                    </AskFirst>
                </div>
            </div>
        </details>
    }
}

/// Boxes to say to which organizations somebody belongs.
#[component]
pub fn OrganizationChoice(
    name: &'static str,
    organizations: Memo<Vec<Organization>>,
    #[prop(optional)] chosen: Vec<tidewatch_events::id::OrganizationId>,
) -> impl IntoView {
    let all = organizations.get_untracked();
    (!all.is_empty()).then(|| view! {
        <fieldset class="choices">
            <legend>"Organizations"</legend>
            {all
                .into_iter()
                .map(|organization| {
                    let checked = chosen.contains(&organization.id);
                    view! {
                        <label class="choice">
                            <input type="checkbox" name=name value=organization.id.to_string() checked=checked/>
                            <span>{organization.name}</span>
                        </label>
                    }
                })
                .collect_view()}
        </fieldset>
    })
}
