//! Roles: what they allow, and how far.

use leptos::either::Either;
use leptos::prelude::*;

use crate::components::change_form::{AskFirst, ChangeAction, ChangeButton, ChangeForm};
use crate::components::{Icon, IconName};
use crate::format;
use crate::model::Role;

/// Every role of the project, and the forms for its own.
#[component]
pub fn Roles(
    roles: Memo<Vec<Role>>,
    /// What a role can allow.
    permissions: StoredValue<Vec<String>>,
    may_manage: bool,
    action: ChangeAction,
) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="roles">
            <h2 id="roles">"Roles"</h2>
            {may_manage.then(|| view! {
                <details class="disclosure">
                    <summary class="button"><Icon name=IconName::Plus/>"New role"</summary>
                    <div class="panel"><RoleForm permissions action/></div>
                </details>
            })}
            <ul class="list">
                <For each=move || roles.get() key=Role::clone let:role>
                    <RoleItem role permissions may_manage action/>
                </For>
            </ul>
        </section>
    }
}

#[component]
fn RoleItem(
    role: Role,
    permissions: StoredValue<Vec<String>>,
    may_manage: bool,
    action: ChangeAction,
) -> impl IntoView {
    let reach = if role.project_wide { "whole project" } else { "own only" };
    let allowed = match role.permissions.as_slice() {
        [all] if all == "*" => "every permission".to_owned(),
        named => format!("{} permissions", named.len()),
    };
    let list = role.permissions.join(", ");
    let members = match role.members {
        1 => "1 person".to_owned(),
        n => format!("{} people", format::count(n)),
    };
    let (key, title, built_in) = (role.name.clone(), role.title.clone(), role.built_in);
    let description = if built_in { role.description.clone() } else { format!("role:{}", role.name) };
    let is_own = !role.built_in && may_manage;
    view! {
        <li class="list-item" data-role=key>
            <div class="list-main">
                <p class="list-title">{title} <span class="tag">{reach}</span></p>
                <p class="list-detail">{description}</p>
            </div>
            <div class="list-side">
                <p>{members}</p>
                <details class="list-detail"><summary>{allowed}</summary><p class="permission-list">{list}</p></details>
            </div>
            {if is_own {
                let name = role.name.clone();
                let delete = role.members == 0;
                Either::Left(view! {
                    <details class="disclosure list-more">
                        <summary class="button button-small">"Change…"</summary>
                        <div class="panel">
                            <RoleForm permissions action role/>
                            <div class="button-row">
                                {if delete {
                                    Either::Left(view! {
                                        <AskFirst
                                            label="Delete…"
                                            what="Nobody has it. Rules that name it reach nobody by it any more."
                                            danger=true
                                        >
                                            <ChangeButton action name="deleteRole" fields=vec![("name", name)] danger=true label="Delete the role"/>
                                        </AskFirst>
                                    })
                                } else {
                                    Either::Right(view! { <p class="hint">"Somebody has this role, so it cannot be deleted."</p> })
                                }}
                            </div>
                        </div>
                    </details>
                })
            } else {
                Either::Right(())
            }}
        </li>
    }
}

#[component]
fn RoleForm(
    permissions: StoredValue<Vec<String>>,
    action: ChangeAction,
    #[prop(optional)] role: Option<Role>,
) -> impl IntoView {
    let is_new = role.is_none();
    let (name, title, held, own_only) = role.map_or_else(
        || (String::new(), String::new(), Vec::new(), false),
        |role| (role.name, role.title, role.permissions, !role.project_wide),
    );
    view! {
        <ChangeForm action name="saveRole" class="form">
            {if is_new {
                Either::Left(view! {
                    <label class="field">
                        <span>"Name, as events are addressed to it"</span>
                        <input type="text" name="change[saveRole][name]" required=true pattern="[a-z][a-z0-9_]{0,62}" placeholder="night_shift" autocomplete="off"/>
                    </label>
                })
            } else {
                Either::Right(view! { <input type="hidden" name="change[saveRole][name]" value=name/> })
            }}
            <label class="field">
                <span>"Title, as people read it"</span>
                <input type="text" name="change[saveRole][title]" required=true maxlength="200" value=title placeholder="Night shift" autocomplete="off"/>
            </label>
            <fieldset class="choices">
                <legend>"Permissions"</legend>
                {permissions
                    .get_value()
                    .into_iter()
                    .map(|name| {
                        let checked = held.contains(&name);
                        view! {
                            <label class="choice">
                                <input type="checkbox" name="change[saveRole][permissions][]" value=name.clone() checked=checked/>
                                <span>{name}</span>
                            </label>
                        }
                    })
                    .collect_view()}
            </fieldset>
            <label class="choice">
                <input type="checkbox" name="change[saveRole][ownOnly]" value="true" checked=own_only/>
                <span>"Reaches only what is addressed to the person or to their organizations"</span>
            </label>
            <div><button class="button button-primary" disabled=move || action.pending().get()>"Save the role"</button></div>
        </ChangeForm>
    }
}

/// Boxes to say which roles somebody has.
#[component]
pub fn RoleChoice(
    name: &'static str,
    roles: Memo<Vec<Role>>,
    #[prop(optional)] chosen: Vec<String>,
) -> impl IntoView {
    view! {
        <fieldset class="choices">
            <legend>"Roles"</legend>
            {roles
                .get_untracked()
                .into_iter()
                .map(|role| {
                    let checked = chosen.contains(&role.name);
                    view! {
                        <label class="choice" title=role.description>
                            <input type="checkbox" name=name value=role.name checked=checked/>
                            <span>{role.title}</span>
                        </label>
                    }
                })
                .collect_view()}
        </fieldset>
    }
}
