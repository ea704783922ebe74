//! A key has ended: everyone who is connected or in a private channel on its word has to leave, on every
//! instance.
//!
//! The instances see to that by themselves: each one's [`Warden`] asks once a second which keys still count.
//! The job hurries its own instance on, stays until no instance has anybody left, and measures how long
//! that took. An instance that died has nobody, once the others have missed it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tidewatch_events::id::ApiKeyId;
use tidewatch_events::{ProjectId, Timestamp};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob, enqueue};
use time::OffsetDateTime;

use crate::db;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::state::AppState;
use crate::stream::warden::Warden;

/// Between two looks whether somebody is left.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The key whose word counts no longer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokeKey {
    key_id: ApiKeyId,
}

impl JobPayload for RevokeKey {
    const KIND: &'static str = "key.revoke";
}

/// Has a key's connections ended once it counts no longer, which is at `at`.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enqueue_revocation(
    connection: &mut PgConnection,
    project: ProjectId,
    key_id: ApiKeyId,
    at: OffsetDateTime,
) -> Result<(), Error> {
    let job = NewJob::of(&RevokeKey { key_id })?.in_project(project).at(at.into()).with_priority(100);
    enqueue(connection, job).await.map(drop).map_err(|error| Error::Internal(error.to_string()))
}

/// Does these jobs.
pub struct KeyRevoker {
    access: PgPool,
    warden: Warden,
    presence: Presence,
    metrics: Metrics,
}

impl KeyRevoker {
    /// A revoker of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self {
            access: state.access.clone(),
            warden: state.warden.clone(),
            presence: state.presence.clone(),
            metrics: state.metrics.clone(),
        }
    }
}

impl Handler for KeyRevoker {
    type Payload = RevokeKey;

    async fn run(&self, job: &JobContext, RevokeKey { key_id }: RevokeKey) -> Result<(), JobError> {
        let ended = db::api_keys::ends_at(&mut *self.access.acquire().await?, key_id)
            .await?
            .ok_or_else(|| JobError::cancel("the key counts, and has no end"))?;
        let now = OffsetDateTime::now_utc();
        if ended > now {
            return Err(JobError::snooze((ended - now).try_into().unwrap_or(LOOK_AGAIN)));
        }
        self.warden.look().await?;
        self.presence.report().await?;
        let left = db::connections::count_on_word_of(&mut *self.access.acquire().await?, key_id).await?;
        if left > 0 {
            job.progress(0, left, "still connected or in private channels on the key's word");
            return Err(JobError::snooze(LOOK_AGAIN));
        }
        let took = Timestamp::from(OffsetDateTime::now_utc()).millis_since(Timestamp::from(ended));
        self.metrics.key_revoked(Duration::from_millis(took.unsigned_abs()));
        Ok(())
    }
}
