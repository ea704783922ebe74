//! Recording: the event's row, in the caller's own transaction.

use sqlx::PgConnection;
use tidewatch_events::event::MAX_PAYLOAD_BYTES;
use tidewatch_events::{EventId, NewEvent, Priority};
use time::OffsetDateTime;
use uuid::Uuid;

/// Why an event was not recorded. The caller's transaction cannot be committed after a
/// [`RecordError::Database`] or [`RecordError::VersionTaken`]; it must roll back.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another writer has recorded this version of the aggregate.
    #[error("version {version} of {aggregate_id} is recorded already")]
    VersionTaken {
        /// Whose version it is, where the database said so.
        aggregate_id: String,
        /// The version that is taken.
        version: i64,
    },
    /// The payload is larger than 256 KiB of JSON.
    #[error("the payload of {event_type} has {bytes} bytes; {MAX_PAYLOAD_BYTES} are allowed")]
    PayloadTooLarge {
        /// The event's type.
        event_type: String,
        /// Its payload's size in bytes.
        bytes: usize,
    },
    /// The payload or metadata holds the character NUL, which Postgres cannot store in JSON.
    #[error("the {part} of {event_type} holds the character NUL")]
    Nul {
        /// The event's type.
        event_type: String,
        /// `payload`, `metadata` or `aggregate id`.
        part: &'static str,
    },
    /// The version is below 1, the aggregate's id is empty or longer than 200 characters, or the event goes
    /// out on a private channel without being addressed to it
    /// ([`tidewatch_events::Routing::on_channel`] does both).
    #[error("{0}")]
    Invalid(&'static str),
    /// Postgres refused or could not be reached.
    #[error(transparent)]
    Database(sqlx::Error),
}

/// Records one event in the caller's transaction, in one round trip.
///
/// Nothing is published when the transaction rolls back. Tell [`crate::Waker::wake`] after the
/// commit (or commit through [`crate::OutboxTransaction`], which does), else the event waits for
/// the relay's next poll.
///
/// # Errors
/// See [`RecordError`].
pub async fn record(connection: &mut PgConnection, event: NewEvent) -> Result<EventId, RecordError> {
    let events = std::slice::from_ref(&event);
    let columns = Columns::of(events)?;
    // The most common statement of all: without a function to unnest, Postgres plans it once.
    sqlx::query(
        "insert into domain_events
             (event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
              payload, metadata, permissions, audience, channels, high_priority)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9::text::jsonb,
                 $10::text::text[], $11::text::text[], $12::text::text[], $13)",
    )
    .bind(columns.event_ids[0])
    .bind(columns.project_ids[0])
    .bind(&columns.event_types[0])
    .bind(&columns.aggregate_types[0])
    .bind(&columns.aggregate_ids[0])
    .bind(columns.aggregate_versions[0])
    .bind(columns.occurred_at[0])
    .bind(&columns.payloads[0])
    .bind(&columns.metadata[0])
    .bind(&columns.permissions[0])
    .bind(&columns.audiences[0])
    .bind(&columns.channels[0])
    .bind(columns.high_priority[0])
    .execute(connection)
    .await
    .map_err(|error| map_error(error, events))?;
    Ok(EventId::from_uuid(columns.event_ids[0]))
}

/// Records many events in the order given, in one round trip. All or none: the statement is one.
///
/// # Errors
/// See [`RecordError`].
pub async fn record_all(
    connection: &mut PgConnection,
    events: &[NewEvent],
) -> Result<Vec<EventId>, RecordError> {
    let columns = Columns::of(events)?;
    // Arrays of arrays cannot be unnested by row, so lists travel as JSON.
    sqlx::query(
        "insert into domain_events
             (event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
              payload, metadata, permissions, audience, channels, high_priority)
         select event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
                payload::jsonb, metadata::jsonb, permissions::text[], audience::text[], channels::text[], high_priority
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[],
                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::boolean[])
              with ordinality as event (event_id, project_id, event_type, aggregate_type, aggregate_id,
                     aggregate_version, occurred_at, payload, metadata, permissions, audience, channels,
                     high_priority, place)
         order by place",
    )
    .bind(&columns.event_ids)
    .bind(&columns.project_ids)
    .bind(&columns.event_types)
    .bind(&columns.aggregate_types)
    .bind(&columns.aggregate_ids)
    .bind(&columns.aggregate_versions)
    .bind(&columns.occurred_at)
    .bind(&columns.payloads)
    .bind(&columns.metadata)
    .bind(&columns.permissions)
    .bind(&columns.audiences)
    .bind(&columns.channels)
    .bind(&columns.high_priority)
    .execute(connection)
    .await
    .map_err(|error| map_error(error, events))?;
    Ok(columns.event_ids.into_iter().map(EventId::from_uuid).collect())
}

