//! A row of the published log, and the event that it holds.

use serde_json::Value;
use sqlx::FromRow;
use tidewatch_events::{
    AggregateType, Envelope, Event, EventId, EventType, Metadata, Permission, Position, Priority, ProjectId,
    Routing, Timestamp,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns that [`EventRow`] reads, for use in a `select`.
macro_rules! event_columns {
    () => {
        "event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at, \
         position, payload, metadata, permissions, audience, channels, high_priority"
    };
}
pub(crate) use event_columns;

/// A published row as the database has it.
#[derive(FromRow)]
pub(crate) struct EventRow {
    event_id: Uuid,
    project_id: Uuid,
    event_type: String,
    aggregate_type: String,
    aggregate_id: String,
    aggregate_version: i64,
    occurred_at: OffsetDateTime,
    position: i64,
    payload: Value,
    metadata: Value,
    permissions: Vec<String>,
    audience: Vec<String>,
    channels: Vec<String>,
    high_priority: bool,
}

/// What stands in for a row that another program wrote and that cannot be read.
const UNREADABLE: EventType = EventType::from_static("system.unreadable");

impl EventRow {
    /// The event. A row that cannot be read (only another program can have written one) is set
    /// aside: its place is kept, so that the stream has no hole, its content is not shown, and
    /// only those who hold every permission are told of it.
    pub(crate) fn into_event(self) -> Event {
        match self.decode() {
            Ok(event) => event,
            Err(reason) => self.unreadable(reason),
        }
    }

    fn position(&self) -> Position {
        u64::try_from(self.position).ok().and_then(Position::new).unwrap_or(Position::START)
    }

    fn decode(&self) -> Result<Event, &'static str> {
        fn all<T: std::str::FromStr + Ord>(names: &[String]) -> Option<std::collections::BTreeSet<T>> {
            names.iter().map(|name| name.parse().ok()).collect()
        }
        let envelope = Envelope {
            event_id: EventId::from_uuid(self.event_id),
            event_type: self.event_type.parse().map_err(|_| "event_type")?,
            aggregate_type: self.aggregate_type.parse().map_err(|_| "aggregate_type")?,
            aggregate_id: self.aggregate_id.clone(),
            aggregate_version: self.aggregate_version,
            occurred_at: Timestamp::from(self.occurred_at),
            position: self.position(),
            payload: self.payload.clone(),
            metadata: serde_json::from_value(self.metadata.clone()).map_err(|_| "metadata")?,
        };
        let routing = Routing {
            project_id: ProjectId::from_uuid(self.project_id),
            permissions: all(&self.permissions).ok_or("permissions")?,
            audience: all(&self.audience).ok_or("audience")?,
            channels: all(&self.channels).ok_or("channels")?,
            priority: if self.high_priority { Priority::High } else { Priority::Normal },
        };
        Ok(Event { envelope, routing })
    }

    fn unreadable(&self, column: &'static str) -> Event {
        tracing::error!(
            event.id = %EventId::from_uuid(self.event_id), event.position = self.position, column,
            "an event's row cannot be read and is set aside"
        );
        let mut routing = Routing::in_project(ProjectId::from_uuid(self.project_id));
        routing.permissions = Permission::BUILT_IN.iter().cloned().collect();
        Event {
            envelope: Envelope {
                event_id: EventId::from_uuid(self.event_id),
                event_type: UNREADABLE,
                aggregate_type: AggregateType::LOG,
                aggregate_id: EventId::from_uuid(self.event_id).to_string(),
                aggregate_version: 1,
                occurred_at: Timestamp::from(self.occurred_at),
                position: self.position(),
                payload: serde_json::json!({ "column": column }),
                metadata: Metadata::default(),
            },
            routing,
        }
    }
}
