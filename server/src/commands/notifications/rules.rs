//! Rules that turn events into notifications: made, changed, enabled, disabled and deleted.
//!
//! A rule lends those whom it tells the permissions that its writer held, to see the event by; to whom the event is
//! addressed holds for them as for everybody. Nobody lends what they do not hold: neither by a new rule, nor by what
//! another one sees.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{
    Changed, NewNotificationRule, NotificationNotation, NotificationRule, NotificationRulePatch,
};
use tidewatch_events::id::NotificationRuleId;
use tidewatch_events::{Permission, PermissionSet, Position, ProjectId};
use tidewatch_outbox::read_head;

use super::check;
use crate::access::Caller;
use crate::commands::Origin;
use crate::commands::audit::{Change, note};
use crate::commands::people::may_give;
use crate::db;
use crate::db::cursors::NOTIFICATIONS;
use crate::db::notifications::rules::{self, RuleChange};
use crate::domain::Modules;
use crate::error::Error;
use crate::http::problem::FieldProblem;
use crate::notifications::dispatcher::permissions_of;
use crate::queries::notifications::find_rule;
use crate::state::AppState;

/// Most rules of a project.
pub const MAX_RULES: i64 = 100;
/// Most permissions that a rule lends, as the table has it.
const MAX_LENT: usize = 100;

/// Makes a rule, which looks at what happens from now on.
///
/// # Errors
/// 403 without `notifications.manage`; 409 when there is one of this name, or there are too many; 422.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    new: NewNotificationRule,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let new = check::rule(&mut transaction, project, new).await?;
    if rules::count_alone(&mut transaction, project).await? >= MAX_RULES {
        return Err(Error::Refused(format!("there are {MAX_RULES} rules already, which is the most")));
    }
    let starts_after = join_stream(&mut transaction, project).await?;
    let permissions = lent(&mut transaction, &state.modules, caller).await?;
    let id = rules::insert(&mut transaction, project, &new, &permissions, starts_after, &caller.name).await;
    let id = id.map_err(|error| taken(error, &new.name))?;
    let after = find_rule(&mut transaction, project, id).await?;
    let change = change("notification_rule.create", &after, None, Some(&after));
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    state.notifications.alarm.changed.notify_one();
    Ok(Changed {
        id: id.to_string(),
        message: format!("{} tells of what happens from now on.", new.name),
        secret: None,
    })
}

/// Changes a rule. What it has made stays as it is; enabled again, it looks at what happens from then on.
///
/// # Errors
/// 403 without `notifications.manage`, or when the rule sees more than the caller may, unless it is only disabled; 404;
/// 409 when it is no longer at the version that the patch expects, or there is another one of this name; 422.
pub async fn update(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: NotificationRuleId,
    mut patch: NotificationRulePatch,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let expected = patch.expected_version.take();
    if patch == NotificationRulePatch::default() {
        return Err(Error::field("", "must say at least one of the fields of a rule, or enabled"));
    }
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let missing = || Error::NotFound(format!("notification rule {id}"));
    let row = rules::lock(&mut transaction, project, id).await?.ok_or_else(missing)?;
    let before = find_rule(&mut transaction, project, id).await?;
    expect_version(&before, expected)?;
    let held = row.permissions;
    let only_disables = patch == NotificationRulePatch { enabled: Some(false), ..Default::default() };
    if !only_disables {
        may_give(caller, &permissions_of(&held))?;
    }
    let enabled = patch.enabled.unwrap_or(before.enabled);
    let says_anew = patch != NotificationRulePatch { enabled: patch.enabled, ..Default::default() };
    let rule = patched(before.rule.clone(), patch);
    let rule = if says_anew { check::rule(&mut transaction, project, rule).await? } else { rule };
    let starts_after = match enabled && !before.enabled {
        true => Some(join_stream(&mut transaction, project).await?),
        false => None,
    };
    // Whoever says anew what it says has written it.
    let permissions = if says_anew { lent(&mut transaction, &state.modules, caller).await? } else { held };
    let updated_by = &caller.name;
    let written = RuleChange { rule: &rule, permissions: &permissions, enabled, starts_after, updated_by };
    rules::update(&mut transaction, project, id, &written).await.map_err(|error| taken(error, &rule.name))?;
    let after = find_rule(&mut transaction, project, id).await?;
    let (action, message) = match (before.enabled, after.enabled) {
        (false, true) => {
            ("notification_rule.enable", format!("{} tells again, of what happens from now on.", rule.name))
        }
        (true, false) => ("notification_rule.disable", format!("{} tells no longer.", rule.name)),
        _ => ("notification_rule.update", format!("{} is changed.", rule.name)),
    };
    note(&mut transaction, caller, origin, change(action, &after, Some(&before), Some(&after))).await?;
    transaction.commit().await?;
    state.notifications.alarm.changed.notify_one();
    Ok(Changed { id: id.to_string(), message, secret: None })
}

