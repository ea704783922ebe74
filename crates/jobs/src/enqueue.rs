//! Enqueueing: the job's row, in the caller's own transaction.

use std::collections::HashSet;

use sqlx::PgConnection;
use tidewatch_events::event::MAX_PAYLOAD_BYTES;
use tidewatch_events::id::JobId;
use uuid::Uuid;

use crate::new_job::NewJob;
use crate::row::NewRow;

/// Why a job was not enqueued. The caller's transaction cannot be committed after an
/// [`EnqueueError::Database`]; it must roll back.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// The payload is larger than 256 KiB of JSON.
    #[error("the payload of {kind} has {bytes} bytes; {MAX_PAYLOAD_BYTES} are allowed")]
    PayloadTooLarge {
        /// The job's kind.
        kind: String,
        /// Its payload's size in bytes.
        bytes: usize,
    },
    /// The payload holds the character NUL, which Postgres cannot store in JSON.
    #[error("the payload of {kind} holds the character NUL")]
    Nul {
        /// The job's kind.
        kind: String,
    },
    /// A name, a key or the number of attempts is none.
    #[error("{0}")]
    Invalid(&'static str),
    /// Postgres refused or could not be reached.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What enqueueing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enqueued {
    /// The job is new.
    New(JobId),
    /// An unfinished job has the same unique key; this one was not enqueued.
    Existing(JobId),
}

impl Enqueued {
    /// The job that does the work.
    #[must_use]
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }

    /// Whether the job is new.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::New(_))
    }
}

/// Enqueues one job in the caller's transaction, in one round trip (two when its unique key is taken).
///
/// Nothing is done when the transaction rolls back. Tell [`crate::Waker::wake_workers`] after the commit,
/// else the job waits for the workers' next poll.
///
/// # Errors
/// See [`EnqueueError`].
pub async fn enqueue(connection: &mut PgConnection, job: NewJob) -> Result<Enqueued, EnqueueError> {
    let row = NewRow::of(&job)?;
    loop {
        if insert_one(connection, &row).await? {
            return Ok(Enqueued::New(row.job_id()));
        }
        // Between the two statements the other job may have finished: then the key is free again.
        if let Some((_, id)) = find_existing(connection, &[&row]).await?.first() {
            return Ok(Enqueued::Existing(*id));
        }
    }
}

/// Enqueues many jobs in one round trip (two when unique keys are taken), and says in their order what came
/// of each.
///
/// # Errors
/// See [`EnqueueError`].
pub async fn enqueue_all(
    connection: &mut PgConnection,
    jobs: &[NewJob],
) -> Result<Vec<Enqueued>, EnqueueError> {
    let rows = jobs.iter().map(NewRow::of).collect::<Result<Vec<_>, _>>()?;
    let mut enqueued: Vec<Option<Enqueued>> = vec![None; rows.len()];
    loop {
        let open: Vec<usize> = (0..rows.len()).filter(|place| enqueued[*place].is_none()).collect();
        if open.is_empty() {
            return Ok(enqueued.into_iter().flatten().collect());
        }
        let new = insert_all(connection, open.iter().map(|place| &rows[*place])).await?;
        let (inserted, taken): (Vec<usize>, Vec<usize>) =
            open.into_iter().partition(|place| new.contains(&rows[*place].id));
        for place in inserted {
            enqueued[place] = Some(Enqueued::New(rows[place].job_id()));
        }
        if !taken.is_empty() {
            let wanted: Vec<&NewRow> = taken.iter().map(|place| &rows[*place]).collect();
            for (place, id) in find_existing(connection, &wanted).await? {
                enqueued[taken[place]] = Some(Enqueued::Existing(id));
            }
        }
    }
}

