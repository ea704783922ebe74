//! A transaction that wakes the relay when it commits.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tidewatch_events::{EventId, NewEvent};

use crate::record::{RecordError, record, record_all};
use crate::wake::Waker;

/// Begins transactions that may record events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    waker: Waker,
}

/// A transaction of the business: rows and events, all or none. Dropped, it rolls back.
#[derive(Debug)]
pub struct OutboxTransaction {
    transaction: Transaction<'static, Postgres>,
    waker: Waker,
    recorded: bool,
}

impl Outbox {
    /// An outbox over this pool that wakes by `waker`.
    #[must_use]
    pub const fn new(pool: PgPool, waker: Waker) -> Self {
        Self { pool, waker }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// No connection was to be had in the pool's time, or Postgres refused.
    pub async fn begin(&self) -> Result<OutboxTransaction, sqlx::Error> {
        let transaction = self.pool.begin().await?;
        Ok(OutboxTransaction { transaction, waker: self.waker.clone(), recorded: false })
    }
}

impl OutboxTransaction {
    /// Records one event; see [`record`].
    ///
    /// # Errors
    /// See [`RecordError`].
    pub async fn record(&mut self, event: NewEvent) -> Result<EventId, RecordError> {
        self.recorded = true;
        record(&mut self.transaction, event).await
    }

    /// Records many events in one round trip; see [`record_all`].
    ///
    /// # Errors
    /// See [`RecordError`].
    pub async fn record_all(&mut self, events: &[NewEvent]) -> Result<Vec<EventId>, RecordError> {
        self.recorded = true;
        record_all(&mut self.transaction, events).await
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
