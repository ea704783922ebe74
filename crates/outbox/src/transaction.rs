//! A transaction that wakes the relay when it commits.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::SystemTime;

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use tidewatch_events::{EventId, NewEvent, ProjectId};
use tracing::Instrument;

use crate::record::{RecordError, record, record_all};
use crate::trace::{Recording, Tracer, is_traced};
use crate::wake::Waker;

/// The statement by which a transaction says which project it is about. Row-level security shows it
/// the rows of that project alone, where the connection's role is subject to it. Sent together with
/// `begin`, it costs no round trip.
#[must_use]
pub fn set_project_statement(project: ProjectId) -> String {
    format!("set local tidewatch.project = '{}'", project.uuid())
}

/// Begins a transaction by this statement, and goes through with it also where whoever asks is dropped meanwhile.
///
/// sqlx 0.9 forgets a `begin` whose answer nobody waited for (`PgTransactionManager::begin` rolls back only what it has
/// counted already), and the connection goes back to its pool inside that transaction: whoever is given it next writes
/// what is never committed, or cannot write at all. Requests end that way whenever a client goes away.
///
/// # Errors
/// No connection was to be had in the pool's time, or Postgres refused.
pub async fn begin_whole(
    pool: &PgPool,
    statement: impl Into<String>,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let (pool, statement) = (pool.clone(), statement.into());
    // Only statements of ours come here; what varies in them is a UUID.
    let begun = async move { pool.begin_with(AssertSqlSafe(statement)).await };
    // Dropped, the task's answer rolls back by itself.
    tokio::spawn(begun.in_current_span()).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// Begins transactions that may record events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    waker: Waker,
    tracer: Option<Arc<dyn Tracer>>,
}

/// A transaction of the business: rows and events, all or none. Dropped, it rolls back.
#[derive(Debug)]
pub struct OutboxTransaction {
    transaction: Transaction<'static, Postgres>,
    waker: Waker,
    recorded: bool,
    trace: Option<Trace>,
}

/// How a transaction is traced.
#[derive(Debug)]
struct Trace {
    tracer: Arc<dyn Tracer>,
    began: SystemTime,
    /// As soon as it records something of a recorded trace.
    recording: Option<Box<dyn Recording>>,
}

impl Outbox {
    /// An outbox over this pool that wakes by `waker`.
    #[must_use]
    pub const fn new(pool: PgPool, waker: Waker) -> Self {
        Self { pool, waker, tracer: None }
    }

    /// The same, followed by this one.
    #[must_use]
    pub fn traced_by(mut self, tracer: Option<Arc<dyn Tracer>>) -> Self {
        self.tracer = tracer;
        self
    }

    /// Begins a transaction on behalf of a project: see [`set_project_statement`].
    ///
    /// # Errors
    /// No connection was to be had in the pool's time, or Postgres refused.
    pub async fn begin(&self, project: ProjectId) -> Result<OutboxTransaction, sqlx::Error> {
        let begin = format!("begin; {}", set_project_statement(project));
        let trace = self.tracer.as_ref().map(|tracer| Trace {
            tracer: Arc::clone(tracer),
            began: SystemTime::now(),
            recording: None,
        });
        let transaction = begin_whole(&self.pool, begin).await?;
        Ok(OutboxTransaction { transaction, waker: self.waker.clone(), recorded: false, trace })
    }
}

impl OutboxTransaction {
    /// Records one event; see [`record`].
    ///
    /// # Errors
    /// See [`RecordError`].
    pub async fn record(&mut self, mut event: NewEvent) -> Result<EventId, RecordError> {
        self.recorded = true;
        let Some(recording) = self.recording(std::slice::from_ref(&event)) else {
            return record(&mut self.transaction, event).await;
        };
        recording.recording(std::slice::from_mut(&mut event));
        let id = record(&mut self.transaction, event).await?;
        self.told(&[id]);
        Ok(id)
    }

    /// Records many events in one round trip; see [`record_all`].
    ///
    /// # Errors
    /// See [`RecordError`].
    pub async fn record_all(&mut self, events: &[NewEvent]) -> Result<Vec<EventId>, RecordError> {
        self.recorded = true;
        let Some(recording) = self.recording(events) else {
            return record_all(&mut self.transaction, events).await;
        };
        let mut events = events.to_vec();
        recording.recording(&mut events);
        let ids = record_all(&mut self.transaction, &events).await?;
        self.told(&ids);
        Ok(ids)
    }

    /// Who follows these events, where one of them is of a recorded trace.
    fn recording(&mut self, events: &[NewEvent]) -> Option<&mut Box<dyn Recording>> {
        let Trace { tracer, began, recording } = self.trace.as_mut()?;
        events.iter().any(is_traced).then(|| recording.get_or_insert_with(|| tracer.begin(*began)))
    }

    fn told(&mut self, ids: &[EventId]) {
        if let Some(recording) = self.trace.as_mut().and_then(|trace| trace.recording.as_mut()) {
            recording.recorded(ids);
        }
    }

    /// Commits, and wakes the relay when anything was recorded.
    ///
    /// # Errors
    /// Postgres could not be reached, or a deferred constraint was broken (a change without its
    /// event); then nothing was changed. A connection lost in the commit itself leaves it unknown.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await?;
        if self.recorded {
            self.waker.wake();
        }
        if let Some(recording) = self.trace.and_then(|trace| trace.recording) {
            recording.committed();
        }
        Ok(())
    }
}

impl Deref for OutboxTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for OutboxTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}