/// The statement that inserts what `$source` gives, and returns the ids of what is new.
macro_rules! insert_from {
    ($source:literal) => {
        concat!(
            "insert into jobs (id, project_id, queue, kind, payload, unique_key, priority, run_at, max_attempts, traceparent, state)
             select id, project_id, queue, kind, payload::jsonb, unique_key, priority, due, max_attempts, traceparent,
                    case when due > statement_timestamp() then 'scheduled' else 'waiting' end
             from ",
            $source,
            " as job (id, project_id, queue, kind, payload, unique_key, priority, run_at, delay, max_attempts, traceparent)
             cross join lateral coalesce(run_at, statement_timestamp() + make_interval(secs => delay)) as due
             on conflict (queue, kind, unique_key, project_id)
                 where unique_key is not null and state in ('scheduled', 'waiting', 'running') do nothing
             returning id"
        )
    };
}

/// Inserts the row, and says whether it did: it does not when its unique key is taken.
async fn insert_one(connection: &mut PgConnection, row: &NewRow) -> Result<bool, sqlx::Error> {
    // What business transactions wait for most: without a function to unnest, Postgres plans it once.
    let new: Option<Uuid> = sqlx::query_scalar(insert_from!(
        "(values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::smallint, $8::timestamptz,
                  $9::double precision, $10::integer, $11::text))"
    ))
    .bind(row.id)
    .bind(row.project_id)
    .bind(&row.queue)
    .bind(&row.kind)
    .bind(&row.payload)
    .bind(&row.unique_key)
    .bind(row.priority)
    .bind(row.run_at)
    .bind(row.delay)
    .bind(row.max_attempts)
    .bind(&row.traceparent)
    .fetch_optional(connection)
    .await?;
    Ok(new.is_some())
}

/// Inserts the rows whose unique keys are free, and names them.
async fn insert_all(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = &NewRow> + Clone,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    fn column<'r, T>(rows: impl Iterator<Item = &'r NewRow>, of: impl Fn(&'r NewRow) -> T) -> Vec<T> {
        rows.map(of).collect()
    }
    let new: Vec<Uuid> = sqlx::query_scalar(insert_from!(
        "unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                $8::timestamptz[], $9::double precision[], $10::integer[], $11::text[])"
    ))
    .bind(column(rows.clone(), |row| row.id))
    .bind(column(rows.clone(), |row| row.project_id))
    .bind(column(rows.clone(), |row| row.queue.as_str()))
    .bind(column(rows.clone(), |row| row.kind.as_str()))
    .bind(column(rows.clone(), |row| row.payload.as_str()))
    .bind(column(rows.clone(), |row| row.unique_key.as_deref()))
    .bind(column(rows.clone(), |row| row.priority))
    .bind(column(rows.clone(), |row| row.run_at))
    .bind(column(rows.clone(), |row| row.delay))
    .bind(column(rows.clone(), |row| row.max_attempts))
    .bind(column(rows, |row| row.traceparent.as_deref()))
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().collect())
}

/// The unfinished jobs that have these rows' unique keys, each with the place of its row.
async fn find_existing(
    connection: &mut PgConnection,
    rows: &[&NewRow],
) -> Result<Vec<(usize, JobId)>, sqlx::Error> {
    let found: Vec<(i64, Uuid)> = sqlx::query_as(
        "select wanted.place, jobs.id
         from unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
              with ordinality as wanted (queue, kind, unique_key, project_id, place)
         join jobs on jobs.queue = wanted.queue and jobs.kind = wanted.kind
                  and jobs.unique_key = wanted.unique_key
                  and jobs.project_id is not distinct from wanted.project_id
         where jobs.unique_key is not null and jobs.state in ('scheduled', 'waiting', 'running')",
    )
    .bind(rows.iter().map(|row| row.queue.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.unique_key.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.project_id).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let places = found.into_iter().filter_map(|(place, id)| {
        let place = usize::try_from(place).ok()?.checked_sub(1)?;
        Some((place, JobId::from_uuid(id)))
    });
    Ok(places.collect())
}