/// Goes on only where nobody has changed the rule since `expected`.
fn expect_version(rule: &NotificationRule, expected: Option<u64>) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != rule.version => Err(Error::ChangedMeanwhile {
            current: rule.version,
            message: format!(
                "{} changed this rule meanwhile: it is at version {}, and what was sent is for version {expected}. \
                 Nothing was saved.",
                rule.updated_by, rule.version
            ),
        }),
        _ => Ok(()),
    }
}

/// Enables or disables a rule; see [`update`].
///
/// # Errors
/// As those of [`update`].
pub async fn set_enabled(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: NotificationRuleId,
    enabled: bool,
) -> Result<Changed, Error> {
    let patch = NotificationRulePatch { enabled: Some(enabled), ..NotificationRulePatch::default() };
    update(state, caller, origin, id, patch).await
}

/// Makes a rule, or (with `id`) says anew what one says, as a form writes it that was filled with `expected_version`.
///
/// # Errors
/// As those of [`create`] and [`update`]; 422 that names the field of the form.
pub async fn save(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: Option<NotificationRuleId>,
    expected_version: Option<u64>,
    notation: &NotificationNotation,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let rule = notation.parse().map_err(|error| Error::field(error.field, error.message))?;
    let Some(id) = id else { return create(state, caller, origin, rule).await.map_err(of_form) };
    let patch = NotificationRulePatch {
        name: Some(rule.name),
        types: Some(rule.types),
        conditions: Some(rule.conditions),
        audience: Some(rule.audience),
        template: Some(rule.template),
        priority: Some(rule.priority),
        must_acknowledge: Some(rule.must_acknowledge),
        escalation: Some(rule.escalation),
        enabled: None,
        expected_version,
    };
    update(state, caller, origin, id, patch).await.map_err(of_form)
}

/// The same error, which names a field of the form in the place of what that is a part of.
fn of_form(error: Error) -> Error {
    let Error::Fields(fields) = error else { return error };
    let fields = fields.into_iter().map(|problem| {
        let name = problem.name().trim_start_matches("template/").split('/').next().unwrap_or_default();
        FieldProblem::new(name, &problem.detail)
    });
    Error::Fields(fields.collect())
}

/// Deletes a rule. What it has made stays, and is told to whoever is next while nobody acknowledges it.
///
/// # Errors
/// 403 without `notifications.manage`, 404.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: NotificationRuleId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = find_rule(&mut transaction, project, id).await?;
    rules::delete(&mut transaction, project, id).await?;
    let change = change("notification_rule.delete", &before, Some(&before), None);
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: format!("{} is deleted.", before.rule.name), secret: None })
}

/// What a rule lends that this caller writes: all that they can read, in modules of the installation's own as well, and
/// what they hold of the project's own permissions, as its roles or they themselves name them.
async fn lent(
    connection: &mut PgConnection,
    modules: &Modules,
    caller: &Caller,
) -> Result<Vec<String>, sqlx::Error> {
    let roles = db::roles::list(connection, caller.project()).await?;
    let of_roles = roles.iter().flat_map(|role| &role.permissions);
    let mut own: BTreeSet<Permission> = of_roles.flat_map(|name| name.parse::<Permission>()).collect();
    if let PermissionSet::Named(held) = &caller.subject.permissions {
        own.extend(held.iter().cloned());
    }
    let reading: Vec<Permission> = modules.reading().collect();
    own.retain(|permission| !Permission::BUILT_IN.contains(permission) && !reading.contains(permission));
    let held = reading.into_iter().chain(own).filter(|permission| caller.may(permission));
    Ok(held.take(MAX_LENT).map(|permission| permission.to_string()).collect())
}

fn patched(rule: NewNotificationRule, patch: NotificationRulePatch) -> NewNotificationRule {
    NewNotificationRule {
        name: patch.name.unwrap_or(rule.name),
        types: patch.types.unwrap_or(rule.types),
        conditions: patch.conditions.unwrap_or(rule.conditions),
        audience: patch.audience.unwrap_or(rule.audience),
        template: patch.template.unwrap_or(rule.template),
        priority: patch.priority.unwrap_or(rule.priority),
        must_acknowledge: patch.must_acknowledge.unwrap_or(rule.must_acknowledge),
        escalation: patch.escalation.unwrap_or(rule.escalation),
    }
}

/// The project's dispatcher goes on from here at the latest, and the rule that this transaction makes or enables looks
/// at what is published behind it.
async fn join_stream(connection: &mut PgConnection, project: ProjectId) -> Result<Position, sqlx::Error> {
    let head = read_head(connection, project).await?.last;
    NOTIFICATIONS.ensure(connection, project, head).await?;
    Ok(head)
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => {
            Error::Refused(format!("there is a rule called {name} already"))
        }
        _ => error.into(),
    }
}

fn change<'a>(
    action: &'a str,
    rule: &'a NotificationRule,
    before: Option<&NotificationRule>,
    after: Option<&NotificationRule>,
) -> Change<'a> {
    Change {
        action,
        target: rule.id.to_string(),
        target_name: &rule.rule.name,
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    }
}
