//! Nobody has acknowledged a notification in time: whoever is next is told, in one transaction with the note that this
//! step was taken and the word that the job is done. A step that was taken, or that an acknowledgement has stopped, is
//! not taken again, however often this runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidewatch_events::ProjectId;
use tidewatch_events::id::NotificationId;
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};
use time::OffsetDateTime;

use crate::db::notifications::messages;
use crate::notifications::send;
use crate::state::AppState;

/// So much earlier than it is due a step may be taken: the clocks of who runs this and of Postgres differ.
const EARLY: Duration = Duration::from_secs(1);

/// The message, and the step that is to be taken.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Escalate {
    message_id: NotificationId,
    step: u32,
}

impl JobPayload for Escalate {
    const KIND: &'static str = "notification.escalate";
}

/// The job that takes a step of a message's escalation, after so long.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(
    project: ProjectId,
    message_id: NotificationId,
    step: u32,
    after: Duration,
) -> Result<NewJob, serde_json::Error> {
    let key = format!("{message_id}:{step}");
    let job = NewJob::of(&Escalate { message_id, step })?;
    // Before what only tells of something: somebody is waited for.
    Ok(job.in_project(project).unique(key).after(after).with_priority(10))
}

/// Does these jobs.
pub struct Escalator(AppState);

impl Escalator {
    /// An escalator of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Handler for Escalator {
    type Payload = Escalate;

    async fn run(&self, job: &JobContext, Escalate { message_id, step }: Escalate) -> Result<(), JobError> {
        let state = &self.0;
        let project = job.project().ok_or_else(|| JobError::cancel("a notification is of a project"))?;
        let mut transaction = state.notifications.outbox.begin(project).await?;
        let message = messages::lock_open(&mut transaction, project, message_id).await?;
        let Some(message) = message.filter(|message| message.step.unsigned_abs() + 1 == step) else {
            // Acknowledged, deleted, or taken before.
            return Ok(());
        };
        // Somebody had it run before its time.
        let now = OffsetDateTime::now_utc();
        if let Some(wait) = message.escalates_at.and_then(|due| Duration::try_from(due - now).ok())
            && wait > EARLY
        {
            return Err(JobError::snooze(wait));
        }
        let told = send::escalate(&mut transaction, project, &message, state.outside.sends_email()).await?;
        job.complete_in(&mut transaction).await?;
        transaction.commit().await?;
        state.metrics.notification_escalated();
        state.metrics.notifications_sent(told);
        state.jobs.wake_workers();
        Ok(())
    }
}
