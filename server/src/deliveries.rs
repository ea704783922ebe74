//! Delivery proof: what was given to whom is written down, so that it can be told of any event.
//!
//! The hub knows it of every live subscription, a page knows it of itself; see [`tidewatch_hub::span`]. What
//! has ended is written within a second. What goes on is written every half minute, and every second while
//! somebody looks at the project's connections or deliveries: an instance that is killed takes the last half
//! minute of its proof along, and never an event.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{EventFilter, Position, ProjectId, Subject};
use tidewatch_hub::{Hub, Reader, Span};
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::db::deliveries::{self, SpanRow};
use crate::db::subscriptions::number;

/// Between two writings of everything that goes on.
const WRITE_ALL_EVERY: Duration = Duration::from_secs(30);
/// Most spans in one statement.
const AT_ONCE: usize = 1_000;
/// Most spans that wait for Postgres to come back; beyond them the oldest are given up, and it is said so.
const MOST_WAITING: usize = 200_000;
/// Between two looks for what tells of events that are kept no longer.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);

/// Writes down what was given to whom. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliveries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Hub,
    pool: PgPool,
    instance: String,
    /// Ended, and not written yet.
    ended: Mutex<Vec<SpanRow>>,
    going_on: Mutex<GoingOn>,
    /// One writer at a time: what goes on must not be written over what has ended since.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct GoingOn {
    /// How far each open span was written.
    written: HashMap<(ConnectionId, Position), Position>,
    all_written_at: Option<Instant>,
}

impl Deliveries {
    /// Of the hub of the instance of this name.
    #[must_use]
    pub fn new(instance: String, hub: Hub, pool: PgPool) -> Self {
        Self(Arc::new(Inner {
            hub,
            pool,
            instance,
            ended: Mutex::default(),
            going_on: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }))
    }

    /// A page of events was given: of the positions behind `after` up to `upto`, all that matches.
    pub fn gave_page(
        &self,
        reader: &Arc<Reader>,
        subject: &Subject,
        filter: &EventFilter,
        after: Position,
        upto: Position,
    ) {
        if upto <= after {
            return;
        }
        let span = Span {
            connection: ConnectionId::from_uuid(Uuid::now_v7()),
            reader: Arc::clone(reader),
            subject: Arc::new(subject.clone()),
            filter: Arc::new(filter.clone()),
            after,
            upto,
        };
        let row = self.row(&span);
        self.0.ended.lock().extend(row);
    }

    /// An acknowledgement of everything behind `after` up to `upto`, to be noted by
    /// [`deliveries::acknowledge`].
    #[must_use]
    pub fn acknowledgement(
        &self,
        actor: (String, String),
        subscription: &str,
        subject: &Subject,
        filter: &EventFilter,
        (after, upto): (i64, i64),
    ) -> Option<SpanRow> {
        Some(SpanRow {
            project_id: subject.project_id.uuid(),
            id: Uuid::now_v7(),
            kind: "acknowledged".to_owned(),
            after,
            upto,
            filter: serde_json::to_value(filter).ok()?,
            subject: serde_json::to_value(subject).ok()?,
            actor: actor.0,
            actor_name: actor.1,
            via: subscription.to_owned(),
            instance: self.0.instance.clone(),
            since: OffsetDateTime::now_utc(),
        })
    }

    fn row(&self, span: &Span) -> Option<SpanRow> {
        Some(SpanRow {
            project_id: span.subject.project_id.uuid(),
            id: span.connection.uuid(),
            kind: "given".to_owned(),
            after: number(span.after),
            upto: number(span.upto),
            // Our own types always are JSON.
            filter: serde_json::to_value(&*span.filter).ok()?,
            subject: serde_json::to_value(&*span.subject).ok()?,
            actor: span.reader.actor.to_string(),
            actor_name: span.reader.name.clone(),
            via: span.reader.transport.to_owned(),
            instance: self.0.instance.clone(),
            since: opened_at(span.connection),
        })
    }

