//! What a new job comes to as a row, and whether Postgres can hold it.

use tidewatch_events::event::MAX_PAYLOAD_BYTES;
use tidewatch_events::id::JobId;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::enqueue::EnqueueError;
use crate::new_job::{Due, NewJob};
use crate::text::{holds_nul, is_kind, is_queue};

/// A row of `jobs` to insert.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) id: Uuid,
    pub(crate) project_id: Option<Uuid>,
    pub(crate) queue: String,
    pub(crate) kind: String,
    pub(crate) payload: String,
    pub(crate) unique_key: Option<String>,
    pub(crate) priority: i16,
    pub(crate) run_at: Option<OffsetDateTime>,
    pub(crate) delay: f64,
    pub(crate) max_attempts: i32,
    pub(crate) traceparent: Option<String>,
}

impl NewRow {
    pub(crate) fn of(job: &NewJob) -> Result<Self, EnqueueError> {
        if !is_kind(&job.kind) {
            return Err(EnqueueError::Invalid("the kind must be of the form `key.revoke`"));
        }
        if !is_queue(&job.queue) {
            return Err(EnqueueError::Invalid(
                "the queue must be 1 to 63 of a-z, 0-9, _ and -, a letter first",
            ));
        }
        if !(1..=1000).contains(&job.max_attempts) {
            return Err(EnqueueError::Invalid("the attempts must be 1 to 1,000"));
        }
        if let Some(key) = &job.unique_key
            && (!(1..=200).contains(&key.chars().count()) || key.contains('\0'))
        {
            return Err(EnqueueError::Invalid(
                "the unique key must have 1 to 200 characters, none of them NUL",
            ));
        }
        let payload = job.payload.to_string();
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(EnqueueError::PayloadTooLarge { kind: job.kind.clone(), bytes: payload.len() });
        }
        if holds_nul(&job.payload) {
            return Err(EnqueueError::Nul { kind: job.kind.clone() });
        }
        let (run_at, delay) = match job.due {
            Due::At(time) => (Some(time.into_inner()), 0.0),
            // Longer than a lifetime is beyond what Postgres can add to its clock.
            Due::In(delay) => (None, delay.as_secs_f64().min(LONGEST_DELAY_SECONDS)),
        };
        Ok(Self {
            id: Uuid::now_v7(),
            project_id: job.project.map(|project| project.uuid()),
            queue: job.queue.clone(),
            kind: job.kind.clone(),
            payload,
            unique_key: job.unique_key.clone(),
            priority: job.priority,
            run_at,
            delay,
            max_attempts: i32::from(job.max_attempts),
            traceparent: job.traceparent.clone(),
        })
    }

    pub(crate) const fn job_id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }
}

/// A hundred years.
pub(crate) const LONGEST_DELAY_SECONDS: f64 = 100.0 * 365.25 * 86_400.0;
