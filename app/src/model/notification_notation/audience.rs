//! Whom a rule tells, as text: `role:operator, org:org_…, user:usr_…, payload:/assigneeId, event`.

use super::super::NotificationAudience;
use super::word;

/// Reads a list of those.
pub(super) fn parse(text: &str) -> Result<Vec<NotificationAudience>, String> {
    // A form's field of several lines is a list as well.
    let text = text.lines().map(|line| line.trim().trim_end_matches(',')).collect::<Vec<_>>().join(",");
    word::between_commas(&text).into_iter().map(parse_one).collect()
}

/// Writes what [`parse`] reads.
pub(super) fn write(audience: &[NotificationAudience]) -> String {
    audience.iter().map(write_one).collect::<Vec<_>>().join(", ")
}

fn parse_one(text: &str) -> Result<NotificationAudience, String> {
    if text == "event" {
        return Ok(NotificationAudience::Event);
    }
    let said = |text: &str| word::only(text.trim_start());
    match text.split_once(':') {
        Some(("role", name)) => Ok(NotificationAudience::Role { name: said(name)? }),
        Some(("payload", pointer)) => Ok(NotificationAudience::Payload { pointer: said(pointer)? }),
        Some(("org", id)) => {
            let id = said(id)?.parse().map_err(|error| format!("{text}: {error}"))?;
            Ok(NotificationAudience::Organization { id })
        }
        Some(("user", id)) => {
            let id = said(id)?.parse().map_err(|error| format!("{text}: {error}"))?;
            Ok(NotificationAudience::User { id })
        }
        _ => Err(format!(
            "{text:?} must be role:<name>, org:<org_…>, user:<usr_…>, payload:<pointer> or event"
        )),
    }
}

fn write_one(audience: &NotificationAudience) -> String {
    match audience {
        NotificationAudience::User { id } => format!("user:{id}"),
        NotificationAudience::Organization { id } => format!("org:{id}"),
        NotificationAudience::Role { name } => format!("role:{}", word::write(name)),
        NotificationAudience::Payload { pointer } => format!("payload:{}", word::write(pointer)),
        NotificationAudience::Event => "event".to_owned(),
    }
}
