//! What can be said of a rule, checked: each error names the field by its JSON pointer.

use serde_json::Value;
use sqlx::PgConnection;
use tidewatch_app::model::{
    ConditionOperator, EscalationStep, NewNotificationRule, NotificationAudience, NotificationCondition,
    NotificationTemplate,
};
use tidewatch_events::ProjectId;
use tidewatch_events::filter::TypePattern;

use crate::access::roles::built_in;
use crate::db;
use crate::error::Error;
use crate::notifications::conditions::is_pointer;
use crate::notifications::template::{self, MAX_BODY, MAX_GROUP, MAX_LINK, MAX_TITLE};

/// Most characters of a name.
const MAX_NAME: usize = 100;
/// Most patterns of event types.
const MAX_TYPES: usize = 20;
/// Most conditions.
const MAX_CONDITIONS: usize = 20;
/// Most entries of an audience.
const MAX_AUDIENCE: usize = 50;
/// Most steps of an escalation.
const MAX_STEPS: usize = 10;
/// Longest wait for a step, in seconds.
const MAX_WAIT: u32 = 7 * 24 * 60 * 60;
/// Most characters of a pointer, or of a text that something is compared with.
const MAX_POINTER: usize = 200;

/// A rule as it is kept: without blanks around what people write.
///
/// # Errors
/// 422 that points at the first field that will not do.
pub async fn rule(
    connection: &mut PgConnection,
    project: ProjectId,
    rule: NewNotificationRule,
) -> Result<NewNotificationRule, Error> {
    let rule = NewNotificationRule {
        name: name(&rule.name)?,
        types: types(rule.types)?,
        template: template_of(&rule.template)?,
        ..rule
    };
    conditions(&rule.conditions)?;
    audience(connection, project, "audience", &rule.audience).await?;
    escalation(connection, project, &rule).await?;
    Ok(rule)
}

fn name(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Error::field("name", format!("must be 1 to {MAX_NAME} characters in one line")))
    }
}

fn types(patterns: Vec<String>) -> Result<Vec<String>, Error> {
    if !(1..=MAX_TYPES).contains(&patterns.len()) {
        return Err(Error::field("types", format!("must have 1 to {MAX_TYPES} entries")));
    }
    for (index, text) in patterns.iter().enumerate() {
        let field = format!("types/{index}");
        let pattern: TypePattern = text.parse().map_err(|error| Error::field(&field, error))?;
        let of_notifications = match &pattern {
            TypePattern::Any => false,
            TypePattern::Prefix(beginning) => beginning.starts_with("notification."),
            TypePattern::Exact(exact) => exact.as_str().starts_with("notification."),
        };
        if of_notifications {
            return Err(Error::field(&field, "must not be of notifications: each would make the next one"));
        }
    }
    let mut once: Vec<String> = Vec::new();
    for pattern in patterns {
        if !once.contains(&pattern) {
            once.push(pattern);
        }
    }
    Ok(once)
}

fn conditions(conditions: &[NotificationCondition]) -> Result<(), Error> {
    if conditions.len() > MAX_CONDITIONS {
        return Err(Error::field("conditions", format!("must have at most {MAX_CONDITIONS} entries")));
    }
    for (index, condition) in conditions.iter().enumerate() {
        pointer(&format!("conditions/{index}/pointer"), &condition.pointer)?;
        if let Some(wrong) = wrong_value(condition) {
            return Err(Error::field(&format!("conditions/{index}/value"), wrong));
        }
    }
    Ok(())
}

/// What is wrong with what a condition compares with.
fn wrong_value(condition: &NotificationCondition) -> Option<String> {
    let is_long = |text: &str| text.chars().count() > MAX_POINTER || text.contains('\0');
    match (condition.operator, &condition.value) {
        (ConditionOperator::Exists, Value::Null) => None,
        (ConditionOperator::Exists, _) => Some("must be left out: `exists` compares with nothing".to_owned()),
        (ConditionOperator::GreaterThan | ConditionOperator::LessThan, Value::Number(_)) => None,
        (ConditionOperator::GreaterThan | ConditionOperator::LessThan, _) => {
            Some("must be a number".to_owned())
        }
        (_, Value::String(text)) if is_long(text) => {
            Some(format!("must be at most {MAX_POINTER} characters, none of them NUL"))
        }
        (ConditionOperator::Contains, Value::String(text)) if !text.is_empty() => None,
        (ConditionOperator::Contains, _) => Some("must be a text that is not empty".to_owned()),
        (ConditionOperator::Equals | ConditionOperator::NotEquals, Value::Array(_) | Value::Object(_)) => {
            Some("must be a text, a number, true, false or null".to_owned())
        }
        (ConditionOperator::Equals | ConditionOperator::NotEquals, _) => None,
    }
}

