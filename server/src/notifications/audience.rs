//! Audiences: whom a rule tells of an event, as names. Pure; who goes by them is asked of the database.

use std::collections::BTreeSet;

use serde_json::Value;
use tidewatch_app::model::{EscalationStep, NotificationAudience};
use tidewatch_events::{Event, SubjectRef};

/// Most names that a payload gives at one pointer.
const MOST_NAMED: usize = 100;

/// The names under which a rule's audience is told of this event.
#[must_use]
pub fn names(audience: &[NotificationAudience], event: &Event) -> BTreeSet<SubjectRef> {
    audience.iter().flat_map(|one| names_of(one, event)).collect()
}

/// An escalation with names in the place of what stands in the event: what is told later needs the event no more,
/// which is not kept as long.
#[must_use]
pub fn resolve(escalation: &[EscalationStep], event: &Event) -> Vec<EscalationStep> {
    let resolved = |step: &EscalationStep| EscalationStep {
        after_seconds: step.after_seconds,
        audience: names(&step.audience, event).into_iter().filter_map(named).collect(),
    };
    escalation.iter().map(resolved).collect()
}

/// The names of an audience that is resolved.
#[must_use]
pub fn resolved_names(audience: &[NotificationAudience]) -> BTreeSet<SubjectRef> {
    audience.iter().filter_map(static_name).collect()
}

fn names_of(one: &NotificationAudience, event: &Event) -> Vec<SubjectRef> {
    match one {
        NotificationAudience::Payload { pointer } => {
            event.envelope.payload.pointer(pointer).map(named_in).unwrap_or_default()
        }
        // A role in it would be most of the project: it says who may see the event, and not whom it concerns.
        NotificationAudience::Event => {
            let concerned =
                |name: &&SubjectRef| matches!(name, SubjectRef::User(_) | SubjectRef::Organization(_));
            event.routing.audience.iter().filter(concerned).cloned().collect()
        }
        other => static_name(other).into_iter().collect(),
    }
}

/// What a rule names by itself.
fn static_name(one: &NotificationAudience) -> Option<SubjectRef> {
    match one {
        NotificationAudience::Role { name } => Some(SubjectRef::Role(name.clone())),
        NotificationAudience::Organization { id } => Some(SubjectRef::Organization(*id)),
        NotificationAudience::User { id } => Some(SubjectRef::User(*id)),
        NotificationAudience::Payload { .. } | NotificationAudience::Event => None,
    }
}

fn named(name: SubjectRef) -> Option<NotificationAudience> {
    match name {
        SubjectRef::Role(name) => Some(NotificationAudience::Role { name }),
        SubjectRef::Organization(id) => Some(NotificationAudience::Organization { id }),
        SubjectRef::User(id) => Some(NotificationAudience::User { id }),
        // Nobody goes by it for good: it is whoever holds a token.
        SubjectRef::Channel(_) => None,
    }
}

/// Persons and organizations that a value of a payload names: `usr_…`, `user:usr_…`, `org_…`, `org:org_…`, or a list of
/// those.
fn named_in(value: &Value) -> Vec<SubjectRef> {
    match value {
        Value::String(text) => name_in(text).into_iter().collect(),
        Value::Array(list) => {
            list.iter().filter_map(Value::as_str).filter_map(name_in).take(MOST_NAMED).collect()
        }
        _ => Vec::new(),
    }
}

fn name_in(text: &str) -> Option<SubjectRef> {
    let bare = text.strip_prefix("user:").or_else(|| text.strip_prefix("org:")).unwrap_or(text);
    let user = bare.parse().map(SubjectRef::User);
    user.or_else(|_| bare.parse().map(SubjectRef::Organization)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::id::{OrganizationId, ProjectId, UserId};
    use tidewatch_events::{
        AggregateType, Envelope, EventId, EventType, Metadata, Position, Routing, Timestamp,
    };
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    fn organization(n: u128) -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(n))
    }

    fn event(payload: Value, audience: Vec<SubjectRef>) -> Event {
        Event {
            envelope: Envelope {
                event_id: EventId::from_uuid(Uuid::from_u128(1)),
                event_type: EventType::from_static("ticket.created"),
                aggregate_type: AggregateType::from_static("Ticket"),
                aggregate_id: "tkt_1".to_owned(),
                aggregate_version: 1,
                occurred_at: Timestamp::from_unix_millis(0).expect("a time"),
                position: Position::START,
                payload,
                metadata: Metadata::default(),
            },
            routing: Routing {
                audience: audience.into_iter().collect(),
                ..Routing::in_project(ProjectId::from_uuid(Uuid::from_u128(9)))
            },
        }
    }

    fn payload(pointer: &str) -> NotificationAudience {
        NotificationAudience::Payload { pointer: pointer.to_owned() }
    }

    #[test]
    fn a_payload_names_persons_and_organizations_and_nobody_else() {
        let payload_of = json!({
            "assigneeId": user(1), "owner": format!("org:{}", organization(2)), "role": "role:admin",
            "watchers": [user(3), "nobody", 7, organization(4), format!("user:{}", user(5))],
        });
        let event = event(payload_of, Vec::new());
        for (pointer, expected) in [
            ("/assigneeId", vec![SubjectRef::User(user(1))]),
            ("/owner", vec![SubjectRef::Organization(organization(2))]),
            (
                "/watchers",
                vec![
                    SubjectRef::User(user(3)),
                    SubjectRef::User(user(5)),
                    SubjectRef::Organization(organization(4)),
                ],
            ),
            ("/role", vec![]),
            ("/missing", vec![]),
        ] {
            assert_eq!(names(&[payload(pointer)], &event), expected.into_iter().collect(), "{pointer}");
        }
    }

    #[test]
    fn an_event_s_own_audience_is_whom_it_concerns_and_not_the_staff() {
        let audience =
            vec![SubjectRef::staff(), SubjectRef::User(user(1)), SubjectRef::Organization(organization(2))];
        let told = names(&[NotificationAudience::Event], &event(Value::Null, audience));
        assert_eq!(
            told,
            BTreeSet::from([SubjectRef::User(user(1)), SubjectRef::Organization(organization(2))])
        );
    }

    #[test]
    fn an_escalation_is_resolved_once() {
        let escalation = [EscalationStep {
            after_seconds: 60,
            audience: vec![
                payload("/assigneeId"),
                NotificationAudience::Event,
                NotificationAudience::Role { name: "admin".to_owned() },
            ],
        }];
        let event = event(
            json!({ "assigneeId": user(1) }),
            vec![SubjectRef::staff(), SubjectRef::Organization(organization(2))],
        );
        let resolved = resolve(&escalation, &event);
        assert_eq!(resolved[0].after_seconds, 60);
        assert_eq!(resolved_names(&resolved[0].audience), names(&escalation[0].audience, &event));
        assert_eq!(resolved[0].audience.len(), 3);
    }
}
