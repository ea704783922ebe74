//! What went outside is noted, in one transaction with the word that its job is done: what nobody notes goes out once
//! more.

use sqlx::{PgConnection, PgPool};
use tidewatch_events::ProjectId;
use tidewatch_events::backoff::Backoff;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_jobs::{CompleteError, JobContext, JobError};
use tidewatch_outbox::begin_whole;
use uuid::Uuid;

use crate::db::notifications::outside;

/// What went out.
#[derive(Debug)]
pub enum WentOut {
    /// One notification by e-mail.
    Mail(NotificationId),
    /// A person's digest, which was of these receipts.
    Digest(UserId, Vec<Uuid>),
    /// One notification by Web Push.
    Push(NotificationId),
}

/// Notes what went out and completes its job. Where no connection is to be had, or Postgres refuses, it is tried again,
/// later each time: the other side has it, and the next attempt of the job would hand it over once more.
///
/// # Errors
/// The job is another worker's by now, or its handler's time is over.
pub async fn note(
    job: &JobContext,
    pool: &PgPool,
    project: ProjectId,
    what: &WentOut,
) -> Result<(), JobError> {
    let mut failures = 0;
    loop {
        let error = match try_note(job, pool, project, what).await {
            Err(CompleteError::Database(error)) => error,
            settled => return Ok(settled?),
        };
        failures += 1;
        tracing::warn!(%error, job = %job.id(), "cannot note what went out; will try again");
        tokio::time::sleep(Backoff::DEFAULT.delay(failures, rand::random())).await;
    }
}

async fn try_note(
    job: &JobContext,
    pool: &PgPool,
    project: ProjectId,
    what: &WentOut,
) -> Result<(), CompleteError> {
    let mut transaction = begin_whole(pool, "begin").await?;
    write(&mut transaction, project, what).await?;
    job.complete_in(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

async fn write(connection: &mut PgConnection, project: ProjectId, what: &WentOut) -> Result<(), sqlx::Error> {
    match what {
        WentOut::Mail(id) => outside::note_mailed(connection, project, &[id.uuid()]).await,
        WentOut::Digest(user, ids) => {
            outside::note_mailed(connection, project, ids).await?;
            outside::note_digest(connection, project, *user).await
        }
        WentOut::Push(id) => outside::note_pushed(connection, project, *id).await,
    }
}
