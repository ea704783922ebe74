//! Where a notification leads from outside.

use tidewatch_app::contexts::project::in_project;
use tidewatch_events::id::NotificationId;

/// Where a person's inbox is.
pub const INBOX: &str = "/notifications";

/// Where a notification leads from outside: to the page of the dashboard that notes that it is read and leads on to what
/// it is about; what must be acknowledged leads to its own page, where that is done.
#[must_use]
pub fn destination(id: NotificationId, must_acknowledge: bool, project_slug: &str) -> String {
    let page = if must_acknowledge { "" } else { "/open" };
    in_project(&format!("{INBOX}/{id}{page}"), project_slug)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn leads_to_the_page_that_notes_it() {
        let id = NotificationId::from_uuid(Uuid::from_u128(1));
        assert_eq!(destination(id, false, "quay"), format!("/notifications/{id}/open?project=quay"));
        assert_eq!(destination(id, true, "quay"), format!("/notifications/{id}?project=quay"));
    }
}
