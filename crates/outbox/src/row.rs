//! A row of the published log, and the event that it holds.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::Value;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use tidewatch_events::{
    AggregateType, Envelope, Event, EventId, EventType, Metadata, Permission, Position, Priority, ProjectId,
    Routing, Timestamp,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns that [`PublishedRow`] reads, for use in a `select`.
macro_rules! event_columns {
    () => {
        "event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at, \
         position, payload, metadata, permissions, audience, channels, high_priority"
    };
}
pub(crate) use event_columns;

/// The columns of `domain_events` that a [`PublishedRow`] is read from, for use in a `select`.
pub const EVENT_COLUMNS: &str = event_columns!();

/// A published row, read: the event that it holds, or what stands in for one that cannot be read.
///
/// Only another program can have written such a row. It is set aside: its place is kept, so that
/// the stream has no hole, its content is not shown, and only those who hold every permission are
/// told of it. It never becomes an error: one bad row would stop the stream for everyone.
pub struct PublishedRow(pub Event);

impl FromRow<'_, PgRow> for PublishedRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let place = Place::from_row(row)?;
        let read = match Content::from_row(row) {
            Ok(content) => content.decode(place),
            // A number that no `f64` holds, a null among permissions, nesting without end, …
            Err(sqlx::Error::ColumnDecode { index, .. }) => Err(index.trim_matches('"').to_owned()),
            Err(error) => return Err(error),
        };
        Ok(Self(read.unwrap_or_else(|column| place.unreadable(&column))))
    }
}

/// What stands in for a row that cannot be read.
const UNREADABLE: EventType = EventType::from_static("system.unreadable");

/// Which event it is and where it stands: columns that can always be read.
#[derive(Clone, Copy, FromRow)]
struct Place {
    event_id: Uuid,
    project_id: Uuid,
    occurred_at: OffsetDateTime,
    position: i64,
}

/// What the event says.
#[derive(FromRow)]
struct Content {
    event_type: String,
    aggregate_type: String,
    aggregate_id: String,
    aggregate_version: i64,
    payload: Value,
    metadata: Value,
    permissions: Vec<String>,
    audience: Vec<String>,
    channels: Vec<String>,
    high_priority: bool,
}

impl Place {
    fn position(self) -> Position {
        u64::try_from(self.position).ok().and_then(Position::new).unwrap_or(Position::START)
    }

    fn unreadable(self, column: &str) -> Event {
        let event_id = EventId::from_uuid(self.event_id);
        tracing::error!(
            event.id = %event_id, event.position = self.position, column,
            "an event's row cannot be read and is set aside"
        );
        let mut routing = Routing::in_project(ProjectId::from_uuid(self.project_id));
        routing.permissions = Permission::BUILT_IN.iter().cloned().collect();
        Event {
            envelope: Envelope {
                event_id,
                event_type: UNREADABLE,
                aggregate_type: AggregateType::LOG,
                aggregate_id: event_id.to_string(),
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

impl Content {
    /// The event, or the column that does not hold what it should.
    fn decode(self, place: Place) -> Result<Event, String> {
        fn all<T: FromStr + Ord>(names: &[String], column: &str) -> Result<BTreeSet<T>, String> {
            names.iter().map(|name| name.parse().map_err(|_| column.to_owned())).collect()
        }
        let envelope = Envelope {
            event_id: EventId::from_uuid(place.event_id),
            event_type: self.event_type.parse().map_err(|_| "event_type")?,
            aggregate_type: self.aggregate_type.parse().map_err(|_| "aggregate_type")?,
            aggregate_id: self.aggregate_id,
            aggregate_version: self.aggregate_version,
            occurred_at: Timestamp::from(place.occurred_at),
            position: place.position(),
            payload: self.payload,
            metadata: serde_json::from_value(self.metadata).map_err(|_| "metadata")?,
        };
        let routing = Routing {
            project_id: ProjectId::from_uuid(place.project_id),
            permissions: all(&self.permissions, "permissions")?,
            audience: all(&self.audience, "audience")?,
            channels: all(&self.channels, "channels")?,
            priority: if self.high_priority { Priority::High } else { Priority::Normal },
        };
        Ok(Event { envelope, routing })
    }
}
