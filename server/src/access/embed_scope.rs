//! What a token for a bell opens: its person's own notifications and the stream of what becomes of them.

use http::Method;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{EventFilter, Permission, PermissionSet, ProjectId, Subject, SubjectRef};

/// What a bell is about, and so all that its streams carry.
const TYPES: &str = "notification.";

/// Who the bearer of a token is to the one rule: the person by their own name alone, whatever their roles, with the
/// permission to see what becomes of their own notifications.
#[must_use]
pub fn subject_of_embed(project: ProjectId, user: UserId) -> Subject {
    Subject {
        project_id: project,
        identities: [SubjectRef::User(user)].into(),
        permissions: PermissionSet::from_iter([Permission::EVENTS_READ, Permission::NOTIFICATIONS_READ]),
    }
}

/// Whether one who signs may have tokens signed: alive, of this project and not of one of its customers, and allowed
/// to sign.
#[must_use]
pub fn may_sign(signer: &Subject, project: ProjectId) -> bool {
    signer.project_id == project
        && signer.permissions.contains(&Permission::TOKENS_SIGN)
        && signer.identities.contains(&SubjectRef::staff())
}

/// Whether a token opens this: the bearer's own notifications, and the stream. All else is closed to it, also where
/// nothing but a person is asked for.
#[must_use]
pub fn opens(method: &Method, path: &str) -> bool {
    const STREAMS: [&str; 3] = ["/api/v1/events", "/api/v1/events/stream", "/api/events"];
    let read = matches!(*method, Method::GET | Method::HEAD);
    if STREAMS.contains(&path) {
        return read;
    }
    let Some(rest) = path.strip_prefix("/api/v1/notifications") else { return false };
    let parts: Vec<&str> = rest.split('/').collect();
    match (parts.as_slice(), read) {
        ([""] | ["", "count"], true) => true,
        (["", id], true) => is_receipt(id),
        (["", "steps" | "read"], false) => *method == Method::POST,
        (["", id, _], false) => *method == Method::POST && is_receipt(id),
        _ => false,
    }
}

fn is_receipt(segment: &str) -> bool {
    segment.parse::<NotificationId>().is_ok()
}

/// The same filter for a bell's stream: of notifications alone. `None`: it asks for something else.
#[must_use]
pub fn narrowed(filter: EventFilter) -> Option<EventFilter> {
    let is_own = |pattern: &TypePattern| match pattern {
        TypePattern::Any => false,
        TypePattern::Prefix(beginning) => beginning.starts_with(TYPES),
        TypePattern::Exact(event_type) => event_type.as_str().starts_with(TYPES),
    };
    if !filter.channels.is_empty() || !filter.types.iter().all(is_own) {
        return None;
    }
    let types = match filter.types.is_empty() {
        true => vec![TypePattern::Prefix(TYPES.to_owned())],
        false => filter.types,
    };
    Some(EventFilter { types, ..filter })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn opens_one_s_own_notifications_and_the_stream_alone() {
        let id = NotificationId::from_uuid(Uuid::from_u128(4));
        let own = format!("/api/v1/notifications/{id}");
        for path in ["/api/v1/notifications", "/api/v1/notifications/count", "/api/v1/events/stream", &own] {
            assert!(opens(&Method::GET, path), "{path}");
            assert!(!opens(&Method::DELETE, path) && !opens(&Method::PUT, path), "{path}");
            assert!(!opens(&Method::POST, path), "{path}");
        }
        for path in [
            "/api/v1/notifications/steps",
            "/api/v1/notifications/read",
            &format!("{own}/acknowledge"),
            &format!("{own}/read"),
        ] {
            assert!(opens(&Method::POST, path), "{path}");
            assert!(!opens(&Method::GET, path), "{path}");
        }
        for path in [
            "/api/v1/notifications/settings",
            "/api/v1/notifications/embed-tokens",
            "/api/v1/notifications/push-subscriptions",
            "/api/v1/notifications/push-key",
            "/api/v1/notifications/",
            "/api/v1/notifications//read",
            "/api/v1/notification-rules",
            "/api/v1/notifications-of-others",
            "/api/v1/events/evt_x",
            "/api/v1/events/search",
            "/api/v1/sessions",
            "/",
            "",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert!(!opens(&method, path), "{method} {path}");
            }
        }
    }

    #[test]
    fn a_bell_s_stream_is_of_notifications_alone() {
        let asks = |types: &str| EventFilter {
            types: EventFilter::parse_types(types).expect("types"),
            ..EventFilter::default()
        };
        let all = narrowed(EventFilter::default()).expect("narrowed");
        assert_eq!(all, asks("notification.*"));
        for types in ["notification.*", "notification.sent", "notification.sent,notification.read"] {
            assert_eq!(narrowed(asks(types)), Some(asks(types)));
        }
        for types in ["*", "settlement.*", "notification.sent,user.updated", "notifications.*"] {
            assert_eq!(narrowed(asks(types)), None, "{types}");
        }
        let channels = EventFilter::parse_channels("a").expect("channels");
        assert_eq!(narrowed(EventFilter { channels, ..EventFilter::default() }), None);
    }
}
