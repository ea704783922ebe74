//! Addresses of pages.

use tidewatch_events::EventId;
use tidewatch_events::id::{
    ApiKeyId, JobId, NotificationId, NotificationRuleId, OrganizationId, ProjectId, RecordId, UserId,
    WebhookId,
};

/// The path with those of the parameters that have a value. Values are escaped already.
#[must_use]
pub fn with_parameters<const N: usize>(path: &str, parameters: [(&str, Option<String>); N]) -> String {
    let said: Vec<String> =
        parameters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
}

/// The page of what has this id, where its prefix says by itself which page that is. People and keys have no page of their
/// own: theirs is the list that shows this one alone. Records are not among them: the server knows which modules there are.
#[must_use]
pub fn page_of_id(id: &RecordId) -> Option<String> {
    match id.prefix() {
        EventId::PREFIX => Some(format!("/events/{id}")),
        JobId::PREFIX => Some(format!("/jobs/{id}")),
        WebhookId::PREFIX => Some(format!("/webhooks/{id}")),
        NotificationId::PREFIX => Some(format!("/notifications/{id}")),
        NotificationRuleId::PREFIX => Some(format!("/notification-rules/{id}")),
        UserId::PREFIX => Some(format!("/people?q={id}")),
        ApiKeyId::PREFIX => Some(format!("/api-keys?q={id}")),
        OrganizationId::PREFIX | ProjectId::PREFIX => Some("/project".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_has_a_value() {
        let address = |a: Option<&str>, b: Option<&str>| {
            with_parameters("/jobs", [("a", a.map(str::to_owned)), ("b", b.map(str::to_owned))])
        };
        assert_eq!(address(None, None), "/jobs");
        assert_eq!(address(Some("1"), Some("2")), "/jobs?a=1&b=2");
        assert_eq!(address(None, Some("2")), "/jobs?b=2");
    }

    #[test]
    fn some_ids_name_their_page() {
        let page = |prefix: &str| {
            let id = format!("{prefix}_01h455vb4pex5vsknk084sn02q").parse().expect("an id");
            page_of_id(&id).map(|page| page.replace("_01h455vb4pex5vsknk084sn02q", "_…"))
        };
        assert_eq!(page("evt").as_deref(), Some("/events/evt_…"));
        assert_eq!(page("job").as_deref(), Some("/jobs/job_…"));
        assert_eq!(page("whk").as_deref(), Some("/webhooks/whk_…"));
        assert_eq!(page("ntf").as_deref(), Some("/notifications/ntf_…"));
        assert_eq!(page("ntr").as_deref(), Some("/notification-rules/ntr_…"));
        assert_eq!(page("usr").as_deref(), Some("/people?q=usr_…"));
        assert_eq!(page("key").as_deref(), Some("/api-keys?q=key_…"));
        assert_eq!(page("org").as_deref(), Some("/project"));
        assert_eq!(page("stl"), None);
    }
}