fn map_error(error: sqlx::Error, events: &[NewEvent]) -> RecordError {
    let taken = error
        .as_database_error()
        .and_then(|database| database.constraint())
        // A partition names its copy of the constraint after itself.
        .is_some_and(|constraint| {
            constraint.contains("aggregate_type_aggregate") || constraint.contains("aggregate_version_key")
        });
    match (taken, events) {
        (true, [only]) => RecordError::VersionTaken {
            aggregate_id: only.aggregate_id.clone(),
            version: only.aggregate_version,
        },
        (true, many) => RecordError::VersionTaken {
            aggregate_id: format!("one of {} aggregates", many.len()),
            version: many.first().map_or(0, |event| event.aggregate_version),
        },
        (false, _) => RecordError::Database(error),
    }
}

/// The rows to insert, column by column.
#[derive(Default)]
struct Columns {
    event_ids: Vec<Uuid>,
    project_ids: Vec<Uuid>,
    event_types: Vec<String>,
    aggregate_types: Vec<String>,
    aggregate_ids: Vec<String>,
    aggregate_versions: Vec<i64>,
    occurred_at: Vec<OffsetDateTime>,
    payloads: Vec<String>,
    metadata: Vec<String>,
    permissions: Vec<String>,
    audiences: Vec<String>,
    channels: Vec<String>,
    high_priority: Vec<bool>,
}

impl Columns {
    fn of(events: &[NewEvent]) -> Result<Self, RecordError> {
        let now = OffsetDateTime::now_utc();
        let mut columns = Self::default();
        for event in events {
            columns.push(event, now)?;
        }
        Ok(columns)
    }

    fn push(&mut self, event: &NewEvent, now: OffsetDateTime) -> Result<(), RecordError> {
        let event_type = || event.event_type.to_string();
        if event.aggregate_version < 1 {
            return Err(RecordError::Invalid("the aggregate's version must be 1 or more"));
        }
        if !(1..=200).contains(&event.aggregate_id.chars().count()) {
            return Err(RecordError::Invalid("the aggregate's id must have 1 to 200 characters"));
        }
        if event.aggregate_id.contains('\0') {
            return Err(RecordError::Nul { event_type: event_type(), part: "aggregate id" });
        }
        if event.routing.unguarded_channel().is_some() {
            return Err(RecordError::Invalid(
                "an event on a private channel must be addressed to that channel",
            ));
        }
        let payload = event.payload.to_string();
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(RecordError::PayloadTooLarge { event_type: event_type(), bytes: payload.len() });
        }
        if holds_nul(&event.payload) {
            return Err(RecordError::Nul { event_type: event_type(), part: "payload" });
        }
        let metadata = serde_json::json!(event.metadata);
        if holds_nul(&metadata) {
            return Err(RecordError::Nul { event_type: event_type(), part: "metadata" });
        }
        self.event_ids.push(Uuid::now_v7());
        self.project_ids.push(event.routing.project_id.uuid());
        self.event_types.push(event_type());
        self.aggregate_types.push(event.aggregate_type.to_string());
        self.aggregate_ids.push(event.aggregate_id.clone());
        self.aggregate_versions.push(event.aggregate_version);
        self.occurred_at.push(event.occurred_at.map_or(now, |time| time.into_inner()));
        self.payloads.push(payload);
        self.metadata.push(metadata.to_string());
        self.permissions.push(array_literal(&event.routing.permissions));
        self.audiences.push(array_literal(&event.routing.audience));
        self.channels.push(array_literal(&event.routing.channels));
        self.high_priority.push(event.routing.priority == Priority::High);
        Ok(())
    }
}

/// Writes a Postgres array literal. None of the vocabulary's names holds a quote, backslash or
/// brace, so quoting each is enough.
fn array_literal<T: std::fmt::Display>(names: &std::collections::BTreeSet<T>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("{{{}}}", quoted.join(","))
}

fn holds_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
