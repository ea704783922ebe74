//! A notification goes to one browser by Web Push.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidewatch_app::model::NotificationPriority;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};
use tidewatch_webhooks::{Outcome, Verdict};
use uuid::Uuid;

use super::mail_notification::{addressee, project_of, wait_out_quiet_hours, wanted};
use super::note_outside::{WentOut, note};
use crate::db;
use crate::notifications::outside::link::destination;
use crate::notifications::outside::push::PushMessage;
use crate::state::AppState;

/// The queue of pushes: services that take their time hold up nothing but each other.
pub const QUEUE: &str = "outside";
/// A push that no service took so often is not sent: the last attempt comes an hour and a quarter after the first.
const MAX_ATTEMPTS: u16 = 8;

/// The notification and the browser.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushNotification {
    notification_id: NotificationId,
    subscription_id: Uuid,
}

impl JobPayload for PushNotification {
    const KIND: &'static str = "notification.push";
}

/// The job that pushes a notification to a browser.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(
    project: ProjectId,
    notification_id: NotificationId,
    subscription_id: Uuid,
) -> Result<NewJob, serde_json::Error> {
    let job = NewJob::of(&PushNotification { notification_id, subscription_id })?;
    let job = job.in_project(project).in_queue(QUEUE).with_max_attempts(MAX_ATTEMPTS);
    Ok(job.unique(format!("{notification_id}:{subscription_id}")))
}

/// Does these jobs.
pub struct NotificationPusher {
    state: AppState,
}

impl NotificationPusher {
    /// A pusher of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone() }
    }
}

impl Handler for NotificationPusher {
    type Payload = PushNotification;

    async fn run(&self, job: &JobContext, payload: PushNotification) -> Result<(), JobError> {
        let PushNotification { notification_id, subscription_id } = payload;
        let project = project_of(job)?;
        let pusher = self.state.outside.pusher.as_ref().ok_or_else(|| {
            JobError::cancel("this server pushes nothing (TIDEWATCH_PUBLIC_URL or TIDEWATCH_MAIL_FROM)")
        })?;
        let pool = &self.state.notifications.pool;
        let mut connection = pool.acquire().await?;
        let row = db::notifications::outside::find(&mut connection, project, notification_id).await?;
        let row = row.ok_or_else(|| JobError::cancel("its recipient is not in the project any more"))?;
        if row.is_done {
            return Err(JobError::cancel("it was read, put away or acknowledged before it was pushed"));
        }
        let user = UserId::from_uuid(row.user_id);
        let browser = db::push_subscriptions::find(&mut connection, project, user, subscription_id).await?;
        let browser = browser.ok_or_else(|| JobError::cancel("the browser has unsubscribed"))?;
        let settings = db::notifications::settings::find(&mut connection, project, user).await?;
        if !wanted(&settings, &row.event_type, row.must_acknowledge).push {
            return Err(JobError::cancel("its recipient does not want it pushed any more"));
        }
        if !row.must_acknowledge {
            wait_out_quiet_hours(&mut connection, &settings).await?;
        }
        let to = addressee(&mut connection, project, user).await?;
        drop(connection);
        let message = PushMessage {
            id: notification_id.to_string(),
            title: row.title,
            body: row.body,
            url: destination(notification_id, row.must_acknowledge, &to.project_slug),
            must_acknowledge: row.must_acknowledge,
        };
        let priority = NotificationPriority::ALL.into_iter().find(|one| one.as_str() == row.priority);
        // No connection of the database is held meanwhile.
        let outcome = pusher
            .push(&browser, message, priority.unwrap_or_default())
            .await
            .map_err(|error| JobError::cancel(error.to_string()))?;
        self.note(job, project, notification_id, subscription_id, &outcome).await
    }
}

impl NotificationPusher {
    /// Notes what came of it. A push service that knows the browser no more (404, 410) is believed: it is forgotten.
    async fn note(
        &self,
        job: &JobContext,
        project: ProjectId,
        notification: NotificationId,
        subscription: Uuid,
        outcome: &Outcome,
    ) -> Result<(), JobError> {
        let pool = &self.state.notifications.pool;
        match (outcome.verdict(), outcome.status()) {
            (Verdict::Delivered, _) => {
                note(job, pool, project, &WentOut::Push(notification)).await?;
                self.state.metrics.notified_outside("push");
                Ok(())
            }
            (Verdict::Gone, _) | (_, Some(404)) => {
                let mut connection = pool.acquire().await?;
                db::push_subscriptions::delete(&mut connection, project, subscription).await?;
                Err(JobError::cancel("the push service knows the browser no more: it is forgotten"))
            }
            // It will never be taken: too large, or what was posted is not understood.
            (_, Some(400 | 413)) | (Verdict::Refused, _) => Err(JobError::cancel(outcome.to_string())),
            (Verdict::Retry { after: Some(after) }, _) => {
                Err(JobError::retry_after(after.max(Duration::from_secs(1)), outcome.to_string()))
            }
            (Verdict::Retry { after: None }, _) => Err(JobError::retry(outcome.to_string())),
        }
    }
}
