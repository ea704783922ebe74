//! A notification's rule as text: what the form shows, and what it sends.

mod audience;
mod condition;
mod escalation;
mod word;

use serde::{Deserialize, Serialize};

use super::{NewNotificationRule, NotificationPriority, NotificationTemplate};

/// A rule as text, field by field as the form has them. It is read by [`NotificationNotation::parse`], which says of
/// which field something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotificationNotation {
    /// What it is called.
    pub name: String,
    /// Event types with commas between them: `settlement.failed, payment.*`.
    pub types: String,
    /// Conditions, one a line: `/toStatus = failed`, `/amountMinor > 100000`, `/reason contains gas`, `/note exists`,
    /// `/network != base`.
    pub conditions: String,
    /// Whom it tells, with commas between them: `role:operator, org:org_…, user:usr_…, payload:/assigneeId, event`.
    pub audience: String,
    /// What it says, in a line.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// Where to go on.
    pub link: String,
    /// What belongs together.
    pub group: String,
    /// `low`, `normal` or `high`; empty: normal.
    pub priority: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// Who is told next, one step a line: `300 role:admin`, `15m role:admin, user:usr_…`.
    pub escalation: String,
}

/// A field that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct NotationError {
    /// Which, as the form calls it.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl NotificationNotation {
    /// What the text says. Whether a rule may say it is not asked here.
    ///
    /// # Errors
    /// Conditions, audience, priority or escalation are not written as they have to be; of what is in lines, the first
    /// one that is wrong is named.
    pub fn parse(&self) -> Result<NewNotificationRule, NotationError> {
        let wrong = |field| move |message| NotationError { field, message };
        Ok(NewNotificationRule {
            name: self.name.trim().to_owned(),
            types: parse_types(&self.types),
            conditions: by_line(&self.conditions, condition::parse).map_err(wrong("conditions"))?,
            audience: audience::parse(&self.audience).map_err(wrong("audience"))?,
            template: NotificationTemplate {
                title: self.title.trim().to_owned(),
                body: without_returns(self.body.trim()),
                link: self.link.trim().to_owned(),
                group: self.group.trim().to_owned(),
            },
            priority: parse_priority(&self.priority).map_err(wrong("priority"))?,
            must_acknowledge: self.must_acknowledge,
            escalation: by_line(&self.escalation, escalation::parse).map_err(wrong("escalation"))?,
        })
    }
}

impl From<&NewNotificationRule> for NotificationNotation {
    fn from(rule: &NewNotificationRule) -> Self {
        let lines = |lines: Vec<String>| lines.join("\n");
        Self {
            name: rule.name.clone(),
            types: rule.types.join(", "),
            conditions: lines(rule.conditions.iter().map(condition::write).collect()),
            audience: audience::write(&rule.audience),
            title: rule.template.title.clone(),
            body: rule.template.body.clone(),
            link: rule.template.link.clone(),
            group: rule.template.group.clone(),
            priority: rule.priority.as_str().to_owned(),
            must_acknowledge: rule.must_acknowledge,
            escalation: lines(rule.escalation.iter().map(escalation::write).collect()),
        }
    }
}

fn parse_types(text: &str) -> Vec<String> {
    let types = text.split(|letter: char| letter == ',' || letter.is_whitespace());
    types.filter(|pattern| !pattern.is_empty()).map(ToOwned::to_owned).collect()
}

fn parse_priority(text: &str) -> Result<NotificationPriority, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(NotificationPriority::default());
    }
    let found = NotificationPriority::ALL.into_iter().find(|priority| priority.as_str() == text);
    found.ok_or_else(|| "must be low, normal or high".to_owned())
}

/// Reads each line that is not empty; what is wrong is said with its number.
fn by_line<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(index, line)| read(line).map_err(|error| format!("line {}: {error}", index + 1))).collect()
}

/// Forms send lines that end with CR LF.
fn without_returns(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests;