    /// Writes what has ended, and of these projects what goes on; of all of them when it is time.
    ///
    /// # Errors
    /// Postgres refused or could not be reached; it is written next time.
    pub async fn write(&self, projects: &[Uuid]) -> Result<(), sqlx::Error> {
        let inner = &self.0;
        let _one = inner.writing.lock().await;
        // In this order: what ends in between is in both, and written once.
        let open = self.open(projects);
        let rows: Vec<SpanRow> =
            inner.hub.take_ended_spans().iter().filter_map(|span| self.row(span)).collect();
        // They stay here until they are written: a request that asks for this may be given up at any moment.
        let ended = {
            let mut ended = inner.ended.lock();
            ended.extend(rows);
            let beyond = ended.len().saturating_sub(MOST_WAITING);
            if beyond > 0 {
                tracing::error!(
                    spans = beyond,
                    "gave up proof of deliveries: Postgres was away for too long"
                );
                ended.drain(..beyond);
            }
            ended.clone()
        };
        self.write_rows(&ended).await?;
        inner.ended.lock().drain(..ended.len());
        let rows: Vec<SpanRow> = open.iter().filter_map(|span| self.row(span)).collect();
        self.write_rows(&rows).await?;
        let mut going_on = inner.going_on.lock();
        going_on.written.extend(open.iter().map(|span| ((span.connection, span.after), span.upto)));
        Ok(())
    }

    async fn write_rows(&self, rows: &[SpanRow]) -> Result<(), sqlx::Error> {
        for part in rows.chunks(AT_ONCE) {
            deliveries::write(&self.0.pool, part).await?;
        }
        Ok(())
    }

    /// What goes on and has grown since it was written.
    fn open(&self, projects: &[Uuid]) -> Vec<Span> {
        let inner = &self.0;
        let mut going_on = inner.going_on.lock();
        let all_of_them = going_on.all_written_at.is_none_or(|at| at.elapsed() >= WRITE_ALL_EVERY);
        let projects: Vec<ProjectId> = if all_of_them {
            inner.hub.projects()
        } else {
            projects.iter().copied().map(ProjectId::from_uuid).collect()
        };
        let spans: Vec<Span> =
            projects.into_iter().flat_map(|project| inner.hub.open_spans(project)).collect();
        if all_of_them {
            going_on.all_written_at = Some(Instant::now());
            let here: HashSet<_> = spans.iter().map(|span| (span.connection, span.after)).collect();
            going_on.written.retain(|key, _| here.contains(key));
        }
        let has_grown =
            |span: &Span| going_on.written.get(&(span.connection, span.after)) != Some(&span.upto);
        spans.into_iter().filter(has_grown).collect()
    }

    /// Deletes what tells of events that are kept no longer, until `shutdown`. Safe on several instances at once.
    pub async fn tidy(self, shutdown: CancellationToken) {
        loop {
            match deliveries::delete_expired(&self.0.pool).await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "deleted proof of deliveries past its retention"),
                Err(error) => tracing::warn!(%error, "cannot delete old proof of deliveries; will try again"),
            }
            tokio::select! {
                () = tokio::time::sleep(TIDY_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}

/// The id tells it (UUIDv7, RFC 9562, section 5.7).
fn opened_at(id: ConnectionId) -> OffsetDateTime {
    let (seconds, nanos) = id.uuid().get_timestamp().map(|time| time.to_unix()).unwrap_or_default();
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .map_or_else(OffsetDateTime::now_utc, |at| at + Duration::from_nanos(nanos.into()))
}

/// What a row says; `None`: it was written by a version that this one does not understand.
#[must_use]
pub fn span_of(row: &SpanRow) -> Option<Span> {
    let position = |number: i64| u64::try_from(number).ok().and_then(Position::new);
    Some(Span {
        connection: ConnectionId::from_uuid(row.id),
        reader: Arc::new(Reader {
            actor: row.actor.parse().ok()?,
            name: row.actor_name.clone(),
            transport: "",
        }),
        subject: Arc::new(serde_json::from_value(row.subject.clone()).ok()?),
        filter: Arc::new(serde_json::from_value(row.filter.clone()).ok()?),
        after: position(row.after)?,
        upto: position(row.upto)?,
    })
}