fn pointer(field: &str, text: &str) -> Result<(), Error> {
    if text.starts_with('/')
        && is_pointer(text)
        && text.chars().count() <= MAX_POINTER
        && !text.contains('\0')
    {
        Ok(())
    } else {
        Err(Error::field(
            field,
            format!("must be a JSON pointer such as /toStatus, of at most {MAX_POINTER} characters"),
        ))
    }
}

async fn audience(
    connection: &mut PgConnection,
    project: ProjectId,
    field: &str,
    audience: &[NotificationAudience],
) -> Result<(), Error> {
    if !(1..=MAX_AUDIENCE).contains(&audience.len()) {
        return Err(Error::field(field, format!("must have 1 to {MAX_AUDIENCE} entries")));
    }
    for (index, one) in audience.iter().enumerate() {
        let field = format!("{field}/{index}");
        match one {
            NotificationAudience::Role { name } => {
                if !role_exists(connection, project, name).await? {
                    return Err(Error::field(&format!("{field}/name"), format!("`{name}` is no role here")));
                }
            }
            NotificationAudience::Organization { id } => {
                if !db::organizations::exists(connection, project, *id).await? {
                    let wrong = format!("{id} is no organization of this project");
                    return Err(Error::field(&format!("{field}/id"), wrong));
                }
            }
            NotificationAudience::User { id } => {
                if db::people::list(connection, project, Some(*id)).await?.is_empty() {
                    let wrong = format!("{id} is nobody in this project");
                    return Err(Error::field(&format!("{field}/id"), wrong));
                }
            }
            NotificationAudience::Payload { pointer: place } => pointer(&format!("{field}/pointer"), place)?,
            NotificationAudience::Event => {}
        }
    }
    Ok(())
}

/// Whether somebody can go by `role:` and this name.
async fn role_exists(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<bool, sqlx::Error> {
    if name == "staff" || built_in(name).is_some() {
        return Ok(true);
    }
    Ok(db::roles::list(connection, project).await?.iter().any(|role| role.name == name))
}

fn template_of(template: &NotificationTemplate) -> Result<NotificationTemplate, Error> {
    let trimmed = NotificationTemplate {
        title: template.title.trim().to_owned(),
        body: template.body.trim().to_owned(),
        link: template.link.trim().to_owned(),
        group: template.group.trim().to_owned(),
    };
    for (field, text, least, most) in [
        ("template/title", &trimmed.title, 1, MAX_TITLE),
        ("template/body", &trimmed.body, 0, MAX_BODY),
        ("template/link", &trimmed.link, 0, MAX_LINK),
        ("template/group", &trimmed.group, 0, MAX_GROUP),
    ] {
        let is_line = field == "template/body" || !text.chars().any(char::is_control);
        if !(least..=most).contains(&text.chars().count()) || !is_line || text.contains('\0') {
            return Err(Error::field(field, format!("must be {least} to {most} characters of text")));
        }
        if let Some(wrong) = template::check(text) {
            return Err(Error::field(field, wrong));
        }
    }
    if !trimmed.link.is_empty() && !template::is_link_template(&trimmed.link) {
        return Err(Error::field(
            "template/link",
            "must be a path of this dashboard such as /settlements/{{id}}, or an https address whose host stands in it",
        ));
    }
    Ok(trimmed)
}

async fn escalation(
    connection: &mut PgConnection,
    project: ProjectId,
    rule: &NewNotificationRule,
) -> Result<(), Error> {
    if !rule.must_acknowledge && !rule.escalation.is_empty() {
        return Err(Error::field("escalation", "needs mustAcknowledge: else nobody can stop it"));
    }
    if rule.escalation.len() > MAX_STEPS {
        return Err(Error::field("escalation", format!("must have at most {MAX_STEPS} steps")));
    }
    for (index, step) in rule.escalation.iter().enumerate() {
        let EscalationStep { after_seconds, audience: next } = step;
        if !(1..=MAX_WAIT).contains(after_seconds) {
            let field = format!("escalation/{index}/afterSeconds");
            return Err(Error::field(&field, format!("must be 1 to {MAX_WAIT}")));
        }
        audience(connection, project, &format!("escalation/{index}/audience"), next).await?;
    }
    Ok(())
}
